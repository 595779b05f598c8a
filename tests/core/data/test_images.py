from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from wildreid.data.exif import with_exif
from wildreid.data.fingerprints import fingerprint
from wildreid.data.images import fit, measure_all, read, square
from wildreid.data.table import Table
from wildreid.errors import UserError

ORIENTATION = 0x0112


def quarters(width: int = 40, height: int = 20) -> Image.Image:
    """Red, green above blue, white: every quarter tells where it is."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = (255, 0, 0)
    pixels[: height // 2, width // 2 :] = (0, 255, 0)
    pixels[height // 2 :, : width // 2] = (0, 0, 255)
    pixels[height // 2 :, width // 2 :] = (255, 255, 255)
    return Image.fromarray(pixels)


def empty_png(path: Path, width: int, height: int) -> Path:
    """A PNG that declares its pixels and holds none."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    )
    return path


def test_pixels_come_as_they_are(tmp_path: Path) -> None:
    quarters().save(tmp_path / "a.png")
    found = read(tmp_path / "a.png")
    assert found.dtype == np.uint8
    assert (found == np.asarray(quarters())).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_every_orientation_comes_out_upright(tmp_path: Path, orientation: int, suffix: str) -> None:
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    upright = quarters(64, 32)
    stored = upright.transpose(turns[orientation]) if orientation in turns else upright
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    path = tmp_path / f"a{suffix}"
    stored.save(path, exif=exif, quality=95)
    found = read(path).astype(int)
    assert found.shape == (32, 64, 3)
    assert np.abs(found - np.asarray(upright, int)).mean() < 6
    assert measure_all([path]) == [(64, 32)]


def test_a_box_is_in_pixels_of_the_upright_image(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    quarters(64, 32).transpose(Image.Transpose.ROTATE_90).save(tmp_path / "a.png", exif=exif)
    green = read(tmp_path / "a.png", box=(32, 0, 32, 16))
    assert green.shape == (16, 32, 3)
    assert (green == (0, 255, 0)).all()


def test_a_margin_is_a_share_of_the_longer_side_and_ends_at_the_image(tmp_path: Path) -> None:
    quarters(100, 100).save(tmp_path / "a.png")
    assert read(tmp_path / "a.png", box=(40, 40, 20, 10), margin=0.5).shape == (30, 40, 3)
    assert read(tmp_path / "a.png", box=(-10, 90, 30, 30), margin=0.0).shape == (10, 20, 3)


@pytest.mark.parametrize("box", [(200, 0, 10, 10), (0, 0, 0, 10), (10, 10, -5, 5)])
def test_a_box_without_a_pixel_is_refused(tmp_path: Path, box: tuple[float, ...]) -> None:
    quarters().save(tmp_path / "a.png")
    with pytest.raises(UserError, match="has no pixel in the image of 40 × 20"):
        read(tmp_path / "a.png", box=box)  # type: ignore[arg-type]


def test_a_reduced_jpeg_is_nearly_the_full_one_made_small(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    coarse = Image.fromarray(random.integers(0, 255, (12, 16, 3), dtype=np.uint8))
    coarse.resize((1600, 1200), Image.Resampling.BICUBIC).save(tmp_path / "a.jpg", quality=95)
    small = read(tmp_path / "a.jpg", longest=200)
    full = Image.fromarray(read(tmp_path / "a.jpg")).resize((200, 150), Image.Resampling.BILINEAR)
    assert small.shape == (150, 200, 3)
    assert np.abs(small.astype(int) - np.asarray(full, int)).mean() < 3


def test_a_box_in_a_reduced_jpeg_is_where_it_was(tmp_path: Path) -> None:
    quarters(1600, 800).save(tmp_path / "a.jpg", quality=95)
    found = read(tmp_path / "a.jpg", box=(800, 0, 800, 400), longest=50)
    assert found.shape == (25, 50, 3)
    assert np.abs(found[2:-2, 2:-2].astype(int) - (0, 255, 0)).max() < 12


def test_nothing_is_enlarged_by_longest(tmp_path: Path) -> None:
    quarters().save(tmp_path / "a.png")
    assert read(tmp_path / "a.png", longest=400).shape == (20, 40, 3)


def test_pad_keeps_the_shape_and_squash_does_not(tmp_path: Path) -> None:
    quarters(40, 20).save(tmp_path / "a.png")
    padded, squashed = square(tmp_path / "a.png", size=80), square(tmp_path / "a.png", size=80, how="squash")
    assert padded.shape == squashed.shape == (80, 80, 3)
    assert (padded[:20] == 0).all()
    assert (padded[60:] == 0).all()
    assert (padded[22, 2] == (255, 0, 0)).all()
    assert (squashed[2, 2] == (255, 0, 0)).all()
    assert (squashed[-3, -3] == 255).all()


def test_fitting_in_memory_is_what_the_cache_does_from_a_file(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 255, (120, 90, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    for how in ("pad", "squash"):
        assert (fit(pixels, 64, how) == square(tmp_path / "a.png", size=64, how=how)).all()  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "1", "LA", "RGBA", "I;16"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    if mode == "I;16":
        made = Image.fromarray(np.full((8, 8), 128 * 256, np.uint16))
    else:
        made = Image.new("RGB", (8, 8), (128, 128, 128)).convert(mode)
    made.save(tmp_path / "a.tif")
    found = read(tmp_path / "a.tif")
    assert found.shape == (8, 8, 3)
    if mode != "1":
        assert abs(int(found.mean()) - 128) <= 2


def test_what_is_transparent_comes_out_black(tmp_path: Path) -> None:
    Image.new("RGBA", (8, 8), (255, 255, 255, 0)).save(tmp_path / "a.png")
    assert (read(tmp_path / "a.png") == 0).all()


def test_a_format_that_is_not_allowed_is_refused_whatever_its_name(tmp_path: Path) -> None:
    quarters().save(tmp_path / "a.gif")
    (tmp_path / "a.gif").rename(tmp_path / "a.jpg")
    with pytest.raises(UserError, match="not an image, or none of JPEG"):
        read(tmp_path / "a.jpg")


def test_too_many_pixels_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    bomb = empty_png(tmp_path / "bomb.png", 20_000, 10_000)
    with pytest.raises(UserError, match="more than 120000000"):
        read(bomb)
    quarters().save(tmp_path / "a.png")
    with pytest.raises(UserError, match="declares 40 × 20 pixels, more than 100"):
        read(tmp_path / "a.png", max_pixels=100)


def test_broken_files_say_what_is_wrong_and_where(tmp_path: Path) -> None:
    whole = io.BytesIO()
    quarters(400, 400).save(whole, "JPEG")
    for name, body, words in [
        (
            "cut.jpg",
            whole.getvalue()[: len(whole.getvalue()) // 2],
            "cannot be read: image file is truncated",
        ),
        ("text.jpg", b"hello, I am a text", "not an image"),
        ("zero.jpg", b"", "not an image"),
        ("head.jpg", whole.getvalue()[:20], "cannot be read|not an image"),
    ]:
        (tmp_path / name).write_bytes(body)
        with pytest.raises(UserError, match=words) as caught:
            read(tmp_path / name)
        assert name in str(caught.value)
    with pytest.raises(UserError, match="does not exist"):
        read(tmp_path / "missing.jpg")
    with pytest.raises(UserError, match="it is no file"):
        read(tmp_path)
    with pytest.raises(UserError, match="does not exist"):
        read(tmp_path / "nul\0byte.jpg")
    assert measure_all([tmp_path / "text.jpg", tmp_path / "missing.jpg"]) == [None, None]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(UserError, match="it is no file"):
        read(tmp_path / "pipe.jpg")
    assert measure_all([tmp_path / "pipe.jpg"]) == [None]
    table = Table.of(pd.DataFrame({"image": ["pipe.jpg"], "identity": "a"}), tmp_path)
    assert fingerprint(table, cache=tmp_path / "cache")["content"].isna().all()
    assert with_exif(table.rows[["image"]], tmp_path)["timestamp"].isna().all()
