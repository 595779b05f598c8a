"""Which commit this program is made of: written into the wheel when it is built, asked of git in a checkout."""

from __future__ import annotations

import subprocess
from pathlib import Path

HERE = Path(__file__).parent
WRITTEN = HERE / "commit.txt"
"""Put into sdist and wheel by ``hatch_build.py``; in a checkout there is none."""


def commit() -> str | None:
    """The commit, such as ``1a2b3c4d5e6f``, with ``-dirty`` for a changed checkout; None if unknown."""
    if WRITTEN.is_file():
        return WRITTEN.read_text(encoding="utf-8").strip() or None
    checkout = HERE.parents[1]
    if not (checkout / ".git").exists() or not (checkout / "hatch_build.py").is_file():
        return None  # a repository of somebody else's, in which this lies
    try:
        known = _git(checkout, "rev-parse", "HEAD")[:12]
        return known + ("-dirty" if _git(checkout, "status", "-s", "-uno") else "")
    except (OSError, subprocess.SubprocessError):  # no git, or no commit yet
        return None


def _git(checkout: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", *words], cwd=checkout, capture_output=True, text=True, timeout=10, check=True
    )
    return done.stdout.strip()


def version_and_commit() -> str:
    """Such as ``0.1.0 (commit 1a2b3c4d5e6f)``."""
    from importlib.metadata import version

    known = commit()
    return version("wildreid") + (f" (commit {known})" if known else "")
