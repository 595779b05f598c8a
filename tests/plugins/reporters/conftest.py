"""What the tests of reporters share: a factory of finished runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from made.drawn_run import results

from wildreid.artefacts import Results


@pytest.fixture
def make_results(tmp_path: Path) -> Callable[..., Results]:
    """A factory of `Results`; see `drawn_run.results` for what may be asked for."""

    def make(*, folder: str = "drawn", **wishes: Any) -> Results:
        return results(tmp_path / "runs" / folder, **wishes)

    return make
