"""The code of packs and plugins as files: where it lies, whether two are the same, how a folder is imported."""

from __future__ import annotations

import hashlib
import importlib.machinery
import importlib.metadata
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

from wildreid.option import Option


def spec_of(module: str) -> importlib.machinery.ModuleSpec | None:
    """Where a module would be loaded from; None where there is none."""
    try:
        return importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None


def home_of(point: importlib.metadata.EntryPoint) -> Path | None:
    """The folder of an installed pack; None where it cannot be found."""
    spec = spec_of(point.module)
    return Path(spec.origin).resolve().parent if spec and spec.origin else None


def fingerprint(file: Path) -> str:
    """Equal for the same file found by two ways, and for an installed copy of it with the same siblings."""
    if not file.is_file():
        return str(file)
    digest = hashlib.sha256()
    for sibling in sorted(file.parent.glob("*.py")):
        digest.update(sibling.name.encode() + b"\0" + sibling.read_bytes())
    return digest.hexdigest()


def import_folder(folder: Path) -> ModuleType:
    """Import a pack from its folder, under a name of its own, so that its relative imports work."""
    name = f"wildreid_pack_{folder.name}_{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def package_of(option: type[Option]) -> str:
    """The name of the package that an option is of; of a pack found by path, its folder's."""
    package = option.__module__.partition(".")[0]
    pack = re.fullmatch(r"wildreid_pack_(.+)_[0-9a-f]{8}", package)
    return pack[1] if pack else package
