"""One check for each kind of option: what it must give, and words that teach where it does not."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import nn

from wildreid import kinds
from wildreid.artefacts import Missing
from wildreid.data.splits import split
from wildreid.data.table import PARTS, ROLES, Table
from wildreid.option import Option
from wildreid.testing.material import evidence_of, results_of, tiny_table


def check_option(option: type[Option] | Option) -> None:
    """Check that an option keeps the contract of its kind.

    Args:
        option: a class, which is then built with its defaults; or an object, where it has required fields or
            its defaults need something that is not there, such as a network.

    Raises:
        AssertionError: it does not; the message names the option, what is wrong and what to do.
    """
    cls = option if isinstance(option, type) else type(option)
    _check_form(cls)
    if isinstance(option, type):
        required = [name for name, field in cls.model_fields.items() if field.is_required()]
        _hold(not required, cls, f"has required fields ({', '.join(required)}); give an object, not the class")
        option = cls()
    plain = option.model_dump(mode="json")
    again = cls.model_validate(plain)
    _hold(again == option, cls, f"is not itself again after being written to a recipe and read: {again!r}")
    CHECKS[option.kind](option)


def _hold(true: Any, option: Option | type[Option], otherwise: str) -> None:
    cls = option if isinstance(option, type) else type(option)
    if not true:
        raise AssertionError(f"{cls.kind} {cls.name} ({cls.__module__}.{cls.__qualname__}) {otherwise}")


def _check_form(cls: type[Option]) -> None:
    _hold(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", cls.name), cls, "has a name that is not lower-case-with-hyphens")
    _hold(cls.summary(), cls, "has no docstring; its first line is what `reid plugins` shows")
    bare = [name for name, field in cls.model_fields.items() if not field.description]
    _hold(not bare, cls, f"has fields without a description: {', '.join(bare)}; write Field(…, description=…)")
    _hold(cls.model_config.get("extra") == "forbid", cls, "accepts unknown keys; leave model_config as it is")


def _check_dataset(option: Any) -> None:
    table = option.table()
    _hold(isinstance(table, Table), option, f"gave {type(table).__name__}, not a Table; build it with Table.of(…)")
    _hold(len(table), option, "gave a table without rows")
    _hold("id" in table.rows and table["id"].is_unique, option, "gave ids that repeat; build it with Table.of(…)")
    _hold(table.root.is_absolute(), option, f"gave a root that is not absolute: {table.root}")
    again = option.table()
    _hold(table.rows.equals(again.rows), option, "gave another table when asked again; it must not be random")


def _check_splitter(option: Any) -> None:
    table = tiny_table()
    first = option.split(table=table, seed=0)
    for column, allowed in (("part", PARTS), ("role", ROLES)):
        _hold(column in first.rows, option, f"gave a table without the column '{column}'")
        odd = set(first[column].dropna().unique()) - set(allowed)
        _hold(not odd, option, f"gave {column} {', '.join(sorted(odd))}; there are {', '.join(allowed)}")
    _hold(set(first["id"]) == set(table["id"]), option, "lost or added rows; unused rows have a missing part")
    checked = split(table, option, seed=0)
    mixed = table.with_rows(table.rows.sample(frac=1, random_state=1))
    _hold(
        checked.rows.equals(split(mixed, option, seed=0).rows),
        option,
        "split the same rows otherwise when they came in another order; sort by 'id' and draw from the seed",
    )


def _check_transform(option: Any) -> None:
    apply = option.build(size=32)
    one = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    images = one.expand(16, -1, -1, -1).clone()
    torch.manual_seed(0)
    first = apply(images.clone())
    _hold(first.shape == images.shape, option, f"changed the shape {tuple(images.shape)} to {tuple(first.shape)}")
    _hold(first.dtype == images.dtype, option, f"changed the type {images.dtype} to {first.dtype}")
    _hold(torch.isfinite(first).all(), option, "gave numbers that are not finite")
    low, high = float(first.min()), float(first.max())
    _hold(low >= -1e-3 and high <= 1 + 1e-3, option, f"left [0, 1]: {low:.3f} … {high:.3f}; clamp it")
    torch.manual_seed(0)
    _hold(torch.equal(first, apply(images.clone())), option, "is not the same under the same torch seed")
    torch.manual_seed(1)
    several = torch.cat([apply(images.clone()) for _ in range(4)])
    _hold(
        (several != several[:1]).flatten(1).any(1).any(),
        option,
        "changed every image of a batch alike; draw anew for each image",
    )


def _check_backbone(option: Any) -> None:
    module = option.build()
    _hold(isinstance(module, nn.Module), option, "did not build a torch.nn.Module")
    for attribute in ("width", "size", "mean", "std", "stages"):
        _hold(hasattr(module, attribute), option, f"built a module without the attribute '{attribute}'")
    staged = [id(parameter) for _, parameters in module.stages for parameter in parameters]
    _hold(len(staged) == len(set(staged)), option, "has a parameter in two stages")
    _hold(
        set(staged) == {id(parameter) for parameter in module.parameters()},
        option,
        "has stages that do not hold each parameter of the module",
    )
    module.eval()
    with torch.inference_mode():
        features = module(torch.rand(2, 3, module.size, module.size))
    _hold(
        features.shape == (2, module.width), option, f"gave features {tuple(features.shape)}, not (2, {module.width})"
    )
    _hold(torch.isfinite(features).all(), option, "gave features that are not finite")


def _check_head(option: Any) -> None:
    module = option.build(width=24)
    _hold(isinstance(getattr(module, "width", None), int), option, "built a module without an integer 'width'")
    features = torch.rand(6, 24, requires_grad=True)
    out = module(features)
    _hold(out.shape == (6, module.width), option, f"gave {tuple(out.shape)}, not (6, {module.width})")
    out.sum().backward()
    _hold(features.grad is not None, option, "lets no gradient through to the features")


def _batch() -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    embeddings = nn.functional.normalize(torch.randn(16, 8, generator=random)).requires_grad_()
    return embeddings, torch.arange(16) // 4


def _check_loss(option: Any) -> None:
    triplet = (torch.tensor([0, 4]), torch.tensor([1, 5]), torch.tensor([8, 12]))
    pairs = (torch.tensor([0, 4]), torch.tensor([1, 5]), torch.tensor([0, 4]), torch.tensor([8, 12]))
    for name, mined in (("no miner", None), ("mined triplets", triplet), ("mined pairs", pairs)):
        torch.manual_seed(0)
        objective = option.build(width=8, classes=4)
        embeddings, labels = _batch()
        value = objective(embeddings, labels, mined)
        _hold(value.ndim == 0, option, f"gave a loss of shape {tuple(value.shape)} with {name}, not a scalar")
        _hold(torch.isfinite(value), option, f"gave the loss {float(value)} with {name}")
        value.backward()
        gradient = embeddings.grad
        _hold(gradient is not None, option, f"sends no gradient to the embeddings with {name}")
        _hold(torch.isfinite(gradient).all(), option, f"sends a gradient that is not finite with {name}")
        torch.manual_seed(0)
        again = option.build(width=8, classes=4)(*_batch(), mined)
        _hold(torch.equal(value.detach(), again.detach()), option, "is not the same under the same torch seed")


def _check_miner(option: Any) -> None:
    embeddings, labels = _batch()
    torch.manual_seed(0)
    mined = option.build()(embeddings.detach(), labels)
    if mined is None:
        return
    _hold(
        isinstance(mined, tuple) and len(mined) in (3, 4),
        option,
        "gave neither None nor a tuple of three (anchors, positives, negatives) or four (a1, p, a2, n) tensors",
    )
    for part in mined:
        _hold(part.dtype == torch.int64, option, f"gave indices of type {part.dtype}, not int64")
        _hold(bool(((part >= 0) & (part < len(labels))).all()), option, "gave indices outside the batch")
    anchors, positives, others, negatives = (*mined, None)[:4] if len(mined) == 4 else (*mined[:2], mined[0], mined[2])
    _hold(bool((labels[anchors] == labels[positives]).all()), option, "gave a positive of another identity")
    _hold(bool((labels[others] != labels[negatives]).all()), option, "gave a negative of the same identity")


def _check_sampler(option: Any) -> None:
    table = tiny_table()
    batches = option.build(table=table, batch=8, seed=0)
    batches.set_epoch(0)
    first = [list(batch) for batch in batches]
    _hold(first and len(first) == len(batches), option, f"gave {len(first)} batches but a length of {len(batches)}")
    _hold(all(len(batch) == 8 for batch in first), option, "gave a batch of another size than was asked for")
    _hold(
        all(0 <= row < len(table) for batch in first for row in batch), option, "gave a row that the table has not"
    )
    again = option.build(table=table, batch=8, seed=0)
    again.set_epoch(0)
    _hold(first == [list(batch) for batch in again], option, "drew otherwise with the same seed and epoch")


def _check_optimizer(option: Any) -> None:
    groups = {name: [nn.Parameter(torch.ones(3))] for name in ("backbone.stem", "head", "loss")}
    optimizer = option.build(groups=groups)
    _hold(isinstance(optimizer, torch.optim.Optimizer), option, "did not build a torch optimizer")
    named = {group.get("name") for group in optimizer.param_groups}
    _hold(named == set(groups), option, f"has parameter groups named {named}; carry the names {set(groups)}")
    for _ in range(3):
        optimizer.zero_grad()
        sum((parameter**2).sum() for group in groups.values() for parameter in group).backward()
        optimizer.step()
    still = [name for name, (parameter,) in groups.items() if bool((parameter == 1).all())]
    _hold(not still, option, f"did not move the group {', '.join(still)}")


def _check_scheduler(option: Any) -> None:
    def begin() -> tuple[torch.optim.Optimizer, Any]:
        optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=1.0)
        return optimizer, option.build(optimizer=optimizer, steps=10)

    optimizer, schedule = begin()
    optimizer.step()
    for step in range(5):
        schedule.step(None)
        schedule.step(0.5 if step == 2 else None) if step == 2 else None
    rate = optimizer.param_groups[0]["lr"]
    _hold(0 <= rate < float("inf"), option, f"set the rate {rate}")
    other, resumed = begin()
    other.step()
    other.load_state_dict(optimizer.state_dict())
    resumed.load_state_dict(schedule.state_dict())
    schedule.step(None)
    resumed.step(None)
    _hold(
        optimizer.param_groups[0]["lr"] == other.param_groups[0]["lr"],
        option,
        "goes on otherwise after state_dict and load_state_dict",
    )


def _check_metric(option: Any) -> None:
    evidence = evidence_of()
    before = evidence.embeddings.copy()
    measured = option.measure(evidence=evidence)
    _hold(isinstance(measured, dict) and measured, option, "gave no figures")
    queries = len(evidence.ranking.queries)
    for name, figure in measured.items():
        if isinstance(figure, Missing):
            _hold(figure.reason, option, f"gave no reason why {name} is missing")
        elif isinstance(figure, np.ndarray):
            _hold(figure.shape == (queries,), option, f"gave {name} of shape {figure.shape}, not ({queries},)")
        else:
            _hold(np.isfinite(figure), option, f"gave {name} = {figure}; say Missing(reason) instead")
    _hold(np.array_equal(before, evidence.embeddings), option, "changed the embeddings it was given")


def _check_tracker(option: Any) -> None:
    with tempfile.TemporaryDirectory() as name:
        run = SimpleNamespace(folder=Path(name), name="tiny", recipe={"name": "tiny"})
        for epoch in (1, 2):
            with option.open(run=run) as log:
                log.log(epoch, {"loss": 1.0 / epoch})


def _check_reporter(option: Any) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        written = option.write(results=results_of(folder), folder=folder)
        _hold(isinstance(written, list), option, "did not return the list of files that it wrote")
        for path in written:
            _hold(Path(path).is_file(), option, f"says that it wrote {path}, which is not there")
            _hold(folder in Path(path).parents, option, f"wrote outside its folder: {path}")


CHECKS: dict[str, Callable[[Any], None]] = {
    kinds.Dataset.kind: _check_dataset,
    kinds.Splitter.kind: _check_splitter,
    kinds.Transform.kind: _check_transform,
    kinds.Backbone.kind: _check_backbone,
    kinds.Head.kind: _check_head,
    kinds.Loss.kind: _check_loss,
    kinds.Miner.kind: _check_miner,
    kinds.Sampler.kind: _check_sampler,
    kinds.Optimizer.kind: _check_optimizer,
    kinds.Scheduler.kind: _check_scheduler,
    kinds.Metric.kind: _check_metric,
    kinds.Tracker.kind: _check_tracker,
    kinds.Reporter.kind: _check_reporter,
}
