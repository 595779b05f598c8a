"""From embeddings to ``scores.json``: rank under each protocol, decide on val, measure on test, probe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wildreid.artefacts import Decision, Evidence, Missing, Ranking
from wildreid.data.store import ImageStore
from wildreid.data.table import Table
from wildreid.evaluation.decision import decide, fit_decision, save_decision
from wildreid.evaluation.intervals import Bootstrap
from wildreid.evaluation.probes import probes
from wildreid.evaluation.protocols import usable
from wildreid.evaluation.rank import load_ranking, rank, save_ranking
from wildreid.evaluation.score import score
from wildreid.evaluation.species import by_species
from wildreid.files import write_json
from wildreid.pipeline.folder import RunFolder
from wildreid.pipeline.learn import seeing
from wildreid.pipeline.provenance import hash_of, hash_of_rows
from wildreid.pipeline.shortcut import measure_shortcut
from wildreid.recipe import Loaded, Measurement

if TYPE_CHECKING:
    from wildreid.artefacts import Floats
    from wildreid.matching.stage import Outcome, Stage
    from wildreid.recipe.settings import Evaluation


def measure(
    recipe: Measurement,
    table: Table,
    folder: RunFolder,
    made_by: str,
    *,
    leaks: bool,
    look: Callable[[Evidence, bool], dict[str, Any]] | None = None,
    stage: Stage | None = None,
) -> None:
    """Write the rankings, ``decision.json`` and ``scores.json`` of a folder that holds embeddings.

    Args:
        recipe: or as much of one as says what is measured.
        table: the split table.
        folder: of the run; its embeddings are there, one for each row of the table.
        made_by: hash of what the embeddings come from, by which an unchanged ranking is known.
        leaks: whether the split leaks, which then stands beside every figure.
        look: what looks at the photos once more, see `looker`; None: there is no network to look with.
        stage: what matches and re-ranks; None: the embedding alone decides.
    """
    settings = recipe.evaluation
    headline = settings.protocols[0]
    embeddings = folder.load_embeddings(table)
    fitted: dict[str, Decision | Missing] = {}
    blocks: dict[str, Any] = {}
    for protocol in settings.protocols:
        key = hash_of(
            made_by, hash_of_rows(table.rows), protocol, settings.keep, *(stage.decides if stage else ())
        )
        make = partial(rank, embeddings, table, protocol=protocol, keep=settings.keep)
        file, name = folder.ranking(protocol, headline), f"rank {protocol}"
        outcome = None
        if stage is None or usable(table, protocol) is not None:
            ranking = _ranked(folder, file, name, key, make)
        else:
            outcome = stage.run(protocol, make())
            ranking = outcome.ranking
            save_ranking(ranking, file)
            folder.record(name, key)
        decision = fitted[protocol] = _decision(embeddings, table, protocol, settings, outcome)
        known = decision if isinstance(decision, Decision) else None
        evidence = Evidence(ranking, table, embeddings, known, recipe.seed)
        block = score(
            evidence,
            recipe.metrics,
            bootstrap=settings.bootstrap,
            confidence=settings.confidence,
            seed=recipe.seed,
        )
        if outcome is not None:
            block["matching"] = outcome.told
        if look is not None and block["reason"] is None:  # at what the network sees, whatever is matched
            plain = evidence if outcome is None else replace(evidence, ranking=outcome.embedding)
            block["probes"] = look(plain, protocol == headline) or block["probes"]
        block["species"] = by_species(embeddings, table, recipe, protocol)
        if leaks:
            block["optimistic"] = "; ".join(filter(None, ("the split leaks", block["optimistic"])))
        blocks[protocol] = block
    decision = fitted[headline]
    save_decision(decision, folder.decision)
    write_json(
        folder.scores,
        {
            "format": 1,
            "run": recipe.name,
            "stamp": recipe.stamp,
            "seed": recipe.seed,
            "headline": headline,
            "optimistic": blocks[headline]["optimistic"] or usable(table, headline),
            "decision": {"reason": decision.reason} if isinstance(decision, Missing) else vars(decision),
            "protocols": blocks,
        },
    )


def _ranked(folder: RunFolder, file: Path, stage: str, key: str, make: Callable[[], Ranking]) -> Ranking:
    """The ranking in a run's file, or made and written there."""
    if folder.done(stage, key, file):
        return load_ranking(file)
    ranking = make()
    save_ranking(ranking, file)
    folder.record(stage, key)
    return ranking


def _decision(
    embeddings: Floats, table: Table, protocol: str, settings: Evaluation, outcome: Outcome | None
) -> Decision | Missing:
    """Threshold and calibration of the ranking that stands."""
    asked = {"false_accepts": settings.false_accepts, "prior": settings.prior}
    if outcome is None:
        return fit_decision(embeddings, table, protocol=protocol, **asked)
    return decide(Evidence(outcome.validation, table, embeddings), scores_of=outcome.scores_of, **asked)


def looker(
    loaded: Loaded, images: ImageStore, folder: RunFolder, weights: str, *, device: str
) -> Callable[[Evidence, bool], dict[str, Any]]:
    """What looks at a trained run's photos once more: for the probes of the headline, and the shortcut audit.

    Args:
        loaded: the recipe, which says what is looked for.
        images: the pixels of the table's rows.
        folder: of the run.
        weights: hash of the model.
        device: to embed on.

    Returns:
        A function from evidence, and whether it is the headline's, to the probes, where there are some.
    """
    recipe, settings = loaded.recipe, loaded.recipe.evaluation
    told: list[str] = []

    def look(evidence: Evidence, headline: bool) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if settings.probes and headline:
            intervals = Bootstrap(evidence.individuals, settings.bootstrap, settings.confidence, recipe.seed)
            see = seeing(folder, loaded.registry, device)
            found = probes(evidence, images, see, margin=recipe.images.margin, intervals=intervals)
        if not told:  # under the first protocol that can be used
            told.append(evidence.ranking.protocol)
            measure_shortcut(loaded, evidence, images, folder, weights, device=device)
        return found

    return look
