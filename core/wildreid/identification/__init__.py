"""A gallery with its model: photos in, names out; and models packed for others to use."""

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
