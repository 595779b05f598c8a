"""How a run matched photos point by point, and what its validation proved of it: what a gallery goes by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from wildreid.artefacts import Missing
from wildreid.errors import UserError
from wildreid.evaluation.decision import FALSE_NEW, load_decision
from wildreid.files import read_json
from wildreid.gallery.manifest import Matching
from wildreid.gallery.rule import Rule
from wildreid.identification.calibration import UNDATED, stands_by
from wildreid.identification.local import reason
from wildreid.identification.models import PACKAGE
from wildreid.kinds import Matcher
from wildreid.pipeline import RunFolder
from wildreid.recipe.load import packs_of
from wildreid.registry import Registry


def matching_of(model: Path) -> Matching | None:
    """How the run of a model matched; None where its recipe has no matchers, or it was not evaluated with them.

    Args:
        model: a run's folder, or a package of `export`, in which an earlier version did not write it.
    """
    if (model / PACKAGE).is_file():
        told = read_json(model / PACKAGE).get("matching")
        return None if told is None else Matching.model_validate(told)
    return matching_of_run(RunFolder(model))


def matching_of_run(run: RunFolder) -> Matching | None:
    """The same of a run's folder.

    Raises:
        UserError: it is damaged; a plugin that it matched with is not there.
    """
    recipe = run.raw_recipe()
    if not recipe.get("matchers") or not run.scores.is_file():
        return None
    scores = run.load_scores()
    told = scores["protocols"][scores["headline"]].get("matching")
    if told is None:
        return None
    says = dict(zip(told["gates"], told["says"], strict=False)).get("fused")
    if told["stands"] != "fused":
        return Matching(stands=told["stands"], says=(says,) if says else ())
    registry = Registry(packs=packs_of(recipe, run.recipe))
    context = {"registry": registry}
    try:
        matchers = [Matcher.model_validate(one, context=context) for one in recipe["matchers"]]
    except ValueError as error:
        raise UserError(
            f"the run matched by {' and '.join(told['matchers'])}, which is not available: {reason(error)}",
            where=str(run.path),
            cure="install the plugin that offers it",
        ) from None
    reranked = told["gates"].get("re-ranked") or {}
    return Matching(
        stands="fused",
        says=(says,) if says else (),
        matchers=tuple(recipe["matchers"]),
        fingerprints=tuple(one.fingerprint() for one in matchers),
        fusion=recipe["fusion"],
        reranker=recipe["reranker"] if reranked.get("open") else None,
        pairs=told["pairs"],
        curves=tuple(told["curves"] or ()),
    )


def fused_rule_of_run(run: RunFolder) -> Rule | Missing:
    """The decision that a run fitted on the scores of matchers and embedding together."""
    if stands_by(run) != "fused":
        return Missing("the run's decision is not for matched photos")
    decision = load_decision(run.decision)
    if isinstance(decision, Missing):
        return decision
    below = decision.threshold if decision.new_below is None else decision.new_below
    name = str(read_json(run.provenance).get("name", run.path.name))
    source = f"the validation photos of the run {name}, matched"
    source += "" if run.load_split().told_apart else f"; {UNDATED}"
    return Rule(decision, below, FALSE_NEW, None, source)


def fused_rule(package: dict[str, Any]) -> Rule | None:
    """The rule for matched photos that came with a model; None where it has none."""
    rule = package.get("fused")
    return None if rule is None or "reason" in rule else TypeAdapter(Rule).validate_python(rule)
