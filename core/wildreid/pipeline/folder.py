"""A run's folder: where each artefact lies, which stages are done, and how it is read again."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from wildreid.artefacts import Scores
from wildreid.data.table import Failure, Table
from wildreid.errors import UserError
from wildreid.files import cell, put_text, read_json, reading, write_json
from wildreid.recipe import Loaded, Measurement, Recipe, load_recipe, resolved
from wildreid.recipe.lines import read_yaml
from wildreid.recipe.merge import parsed

if TYPE_CHECKING:
    from wildreid.artefacts import Floats

WHOLE = ("name", "stamp", "seed", "dataset", "encounters", "images", "evaluation", "metrics", "reporters")
"""Keys that the resolved recipe of every run has."""
TRAINED = ("backbone", "head", "loss", "training", "trackers")
"""Keys that it has besides where a network was trained."""
OF_SCORES = ("run", "stamp", "seed", "headline")
OF_PROTOCOLS = ("label", "reason", "counts", "scores", "slices", "curves")
REDO = "remove this file and resume the run, or take it from a backup"


@dataclass(frozen=True)
class RunFolder:
    """The paths of a run's artefacts, and a ledger of the stages that made them.

    The ledger (``stages.json``) holds a key for each finished stage: a hash of all that went into it. A stage
    whose key is unchanged and whose files are there is not done again.
    """

    path: Path

    @property
    def recipe(self) -> Path:
        """The resolved recipe; it runs again as it is."""
        return self.path / "recipe.yaml"

    @property
    def provenance(self) -> Path:
        """Versions, plugins, seeds, hashes, machine."""
        return self.path / "run.json"

    @property
    def table(self) -> Path:
        """Every annotation that can be used."""
        return self.path / "table.parquet"

    @property
    def split(self) -> Path:
        """The same rows with part and role."""
        return self.path / "split.parquet"

    @property
    def audit(self) -> Path:
        """What the audit of the split found."""
        return self.path / "audit.json"

    @property
    def failures(self) -> Path:
        """What was not used, and why."""
        return self.path / "failures.csv"

    @property
    def doubts(self) -> Path:
        """Which images are worked on whole since their mask is missing or in doubt, and why."""
        return self.path / "masks.csv"

    @property
    def model(self) -> Path:
        """The best weights."""
        return self.path / "model.safetensors"

    @property
    def history(self) -> Path:
        """One line for each epoch."""
        return self.path / "history.jsonl"

    @property
    def embeddings(self) -> Path:
        """One row for each row of the split table."""
        return self.path / "embeddings.npy"

    @property
    def ids(self) -> Path:
        """The id of each row of the embeddings, a line each."""
        return self.path / "ids.txt"

    @property
    def decision(self) -> Path:
        """Threshold and calibration."""
        return self.path / "decision.json"

    @property
    def scores(self) -> Path:
        """Every number, with its n, protocol and interval."""
        return self.path / "scores.json"

    @property
    def lines(self) -> Path:
        """Pairs of photos with their matched points, for the report."""
        return self.path / "lines.json"

    @property
    def shortcut(self) -> Path:
        """How right the model is with the animal hidden, and with the place hidden."""
        return self.path / "shortcut.json"

    @property
    def report(self) -> Path:
        """What the reporters wrote."""
        return self.path / "report"

    def ranking(self, protocol: str, headline: str) -> Path:
        """The ranking under one protocol; the headline's is plain ``ranking.npz``."""
        return self.path / ("ranking.npz" if protocol == headline else f"ranking.{protocol}.npz")

    def done(self, stage: str, key: str, *files: Path) -> bool:
        """Whether this stage was finished with this key and its files are there."""
        return self._ledger.get(stage) == key and all(file.exists() for file in files)

    def record(self, stage: str, key: str) -> None:
        """Write down that a stage is finished."""
        self._ledger[stage] = key
        write_json(self.path / "stages.json", self._ledger)

    def begun(self, stage: str, key: str) -> bool:
        """Whether this stage was begun before with this key; writes down that it is begun now.

        Raises:
            UserError: it was begun with another key: what is in the folder belongs to other data.
        """
        before = self._ledger.get(f"{stage} begun")
        if before is not None and before != key:
            raise UserError(
                f"{self.path} was begun on other data, or with another recipe, than it has now",
                cure="give this run another `name=…`, or remove the folder",
            )
        self.record(f"{stage} begun", key)
        return before is not None

    @cached_property
    def _ledger(self) -> dict[str, str]:
        file = self.path / "stages.json"
        if not file.is_file():
            return {}
        with reading(file, cure=f"{REDO}; stages whose files are there are then done again"):
            ledger: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
            if not isinstance(ledger, dict):
                raise TypeError("not a mapping")
            return ledger

    def write_failures(self, failures: Iterable[Failure]) -> None:
        """Write ``failures.csv``, headed also where it is empty."""
        write_failures(self.failures, failures)

    def write_doubts(self, ids: Iterable[str], doubts: Iterable[str]) -> int:
        """Write ``masks.csv``: the images whose mask is not used, and why; return how many there are."""
        doubtful = [(name, why) for name, why in zip(ids, doubts, strict=True) if why]
        with self.doubts.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("id", "reason"))
            writer.writerows(doubtful)
        return len(doubtful)

    def load_recipe(self, settings: Mapping[str, Any] | Iterable[str] = ()) -> Loaded:
        """The resolved recipe, as it stands in the folder.

        Raises:
            UserError: it is no run, or one of embeddings from elsewhere, which has no network.
        """
        if self.of_embeddings:
            raise UserError(
                f"{self.path} measures embeddings that came from elsewhere: there is no network in it",
                cure="measure it again with evaluate, or train a network with run",
            )
        self._raw()
        given = settings if isinstance(settings, Mapping) else tuple(settings)
        return load_recipe(self.recipe, settings=given, saved=True)

    def measured(
        self, settings: Mapping[str, Any] | Sequence[str] = ()
    ) -> Loaded[Recipe] | Loaded[Measurement]:
        """What was measured, and how: a trained run's whole recipe, or of embeddings the part without a network."""
        raw, lines = self._raw()
        kind = Recipe if "backbone" in raw else Measurement
        return resolved(raw, lines=lines, path=self.recipe, kind=kind, layers=parsed(settings), saved=True)

    def _raw(self) -> tuple[dict[str, Any], dict[tuple[str | int, ...], int]]:
        if not self.recipe.is_file():
            raise UserError(
                f"{self.path} is no run: it has no recipe.yaml", cure="give the folder that `reid run` wrote"
            )
        return read_yaml(self.recipe)

    @property
    def of_embeddings(self) -> bool:
        """Whether embeddings from elsewhere were measured here: there is no network."""
        return self.recipe.is_file() and "backbone" not in self._raw()[0]

    def raw_recipe(self) -> dict[str, Any]:
        """The resolved recipe as plain values, whatever plugins there are now.

        Raises:
            UserError: it is no run, or the file is damaged.
        """
        raw, _ = self._raw()
        lacking = [key for key in (*WHOLE, *(TRAINED if self.model.is_file() else ())) if key not in raw]
        if lacking:
            raise UserError(
                f"it is not the whole recipe of a run: it has no {lacking[0]}",
                where=str(self.recipe),
                cure="take it from a backup, or run the recipe again",
            )
        return raw

    def load_split(self) -> Table:
        """The split table, with its root.

        Raises:
            UserError: it is missing or damaged.
        """
        with reading(self.provenance, cure=REDO):
            root = Path(read_json(self.provenance)["root"])
        with reading(self.split, cure=REDO):
            table = Table.load(self.split, root)
            lacking = {"id", "image", "identity", "part", "role", "group", "encounter"} - set(table.rows)
            if lacking:
                raise ValueError(f"it has no column {', '.join(sorted(lacking))}")
            return table

    def load_scores(self) -> dict[str, Any]:
        """What ``scores.json`` says, its protocols as `Scores`.

        Raises:
            UserError: it is missing or damaged.
        """
        scores = read_json(self.scores)
        with reading(self.scores, cure="make it again with `wildreid.evaluate(…)`"):
            protocols = {name: Scores(block) for name, block in scores["protocols"].items()}
            for block in (scores, *protocols.values()):
                wanted = OF_SCORES if block is scores else OF_PROTOCOLS
                if lacking := [name for name in wanted if name not in block]:
                    raise ValueError(f"it has no {lacking[0]}")
            if scores["headline"] not in protocols:
                raise ValueError("there is no headline among its protocols")
        return scores | {"protocols": protocols}

    def load_embeddings(self, table: Table) -> Floats:
        """(rows, width) float32, memory-mapped: a vector for each row of the split table.

        Raises:
            UserError: they are missing or damaged, or of another table.
        """
        with reading(self.embeddings, cure=REDO):
            embeddings: Floats = np.load(self.embeddings, mmap_mode="r", allow_pickle=False)
            if embeddings.ndim != 2 or embeddings.dtype != np.float32 or len(embeddings) != len(table):
                raise ValueError(
                    f"it holds {embeddings.dtype} {embeddings.shape}, not a float32 vector for each of "
                    f"{len(table)} rows"
                )
            return embeddings


def write_recipe(path: Path, recipe: Measurement) -> None:
    """Write the resolved recipe as YAML that loads to the same recipe, whole or not at all."""
    header = "# The resolved recipe of this run: every field, defaults and profiles included.\n"
    text = yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=100)
    put_text(path, header + text)


def write_failures(path: Path, failures: Iterable[Failure]) -> None:
    """Write what could not be used and why as a CSV, headed also where it is empty."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("image", "row", "reason", "record"))
        for one in failures:
            writer.writerow(map(cell, (one.image, one.row, one.reason, one.key)))
