"""Deep pictures are never all black or all white."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wildreid.data.images import read
from wildreid.errors import UserError

RAMP = np.linspace(0, 1, 64).reshape(8, 8)


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_a_camera_of_fewer_bits_in_sixteen_looks_as_in_eight(bits: int, tmp_path: Path) -> None:
    values = np.round(RAMP * (2**bits - 1)).astype(np.uint16)
    Image.fromarray(values).save(tmp_path / "a.png")
    Image.fromarray(values).save(tmp_path / "a.tif")
    expected = values >> (bits - 8)
    for name in ("a.png", "a.tif"):
        np.testing.assert_array_equal(read(tmp_path / name)[..., 0], expected)


def test_a_thermal_picture_of_a_narrow_range_is_stretched(tmp_path: Path) -> None:
    values = (27_315 + 900 * RAMP).astype(np.uint16)  # hundredths of a kelvin: 0 to 9 degrees
    Image.fromarray(values).save(tmp_path / "a.tif")
    seen = read(tmp_path / "a.tif")[..., 0]
    assert seen.min() == 0
    assert seen.max() == 255
    assert len(np.unique(seen)) == 64


@pytest.mark.parametrize("scale", [1.0, 1000.0, 1e-3])
def test_fractions_are_stretched(scale: float, tmp_path: Path) -> None:
    Image.fromarray((RAMP * scale - 0.1 * scale).astype(np.float32)).save(tmp_path / "a.tif")
    seen = read(tmp_path / "a.tif")[..., 0].astype(int)
    assert seen.min() == 0
    assert seen.max() == 255
    assert (np.diff(seen.ravel()) >= 0).all()


def test_32_bit_whole_numbers_are_divided_by_their_depth(tmp_path: Path) -> None:
    values = np.round(RAMP * (2**20 - 1)).astype(np.int32)
    Image.fromarray(values).save(tmp_path / "a.tif")
    np.testing.assert_array_equal(read(tmp_path / "a.tif")[..., 0], values >> 12)


def test_values_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    broken = RAMP.astype(np.float32)
    broken[0, 0] = np.nan
    Image.fromarray(broken).save(tmp_path / "a.tif")
    with pytest.raises(UserError, match="no numbers"):
        read(tmp_path / "a.tif")
    Image.fromarray(np.full((4, 4), 3.5, np.float32)).save(tmp_path / "b.tif")
    with pytest.raises(UserError, match="all its values are the same"):
        read(tmp_path / "b.tif")


def test_colours_of_twelve_bit_in_sixteen_are_refused_and_of_sixteen_read(tmp_path: Path) -> None:
    import struct
    import zlib

    def png(path: Path, values: np.ndarray) -> None:
        """A PNG of 16 bit a channel, which Pillow can read and not write."""
        lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in values)
        head = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, 2, 0, 0, 0)
        parts = ((b"IHDR", head), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
        chunks = b"".join(
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
            for kind, body in parts
        )
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)

    colours = np.stack([RAMP, RAMP[::-1], 1 - RAMP], axis=-1)
    png(tmp_path / "a.png", np.round(colours * 65_535).astype(np.uint16))
    np.testing.assert_array_equal(read(tmp_path / "a.png"), np.round(colours * 65_535).astype(np.uint16) >> 8)
    png(tmp_path / "b.png", np.round(colours * 4095).astype(np.uint16))
    with pytest.raises(UserError, match="comes out black; save it as an 8-bit picture"):
        read(tmp_path / "b.png")
