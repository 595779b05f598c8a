"""The loop: what it trains, keeps, refuses and says."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made import micro

from wildreid.errors import Interrupted, UserError
from wildreid.training.checkpoint import load_checkpoint
from wildreid.training.embedder import Embedder, load_embedder
from wildreid.training.learner import Learner
from wildreid.training.loop import train
from wildreid.training.rows import training_rows, validation_rows

PLAIN: dict[str, Any] = {"transforms": [], "miner": "none"}


def go(folder: Path, *, resume: bool = False, images: Any = None, **changes: Any) -> Embedder:
    table, own = micro.herd()
    return train(
        micro.recipe(**PLAIN | changes), table, images or own, folder, validate=micro.validator(table),
        device="cpu", resume=resume,
    )  # fmt: skip


def history(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]


def test_a_line_of_history_an_epoch(tmp_path: Path) -> None:
    go(tmp_path)
    lines = history(tmp_path)
    assert [line["epoch"] for line in lines] == [1, 2]
    assert [line["step"] for line in lines] == [3, 6]
    for line in lines:
        assert {
            "loss",
            "accuracy@1",
            "seconds",
            "images/second",
            "rate/head",
            "rate/backbone.stem",
        } <= line.keys()
        assert np.isfinite(line["loss"])


def test_training_learns(tmp_path: Path) -> None:
    go(
        tmp_path,
        training={"epochs": 12},
        optimizer={"name": "adam", "backbone_rate": 1e-3, "head_rate": 1e-2},
    )
    losses = [line["loss"] for line in history(tmp_path)]
    assert losses[-1] < 0.7 * losses[0]


def test_it_never_looks_at_the_test_part(tmp_path: Path) -> None:
    table, images = micro.herd()
    test = np.flatnonzero(table["part"] == "test")
    seen: set[int] = set()
    take = images.take
    images.take = lambda rows: seen.update(map(int, rows)) or take(rows)  # type: ignore[method-assign]
    go(tmp_path, images=images)
    assert seen == set(range(len(table))) - set(test.tolist())


def test_the_saved_model_is_the_best_epoch_and_the_one_returned(tmp_path: Path) -> None:
    table, images = micro.herd()
    values = iter([0.2, 0.9, 0.5])
    embedder = train(
        micro.recipe(**PLAIN, training={"epochs": 3}), table, images, tmp_path,
        validate=lambda vectors: {"accuracy@1": next(values)}, device="cpu",
    )  # fmt: skip
    assert [path.name for path in (tmp_path / "checkpoints").glob("best-*")] == ["best-0002.safetensors"]
    loaded = load_embedder(tmp_path, micro.REGISTRY).state_dict()
    assert all(torch.equal(value, loaded[name]) for name, value in embedder.state_dict().items())
    last = torch.load(tmp_path / "checkpoints/last.pt", weights_only=True)["embedder"]
    assert any(not torch.equal(value, loaded[name]) for name, value in last.items())


def test_a_loss_may_be_a_plain_function(tmp_path: Path) -> None:
    table, images = micro.herd()
    recipe = micro.recipe(**PLAIN, training={"epochs": 1})
    loss = type(recipe.loss)

    class Plain(loss):  # type: ignore[misc, valid-type]
        def build(self, *, width: int, classes: int) -> Any:
            return lambda embeddings, labels, mined=None: (embeddings * embeddings[0].detach()).sum()

    changed = recipe.model_copy(update={"loss": Plain()})
    train(changed, table, images, tmp_path, validate=micro.validator(table), device="cpu")
    assert len(history(tmp_path)) == 1


def test_a_smoothed_choice_passes_over_a_spike(tmp_path: Path) -> None:
    table, images = micro.herd()
    figures, smooth = [0.6, 0.2, 0.3, 0.5, 0.52, 0.48, 0.4], 3
    mean = [sum(figures[max(0, n - smooth + 1) : n + 1]) / smooth for n in range(len(figures))]
    values = iter(figures)
    train(
        micro.recipe(**PLAIN, training={"epochs": len(figures), "smooth": smooth}), table, images, tmp_path,
        validate=lambda vectors: {"accuracy@1": next(values)}, device="cpu",
    )  # fmt: skip
    assert [line["watched"] for line in history(tmp_path)] == pytest.approx(mean)
    assert mean.index(max(mean)) == 5
    assert [path.name for path in (tmp_path / "checkpoints").glob("best-*")] == ["best-0006.safetensors"]


def test_patience_counts_epochs_without_a_gain_of_the_asked_size(tmp_path: Path) -> None:
    table, images = micro.herd()
    values = iter([0.50, 0.55, 0.56, 0.57, 0.9])
    train(
        micro.recipe(**PLAIN, training={"epochs": 9, "patience": 2, "min_gain": 0.04}),
        table, images, tmp_path,
        validate=lambda vectors: {"accuracy@1": next(values)}, device="cpu",
    )  # fmt: skip
    assert len(history(tmp_path)) == 4
    # any gain is good enough for the weights
    assert (tmp_path / "checkpoints/best-0004.safetensors").is_file()


def test_epochs_0_saves_the_network_as_it_comes(tmp_path: Path) -> None:
    none = {"backbone": "pixels", "head": "identity"}
    embedder = go(tmp_path, **none, training={"epochs": 0})
    assert (tmp_path / "history.jsonl").read_text() == ""
    again = load_embedder(tmp_path, micro.REGISTRY)
    pixels = torch.from_numpy(micro.herd()[1].take(range(3)))
    assert torch.equal(embedder(pixels), again(pixels))
    assert embedder(pixels).norm(dim=1) == pytest.approx([1, 1, 1])


def test_nothing_to_learn_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'pixels' and the head 'identity' have nothing to learn"):
        go(tmp_path, backbone="pixels", head="identity")


def test_accumulated_batches_make_the_step_of_one_large_batch(tmp_path: Path) -> None:
    # without batch norm, dropout or draws, and with a loss that is a mean over images
    changes: dict[str, Any] = {
        "head": {"name": "linear", "norm": "none"}, "loss": "arcface",
        "backbone": {"name": "timm", "model": "test_convnext"},
        "optimizer": "sgd", "scheduler": "constant", "sampler": "uniform",
    }  # fmt: skip
    weights = []
    for name, training in (("large", {"batch": 24}), ("small", {"batch": 8, "accumulate": 3})):
        go(tmp_path / name, **changes, training={"epochs": 1, **training})
        weights.append(load_embedder(tmp_path / name, micro.REGISTRY).state_dict())
        assert history(tmp_path / name)[0]["step"] == 1
    untrained = go(tmp_path / "none", **changes, training={"epochs": 0}).state_dict()
    moved = max(float((weights[0][key] - untrained[key]).abs().max()) for key in untrained)
    apart = max(float((weights[0][key] - weights[1][key]).abs().max()) for key in untrained)
    assert moved > 1e-3
    assert apart < 1e-5


def test_clipping_bounds_the_step(tmp_path: Path) -> None:
    sgd = {"name": "sgd", "momentum": 0, "backbone_rate": 1, "head_rate": 1, "loss_rate": 1}
    changes: dict[str, Any] = {"optimizer": sgd, "scheduler": "constant", "sampler": "uniform"}
    before = go(tmp_path / "0", **changes, training={"epochs": 0}).state_dict()
    after = go(tmp_path / "1", **changes, training={"epochs": 1, "batch": 24, "clip": 0.01}).state_dict()
    trained = [name for name in before if "running" not in name and "num_batches" not in name]
    moved = torch.cat([(after[name] - before[name]).flatten() for name in trained]).norm()
    assert 0 < float(moved) <= 0.01 + 1e-6


def test_an_average_of_the_weights_is_what_is_kept(tmp_path: Path) -> None:
    go(tmp_path, training={"epochs": 1, "ema": 0.5})
    state = torch.load(tmp_path / "checkpoints/last.pt", weights_only=True)
    best = load_embedder(tmp_path, micro.REGISTRY).state_dict()
    assert all(torch.equal(best[name], state["average"][f"module.{name}"]) for name in best)
    assert not torch.equal(best["head.0.weight"], state["embedder"]["head.0.weight"])


def test_without_validation_the_last_weights_are_kept(tmp_path: Path) -> None:
    table, images = micro.herd()
    train(micro.recipe(**PLAIN), table, images, tmp_path, validate=None, device="cpu")
    state = torch.load(tmp_path / "checkpoints/last.pt", weights_only=True)
    best = load_embedder(tmp_path, micro.REGISTRY).state_dict()
    assert all(torch.equal(best[name], value) for name, value in state["embedder"].items())


@pytest.mark.parametrize(
    ("freeze", "thaw", "still"), [("all", None, True), (1, None, True), ("all", 1, False)]
)
def test_frozen_stages_do_not_move_until_they_are_thawed(
    freeze: str | int, thaw: int | None, still: bool, tmp_path: Path
) -> None:
    resnet = {"name": "timm", "model": "test_resnet"}
    before = go(tmp_path / "0", backbone=resnet, training={"epochs": 0}).state_dict()
    go(tmp_path / "1", backbone=resnet, training={"epochs": 2, "freeze": freeze, "thaw": thaw})
    after = torch.load(tmp_path / "1/checkpoints/last.pt", weights_only=True)["embedder"]
    first = [name for name in before if name.startswith(("backbone.timm.conv1", "backbone.timm.bn1"))]
    last = [name for name in before if name.startswith("backbone.timm.layer4") and "num_batches" not in name]
    head = [name for name in before if name.startswith("head") and name.endswith("weight")]
    assert first
    assert all(torch.equal(before[name], after[name]) for name in first) == still
    assert all(torch.equal(before[name], after[name]) for name in last) == (still and freeze == "all")
    assert not any(torch.equal(before[name], after[name]) for name in head)


def test_more_stages_than_there_are_cannot_stay_unfrozen(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="all but the last 9 stages cannot be frozen: the backbone has 5"):
        go(tmp_path, training={"freeze": 9})


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loss that is no number from the first batch on."""
    monkeypatch.setattr(Learner, "loss", lambda self, embeddings, truth: embeddings.sum() * float("nan"))


@pytest.mark.usefixtures("broken")
def test_a_loss_that_is_not_finite_names_the_files(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"the loss is nan at batch 1 .*animal \d/\d\.jpg") as caught:
        go(tmp_path)
    assert "lower the optimizer's rates" in str(caught.value)


def test_what_was_trained_before_a_loss_blew_up_is_kept(tmp_path: Path) -> None:
    step = {"name": "sgd", "backbone_rate": 1e-3, "head_rate": 1e-3}
    go(tmp_path, optimizer=step, training={"epochs": 1})
    model = (tmp_path / "model.safetensors").read_bytes()
    table, images = micro.herd()
    recipe = micro.recipe(**PLAIN, optimizer=step, training={"epochs": 1})
    save = recipe.model_copy(update={"training": recipe.training.model_copy(update={"epochs": 2})})
    state = torch.load(tmp_path / "checkpoints/last.pt", weights_only=True)
    state["identity"]["training"]["epochs"] = 2
    state["embedder"]["head.0.weight"].fill_(float("nan"))
    torch.save(state, tmp_path / "checkpoints/last.pt")
    with pytest.raises(UserError, match="the loss is nan"):
        train(save, table, images, tmp_path, validate=micro.validator(table), device="cpu", resume=True)
    assert (tmp_path / "model.safetensors").read_bytes() == model


def test_ctrl_c_saves_says_how_to_go_on_and_goes_on_the_same(tmp_path: Path) -> None:
    _, images = micro.herd()
    count, take = 0, images.take

    def take_and_interrupt(rows: Any) -> Any:
        nonlocal count
        count += 1
        if count == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return take(rows)

    images.take = take_and_interrupt  # type: ignore[method-assign]
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted, match="all is saved") as caught:
        go(tmp_path / "stopped", images=images, training={"workers": 0})
    assert f"resume('{tmp_path / 'stopped'}')" in str(caught.value)
    assert signal.getsignal(signal.SIGINT) is before
    go(tmp_path / "stopped", resume=True, training={"workers": 0})
    go(tmp_path / "whole", training={"workers": 0})
    stopped, whole = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("stopped", "whole"))
    assert stopped == whole


def test_workers_do_not_change_the_weights(tmp_path: Path) -> None:
    for workers in (0, 3):
        go(tmp_path / str(workers), training={"workers": workers})
    none, three = ((tmp_path / name / "model.safetensors").read_bytes() for name in "03")
    assert none == three


def test_a_checkpoint_of_another_recipe_or_data_is_refused(tmp_path: Path) -> None:
    go(tmp_path)
    with pytest.raises(UserError, match=r"another recipe: loss.margin was 0\.2, is 0\.3"):
        go(tmp_path, resume=True, loss={"name": "triplet", "margin": 0.3})
    table, images = micro.herd()
    other = table.with_rows(table.rows.assign(part=table["part"].replace({"test": "train"})))
    with pytest.raises(UserError, match="the images, identities or parts"):
        train(micro.recipe(**PLAIN), other, images, tmp_path, validate=None, device="cpu", resume=True)


def test_a_checkpoint_that_holds_code_is_refused(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    torch.save({"format": 1, "identity": Path("x")}, tmp_path / "checkpoints/last.pt")
    with pytest.raises(UserError, match=r"not readable as a checkpoint: .* more than weights") as caught:
        load_checkpoint(tmp_path, {})
    assert "weights_only" not in str(caught.value)  # torch's words, which advise to run it


def test_no_space_left_is_said_and_the_run_goes_on_once_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go(tmp_path / "whole")
    calls, save = 0, torch.save

    def full_at_the_second(state: Any, path: Path) -> None:
        nonlocal calls
        calls += 1
        save(state, path)
        if calls == 2:
            Path(path).write_bytes(b"half")
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("wildreid.training.checkpoint.torch.save", full_at_the_second)
    with pytest.raises(UserError, match="No space left on device") as caught:
        go(tmp_path / "full")
    assert "make space" in str(caught.value)
    assert not list((tmp_path / "full/checkpoints").glob("*.part"))
    go(tmp_path / "full", resume=True)
    whole, full = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "full"))
    assert whole == full


def test_a_new_run_forgets_the_checkpoints_of_an_old_one(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    go(tmp_path)
    request.getfixturevalue("broken")
    with pytest.raises(UserError, match="is nan"):
        go(tmp_path)
    assert not (tmp_path / "checkpoints").exists()


def test_the_plain_layout_is_kept_through_validation(tmp_path: Path) -> None:
    embedder = go(tmp_path, training={"channels_last": False})
    convolutions = [one for one in embedder.modules() if isinstance(one, torch.nn.Conv2d) and one.groups == 1]
    assert all(one.weight.is_contiguous() for one in convolutions)
    assert embedder.prepare(torch.from_numpy(micro.herd()[1].take(range(2)))).is_contiguous()


def test_pictures_are_asked_for_at_each_epoch_and_change_nothing(tmp_path: Path) -> None:
    table, images = micro.herd()
    asked: list[tuple[int, np.ndarray]] = []
    for name, picture in (("with", lambda epoch, vectors: asked.append((epoch, vectors))), ("without", None)):
        train(
            micro.recipe(), table, images, tmp_path / name,
            validate=micro.validator(table), device="cpu", picture=picture,
        )  # fmt: skip
    assert [epoch for epoch, _ in asked] == [1, 2]
    assert {vectors.shape for _, vectors in asked} == {(len(validation_rows(table, "val")), 8)}
    one, other = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("with", "without"))
    assert one == other


def test_a_metric_that_validation_does_not_give_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no 'map'.*it gives accuracy@1"):
        go(tmp_path, training={"watch": "map"})


def test_labels_come_from_sorted_identities_and_not_from_the_order_of_rows() -> None:
    table, _ = micro.herd()
    turned = table.with_rows(table.rows.iloc[::-1])
    rows, labels = training_rows(table)
    other_rows, other_labels = training_rows(turned)
    named = dict(zip(table["id"].iloc[rows], labels, strict=True))
    assert named == dict(zip(turned["id"].iloc[other_rows], other_labels, strict=True))
    assert sorted(set(labels.tolist())) == list(range(6))
    assert validation_rows(table, "val").tolist() == np.flatnonzero(table["part"] == "val").tolist()
    assert len(validation_rows(table, "train")) == 36


def test_one_identity_is_not_enough() -> None:
    table, _ = micro.herd(individuals=1)
    with pytest.raises(UserError, match="shows 1 identities"):
        training_rows(table)


@pytest.mark.parametrize("precision", ["bf16", "fp32"])
def test_precision_on_the_cpu(precision: str, tmp_path: Path) -> None:
    go(tmp_path, training={"epochs": 1, "precision": precision})
    assert np.isfinite(history(tmp_path)[0]["loss"])


def test_fp16_needs_a_gpu(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="fp16 needs a GPU"):
        go(tmp_path, training={"precision": "fp16"})


def test_a_compiler_that_fails_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: torch.nn.Module, *args: Any, **kwargs: Any) -> None:
        def fail(*inputs: Any) -> None:
            raise RuntimeError("no C++ compiler found\nsecond line")

        self._compiled_call_impl = fail  # type: ignore[assignment]

    monkeypatch.setattr(torch.nn.Module, "compile", broken)
    with pytest.raises(UserError, match=r"torch.compile does not work here: no C\+\+ compiler found"):
        go(tmp_path, training={"compile": True})
