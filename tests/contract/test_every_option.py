"""Every registered option keeps the contract of its kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from wildreid.errors import UserError
from wildreid.kinds import KINDS
from wildreid.option import Option
from wildreid.registry import Registry
from wildreid.testing import check_option

REGISTRY = Registry()
OPTIONS = [option for kind in KINDS for option in REGISTRY.options(kind.kind).values()]


def test_every_plugin_loads_and_every_kind_has_an_option() -> None:
    assert REGISTRY.broken == []
    assert [kind.kind for kind in KINDS if not REGISTRY.options(kind.kind)] == []


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: f"{option.kind}-{option.name}")
def test_contract(option: type[Option], tmp_path: Path) -> None:
    check_option(EXAMPLES[option.kind, option.name](tmp_path, option) if (option.kind, option.name) in EXAMPLES else option)


EXAMPLES = {}
