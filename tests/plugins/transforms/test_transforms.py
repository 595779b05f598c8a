"""Augmentation: each against what it must do to a known picture."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
import torch

from wildreid.kinds import Transform
from wildreid_plugins.transforms.blur import Blur
from wildreid_plugins.transforms.color import Color
from wildreid_plugins.transforms.crop import Crop
from wildreid_plugins.transforms.erasing import Erasing
from wildreid_plugins.transforms.flip import Flip
from wildreid_plugins.transforms.grey import Grey
from wildreid_plugins.transforms.rotation import Rotation

ALL = [Blur(share=0.5), Color(), Crop(), Erasing(), Flip(), Grey(share=0.5), Rotation()]
NONE = {"hue": 0.0, "saturation": 0.0, "brightness": 0.0, "contrast": 0.0}


def picture(count: int = 64, size: int = 24) -> torch.Tensor:
    return torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0)).expand(count, -1, -1, -1)


def apply(option: Transform, images: torch.Tensor, seed: int = 0) -> torch.Tensor:
    torch.manual_seed(seed)
    return option.build(size=images.shape[-1])(images.clone())


@pytest.mark.parametrize("option", ALL, ids=lambda option: option.name)
def test_drawn_for_each_image_and_the_same_under_a_seed(option: Transform) -> None:
    changed = apply(option, picture())
    assert changed.shape == picture().shape
    assert 0 <= float(changed.min()) <= float(changed.max()) <= 1
    assert len(torch.unique(changed.flatten(1), dim=0)) > 1
    assert torch.equal(changed, apply(option, picture()))
    assert not torch.equal(changed, apply(option, picture(), seed=1))


def test_the_share_is_that_of_images_changed() -> None:
    for option in (Rotation(share=0.25), Crop(share=0.25), Color(share=0.25), Erasing(share=0.25),
                   Blur(share=0.25), Grey(share=0.25), Flip(share=0.25)):  # fmt: skip
        images = picture(400)
        moved = ((apply(option, images) - images).abs().flatten(1).max(1).values > 1e-3).float().mean()
        assert 0.17 < float(moved) < 0.33, option


def test_rotation_turns_by_up_to_the_angle() -> None:
    size = 65
    image = torch.zeros(200, 3, size, size)
    image[:, :, 31:34, 56:59] = 1  # right of the centre
    turned = apply(Rotation(degrees=30), image)
    mass = turned.sum((1, 2, 3))
    assert torch.all(mass > 0)
    line = torch.arange(size) - 32.0
    x = (turned.sum((1, 2)) * line).sum(1) / mass
    y = (turned.sum((1, 3)) * line).sum(1) / mass
    angles = torch.rad2deg(torch.atan2(y, x))
    torch.testing.assert_close(torch.hypot(x, y), torch.full((200,), 25.0), atol=0.3, rtol=0)
    assert float(angles.abs().max()) <= 30.5
    assert float(angles.max()) > 25
    assert float(angles.min()) < -25


def test_crop_keeps_at_least_the_area_and_never_leaves_the_image() -> None:
    size = 64
    ramp = torch.linspace(0, 1, size)
    image = torch.stack(
        [ramp.expand(size, size), ramp.view(-1, 1).expand(size, size), torch.ones(size, size)]
    )
    cut = apply(Crop(area=0.5, aspect=1.3), image.expand(300, -1, -1, -1))
    middle = size // 2
    width = cut[:, 0, middle, -8] - cut[:, 0, middle, 7]
    height = cut[:, 1, -8, middle] - cut[:, 1, 7, middle]
    whole = float(ramp[-8] - ramp[7])
    area, aspect = width * height / whole**2, width / height
    assert 0.48 < float(area.min()) < 0.6
    assert float(area.max()) <= 1.01
    assert 1.2 < float(aspect.max()) < 1.33
    assert float(cut[:, 2].min()) > 0.49  # half a pixel of edge is blended with the black outside, no more


def test_color_changes_what_it_is_asked_to() -> None:
    image = torch.tensor([0.5, 0.3, 0.2]).view(1, 3, 1, 1).expand(200, 3, 4, 4)
    same = apply(Color(**NONE), image)
    torch.testing.assert_close(same, image)

    brighter = apply(Color(**NONE | {"brightness": 0.3}), image)
    factor = brighter[:, 0, 0, 0] / 0.5
    torch.testing.assert_close(brighter, image * factor.view(-1, 1, 1, 1))
    assert 0.7 <= float(factor.min()) < 0.75
    assert 1.25 < float(factor.max()) <= 1.3

    luma = torch.tensor([0.299, 0.587, 0.114])
    mild = picture() * 0.2 + 0.4  # so that nothing is clamped
    stretched = apply(Color(**NONE | {"contrast": 0.5}), mild)
    middle = torch.einsum("nchw,c->n", mild, luma) / 24**2
    middle = middle.view(-1, 1, 1, 1)
    factors = ((stretched - middle) / (mild - middle)).flatten(1).median(1).values
    expected = middle + factors.view(-1, 1, 1, 1) * (mild - middle)
    torch.testing.assert_close(stretched, expected, atol=1e-4, rtol=0)
    assert 0.5 <= float(factors.min()) < 0.7
    assert 1.3 < float(factors.max()) <= 1.5

    luma_kept = apply(Color(**NONE | {"hue": 0.5, "saturation": 0.3}), image * 0.5 + 0.25)
    before = torch.einsum("nchw,c->nhw", image * 0.5 + 0.25, luma)
    torch.testing.assert_close(torch.einsum("nchw,c->nhw", luma_kept, luma), before, atol=2e-3, rtol=0)


def test_hue_turns_the_colour_wheel() -> None:
    image = torch.tensor([0.55, 0.45, 0.45]).view(1, 3, 1, 1).expand(300, 3, 2, 2)
    turned = apply(Color(**NONE | {"hue": 0.25}), image)[:, :, 0, 0].numpy()
    hues = np.array([colorsys.rgb_to_hsv(*pixel)[0] for pixel in turned.astype(float)])
    away = (hues + 0.5) % 1 - 0.5
    assert np.abs(away).max() < 0.34  # a quarter turn in YIQ, somewhat more or less in HSV
    assert away.max() > 0.15
    assert away.min() < -0.15


def test_grey_and_flip_and_erasing_and_blur_do_what_they_say() -> None:
    grey = apply(Grey(share=1), picture())
    torch.testing.assert_close(grey[:, 0], grey[:, 1])
    torch.testing.assert_close(grey[:, 0], grey[:, 2])
    assert torch.equal(apply(Flip(share=1), picture()), picture().flip(3))
    erased = apply(Erasing(area=0.2, share=1), picture(200))
    shares = (erased == 0).all(1).float().mean((1, 2))
    assert 0.12 < float(shares.max()) < 0.25
    blurred = apply(Blur(sigma=2, share=1), picture())
    kept = blurred.flatten(1).std(1) / picture().flatten(1).std(1)
    assert float(kept.max()) <= 1 + 1e-5
    assert float(kept.min()) < 0.25
    torch.testing.assert_close(blurred.mean((1, 2, 3)), picture().mean((1, 2, 3)), atol=0.02, rtol=0)
