"""A gallery with its model: photos in, names out; and models packed for others to use.

Each name is loaded when it is first used: the review desk needs no network library until a photo must be embedded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wildreid.lazily import loaded_from

if TYPE_CHECKING:
    from wildreid.identification.opened import OpenGallery
    from wildreid.identification.opening import create_gallery, open_gallery, verify_gallery
    from wildreid.identification.package import export
    from wildreid.identification.photos import read_data, read_photos

__all__ = [
    "OpenGallery",
    "create_gallery",
    "export",
    "open_gallery",
    "read_data",
    "read_photos",
    "verify_gallery",
]

_HOMES = {
    "OpenGallery": "opened",
    "create_gallery": "opening",
    "export": "package",
    "open_gallery": "opening",
    "read_data": "photos",
    "read_photos": "photos",
    "verify_gallery": "opening",
}

__getattr__ = loaded_from(__name__, {name: f"{__name__}.{home}" for name, home in _HOMES.items()})
