"""Where files that can be made again are kept."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """The folder of caches: ``$WILDREID_CACHE``, else the user's own cache folder; it may not exist yet."""
    chosen = os.environ.get("WILDREID_CACHE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    return Path(platformdirs.user_cache_dir("wildreid"))
