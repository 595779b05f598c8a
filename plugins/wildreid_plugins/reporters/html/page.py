"""The page, put together from its sections."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wildreid.files import put_text
from wildreid.page import WITHHELD, Larger, render
from wildreid_plugins.reporters.html import curves, headline, individuals, matching, place, strips
from wildreid_plugins.reporters.html.atlas import atlas
from wildreid_plugins.reporters.html.view import View

if TYPE_CHECKING:
    from wildreid.artefacts import Results
    from wildreid_plugins.reporters.html import Html

HERE = Path(__file__).parent
SECTIONS = (
    ("answer", "Answer"),
    ("trust", "How far to trust it"),
    ("photos", "Photos"),
    ("individuals", "Individuals"),
    ("place", "Animal or place"),
    ("matching", "Matching"),
    ("alike", "Alike"),
    ("slices", "Slices"),
    ("map", "Map"),
    ("training", "Training"),
    ("data", "Data"),
    ("recipe", "Recipe"),
)


def write(options: Html, results: Results, path: Path) -> None:
    """Write the whole page to `path`, whole or not at all, and the larger photos beside it."""
    view, larger = View(results), Larger(path, options.pictures)
    warm = matching.alike(view)
    left_out = {"matching"} - set(view.block) | ({"alike"} if warm is None else set())
    text = render(
        HERE / "report.html",
        scripts=[HERE / "atlas.js"],
        styles=[HERE / "report.css"],
        beside=larger.beside,
        title=results.name,
        stamp=results.stamp,
        sections=[one for one in SECTIONS if one[0] not in left_out],
        made=_made(view),
        weights=view.results.run.get("weights") or [],
        view=view,
        headline=headline.headline(view),
        practice=headline.practice(view),
        accuracy=curves.accuracy(view),
        open_set=curves.open_set(view),
        reliability=curves.reliability(view),
        strips=strips.strips(view, most=options.strips, nearest=options.nearest, larger=larger),
        columns=individuals.COLUMNS,
        individuals=individuals.individuals(view),
        slices=individuals.slices(view),
        species=headline.by_species(view),
        probes=view.block.get("probes") or {},
        place=place.place(view),
        matching=matching.matching(view),
        alike=warm,
        atlas=atlas(options, view),
        training=curves.training(view),
        epochs=len(results.history),
        choice=results.choice,
        counts=curves.counts(view),
        split=individuals.split_summary(view),
        failures=_failures(results.folder),
        recipe=_recipe(view),
        run=dict(
            _flat(view.veil.data({key: value for key, value in results.run.items() if key != "weights"}))
        ),
    )
    put_text(path, text)


def _made(view: View) -> str:
    version = view.results.run.get("versions", {}).get("wildreid", "")
    private = "cameras are numbered and paths withheld; private: true in the recipe shows them"
    if view.veil.private:
        private = "private: camera names and paths are shown"
    return f"Written by wildreid {version}; {private}. This page loads nothing from the network."


def _failures(folder: Path) -> int:
    """How many rows of the data were left out."""
    try:
        with (folder / "failures.csv").open(newline="", encoding="utf-8") as file:
            return sum(1 for _ in csv.reader(file)) - 1
    except FileNotFoundError:
        return 0


def _recipe(view: View) -> str:
    """The resolved recipe as YAML, without what the page may not tell."""
    import yaml

    recipe = dict(view.results.recipe)
    if not view.veil.private and isinstance(recipe.get("dataset"), Mapping):
        # a mapping among a data set's fields is keyed by what the user calls things, such as stations
        recipe["dataset"] = {
            key: WITHHELD if isinstance(value, Mapping) and key != "columns" else value
            for key, value in recipe["dataset"].items()
        }
    return yaml.safe_dump(view.veil.data(recipe), sort_keys=False, allow_unicode=True, width=88)


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Nested plain data as dotted names and texts."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flat(item, f"{name} · {key}" if name else str(key))
    elif isinstance(value, list | tuple):
        simple = all(not isinstance(item, Mapping | list) for item in value)
        if simple:
            yield name, ", ".join(map(str, value)) or "none"
        else:
            for n, item in enumerate(value, 1):
                yield from _flat(item, f"{name} {n}")
    elif value not in (None, ""):
        yield name, str(value)
