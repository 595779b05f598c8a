from __future__ import annotations

import pytest


@pytest.fixture(scope="session", autouse=True)
def _no_waiting_for_the_disk(no_waiting_for_the_disk: None) -> None:
    """The kill tests run in processes of their own."""
