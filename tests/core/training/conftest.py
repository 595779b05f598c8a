"""Processes for the tests of training that kill one, or need several."""

from __future__ import annotations

import multiprocessing
from multiprocessing.context import ForkServerContext

import pytest


@pytest.fixture(scope="module")
def children() -> ForkServerContext:
    """Children that come from a server which has torch loaded and nothing begun: safe, and quick to start."""
    context = multiprocessing.get_context("forkserver")
    heavy = ["timm", "pytorch_metric_learning.losses", "pytorch_metric_learning.miners"]
    context.set_forkserver_preload(["made.micro", *heavy])
    return context
