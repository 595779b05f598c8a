"""From the data set to the split table: read, group, split, and write down where it all came from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wildreid.data.apart import keep_apart
from wildreid.data.audit import audit
from wildreid.data.splits import split, unreached
from wildreid.data.store import ImageStore, open_images
from wildreid.data.table import Table
from wildreid.errors import UserError
from wildreid.files import write_json
from wildreid.pipeline.folder import RunFolder, write_recipe
from wildreid.pipeline.provenance import hash_of, hash_of_rows, provenance
from wildreid.pipeline.reading import opened_with_pixels, said
from wildreid.pipeline.tracking import RunFacts
from wildreid.places import cache_folder
from wildreid.recipe import Loaded, Measurement, Recipe
from wildreid.recipe.decides import FIGURES, NOTHING, all_but
from wildreid.training.world import ALONE, World

MOST_FAILURES = 0.1
"""The share of images that may fail to be read before a run stops."""


@dataclass(frozen=True)
class Ready:
    """What training begins with.

    Attributes:
        table: the split table.
        images: its pixels.
        leaks: whether the split leaks.
        run: what trackers may know of it.
    """

    table: Table
    images: ImageStore
    leaks: bool
    run: RunFacts


def begin(
    loaded: Loaded, folder: RunFolder, *, device: str, say: Callable[[str], None], world: World = ALONE
) -> Ready:
    """From the data set to the split, written down with where it all came from."""
    recipe = loaded.recipe
    folder.path.mkdir(parents=True, exist_ok=True)
    if world.first:
        table, images = _read(recipe, folder, device, say)
        split_table, leaks = divide(recipe, table, folder, say)
        hashes = {
            "inputs": hash_of(
                all_but(recipe, NOTHING, FIGURES, defaults=False), hash_of_rows(split_table.rows)
            ),
            "table": hash_of_rows(table.rows),
        }
        whence = provenance(loaded, device=device, processes=world.size, root=table.root, hashes=hashes)
        whence["weights"] = [origin.as_dict() for origin in recipe.backbone.origins()]
        write_json(folder.provenance, whence)
        world.tell(lambda: (hashes, leaks))
    else:  # what the first has read and split is in the folder
        hashes, leaks = world.tell(lambda: ({}, False))
        split_table, images = _read_again(recipe, folder, device)
    facts = RunFacts(folder.path, recipe.name, recipe.model_dump(mode="json"), hashes)
    return Ready(split_table, images, leaks, facts)


def _read_again(recipe: Recipe, folder: RunFolder, device: str) -> tuple[Table, ImageStore]:
    """The table and pixels that another process of this run has read."""
    if not folder.split.is_file():
        raise UserError(
            f"this process sees no {folder.split}, which the first has written",
            where="`out=…`",
            cure="put the runs on a file system that all machines of the run share",
        )
    table = folder.load_split()
    return table, open_images(
        table, recipe.images,
        cache=cache_folder(), threads=max(1, recipe.training.workers), foreground=recipe.foreground, device=device,
    )  # fmt: skip


def _read(
    recipe: Recipe, folder: RunFolder, device: str, say: Callable[[str], None]
) -> tuple[Table, ImageStore]:
    """Data set to table and pixels: what cannot be read is reported and left out."""
    table = recipe.dataset.table()
    table = table.with_rows(table.rows.sort_values("id", kind="stable"))
    if table.individuals < 2:
        raise UserError(
            f"the data set has {table.individuals} identities in {len(table)} images; at least two are needed",
            where="dataset",
            cure="check the data set's root and columns",
        )
    write_recipe(folder.recipe, recipe)  # from here on the run can be resumed
    said(table)
    found, images = opened_with_pixels(
        table, recipe.images, recipe.encounters,
        threads=max(1, recipe.training.workers), foreground=recipe.foreground, device=device,
    )  # fmt: skip
    folder.write_failures(found.table.failures)
    if len(found.failures) > MOST_FAILURES * len(table):
        raise UserError(
            f"{len(found.failures)} of {len(table)} images cannot be read; {folder.failures} lists them",
            where="dataset",
            cure="correct or remove them, or check the root",
        )
    table, images = keep_apart(found.table, recipe.apart), images.select(found.kept)
    table.save(folder.table)
    left_out = f", {len(table.failures)} left out (failures.csv)" if table.failures else ""
    undated = int(table["timestamp"].isna().sum())
    say(
        f"table   {len(table)} images, {table.individuals} individuals, "
        f"{table['encounter'].nunique()} encounters, {undated} undated{left_out}"
    )
    if recipe.foreground is not None:
        doubtful = folder.write_doubts(table["id"], images.doubts)
        whole = f"; {doubtful} worked on as whole images (masks.csv)" if doubtful else ""
        say(f"masks   {len(table) - doubtful} animals by {recipe.foreground.name}{whole}")
    return table, images


def divide(
    recipe: Measurement, table: Table, folder: RunFolder, say: Callable[[str], None]
) -> tuple[Table, bool]:
    """The split table, written down with what its audit found; and whether it leaks."""
    table = split(table, recipe.splitter, seed=recipe.seed_of_split)
    table.save(folder.split)
    found = audit(table)
    missed = unreached(table, recipe.splitter)
    write_json(folder.audit, {**found.as_dict(), "unreached": list(missed)})
    counts = table["part"].value_counts()
    say("split   " + " · ".join(f"{counts.get(part, 0)} {part}" for part in ("train", "val", "test")))
    for shortfall in missed:
        say(f"! the splitter could not reach a share: {shortfall}")
    if found.leaks:
        say("! this split leaks: every figure of this run is too good; see audit.json")
    return table, found.leaks
