"""Embeddings that came from elsewhere, measured as a run's own are: everything but the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from wildreid.artefacts import Results
from wildreid.data.apart import keep_apart
from wildreid.data.columns import find_root, guess_columns
from wildreid.data.fingerprints import fingerprint
from wildreid.data.groups import annotate
from wildreid.data.rows import read_rows
from wildreid.data.splits import unused
from wildreid.data.table import Table
from wildreid.errors import UserError
from wildreid.evaluation.embedding_files import read_embeddings
from wildreid.evaluation.embeddings import Given, in_order, unit_length
from wildreid.files import put, put_text, read_json, write_json
from wildreid.pipeline.folder import RunFolder, write_recipe
from wildreid.pipeline.prepare import divide
from wildreid.pipeline.provenance import hash_of, hash_of_rows, provenance
from wildreid.pipeline.reading import said
from wildreid.pipeline.results import load_results
from wildreid.pipeline.scoring import measure
from wildreid.places import cache_folder
from wildreid.progress import note, say
from wildreid.recipe import Loaded, Measurement, resolved
from wildreid.recipe.decides import FIGURES, NOTHING, all_but
from wildreid.recipe.find import find_recipe
from wildreid.recipe.lines import read_yaml
from wildreid.recipe.load import run_name
from wildreid.recipe.merge import merge, parsed

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEFAULTS: dict[str, Any] = {
    "metrics": [
        "accuracy-at-k", "macro-accuracy-at-k", "encounter-accuracy-at-k", "map", "mrr", "auroc",
        "dir-fpir", "baks-baus", "calibration",
    ],
    "reporters": ["html", "terminal"],
}  # fmt: skip
"""What is measured and written where no recipe says it."""
SAVED = "given.parquet"


def evaluate_embeddings(
    embeddings: str | Path | NDArray[Any],
    table: str | Path | pd.DataFrame | Table | None = None,
    *,
    out: str | Path,
    root: str | Path | None = None,
    ids: Sequence[str] | str | Path | None = None,
    match: str | None = None,
    recipe: str | Path | None = None,
    profiles: Sequence[str] = (),
    settings: Mapping[str, Any] | Sequence[str] = (),
    name: str | None = None,
) -> Results:
    """Measure embeddings under our protocols: groups, split, ranks, decision, scores with intervals, report.

    What comes out is a run's folder without a model: `load_results`, ``reid report``, ``reid compare``,
    ``reid audit`` and ``reid evaluate`` take it. Vectors are scaled to unit length, and how many were not is
    said. Where embeddings bring ids (see `wildreid.evaluation.embedding_files.read_embeddings`), rows are found
    by them; else the order of the table is theirs.

    Args:
        embeddings: (N, width) numbers, or a ``.npy``, ``.npz`` or ``.parquet`` of them, or a folder of shards.
        table: one row for each annotation: a CSV or Parquet file, a frame, or a `Table`; None: the recipe's
            data set.
        out: the folder to write; new, empty, or of this very measurement.
        root: where the photos are, for near duplicates and pictures; None: beside the table, if they are there.
        ids: what each embedding is of, in their order: texts, or a file with one on each line.
        match: the table's column that holds the ids; None: the one that fits.
        recipe: whose splitter, protocols, metrics and reporters are taken; None: the parts that the table gives,
            else a split by individuals and groups, every metric, and a page.
        profiles: of the recipe.
        settings: single keys over all that, such as ``{"evaluation.protocols": ["cross-encounter"]}``.
        name: of the run; None: the recipe's, else the folder's.

    Raises:
        UserError: embeddings of another table, one row too many, one that is not finite; whatever is wrong with
            the table, its split or the settings.
    """
    if table is None and recipe is None:
        raise UserError("no table says what the embeddings are of", cure="give a table, or a recipe")
    given = read_embeddings(embeddings, ids=ids)
    folder = RunFolder(Path(out))
    _check_free(folder, given)
    over = {} if table is None else {"dataset": _dataset(table, folder, root)}
    loaded = _loaded(recipe, over, folder.path, profiles=profiles, settings=settings, name=name)
    return _measured(loaded, given, folder, match=match)


def measure_again(folder: RunFolder, settings: Mapping[str, Any] | Sequence[str]) -> Results:
    """Rank, score and report such a folder again, with other ``evaluation``, ``metrics`` or ``reporters``.

    Raises:
        UserError: a setting that would need another table or split.
    """
    before, after = folder.measured().recipe, folder.measured(settings).recipe
    if all_but(before, NOTHING, FIGURES) != all_but(after, NOTHING, FIGURES):
        raise UserError(
            "these settings change the data, not only the evaluation",
            where="settings",
            cure="measure the embeddings again into another folder",
        )
    write_recipe(folder.recipe, after)
    return _scored(after, folder)


def _measured(loaded: Loaded[Measurement], given: Given, folder: RunFolder, *, match: str | None) -> Results:
    recipe = loaded.recipe
    for one in loaded.notes:
        note(one)
    table = recipe.dataset.table()
    said(table)
    vectors, by = in_order(given, table.rows, column=match, places=_places(given, table))
    vectors, rescaled = unit_length(vectors)
    say(f"given   {len(vectors)} embeddings, {vectors.shape[1]} wide, from {given.source}; matched by {by}")
    if rescaled:
        note(f"{rescaled} of them were not of unit length; all are divided by their length")
    folder.path.mkdir(parents=True, exist_ok=True)
    table = table.with_rows(table.rows.assign(embedding=np.arange(len(table))))
    if any((table.root / image).is_file() for image in table["image"][:5]):
        table = fingerprint(table, cache=cache_folder(), perceptual=recipe.encounters.near_duplicates)
    table = annotate(table.with_rows(table.rows.sort_values("id", kind="stable")), recipe.encounters)
    table = keep_apart(table, recipe.apart)
    place = table["embedding"].to_numpy(np.int64)
    table = table.with_rows(table.rows.drop(columns="embedding"))
    table.save(folder.table)
    split_table, _ = divide(recipe, table, folder, say)
    folder.write_failures((*table.failures, *unused(split_table)))
    order = pd.Index(table["id"]).get_indexer(split_table["id"])
    vectors = np.ascontiguousarray(vectors[place[order]], np.float32)
    write_recipe(folder.recipe, recipe)
    hashes = {"table": hash_of_rows(table.rows), "embeddings": given.digest}
    whence = provenance(loaded, device="none", root=table.root, hashes=hashes)
    whence["embeddings"] = {
        "source": given.source, "matched_by": by, "rows": len(vectors), "width": vectors.shape[1],
        "rescaled": rescaled,
    }  # fmt: skip
    write_json(folder.provenance, whence)
    put(folder.embeddings, lambda aside: _save(aside, vectors))
    put_text(folder.ids, "".join(f"{name}\n" for name in split_table["id"]))
    return _scored(recipe, folder)


def _scored(recipe: Measurement, folder: RunFolder) -> Results:
    for name in ("probes", "shortcut"):
        if getattr(recipe.evaluation, name):
            note(f"evaluation.{name} is not measured: there is no network here to look at photos again")
    table = folder.load_split()
    digest = read_json(folder.provenance)["hashes"]["embeddings"]
    measure(recipe, table, folder, hash_of(digest), leaks=bool(read_json(folder.audit)["leaks"]))
    results = load_results(folder.path)
    folder.report.mkdir(exist_ok=True)
    for reporter in recipe.reporters:
        reporter.write(results=results, folder=folder.report)
    return results


def _check_free(folder: RunFolder, given: Given) -> None:
    """Refuse a folder that holds anything but a measurement of these embeddings."""
    if not folder.path.exists() or (folder.path.is_dir() and not any(folder.path.iterdir())):
        return
    if folder.of_embeddings and folder.provenance.is_file():
        if read_json(folder.provenance)["hashes"].get("embeddings") == given.digest:
            return
        raise UserError(f"{folder.path} measures other embeddings", cure="choose another folder")
    raise UserError(f"{folder.path} is not empty", cure="choose another folder")


def _places(given: Given, table: Table) -> list[int] | None:
    """Without ids: the place of each row among those of the file, some of which could not be used."""
    if given.ids is not None or not table.failures:
        return None
    if any(failure.row is None for failure in table.failures):
        raise UserError(
            f"{len(table.failures)} photos of the data set cannot be used, so order does not tell whose "
            "embedding is whose",
            cure="give the ids of the embeddings",
        )
    left_out = {failure.row for failure in table.failures}
    total = len(table) + len(left_out)
    return [row for row in range(total) if row + 1 not in left_out]


def _dataset(
    table: str | Path | pd.DataFrame | Table, folder: RunFolder, root: str | Path | None
) -> dict[str, Any]:
    """The table as a data set of a recipe; one that is in memory is written into the folder."""
    if isinstance(table, Table):
        root, table = root or table.root, table.rows
    if isinstance(table, pd.DataFrame):
        frame, file, near = table, folder.path.absolute() / SAVED, Path.cwd()
        put(file, lambda aside: frame.to_parquet(aside, index=False))
    else:
        file = Path(table).absolute()
        (frame, _), near = read_rows(file), file.parent
    found = Path(root) if root is not None else None
    if found is None and "image" in frame:
        found = find_root(frame["image"], near)
    return {"name": "table", "root": str((found or near).absolute()), "file": str(file)}


def _loaded(
    recipe: str | Path | None,
    over: Mapping[str, Any],
    out: Path,
    *,
    profiles: Sequence[str],
    settings: Mapping[str, Any] | Sequence[str],
    name: str | None,
) -> Loaded[Measurement]:
    """What is measured: the recipe's part of it, with the table as its data set."""
    if name is not None:
        over = {**over, "name": name}
    layers = [over, *parsed(settings)]
    if recipe is not None:
        path = find_recipe(recipe)
        raw, lines = read_yaml(path)
        return resolved(raw, lines=lines, path=path, kind=Measurement, profiles=profiles, layers=layers)
    merged: dict[str, Any] = {"name": run_name(out.absolute().name, otherwise="embeddings"), **DEFAULTS}
    for layer in layers:
        merged = merge(merged, layer, top=True)
    if "splitter" not in merged:
        merged["splitter"] = _splitter(merged["dataset"])
    return resolved(merged, lines={}, path=Path.cwd() / "embeddings", kind=Measurement)


def _splitter(dataset: Mapping[str, Any]) -> str:
    """The parts that came with the table; else by groups where encounters can be told apart, else by individual."""
    columns = dataset.get("columns") or {}
    rows, _ = read_rows(Path(dataset["file"]))
    known = {*columns, *guess_columns(rows, apart=columns.values()), *map(str, rows.columns)}
    if "part" in known:
        return "given"
    tells = {"timestamp", "encounter", "sequence"} & known
    return "open-set" if tells else "disjoint-set"


def _save(path: Path, vectors: NDArray[np.float32]) -> None:
    with path.open("wb") as file:
        np.save(file, vectors, allow_pickle=False)
