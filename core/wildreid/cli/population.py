"""`reid population`: how many are there, and when not to believe it?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wildreid.cli.arguments import writable
from wildreid.cli.gallery import printing, surveying
from wildreid.cli.gallery.arguments import GalleryPath

if TYPE_CHECKING:
    from wildreid.population.first_numbers import Numbers


def population(
    gallery: GalleryPath,
    deployments: surveying.Deployments,
    run: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN",
            help="A run whose test part measured how often identities are wrong; if not given: the gallery's rule.",
        ),
    ] = None,
    season: Annotated[
        str, typer.Option(metavar="SPAN", help="year, quarter or month, for the minimum number alive.")
    ] = "year",
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", callback=writable, help="Also write a page with plots.")
    ] = None,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", callback=writable, help="Also write a JSON.")
    ] = None,
    occasion_days: surveying.OccasionDays = 5,
    start_hour: surveying.StartHour = 0,
    since: surveying.Since = "",
    until: surveying.Until = "",
    timezone: surveying.Timezone = "",
    partial: surveying.Partial = False,
    cameras_independent: surveying.Independent = False,
    drop_outside: surveying.DropOutside = False,
    include: surveying.Include = None,
    min_probability: surveying.MinProbability = 0.95,
    species: surveying.Species = "",
    side: surveying.Side = "both",
    private: surveying.Private = False,
    station_names: surveying.StationNames = False,
) -> None:
    """Say how many individuals there are: first numbers, their intervals, and what wrong identities do to them.

    Example: [bold]reid population bears --deployments deployments.csv --html population.html[/]
    """
    import json as plain

    from wildreid.errors import UserError
    from wildreid.gallery.store import Gallery
    from wildreid.population.deployments import read_deployments
    from wildreid.population.design import Design
    from wildreid.population.first_numbers import first_numbers
    from wildreid.population.of_gallery import errors_of, errors_of_run, rows_of, taker
    from wildreid.population.page import population_page

    if season not in ("year", "quarter", "month"):
        raise UserError(f"there is no season '{season}'; there are year, quarter and month", where="--season")
    design = Design(
        occasion_days=occasion_days, start_hour=start_hour, since=since, until=until, timezone=timezone,
        partial=partial, cameras_independent=cameras_independent, drop_outside=drop_outside,
        machine=surveying.takes_machine(include), min_probability=min_probability, species=species,
        side=side, private=private, precision=None, station_names=station_names,  # type: ignore[arg-type]
    )  # fmt: skip
    state = Gallery(gallery).state
    errors = errors_of(state) if run is None else errors_of_run(run)
    survey = taker(state, read_deployments(deployments, timezone=timezone))(rows_of(state), design)
    numbers = first_numbers(survey, errors, season=season)
    if html:
        stamp = str(state.manifest.provenance.get("stamp", ""))
        html.write_text(population_page(survey, numbers, stamp=stamp), encoding="utf-8")
    if json:
        json.write_text(plain.dumps(numbers.as_dict(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    _print(numbers)
    surveying.say_survey(design, survey.counts["left out"], survey.notes)


def _print(numbers: Numbers) -> None:
    from wildreid.population.page import row_of

    printing.table(
        ("", "animals", "95 % interval", "with wrong identities"),
        [row_of(one) for one in numbers.figures],
        numbers=(1, 2, 3),
    )
    alive = ", ".join(f"{season}: {count}" for season, count in numbers.alive.items())
    printing.say(f"minimum number alive: {alive}")
    if numbers.errors is not None:
        missed, merged = numbers.errors.missed, numbers.errors.merged
        printing.say(
            f"wrong identities: {100 * missed.value:.1f} % ({100 * missed.low:.1f} to {100 * missed.high:.1f} %) "
            f"of encounters with known animals are missed, {100 * merged.value:.1f} % ({100 * merged.low:.1f} to "
            f"{100 * merged.high:.1f} %) of those with new ones are taken for known; {numbers.errors.source}"
        )
    for one in numbers.cautions:
        printing.say(f"! {one}", style="yellow")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(population)
