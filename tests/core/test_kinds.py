"""What is asked of objects at run time is the same on every Python."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from wildreid import kinds
from wildreid.kinds import is_fitted
from wildreid_plugins.heads.pca import Pca
from wildreid_plugins.heads.whiten import Whiten


def test_protocols_that_isinstance_may_ask_for_have_methods_alone() -> None:
    """Python 3.12 looks at attributes without ``__getattr__``, by which torch gives submodules and buffers."""
    asked = [one for one in vars(kinds).values() if getattr(one, "_is_runtime_protocol", False)]
    assert asked
    assert {one.__name__: one.__annotations__ for one in asked if one.__annotations__} == {}


def test_a_head_that_is_fitted_is_known_as_one() -> None:
    for head in (Pca(width=2), Whiten(), Whiten(of=Pca(width=2))):
        built: Any = head.build(width=4)
        assert is_fitted(built)
        assert built(torch.rand(3, 4)).shape == (3, built.width)
    assert not is_fitted(nn.Linear(2, 2))
    assert not is_fitted(nn.Identity())
