"""ArcFace with margins of each individual or image, and with smoothed answers."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch.nn.functional import normalize

from wildreid.data.table import Table
from wildreid_plugins.losses.arcface import ArcFace
from wildreid_plugins.losses.dynamic_arcface import DynamicArcFace
from wildreid_plugins.losses.elastic_arcface import ElasticArcFace
from wildreid_plugins.losses.margins import MarginSoftmax

EMBEDDINGS = normalize(torch.randn(8, 4, generator=torch.Generator().manual_seed(0)))
LABELS = torch.arange(4).repeat_interleave(2)
SAME = {"width": 4, "classes": 4}


def rows(counts: dict[str, int]) -> Table:
    names = [name for name, count in counts.items() for _ in range(count)]
    frame = pd.DataFrame({"image": [f"{n}.jpg" for n in range(len(names))], "identity": names})
    return Table.of(frame, Path("/nowhere"))


def test_rare_individuals_have_the_larger_margin() -> None:
    photos = [1, 4, 16, 81]
    found = DynamicArcFace(rare=30, common=10, power=0.5).margins(photos)
    a = 20 / (1 - 1 / 9)
    expected = [a * count**-0.5 + 30 - a for count in photos]
    assert found == pytest.approx(expected)
    assert (found[0], found[-1]) == pytest.approx((30, 10))
    assert DynamicArcFace(rare=30, common=10).margins([5, 5]) == [20, 20]


def test_the_training_rows_say_who_is_rare() -> None:
    table = rows({"zoe": 2, "abe": 50, "kim": 7})  # labels go by name: abe, kim, zoe
    loss = DynamicArcFace(rare=30, common=10).objective(width=4, classes=3, table=table)
    margins = [math.degrees(one) for one in loss.margins.tolist()]  # type: ignore[attr-defined]
    assert margins[0] == pytest.approx(10)
    assert margins[2] == pytest.approx(30)
    assert 10 < margins[1] < 30
    without = DynamicArcFace(rare=30, common=10).objective(width=4, classes=3)
    assert without.margins.tolist() == pytest.approx([math.radians(20)] * 3)  # type: ignore[attr-defined]


@pytest.mark.parametrize("centers", [1, 3])
def test_equal_margins_are_arcface(centers: int) -> None:
    own = MarginSoftmax(width=4, margins=[28.6] * 4, scale=64, centers=centers)
    other = ArcFace().build(**SAME) if centers == 1 else None
    if other is not None:
        with torch.no_grad():
            other.W.copy_(own.W)  # type: ignore[attr-defined]
        torch.testing.assert_close(own(EMBEDDINGS, LABELS), other(EMBEDDINGS, LABELS, None))
    far = own(-EMBEDDINGS, LABELS)  # beyond 180 degrees it goes on falling
    assert torch.isfinite(far)


def test_an_elastic_margin_is_drawn_for_each_image() -> None:
    torch.manual_seed(0)
    elastic = ElasticArcFace(margin=20, spread=5).build(**SAME)
    plain = ArcFace(margin=20).build(**SAME)
    with torch.no_grad():
        plain.W.copy_(elastic.W)  # type: ignore[attr-defined]
    drawn = torch.stack([elastic(EMBEDDINGS, LABELS).detach() for _ in range(400)])
    assert drawn.std() > 0
    assert abs(drawn.mean() - plain(EMBEDDINGS, LABELS).detach()) < 4 * drawn.std() / 20 + 0.05
    torch.manual_seed(7)
    first = elastic(EMBEDDINGS, LABELS)
    torch.manual_seed(7)
    assert torch.equal(first, elastic(EMBEDDINGS, LABELS))


def test_smoothed_answers_ask_for_a_little_of_everybody() -> None:
    torch.manual_seed(0)
    plain = ArcFace(margin=20, scale=8).build(**SAME)
    torch.manual_seed(0)
    smooth = ArcFace(margin=20, scale=8, smoothing=0.2).build(**SAME)
    directions = normalize(plain.W.detach(), dim=0)  # type: ignore[attr-defined]
    logits = EMBEDDINGS @ directions
    own = torch.acos(logits[torch.arange(8), LABELS])
    logits[torch.arange(8), LABELS] = torch.cos(own + math.radians(20))
    each = torch.log_softmax(8 * logits, 1)
    expected = -(0.8 * each[torch.arange(8), LABELS] + 0.2 * each.mean(1)).mean()
    assert (own + math.radians(20) < math.pi).all()
    torch.testing.assert_close(smooth(EMBEDDINGS, LABELS).detach(), expected)
