from __future__ import annotations

import pytest
import torch

from wildreid.errors import UserError
from wildreid_plugins.transforms.background import Background, filled


def batch(count: int = 6, size: int = 32) -> torch.Tensor:
    """Photos of one colour each, with a white animal in the middle."""
    images = torch.linspace(0.1, 0.8, count).view(count, 1, 1, 1).expand(count, 4, size, size).clone()
    images[:, 3] = 0
    images[:, :, size // 4 : -size // 4, size // 4 : -size // 4] = 1
    return images


def test_the_animal_stays_and_the_place_is_another_photos() -> None:
    torch.manual_seed(0)
    images = batch()
    changed = Background(share=1).build(size=32)(images)
    animal = images[:, 3:] == 1
    assert torch.equal(changed[animal.expand_as(changed)], images[animal.expand_as(images)])
    corners = changed[:, 0, 0, 0]
    assert all(any(abs(c - other) < 1e-6 for other in images[:, 0, 0, 0]) for c in corners)
    assert (corners != images[:, 0, 0, 0]).all()
    # where the other photo's animal stood its own ground is drawn together, not its animal
    shifted = torch.roll(images, 8, dims=3)
    mixed = Background(share=1).build(size=32)(torch.cat([images[:1], shifted[1:2]]))
    assert mixed[0, 0, 16, 28] == pytest.approx(float(shifted[1, 0, 0, 0]), abs=0.02)


def test_noise_needs_no_other_photo() -> None:
    torch.manual_seed(0)
    images = batch(1)
    changed = Background(source="noise", share=1).build(size=32)(images)
    assert changed[0, :3, :8].std() > 0.2
    assert torch.equal(changed[0, :3, 8:24, 8:24], images[0, :3, 8:24, 8:24])
    with pytest.raises(UserError, match="single image"):
        Background().build(size=32)(images)


def test_the_share_of_images() -> None:
    torch.manual_seed(0)
    images = batch(6)
    often = sum(
        int((Background(share=0.3).build(size=32)(images) != images).flatten(1).any(1).sum())
        for _ in range(200)
    )
    assert often / 1200 == pytest.approx(0.3, abs=0.05)


def test_filled_keeps_what_is_known() -> None:
    torch.manual_seed(0)
    pixels = torch.rand(2, 3, 19, 23)
    known = (torch.rand(2, 1, 19, 23) > 0.4).float()
    found = filled(pixels, known)
    where = known.expand_as(pixels) == 1
    assert torch.equal(found[where], pixels[where])
    assert found.min() >= 0
    assert found.max() <= 1
    flat = filled(torch.full((1, 3, 16, 16), 0.4), known[:1, :, :16, :16])
    assert torch.allclose(flat, torch.full_like(flat, 0.4), atol=1e-5)
