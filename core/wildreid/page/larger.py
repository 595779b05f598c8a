"""The second, larger size of a page's photos: beside the page, inside it, or none."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from PIL import Image

from wildreid.files import put
from wildreid.page.thumbnails import data_uri

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Where = Literal["beside", "inside", "none"]
LONGEST = 1024
"""Pixels on the longer side; the originals are never copied."""
QUALITY = 80


class Larger:
    """Keeps the larger photos of one page.

    Args:
        page: the page's file; photos beside it lie in ``<its name>-photos``.
        where: ``beside`` the page, ``inside`` it (one file, and some hundred kilobytes a photo), or ``none``.

    Attributes:
        longest: pixels on the longer side that a photo should be read at; None where there are none.
        written: the files beside the page, so far.
    """

    def __init__(self, page: Path, where: Where) -> None:
        self.folder = page.with_name(f"{page.stem}-photos")
        self.where = where
        self.longest = None if where == "none" else LONGEST
        self.written: list[Path] = []

    @property
    def beside(self) -> bool:
        """Whether the page needs leave to load files that lie beside it."""
        return self.where == "beside"

    def __call__(self, image: NDArray[np.uint8] | None) -> str | None:
        """What a page names a photo (h, w, 3) by: a file beside it, or a data URI; encoded again, without EXIF."""
        if image is None or self.where == "none":
            return None
        picture = Image.fromarray(image)
        picture.thumbnail((LONGEST, LONGEST), reducing_gap=2)
        out = io.BytesIO()
        picture.convert("RGB").save(out, "JPEG", quality=QUALITY, optimize=True)
        if self.where == "inside":
            return data_uri(out.getvalue())
        path = self.folder / f"{hashlib.blake2b(out.getvalue(), digest_size=8).hexdigest()}.jpg"
        if path not in self.written:
            put(path, lambda aside: aside.write_bytes(out.getvalue()))
            self.written.append(path)
        return f"{self.folder.name}/{path.name}"
