"""What the build adds: the commit that sdist and wheel are made of, which `reid --version` prints."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

WRITTEN = "core/wildreid/commit.txt"


class Commit(BuildHookInterface):  # type: ignore[type-arg]
    """Writes the commit where ``wildreid.commit`` reads it; a wheel that is built of an sdist keeps the sdist's."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add one file, unless this is an editable install, which asks git itself."""
        root = Path(self.root)
        if version == "editable" or (root / WRITTEN).is_file() or not (root / ".git").exists():
            return
        describe = ["git", "describe", "--always", "--dirty", "--exclude=*", "--abbrev=12"]
        try:
            found = subprocess.run(describe, cwd=root, capture_output=True, text=True, check=True).stdout
        except (OSError, subprocess.SubprocessError):
            return
        self._folder = tempfile.TemporaryDirectory()
        file = Path(self._folder.name) / "commit.txt"
        file.write_text(found, encoding="utf-8")
        inside = WRITTEN.removeprefix("core/") if self.target_name == "wheel" else WRITTEN
        build_data["force_include"][str(file)] = inside
