"""Films for tests: frame n is grey, the brighter the later, with its left half black."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest


def film(
    path: Path, *, frames: int = 30, rate: int = 10, began: str | None = None, turn: bool = False
) -> Path:
    """Write an MP4 of 64 × 48; `turn`: to be shown turned by 90° clockwise."""
    av = pytest.importorskip("av", reason="films need the extra 'video'")
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format="mp4") as container:
        if began:
            container.metadata["creation_time"] = began
        stream = container.add_stream("mpeg4", rate=rate, options={"g": "12", "bf": "2"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.time_base = Fraction(1, rate)
        stream.bit_rate = 2_000_000
        for number in range(frames):
            picture = np.full((48, 64, 3), grey(number, frames), np.uint8)
            picture[:, :32] = 0
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = number
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    if turn:
        data = path.read_bytes()
        at = data.index(b"tkhd") + 44  # the matrix of the track's header
        numbers = (0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)
        matrix = b"".join(number.to_bytes(4, "big", signed=True) for number in numbers)
        path.write_bytes(data[:at] + matrix + data[at + 36 :])
    return path


def grey(number: int, frames: int = 30) -> int:
    """The brightness of a frame's right half."""
    return 40 + 200 * number // frames
