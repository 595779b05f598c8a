"""What options that work on results must give: metrics, trackers, reporters, clusterers."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from wildreid.artefacts import Combined, Missing
from wildreid.kinds import ReportLog
from wildreid.testing.hold import built, hold
from wildreid.testing.material import evidence_of, results_of


def check_metric(option: Any) -> None:
    """Finite figures, or values a query, or the reason why not; nothing is changed."""
    evidence = evidence_of()
    before = evidence.embeddings.copy()
    measured = option.measure(evidence=evidence)
    hold(isinstance(measured, dict) and measured, option, "gave no figures")
    queries = len(evidence.ranking.queries)
    for name, figure in measured.items():
        if isinstance(figure, Missing):
            hold(figure.reason, option, f"gave no reason why {name} is missing")
        elif isinstance(figure, np.ndarray):
            hold(figure.shape == (queries,), option, f"gave {name} of shape {figure.shape}, not ({queries},)")
        elif isinstance(figure, Combined):
            for part in figure.parts:
                hold(
                    part.shape == (queries,), option, f"gave {name} of a part {part.shape}, not ({queries},)"
                )
            hold(
                np.isfinite(figure.value),
                option,
                f"gave {name} = {figure.value}; say Missing(reason) instead",
            )
        else:
            number = isinstance(figure, int | float | np.number) and np.isfinite(figure)
            hold(number, option, f"gave {name} = {figure}; a figure is a number, or Missing(reason)")
    hold(np.array_equal(before, evidence.embeddings), option, "changed the embeddings it was given")


def check_tracker(option: Any) -> None:
    """It opens, records numbers and late pictures, hears of the end, closes; and opens again on resuming."""
    from PIL import Image

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "runs" / "tiny"
        folder.mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(folder / "map.png")
        (folder / "report.html").write_text("<p>a report</p>", encoding="utf-8")
        run = SimpleNamespace(
            folder=folder, name="tiny", recipe={"name": "tiny"}, hashes={"inputs": "c0ffee"}
        )
        for epoch in (1, 2):
            opened = option.open(run=run)
            built(opened, option, members="__enter__ __exit__")
            with opened as log:
                built(log, option, members="log")
                log.log(epoch, {"loss": 1.0 / epoch, "accuracy@1": 0.5})
                log.log(epoch, {}, {"map": folder / "map.png"})
                if epoch == 2:
                    log.log(1, {}, {"map": folder / "map.png"})
                    if isinstance(log, ReportLog):
                        log.report(results_of(folder), [folder / "report.html"])


def check_reporter(option: Any) -> None:
    """It writes into its folder alone, and says what it wrote."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        written = option.write(results=results_of(folder), folder=folder)
        hold(isinstance(written, list), option, "did not return the list of files that it wrote")
        for path in written:
            hold(Path(path).is_file(), option, f"says that it wrote {path}, which is not there")
            hold(folder in Path(path).parents, option, f"wrote outside its folder: {path}")


def check_clusterer(option: Any) -> None:
    """The same clusters in any order; what cannot be one animal has no effect beyond itself."""
    cut = 0.5
    groups = np.repeat(np.arange(4), 3)
    similarity = np.where(groups[:, None] == groups, 0.9, 0.1).astype(np.float32)
    np.fill_diagonal(similarity, 1)
    similarity[0, 3] = similarity[3, 0] = -np.inf
    before = similarity.copy()
    found = option.cluster(similarity=similarity, cut=cut)
    hold(
        isinstance(found, np.ndarray) and found.shape == (len(groups),) and found.dtype.kind == "i",
        option,
        f"gave {getattr(found, 'shape', type(found).__name__)}, not ({len(groups)},) whole numbers",
    )
    hold((found >= -1).all(), option, "gave a number below -1; -1 says: like no other")
    hold(np.array_equal(before, similarity), option, "changed the similarities it was given")
    order = np.random.default_rng(0).permutation(len(groups))
    mixed = option.cluster(similarity=similarity[np.ix_(order, order)], cut=cut)
    hold(
        np.array_equal(_together(found)[np.ix_(order, order)], _together(mixed)),
        option,
        "made other clusters when the same encounters came in another order",
    )
    for few in (0, 1):
        none = option.cluster(similarity=similarity[:few, :few], cut=cut)
        hold(len(none) == few, option, f"gave {len(none)} answers for {few} encounters")


def _together(clusters: Any) -> Any:
    """(N, N) whether two are in one cluster."""
    same: Any = (clusters[:, None] == clusters) & (clusters[:, None] >= 0)
    return same
