"""`reid gallery export`: a gallery as a survey, in the form of another program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wildreid.cli.arguments import Device
from wildreid.cli.gallery import printing, surveying
from wildreid.cli.gallery.arguments import GalleryPath, Root

if TYPE_CHECKING:
    from wildreid.kinds import Exporter


def export(
    gallery: GalleryPath,
    to: Annotated[str, typer.Option(metavar="NAME", help="`reid plugins exporters` lists them.")],
    deployments: surveying.Deployments,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where to; new or empty.")],
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A field of the exporter; may be given again."),
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
    precision: surveying.Precision = 2,
    station_names: surveying.StationNames = False,
    photos: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where the gallery's photos are, for sizes and copies of them."),
    ] = None,
    draws: Annotated[
        int, typer.Option(min=0, help="Write this number of whole assignments of the uncertain identities.")
    ] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Of the draws.")] = 0,
    undecided: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PHOTOS",
            help="With --draws: photos that are not in the gallery, as for `reid identify`; may be given again.",
        ),
    ] = None,
    root: Root = None,
    device: Device = None,
) -> None:
    """Write who was seen where and when for MARK, secr, oSCR, camtrapR, Camtrap DP, Wildbook, or as plain tables.

    Coordinates, names of places and files are made safe unless you say --private.

    Example: [bold]reid gallery export bears --to secr --deployments deployments.csv --out bears-secr[/]
    """
    import pandas as pd

    from wildreid.cli.options import chosen
    from wildreid.errors import UserError
    from wildreid.gallery.store import Gallery
    from wildreid.identification import open_gallery
    from wildreid.population.deployments import read_deployments
    from wildreid.population.design import Design
    from wildreid.population.export import export_survey
    from wildreid.population.of_gallery import facts, rows_of, taker
    from wildreid.population.of_gallery import undecided as candidates_of

    exporter: Exporter = chosen("exporter", to, set_, where="--to")  # type: ignore[assignment]
    design = Design(
        occasion_days=occasion_days, start_hour=start_hour, since=since, until=until, timezone=timezone,
        partial=partial, cameras_independent=cameras_independent, drop_outside=drop_outside,
        machine=surveying.takes_machine(include), min_probability=min_probability, species=species,
        side=side, private=private, precision=precision, station_names=station_names,  # type: ignore[arg-type]
    )  # fmt: skip
    if undecided and not draws:
        raise UserError("--undecided needs --draws", cure="--draws 20")
    state = Gallery(gallery).state
    rows = rows_of(state)
    if undecided:
        rows = pd.concat(
            [rows, candidates_of(open_gallery(gallery, device=device or "auto"), undecided, root=root)]
        )
    take = taker(state, read_deployments(deployments, timezone=timezone), photos=photos)
    done = export_survey(
        rows.reset_index(drop=True), take, design, exporter, out, facts=facts(state), draws=draws, seed=seed
    )
    survey = done.survey
    surveying.say_survey(design, survey.counts["left out"], survey.notes)
    of = f"{draws} draws, the first of " if draws else ""
    printing.say(
        f"wrote {out}: {of}{len(survey.individuals)} individuals in {len(survey.encounters)} encounters at "
        f"{len(survey.stations)} stations, {survey.occasions.words()}"
    )
    if done.key is not None:
        printing.say(f"{done.key.name} says which name stands for which; keep it, and do not share it")
