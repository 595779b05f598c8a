"""The one look at the test part: the winner, trained from several seeds, beside the recipe as it is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna import Study
from scipy.stats import t as student

from wildreid.artefacts import Results
from wildreid.errors import UserError
from wildreid.evaluation.intervals import Bootstrap
from wildreid.files import write_json
from wildreid.pipeline.stages import run
from wildreid.progress import say
from wildreid.search.draw import Scalar
from wildreid.search.ledger import best, entries
from wildreid.search.load import Search

FILE = "final.json"


def finish(search: Search, study: Study, folder: Path) -> dict[str, Any]:
    """Train the winner from several seeds on the search's own split, and score the test part.

    The seeds are others than the search's, since the winner was chosen for its luck with that one too. The
    winner is written down before the test part is read and is never chosen again: a later call goes on with
    the same one, or gives what was found.

    Returns:
        What ``final.json`` holds: for the winner (``best``) and the base recipe (``default``) accuracy@1 of
        each seed, their mean, its interval over seeds (Student's t) and by individual (bootstrap of the
        queries' mean over seeds); and the difference, paired by seed and by query.

    Raises:
        UserError: no trial is done; some still run.
    """
    attrs = study.user_attrs
    if "final" in attrs:
        found: dict[str, Any] = json.loads(attrs["final"])
        say(f"the test part was scored before, with trial {found['trial']}; it is not touched again")
        write_json(folder / FILE, found)
        return found
    listed = entries(study)
    if unfinished := [entry.number for entry in listed if entry.state in ("running", "waiting")]:
        raise UserError(
            f"trials are not over yet: {', '.join(map(str, unfinished))}",
            where="`final=True`",
            cure="wait for their workers, or raise `trials=…` so that this one finishes those that were left",
        )
    winner = best(listed)
    if winner is None:
        raise UserError(
            "no trial is done, so there is no winner",
            where="`final=True`",
            cure="search first, such as `trials=20`",
        )
    number = int(attrs.get("final trial", winner.number))
    study.set_user_attr("final trial", number)
    values = next(entry.values for entry in listed if entry.number == number)
    found = _measure(search, number, values, folder)
    study.set_user_attr("final", json.dumps(found))
    write_json(folder / FILE, found)
    return found


def _measure(search: Search, number: int, values: dict[str, Scalar], folder: Path) -> dict[str, Any]:
    recipe = search.base.recipe
    seeds = [recipe.seed + 1 + n for n in range(search.plan.final.seeds)]
    who = {"best": search.recipe(values).recipe}
    if search.plan.final.default:
        who["default"] = recipe
    hits: dict[str, NDArray[np.float64]] = {}
    rows: list[dict[str, Any]] = []
    for name, of in who.items():
        runs: list[Results] = []
        for seed in seeds:
            one_seed = of.model_copy(
                update={
                    "seed": seed,
                    "split_seed": recipe.seed_of_split,
                    "reporters": of.reporters
                    if (name, seed) == ("best", seeds[0])
                    else (),  # one is enough to read
                }
            )
            loaded = replace(search.base, recipe=one_seed, notes=())
            runs.append(run(loaded, out=folder / "final", name=f"{name}-seed{seed}"))
        protocol, optimistic = _protocol(runs[0])
        hits[name] = np.stack([_hits(one, protocol) for one in runs])
        bootstrap = _bootstrap(search, runs[0], protocol)
        row = _figures(hits[name], bootstrap)
        rows.append({"who": name, "runs": [str(one.folder.relative_to(folder)) for one in runs], **row})
    mated = np.isfinite(hits["best"][0])
    found = {
        "trial": number,
        "stamp": recipe.stamp,
        "protocol": protocol,
        "optimistic": optimistic,
        "seeds": seeds,
        "queries": int(mated.sum()),
        "individuals": len(np.unique(bootstrap.individuals[mated])),
        "rows": rows,
        "difference": _figures(hits["best"] - hits["default"], bootstrap) if "default" in hits else None,
    }
    return found


def _protocol(results: Results) -> tuple[str, str | None]:
    """The headline's protocol, or the first that could be measured, with why it is optimistic."""
    blocks = results.scores["protocols"]
    for protocol in [results.scores["headline"], *blocks]:
        if protocol in results.rankings and results.rankings[protocol].mated.any():
            return protocol, blocks[protocol].get("optimistic")
    raise UserError(
        "no query of the test part can be matched under any protocol of the recipe",
        where="evaluation.protocols",
        cure="see the reasons in scores.json",
    )


def _hits(results: Results, protocol: str) -> NDArray[np.float64]:
    """(Q,) whether each query's individual came first; NaN for a non-mated query."""
    ranking = results.rankings[protocol]
    return np.where(ranking.mated, ranking.own_rank == 1, np.nan)


def _bootstrap(search: Search, results: Results, protocol: str) -> Bootstrap:
    queries = results.rankings[protocol].queries
    names = results.table["identity"].iloc[queries].fillna("").to_numpy(str)
    settings = search.base.recipe.evaluation
    return Bootstrap(
        np.unique(names, return_inverse=True)[1],
        max(settings.bootstrap, 1),
        settings.confidence,
        search.base.recipe.seed,
    )


def _figures(hits: NDArray[np.float64], bootstrap: Bootstrap) -> dict[str, Any]:
    """Mean over seeds and queries of (seeds, Q) figures, with both intervals."""
    counted = np.isfinite(hits[0])
    by_seed = hits[:, counted].mean(axis=1)
    mean = float(by_seed.mean())
    half = float(
        student.ppf(0.5 + bootstrap.confidence / 2, len(by_seed) - 1)
        * by_seed.std(ddof=1)
        / len(by_seed) ** 0.5
    )
    by_individual = bootstrap.interval(hits.mean(axis=0))
    return {
        "values": [float(value) for value in by_seed],
        "mean": mean,
        "over_seeds": [mean - half, mean + half],
        "by_individual": list(by_individual) if by_individual else None,
    }
