"""Heads that are fitted on the training photos: their formulas, what is chosen, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from wildreid.errors import UserError
from wildreid_plugins.heads.linear import Linear
from wildreid_plugins.heads.pca import Pca
from wildreid_plugins.heads.whiten import SHRINKAGES, Whiten


def made(
    people: int = 12, photos: int = 8, width: int = 6, seed: int = 0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Unit vectors in whose first half individuals differ, and in the others photos of one."""
    draw = np.random.default_rng(seed)
    who = np.repeat(np.arange(people), photos)
    telling = width // 2
    x = draw.normal(size=(people, width))[who] * ([1.0] * telling + [0.1] * (width - telling))
    x = x + draw.normal(size=x.shape) * ([0.1] * telling + [1.5] * (width - telling))
    return torch.from_numpy(x / np.linalg.norm(x, axis=1, keepdims=True)).float(), torch.from_numpy(who)


def cosines(x: np.ndarray) -> np.ndarray:
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    return x @ x.T


@pytest.mark.parametrize("shrinkage", [0.0, 0.1, 3.0])
def test_whitening_is_the_formula_in_plain_loops(shrinkage: float) -> None:
    x, who = made()
    module: Any = Whiten(shrinkage=shrinkage).build(width=6)
    module.fit(x, who, None)
    plain = x.double().numpy()
    scatter = np.zeros((6, 6))
    for one in np.unique(who):
        own = plain[who.numpy() == one]
        for row in own:
            scatter += np.outer(row - own.mean(0), row - own.mean(0)) / len(plain)
    values, axes = np.linalg.eigh(scatter + shrinkage * np.trace(scatter) / 6 * np.eye(6))
    expected = (plain - plain.mean(0)) @ (axes / np.sqrt(values)) @ axes.T
    with torch.inference_mode():
        np.testing.assert_allclose(cosines(module(x).numpy()), cosines(expected), atol=1e-4)
        assert torch.allclose(module(5 * x), module(x), atol=1e-5)  # of unit length first


def test_the_shrinkage_is_what_val_likes_best_and_the_larger_of_two_that_tie() -> None:
    x, who = made()
    module: Any = Whiten().build(width=6)
    seen = []

    def judge() -> float:
        seen.append(float(module.shrinkage))
        return {1.0: 0.8, 0.3: 0.8}.get(round(seen[-1], 3), 0.5)

    assert module.fit(x, who, judge) == "shrinkage 1, chosen on val (0.800)"
    assert seen == pytest.approx(list(SHRINKAGES))
    assert float(module.shrinkage) == 1.0
    assert "unchosen" in module.fit(x, who, None)


def test_until_it_is_fitted_it_passes_on_what_the_head_before_it_gives() -> None:
    x, _ = made()
    module: Any = Whiten(of=Linear(width=4)).build(width=6).eval()
    assert module.width == 4
    with torch.inference_mode():
        np.testing.assert_allclose(cosines(module(x).numpy()), cosines(module.before(x).numpy()), atol=1e-5)


def test_whitening_tells_individuals_apart_that_photos_hide() -> None:
    x, who = made(people=30)
    module: Any = Whiten(shrinkage=0.1).build(width=6)
    fresh, others = made(people=30, seed=1)
    module.fit(x, who, None)

    def right(vectors: np.ndarray) -> float:
        near = cosines(vectors) - 2 * np.eye(len(vectors))
        return float((others.numpy()[near.argmax(1)] == others.numpy()).mean())

    with torch.inference_mode():
        assert right(module(fresh).numpy()) > right(fresh.numpy()) + 0.05


def test_what_cannot_be_whitened_is_refused() -> None:
    x, who = made()
    with pytest.raises(UserError, match="no individual of the training part has two photos"):
        Whiten().build(width=6).fit(x[::8], who[::8], None)  # type: ignore[operator]
    flat = x.clone()
    flat[:, 3] = 0
    with pytest.raises(UserError, match="directions in which nothing differs"):
        Whiten(shrinkage=0).build(width=6).fit(flat, who, None)  # type: ignore[operator]


def test_principal_components_are_those_of_the_singular_values() -> None:
    x, who = made()
    for whiten in (True, False):
        module: Any = Pca(width=3, whiten=whiten).build(width=6)
        told = module.fit(x, who, None)
        centred = x.double().numpy() - x.double().numpy().mean(0)
        u, values, v = np.linalg.svd(centred, full_matrices=False)
        expected = u[:, :3] if whiten else centred @ v[:3].T
        with torch.inference_mode():
            np.testing.assert_allclose(cosines(module(x).numpy()), cosines(expected), atol=1e-3)
        share = 100 * (values[:3] ** 2).sum() / (values**2).sum()
        assert told == f"3 components, {share:.0f} % of the variance"


def test_more_components_than_there_are() -> None:
    with pytest.raises(UserError, match="7 components of 6 numbers"):
        Pca(width=7).build(width=6)
    x, who = made()
    with pytest.raises(UserError, match="the 4 training photos differ in 3 directions, not in 5"):
        Pca(width=5).build(width=6).fit(x[:4], who[:4], None)  # type: ignore[operator]
