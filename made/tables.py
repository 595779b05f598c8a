"""Tables and embeddings for the tests of evaluation."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from wildreid.data.table import Table


def make_table(rows, *, dated=True, part="test"):
    """`rows` are (image, identity or None, encounter, role)."""
    frame = pd.DataFrame(rows, columns=["image", "identity", "encounter", "role"])
    frame["part"] = part
    frame["group"] = frame["encounter"]
    table = Table.of(frame, Path("/nowhere"))
    if dated:
        table.rows["timestamp"] = pd.Timestamp("2024-05-01")
    for name in ("encounter", "group"):
        table.rows[name] = table.rows[name].astype("string")
    return table


def golden():
    """The fixture, a table of its images, and embeddings whose products are its scores.

    Gallery images are basis vectors, queries the rows of the score matrix. The third query is itself in the
    gallery: an extra axis gives it the products that the fixture says.
    """
    fixture = json.loads((Path(__file__).parent / "golden_rank.json").read_text())
    scores = np.array(fixture["scores"])
    gallery, queries = fixture["gallery"], fixture["query"]
    both = gallery[10][0]
    rows = [(name, who, when, "gallery") for name, who, when in gallery[:10]]
    rows += [(name, who, when, "both" if name == both else "query") for name, who, when in queries]
    shared = next(i for i, query in enumerate(queries) if query[0] == both)
    embeddings = np.zeros((len(rows), 11))
    embeddings[:10, :10] = np.eye(10)
    embeddings[10:, :10] = scores[:, :10]
    embeddings[10:, 10] = scores[:, 10] - scores[:, :10] @ scores[shared, :10]
    embeddings[10 + shared, 10] = 1
    return fixture, make_table(rows), embeddings.astype(np.float32)


def simulated(*, individuals, encounters, burst, noise=0.5, encounter=0.0, width=64, seed=0, part="test"):
    """Bursts of known animals: a direction an individual, one an encounter, and noise, each of its weight."""
    random = np.random.default_rng(seed)
    count = individuals * encounters * burst
    meeting = np.arange(count) // burst
    who = meeting // encounters
    rows = [(f"{i:06}.jpg", f"who{who[i]:04}", f"e{meeting[i]:05}", "both") for i in range(count)]
    vectors = random.normal(size=(individuals, width))[who]
    vectors = vectors + encounter * random.normal(size=(individuals * encounters, width))[meeting]
    vectors = vectors + noise * random.normal(size=(count, width))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return make_table(rows, part=part), vectors.astype(np.float32)
