"""A finished run, read whole from its folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wildreid.artefacts import Decision, Results
from wildreid.errors import UserError
from wildreid.evaluation.decision import load_decision
from wildreid.evaluation.rank import load_ranking
from wildreid.files import read_json, reading
from wildreid.pipeline.folder import REDO, RunFolder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def load_results(path: str | Path) -> Results:
    """Read a finished run from its folder.

    Raises:
        UserError: it is no run, or it is not finished.
    """
    folder = RunFolder(Path(path))
    recipe = folder.raw_recipe()
    if not folder.scores.is_file():
        raise UserError(
            f"the run {folder.path} is not finished",
            cure=f"finish it with `wildreid.pipeline.resume({str(folder.path)!r})`",
        )
    scores = folder.load_scores()
    table = folder.load_split()
    rankings = {
        protocol: load_ranking(file, rows=len(table))
        for protocol in scores["protocols"]
        if (file := folder.ranking(protocol, scores["headline"])).is_file()
    }
    decision = load_decision(folder.decision)
    with reading(folder.recipe):
        margin, max_pixels = recipe["images"]["margin"], recipe["images"]["max_pixels"]

    def read(row: int, longest: int) -> NDArray[np.uint8]:
        if not recipe.get("private") and table.withheld(row):
            raise UserError("the photo is private", where=str(table["image"].iloc[row]))
        return table.crop(row, margin=margin, max_pixels=max_pixels, longest=longest)

    return Results(
        folder=folder.path,
        name=scores["run"],
        stamp=scores["stamp"],
        recipe=recipe,
        run=read_json(folder.provenance),
        table=table,
        embeddings=folder.load_embeddings(table),
        rankings=rankings,
        scores=scores,
        history=read_history(folder.history),
        decision=decision if isinstance(decision, Decision) else None,
        shortcut=read_json(folder.shortcut) if folder.shortcut.is_file() else None,
        **_shown(folder.lines),
        read=read,
    )


def _shown(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    with reading(path, cure=REDO):
        shown = read_json(path)
        return {"lines": tuple(shown["pairs"]), "no_lines": str(shown.get("reason", ""))}


def read_history(path: Path) -> tuple[dict[str, Any], ...]:
    """The epochs of a training run; empty where nothing was trained.

    Raises:
        UserError: a line of it is none of ours.
    """
    if not path.is_file():
        return ()
    with reading(path, cure=REDO):
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
        if not all(isinstance(line, dict) and "epoch" in line for line in lines):
            raise ValueError("a line is no epoch")
        return tuple(lines)
