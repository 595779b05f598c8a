"""What others have published on BearID's bears, in per cent as they print it."""

from __future__ import annotations

from dataclasses import dataclass

GUIDE = "A guide to designing a bear face recognition system, 2024"
CODE = "results in its authors' repository, bear-conservation"


@dataclass(frozen=True)
class Published:
    """Figures of one model on one test part.

    All of them match the test photos against one another, only the query photo itself left out: the protocol that
    is called image-loo here; and by image, as image-accuracy@k here. A query without a match is left out at
    k = 1 and counts as a miss at 3, 5 and 10.

    Attributes:
        model: network and loss.
        split: ``open-set`` or ``disjoint-set``.
        accuracy: by k, in per cent.
        source: where it is printed.
        note: what else to know of it.
    """

    model: str
    split: str
    accuracy: dict[int, float]
    source: str
    note: str = ""


BEARID = (
    Published(
        "ResNet18, circle, 1 epoch", "open-set", {1: 43.9}, CODE,
        "test; val 54.0 of the same run; the article prints the two as disjoint and open set",
    ),
    Published("ResNet18, circle, 100 epochs", "disjoint-set", {1: 67.9}, CODE),
    Published("ConvNeXt-tiny, circle", "open-set", {1: 72.3}, CODE),
    Published("ConvNeXt-tiny, circle", "disjoint-set", {1: 82.0}, CODE),
    Published("ConvNeXt-tiny, ArcFace", "open-set", {1: 88.7}, CODE),
    Published("ConvNeXt-tiny, ArcFace", "disjoint-set", {1: 90.5}, CODE),
    Published("ConvNeXt-large, ArcFace, hard", "open-set", {1: 90.9}, CODE, "± 0.5 over 18 runs"),
    Published("ConvNeXt-large, ArcFace, hard", "disjoint-set", {1: 94.9}, CODE, "± 0.3; the best had 95.5"),
    Published(
        "ConvNeXt-large, ArcFace, hard", "open-set", {1: 95.0, 3: 95.5, 5: 95.9, 10: 96.8}, GUIDE,
        "the article's table: validation figures of one run (95.5 and 95.0 stand swapped), no test",
    ),
    Published(
        "ConvNeXt-large, ArcFace, hard", "open-set", {1: 91.3, 3: 93.1, 5: 94.2, 10: 96.4}, CODE,
        "test of that run",
    ),
    Published(
        "ConvNeXt-large, ArcFace, hard", "disjoint-set", {1: 95.5, 3: 96.5, 5: 97.3, 10: 98.5}, GUIDE,
        "the article's table; the checkpoint was chosen on these test photos",
    ),
    Published("BearID's earlier network", "open-set", {1: 64.9, 5: 70.7}, GUIDE, "as the article cites it"),
)  # fmt: skip
