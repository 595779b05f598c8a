"""Frames of films as images: their names, their moments, and the cache that keeps their pixels.

A frame is named by its film and number, ``den/clip.mp4/f000030.jpg``, as if the film were a folder. Its pixels
are kept among the caches, and are made again from the film where they are not there.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wildreid.errors import UserError
from wildreid.files import put
from wildreid.places import cache_folder

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from PIL.Image import Image

FILMS = frozenset({".mp4", ".avi", ".mov", ".mkv", ".m4v", ".mts", ".wmv"})
LONGEST = 7200.0
"""Seconds of a film, at most."""
LARGEST = 7680 * 4320
"""Pixels of a frame, at most."""

_FRAME = re.compile(r"(?P<film>.+\.(?:mp4|avi|mov|mkv|m4v|mts|wmv))/f(?P<number>\d{6,})\.jpg", re.IGNORECASE)
_MAYBE = r"\.(?:mp4|avi|mov|mkv|m4v|mts|wmv)/f"
_NEAR = 4.0  # seconds that are decoded rather than jumped over: key frames are a few seconds apart

Moments = NDArray[np.float64]


def is_film(path: str) -> bool:
    """Whether a file is a film by its name."""
    return os.path.splitext(path)[1].lower() in FILMS


def frame_name(film: str, number: int) -> str:
    """The image path of a film's frame: ``clip.mp4/f000030.jpg``."""
    return f"{film}/f{number:06d}.jpg"


def film_of(image: str) -> str | None:
    """The film of an image that is a film's frame; None for a photo."""
    found = _FRAME.fullmatch(image)
    return found["film"] if found else None


def films_of(images: pd.Series[Any]) -> pd.Series[Any]:
    """The film of each image that is a film's frame; missing for photos."""
    names = images.astype("string")
    films = pd.Series(pd.NA, names.index, "string")
    maybe = names.str.contains(_MAYBE, case=False).fillna(False).astype(bool)  # most tables hold none
    if maybe.any():
        films[maybe] = names[maybe].str.extract(f"^{_FRAME.pattern}$", flags=re.IGNORECASE)["film"]
    return films


def file_of(root: Path, image: str) -> Path:
    """Where an image of a table lies: below its root or, a film's frame, among the caches.

    A frame that is not there any more is taken from its film again; where that cannot be done, the path does
    not exist.
    """
    found = _FRAME.fullmatch(image)
    if found is None or (root / image).is_file():
        return root / image
    film, number = root / found["film"], int(found["number"])
    try:
        path = _place(film, number)
        if not path.is_file():
            with Opened(film) as container:
                moments = moments_of(film, container)
            keep(film, moments, [number] if number < len(moments) else [])
    except UserError:
        return root / image
    return path


def moments_of(path: Path, container: InputContainer) -> Moments:
    """When each frame of a film is shown, in seconds of its own clock, in order; nothing is decoded.

    Raises:
        UserError: the film is too long or too large, or holds no frames.
    """
    kept = _folder() / f"{_fingerprint(path)}_moments.npy"
    stream = container.streams.video[0]
    if stream.width * stream.height > LARGEST:
        raise UserError(
            f"the film's frames have more than 8K: {stream.width} × {stream.height}", where=str(path)
        )
    if kept.is_file():
        moments: Moments = np.load(kept)
    else:
        stamps = sorted(
            moment
            for packet in container.demux(stream)
            if (moment := packet.dts if packet.pts is None else packet.pts) is not None
            and not packet.is_discard
        )
        if not stamps or stream.time_base is None:
            raise UserError("the film holds no frames", where=str(path))
        moments = np.array(stamps, np.float64) * float(stream.time_base)
        _put(kept, lambda aside: _save(aside, moments))
    if (seconds := moments[-1] - moments[0]) > LONGEST:
        raise UserError(f"the film is longer than {LONGEST / 3600:g} hours: {seconds:.0f} s", where=str(path))
    return moments


def keep(path: Path, moments: Moments, numbers: Sequence[int]) -> dict[int, str | None]:
    """Write frames of a film into the cache; by number, why one could not be written, or None."""
    places = {number: _place(path, number) for number in numbers}
    reasons: dict[int, str | None] = dict.fromkeys(numbers)
    missing = [number for number, place in places.items() if not place.is_file()]
    if not missing:
        return reasons
    reason = "the film ends before this frame, or is damaged there"
    decoded = _decoded(path, moments, missing)
    while True:
        try:
            number, picture = next(decoded)
        except StopIteration:
            break
        except UserError as error:  # of the film; one of the cache is for the person at the keyboard
            reason = error.what
            break
        _put(places[number], partial(picture.save, format="JPEG", quality=95))
    return {number: None if places[number].is_file() else reason for number in reasons}


def _decoded(path: Path, moments: Moments, numbers: Sequence[int]) -> Iterator[tuple[int, Image]]:
    """Decode frames by their numbers, in order, upright; what is far apart is jumped to."""
    with Opened(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        base = float(stream.time_base or 1)
        frames = container.decode(stream)
        frame = next(frames, None)
        for number in numbers:
            moment = moments[number]
            if moment - _shown(frame, base) > _NEAR:
                container.seek(round(moment / base), stream=stream)
                frames = container.decode(stream)
                frame = next(frames, None)
            while frame is not None and _shown(frame, base) < moment - 1e-6:
                frame = next(frames, None)
            if frame is None:
                return
            if not frame.is_corrupt:
                yield number, _upright(frame)


def _shown(frame: VideoFrame | None, base: float) -> float:
    """The moment of a frame by the film's own clock, in seconds."""
    moment = None if frame is None else frame.dts if frame.pts is None else frame.pts
    return (moment or 0) * base


def _upright(frame: VideoFrame) -> Image:
    """The frame as a player shows it: turned by its display matrix."""
    from PIL import Image

    picture: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]
    turns = round(frame.rotation / 90) % 4
    return Image.fromarray(np.rot90(np.asarray(picture), turns)) if turns else picture


class Opened:
    """A film that is open inside a `with`; whatever goes wrong with it there is told in words."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> InputContainer:
        self._av = library()
        try:
            self._container = self._av.open(str(self._path))
        except (self._av.FFmpegError, OSError, ValueError) as error:
            raise UserError(f"the film cannot be read: {_words(error)}", where=str(self._path)) from None
        if not self._container.streams.video:
            self._container.close()
            raise UserError("the film holds no pictures", where=str(self._path))
        container: InputContainer = self._container
        return container

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        self._container.close()
        if isinstance(error, self._av.FFmpegError | ValueError | EOFError):
            raise UserError(f"the film cannot be read: {_words(error)}", where=str(self._path)) from None


def _words(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or error)


def library() -> Any:
    """PyAV.

    Raises:
        UserError: it is not installed.
    """
    try:
        import av
    except ImportError:
        raise UserError(
            "films are read by PyAV, which is not installed", cure="pip install 'wildreid[video]'"
        ) from None
    # old versions of torchvision have FFmpeg's threads report to Python: one that waits for the interpreter, while
    # a film that is being closed waits for that thread, waits for ever
    av.logging.set_level(None)
    return av


def _place(film: Path, number: int) -> Path:
    return _folder() / f"{_fingerprint(film)}_f{number:06d}.jpg"


def _folder() -> Path:
    return cache_folder() / "films"


def _fingerprint(path: Path) -> str:
    try:
        fact = path.stat()
        return _sampled(path, fact.st_size, fact.st_mtime_ns)
    except FileNotFoundError:
        raise UserError("the file does not exist", where=str(path)) from None
    except OSError as error:
        raise UserError(f"the file cannot be read: {error.strerror}", where=str(path)) from None


@lru_cache(maxsize=100_000)
def _sampled(path: Path, size: int, changed: int) -> str:
    """A hash of a film's length and of three megabytes of it: films are too large to be read whole for it."""
    del changed  # a key alone
    piece = 1 << 20
    sha = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        for start in (0, max(0, (size - piece) // 2), max(0, size - piece)):
            file.seek(start)
            sha.update(file.read(piece))
    return sha.hexdigest()[:16]


def _save(path: Path, values: NDArray[np.float64]) -> None:
    with path.open("wb") as file:
        np.save(file, values)


def _put(path: Path, write: Callable[[Path], object]) -> None:
    """As `put`, where another thread or process may be writing the same: the same film can lie in two places."""
    own = path.with_name(f"{uuid4().hex}-{path.name}")
    put(own, write)
    own.replace(path)
