"""Every registered loss with every registered miner, and losses against the formulas of their papers."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from wildreid.kinds import Loss, Miner
from wildreid.registry import Registry
from wildreid_plugins.losses.arcface import ArcFace
from wildreid_plugins.losses.triplet import Triplet

REGISTRY = Registry()
LOSSES = list(REGISTRY.options("loss").values())
FIELDS = {"sum": {"losses": (ArcFace(), Triplet()), "weights": (0.5, 2.0)}}
"""Of a loss that has none by default."""
MINERS = list(REGISTRY.options("miner").values())
CLASSES, IMAGES, WIDTH = 5, 4, 6
LABELS = torch.arange(CLASSES).repeat_interleave(IMAGES)


def vectors(seed: int = 0) -> torch.Tensor:
    """Unit vectors that lean towards their class, so that every miner finds something."""
    random = torch.Generator().manual_seed(seed)
    centers = torch.randn(CLASSES, WIDTH, generator=random)
    return normalize(centers[LABELS] + torch.randn(len(LABELS), WIDTH, generator=random)).double().float()


@pytest.mark.parametrize("miner", MINERS, ids=lambda option: option.name)
@pytest.mark.parametrize("loss", LOSSES, ids=lambda option: option.name)
def test_a_step_with_every_loss_and_miner(loss: type[Loss], miner: type[Miner]) -> None:
    mine = miner().build()

    def anew(embeddings: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(0)
        objective = loss(**FIELDS.get(loss.name, {})).build(width=WIDTH, classes=CLASSES)
        found: torch.Tensor = objective(embeddings, LABELS, mine(embeddings, LABELS))
        return found

    raw = vectors().requires_grad_()
    value = anew(normalize(raw))
    value.backward()  # type: ignore[no-untyped-call]
    assert raw.grad is not None
    assert torch.isfinite(raw.grad).all()
    assert float(value.detach()) >= 0
    # the easiest triplets are in order already; nothing else here leaves nothing to learn
    if (loss.name, miner.name) != ("triplet", "easy"):
        assert raw.grad.abs().sum() > 1e-4
    before = float(value.detach())
    with torch.no_grad():
        moved = normalize(raw - 1e-3 * raw.grad / raw.grad.norm().clamp(min=1e-9))
        after = float(anew(moved))
    if miner.name == "none":
        assert after < before


def naive(name: str, e: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> float:
    """Each loss with its default fields, image by image, as its paper writes it (and our docstring)."""
    n = len(e)
    s = e @ e.T
    d = np.sqrt(np.maximum(2 - 2 * s, 0))
    own = [[j for j in range(n) if j != i and y[j] == y[i]] for i in range(n)]
    others = [[j for j in range(n) if y[j] != y[i]] for i in range(n)]

    def above_zero(values: list[float]) -> float:
        kept = [value for value in values if value > 0]
        return sum(kept) / len(kept) if kept else 0.0

    if name == "triplet":
        found = [
            max(0.0, (1 - s[i, p]) - (1 - s[i, q]) + 0.2) for i in range(n) for p in own[i] for q in others[i]
        ]
        return above_zero(found)
    if name == "contrastive":
        return above_zero([d[i, p] for i in range(n) for p in own[i]]) + above_zero(
            [max(0.0, 1.0 - d[i, q]) for i in range(n) for q in others[i]]
        )
    if name == "circle":
        m, gamma, found = 0.4, 80.0, []
        for i in range(n):
            pos = sum(math.exp(-gamma * max(0, 1 + m - s[i, p]) * (s[i, p] - (1 - m))) for p in own[i])
            neg = sum(math.exp(gamma * max(0, s[i, q] + m) * (s[i, q] - m)) for q in others[i])
            found.append(math.log(1 + pos * neg))
        return above_zero(found)
    if name == "supcon":
        found = []
        for i in range(n):
            total = sum(math.exp(s[i, j] / 0.1) for j in range(n) if j != i)
            found.append(-sum(math.log(math.exp(s[i, p] / 0.1) / total) for p in own[i]) / len(own[i]))
        return above_zero(found)
    if name == "multi-similarity":
        a, b, lam, found = 2.0, 50.0, 0.5, []
        for i in range(n):
            pos = sum(math.exp(-a * (s[i, p] - lam)) for p in own[i])
            neg = sum(math.exp(b * (s[i, q] - lam)) for q in others[i])
            found.append(math.log(1 + pos) / a + math.log(1 + neg) / b)
        return sum(found) / n
    assert weights is not None
    directions = weights / np.linalg.norm(weights, axis=0)
    cosines = e @ directions
    if name == "subcenter-arcface":
        cosines = cosines.reshape(n, -1, 3).max(2)
    margin, scale, found = math.radians(20.05 if name == "dynamic-arcface" else 28.6), 64.0, []
    for i in range(n):
        angle = math.acos(cosines[i, y[i]])
        assert angle + margin < math.pi  # beyond it the library goes on in a straight line
        right = scale * math.cos(angle + margin)
        rest = [scale * cosines[i, j] for j in range(cosines.shape[1]) if j != y[i]]
        top = max(right, *rest)
        found.append(-(right - top) + math.log(math.exp(right - top) + sum(math.exp(r - top) for r in rest)))
    return sum(found) / n


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    "name",
    [
        "arcface", "circle", "contrastive", "dynamic-arcface", "multi-similarity", "subcenter-arcface", "supcon",
        "triplet",
    ],
)  # fmt: skip
def test_a_loss_is_the_formula_of_its_paper(name: str, seed: int) -> None:
    torch.manual_seed(seed)
    loss = REGISTRY.choose("loss", name)()
    assert isinstance(loss, Loss)
    objective = loss.build(width=WIDTH, classes=CLASSES)
    embeddings = vectors(seed)
    weights = None
    if name.endswith("arcface"):
        (own,) = objective.parameters()  # type: ignore[attr-defined]
        with torch.no_grad():  # near the classes, so that no angle is beyond the margin's reach
            per = own.shape[1] // CLASSES
            own.copy_(torch.stack([embeddings[c == LABELS].mean(0) for c in range(CLASSES)]).T
                      .repeat_interleave(per, 1) + 0.1 * torch.randn_like(own))  # fmt: skip
        weights = own.detach().double().numpy()
    value = float(objective(embeddings, LABELS, None).detach())
    expected = naive(name, embeddings.double().numpy(), LABELS.numpy(), weights)
    assert value == pytest.approx(expected, rel=2e-5)
    assert expected > 0


def test_every_loss_but_the_open_one_has_a_formula_here() -> None:
    formulas = {
        "arcface",
        "circle",
        "contrastive",
        "dynamic-arcface",
        "multi-similarity",
        "subcenter-arcface",
        "supcon",
        "triplet",
    }
    assert {loss.name for loss in LOSSES} - formulas == {
        "pml",
        # in tests/plugins/losses
        "cross-batch-memory",
        "elastic-arcface",
        "sum",
    }


def test_a_miner_weights_the_images_of_a_classification_loss() -> None:
    torch.manual_seed(0)
    objective = REGISTRY.choose("loss", "arcface")().build(width=WIDTH, classes=CLASSES)  # type: ignore[attr-defined]
    embeddings = vectors()
    alone = [float(objective(embeddings[i : i + 1], LABELS[i : i + 1], None).detach()) for i in range(20)]
    pair = torch.tensor([0, 0]), torch.tensor([1, 2]), torch.tensor([0]), torch.tensor([8])
    # image 0 is named three times, 1, 2 and 8 once, the others never
    expected = (alone[0] + (alone[1] + alone[2] + alone[8]) / 3) / 20
    assert float(objective(embeddings, LABELS, pair).detach()) == pytest.approx(expected, rel=1e-4)
