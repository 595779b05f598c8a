"""What a trial is drawn to be: independent of every other trial, and unlike any that there was."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from optuna import Study
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from wildreid.search.draw import Choice, Draw, Int, LogUniform, Scalar, Uniform
from wildreid.search.load import Search

TRIES = 200
"""How often a configuration that there was already is drawn again."""


class Exhausted(Exception):
    """Every configuration of the space was tried, or no new one is found."""


def draw_new(search: Search, study: Study, number: int, seen: Collection[str]) -> dict[str, Scalar]:
    """Draw the values of trial `number`, whose configuration has none of the keys in `seen`.

    A trial has a generator of its own, made from the search's seed and the trial's number by numpy's
    `SeedSequence`: trials are independent of one another, and the same whichever worker draws them. Within a
    trial all values come from that one generator, one after the other; it is never seeded again between them.

    Raises:
        Exhausted: there is none left.
    """
    sampler = _sampler(search, number)
    blank = create_trial(state=TrialState.RUNNING)

    def suggest(one: Draw) -> Any:
        return sampler.sample_independent(study, blank, one.name, distribution(one))

    for _ in range(TRIES):
        values = search.space.draw(suggest)
        if search.key(values) not in seen:
            return values
    left = [values for values in search.space.configurations or () if search.key(values) not in seen]
    if not left:
        raise Exhausted
    return left[_generator(search, number).integers(len(left))]


def distribution(one: Draw) -> BaseDistribution:
    """A draw in optuna's words."""
    match one.form:
        case Choice():
            return CategoricalDistribution(tuple(one.items))
        case Int(ends=(low, high)):
            return IntDistribution(low, high)
        case LogUniform(loguniform=(least, most)):
            return FloatDistribution(least, most, log=True)
        case Uniform(uniform=(least, most)):
            return FloatDistribution(least, most)


def size(search: Search) -> int | None:
    """How many configurations there are; None where they are more than can be listed."""
    configurations = search.space.configurations
    return None if configurations is None else len({search.key(values) for values in configurations})


class Prescribed(BaseSampler):
    """Lets optuna record, as a trial's parameters, what was drawn before the trial had any."""

    def __init__(self) -> None:
        self.values: dict[str, Scalar] = {}

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Nothing is drawn jointly."""
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Nothing is drawn jointly."""
        return {}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """What was drawn for this parameter."""
        return self.values[param_name]


def _sampler(search: Search, number: int) -> BaseSampler:
    seed = int(_sequence(search, number).generate_state(1)[0])
    if search.plan.sampler == "tpe":
        return TPESampler(seed=seed, multivariate=False)
    return RandomSampler(seed=seed)


def _generator(search: Search, number: int) -> np.random.Generator:
    return np.random.default_rng(_sequence(search, number))


def _sequence(search: Search, number: int) -> np.random.SeedSequence:
    return np.random.SeedSequence(search.plan.seed, spawn_key=(number,))
