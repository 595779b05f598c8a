"""What options that work on tensors must give: from augmentation to learning rates."""

from __future__ import annotations

import io
from typing import Any, cast

import torch
from torch import nn

from wildreid.errors import UserError
from wildreid.kinds import Mapped, is_fitted
from wildreid.testing.hold import built, hold


def check_transform(option: Any) -> None:
    """The same shape, type and range; drawn again for each image, from torch's generators."""
    apply = option.build(size=32)
    built(apply, option, callable_with="images")
    random = torch.Generator().manual_seed(0)
    if option.masked:  # what it may put behind an animal are the other images, so these differ
        images = torch.rand(16, 4, 32, 32, generator=random)
        images[:, 3] = (images[:, 3] > 0.5).float()
    else:
        images = torch.rand(1, 3, 32, 32, generator=random).expand(16, -1, -1, -1).clone()
    torch.manual_seed(0)
    first = apply(images.clone())
    hold(
        first.shape == images.shape,
        option,
        f"changed the shape {tuple(images.shape)} to {tuple(first.shape)}",
    )
    hold(first.dtype == images.dtype, option, f"changed the type {images.dtype} to {first.dtype}")
    hold(torch.isfinite(first).all(), option, "gave numbers that are not finite")
    low, high = float(first.min()), float(first.max())
    hold(low >= -1e-3 and high <= 1 + 1e-3, option, f"left [0, 1]: {low:.3f} … {high:.3f}; clamp it")
    torch.manual_seed(0)
    hold(torch.equal(first, apply(images.clone())), option, "is not the same under the same torch seed")
    torch.manual_seed(1)
    draws = [apply(images.clone()) for _ in range(4)]
    off = all(torch.equal(draw, images) for draw in draws)  # a transform may be off until it is asked for
    changes = [draw - images for draw in draws]
    hold(
        off or any(bool((change != change[:1]).any()) for change in changes),
        option,
        "changed every image of a batch alike; draw again for each image",
    )
    if option.masked:
        hold(
            torch.equal(first[:, 3], images[:, 3]),
            option,
            "changed the masks, which the next transform needs",
        )


def check_backbone(option: Any) -> None:
    """A module with the attributes of `Features`, whose stages hold each parameter once."""
    module = option.build()
    hold(isinstance(module, nn.Module), option, "did not build a torch.nn.Module")
    for attribute in ("width", "size", "mean", "std", "stages"):
        hold(hasattr(module, attribute), option, f"built a module without the attribute '{attribute}'")
    staged = [id(parameter) for _, parameters in module.stages for parameter in parameters]
    hold(len(staged) == len(set(staged)), option, "has a parameter in two stages")
    hold(
        set(staged) == {id(parameter) for parameter in module.parameters()},
        option,
        "has stages that do not hold each parameter of the module",
    )
    module.eval()
    images = torch.rand(2, 3, module.size, module.size)
    with torch.inference_mode():
        features = module(images)
    hold(
        features.shape == (2, module.width),
        option,
        f"gave features {tuple(features.shape)}, not (2, {module.width})",
    )
    hold(torch.isfinite(features).all(), option, "gave features that are not finite")
    if isinstance(module, Mapped):
        _check_places(option, module, images, features)


def _check_places(option: Any, module: Mapped, images: torch.Tensor, features: torch.Tensor) -> None:
    """The features again, and maps over the images to which their gradient goes; or a refusal."""
    try:
        again, maps = module.places(images)
    except UserError:
        return
    hold(torch.allclose(again, features, atol=1e-4), option, "gave other features when asked for places")
    hold(len(maps), option, "gave no map when asked for places")
    for one in maps:
        hold(one.ndim == 4 and len(one) == len(images), option, "gave a map that is not (N, channels, h, w)")
        hold(one.is_leaf and one.requires_grad, option, "gave a map from which no gradient is tracked")
    alone = torch.autograd.grad(again[0].sum(), maps, allow_unused=True)
    hold(
        all(one is not None and not one[1:].any() for one in alone),
        option,
        "gave features that do not come from the maps of their own image alone",
    )


def check_head(option: Any) -> None:
    """A module with a width that lets the gradient through."""
    module = option.build(width=24)
    hold(isinstance(module, nn.Module), option, "did not build a torch.nn.Module")
    hold(isinstance(getattr(module, "width", None), int), option, "built a module without an integer 'width'")
    features = torch.rand(6, 24, requires_grad=True)
    out = module(features)
    hold(out.shape == (6, module.width), option, f"gave {tuple(out.shape)}, not (6, {module.width})")
    out.sum().backward()
    hold(features.grad is not None, option, "lets no gradient through to the features")
    if is_fitted(module):
        with torch.no_grad():
            vectors = nn.functional.normalize(torch.randn(400, int(cast("Any", module.before).width)))
            told = module.fit(vectors, torch.arange(400) % 40, lambda: 0.5)
            hold(isinstance(told, str), option, "does not say in words what it has fitted")
            fitted = module.after(vectors)
        hold(fitted.shape == (400, module.width), option, f"gave {tuple(fitted.shape)} once it was fitted")
        hold(torch.isfinite(fitted).all(), option, "gave numbers that are not finite once it was fitted")


def _batch() -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    embeddings = nn.functional.normalize(torch.randn(16, 8, generator=random)).requires_grad_()
    return embeddings, torch.arange(16) // 4


def check_loss(option: Any) -> None:
    """A finite scalar with mined indices, with none, or with an empty lot; its gradient reaches the embeddings."""
    nothing = torch.zeros(0, dtype=torch.int64)
    triplet = (torch.tensor([0, 4]), torch.tensor([1, 5]), torch.tensor([8, 12]))
    pairs = (torch.tensor([0, 4]), torch.tensor([1, 5]), torch.tensor([0, 4]), torch.tensor([8, 12]))
    for name, mined in (
        ("no miner", None),
        ("mined triplets", triplet),
        ("mined pairs", pairs),
        ("a miner that found nothing", (nothing,) * 4),
    ):
        torch.manual_seed(0)
        objective = option.objective(width=8, classes=4)
        built(objective, option, callable_with="embeddings, labels, mined")
        embeddings, labels = _batch()
        value = objective(embeddings, labels, mined)
        hold(
            isinstance(value, torch.Tensor), option, f"gave {type(value).__name__} with {name}, not a tensor"
        )
        hold(value.ndim == 0, option, f"gave a loss of shape {tuple(value.shape)} with {name}, not a scalar")
        hold(torch.isfinite(value), option, f"gave the loss {value.item()} with {name}")
        value.backward()
        gradient = embeddings.grad
        hold(gradient is not None, option, f"sends no gradient to the embeddings with {name}")
        assert gradient is not None
        hold(torch.isfinite(gradient).all(), option, f"sends a gradient that is not finite with {name}")
        hold(mined is not None or gradient.any(), option, "sends a gradient of zero to the embeddings")
        torch.manual_seed(0)
        again = option.objective(width=8, classes=4)(*_batch(), mined)
        hold(torch.equal(value.detach(), again.detach()), option, "is not the same under the same torch seed")
    _check_resuming(option)


def _check_resuming(option: Any) -> None:
    """Stopped after some batches, saved, built again and loaded, it goes on as if it had not been stopped."""
    batches = []
    for seed in range(5):
        random = torch.Generator().manual_seed(seed)
        embeddings = nn.functional.normalize(torch.randn(16, 8, generator=random))
        batches.append((embeddings, torch.arange(16) // 4))

    def losses(objective: Any, some: Any) -> list[torch.Tensor]:
        return [objective(embeddings, labels, None).detach() for embeddings, labels in some]

    torch.manual_seed(0)
    objective = option.objective(width=8, classes=4)
    losses(objective, batches[:3])
    kept = io.BytesIO()
    has_state = isinstance(objective, nn.Module)  # a function has none, and must remember nothing
    torch.save(objective.state_dict() if has_state else {}, kept)
    generator = torch.get_rng_state()
    expected = losses(objective, batches[3:])
    kept.seek(0)
    resumed = option.objective(width=8, classes=4)
    if has_state:
        resumed.load_state_dict(torch.load(kept, weights_only=True))
    torch.set_rng_state(generator)
    for one, other in zip(expected, losses(resumed, batches[3:]), strict=True):
        hold(
            torch.equal(one, other),
            option,
            "goes on otherwise after a checkpoint: keep all that it remembers in state_dict (buffers, or "
            "get_extra_state and set_extra_state)",
        )


def check_miner(option: Any) -> None:
    """None, or a tuple of indices whose positives and negatives are what they are called."""
    embeddings, labels = _batch()
    miner = option.build()
    built(miner, option, callable_with="embeddings, labels")
    torch.manual_seed(0)
    mined = miner(embeddings.detach(), labels)
    if mined is None:
        return
    hold(
        isinstance(mined, tuple) and len(mined) in (3, 4),
        option,
        "gave neither None nor a tuple of tensors: (anchors, positives, negatives) or (a1, p, a2, n)",
    )
    torch.manual_seed(0)
    again = miner(embeddings.detach(), labels)
    for part, same in zip(mined, again, strict=True):
        hold(torch.equal(part, same), option, "is not the same under the same torch seed")
        hold(part.dtype == torch.int64, option, f"gave indices of type {part.dtype}, not int64")
        hold(bool(((part >= 0) & (part < len(labels))).all()), option, "gave indices outside the batch")
    anchors, positives, others, negatives = mined if len(mined) == 4 else (*mined[:2], mined[0], mined[2])
    hold(bool((labels[anchors] == labels[positives]).all()), option, "gave a positive of another identity")
    hold(bool((labels[others] != labels[negatives]).all()), option, "gave a negative of the same identity")


def check_optimizer(option: Any) -> None:
    """A torch optimizer that keeps the names of its groups and moves each."""
    groups = {name: [nn.Parameter(torch.ones(3))] for name in ("backbone.stem", "head", "loss")}
    optimizer = option.build(groups=groups)
    hold(isinstance(optimizer, torch.optim.Optimizer), option, "did not build a torch optimizer")
    named = {group.get("name") for group in optimizer.param_groups}
    hold(named == set(groups), option, f"has parameter groups named {named}; carry the names {set(groups)}")
    for _ in range(3):
        optimizer.zero_grad()
        torch.autograd.backward(torch.stack([(parameter**2).sum() for (parameter,) in groups.values()]).sum())
        optimizer.step()
    still = [name for name, (parameter,) in groups.items() if bool((parameter == 1).all())]
    hold(not still, option, f"did not move the group {', '.join(still)}")


def check_scheduler(option: Any) -> None:
    """Rates that stay finite, and go on as they were after a resume."""

    def begin() -> tuple[torch.optim.Optimizer, Any]:
        optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=1.0)
        return optimizer, option.build(optimizer=optimizer, steps=10)

    optimizer, schedule = begin()
    built(schedule, option, members="step state_dict load_state_dict")
    optimizer.step()
    for step in range(5):
        schedule.step(None)
        if step == 2:  # an epoch ends here: it is told the validation figure
            schedule.step(0.5)
    rate = optimizer.param_groups[0]["lr"]
    hold(0 <= rate < float("inf"), option, f"set the rate {rate}")
    other, resumed = begin()
    other.step()
    other.load_state_dict(optimizer.state_dict())
    resumed.load_state_dict(schedule.state_dict())
    schedule.step(None)
    resumed.step(None)
    hold(
        optimizer.param_groups[0]["lr"] == other.param_groups[0]["lr"],
        option,
        "goes on otherwise after state_dict and load_state_dict",
    )
