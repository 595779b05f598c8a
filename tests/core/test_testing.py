"""The checks for authors find what is wrong, and say what to do."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import Field, SerializeAsAny
from torch import nn

from wildreid.data.table import Table
from wildreid.kinds import (
    Backbone,
    Clusterer,
    Dataset,
    Head,
    Loss,
    Metric,
    Miner,
    Optimizer,
    Reporter,
    Sampler,
    Scheduler,
    Splitter,
    Tracker,
)
from wildreid.kinds import Transform as TransformKind
from wildreid.option import Option
from wildreid.registry import Registry, Source
from wildreid.testing import check_option, check_plugin, check_registered, draw_photos, heavy_import
from wildreid.testing.material import tiny_table

pytest_plugins = ["wildreid.testing.fixtures"]


def fails(option: Any, words: str) -> None:
    with pytest.raises(AssertionError, match=words) as caught:
        check_option(option)
    cls = option if isinstance(option, type) else type(option)
    assert f"{cls.kind} {cls.name}" in str(caught.value)


class Given(torch.nn.Module):
    """A loss that is a function of the embeddings."""

    def __init__(self, of: Callable[[torch.Tensor], Any]) -> None:
        super().__init__()
        self.of = of

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor, mined: Any = None) -> Any:
        return self.of(embeddings)


def loss(of: Callable[[torch.Tensor], torch.Tensor]) -> type[Loss]:
    class Broken(Loss):
        """A loss."""

        name = "broken"

        def build(self, *, width: int, classes: int) -> Any:
            return Given(of)

    return Broken


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (lambda e: e.sum(1), r"shape \(16,\).*not a scalar"),
        (lambda e: e.sum() * float("nan"), "gave the loss nan"),
        (lambda e: e.detach().sum().requires_grad_(), "sends no gradient to the embeddings"),
        (lambda e: (e * 0).sum(), "a gradient of zero"),
        (lambda e: 0.5, "gave float with no miner, not a tensor"),
        (
            lambda e: (e * torch.rand_like(e)).sum() if next(COUNT) % 2 else e.sum(),
            "not the same under the same",
        ),
    ],
)
def test_losses(of: Callable[[torch.Tensor], torch.Tensor], words: str) -> None:
    fails(loss(of), words)


COUNT = iter(range(10))


def test_a_loss_that_builds_nothing_and_one_that_fails_where_nothing_was_mined() -> None:
    fails(changed(Plain, build=lambda self, *, width, classes: None), "built NoneType.*is a return missing")

    def mean_of_mined(self: Any, *, width: int, classes: int) -> Any:
        def objective(embeddings: torch.Tensor, labels: torch.Tensor, mined: Any = None) -> torch.Tensor:
            return embeddings.square().mul(2).sum() if mined is None else embeddings[mined[0]].mean()

        return objective

    fails(changed(Plain, build=mean_of_mined), "gave the loss nan with a miner that found nothing")


def test_a_good_loss_passes() -> None:
    check_option(loss(lambda e: (e**2 @ torch.arange(8.0)).mean()))


class Plain(Loss):
    """A loss."""

    name = "plain"

    def build(self, *, width: int, classes: int) -> Any:
        return Given(lambda embeddings: embeddings.sum())


def changed(cls: type[Any], **members: Any) -> Any:
    return type(cls.__name__, (cls,), {"__doc__": "Changed.", "__module__": __name__, **members})


def test_form() -> None:
    fails(changed(Plain, name="Plain_Loss"), "lower-case-with-hyphens")
    fails(changed(Plain, __doc__=None), "no docstring of its own")
    bare = changed(Plain, __annotations__={"margin": float}, margin=0.1)
    fails(bare, "fields without a description: margin")
    needed = changed(Plain, __annotations__={"margin": float}, margin=Field(description="a margin"))
    fails(needed, r"required fields \(margin\); give an object")
    check_option(needed(margin=1))
    fails(
        changed(Plain, build=lambda self, embedding_size: None),
        r"write def build\(self, \*, width, classes\)",
    )


def test_an_abstract_class() -> None:
    class Half(Loss):
        """A loss."""

        name = "half"

    fails(Half, "is abstract")


class Divides(Splitter):
    """By the number of the row."""

    name = "divides"

    def split(self, *, table: Table, seed: int) -> Table:
        parts = np.array(["train", "val", "test"])[np.arange(len(table)) % 3]
        return table.with_rows(table.rows.assign(part=parts, role="both"))


def splitter(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Any:
    def split(self: Any, *, table: Table, seed: int) -> Table:
        who = table["identity"].map({who: n % 3 for n, who in enumerate(sorted(table["identity"].unique()))})
        parts = who.map({0: "train", 1: "val", 2: "test"})
        return table.with_rows(change(table.rows.assign(part=parts, role="both")))

    return changed(Divides, split=split)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda rows: rows.drop(columns="role"), "without the column 'role'"),
        (lambda rows: rows.assign(part="training"), "gave part training; there are train, val, test"),
        (lambda rows: rows[rows["part"] != "val"], "lost or added rows"),
        (lambda rows: rows.assign(part=rows["part"].where(rows["part"] != "val")), "the part val .*is empty"),
    ],
)
def test_splitters(change: Callable[[pd.DataFrame], pd.DataFrame], words: str) -> None:
    fails(splitter(change), words)
    check_option(splitter(lambda rows: rows))


def test_a_splitter_that_divides_groups() -> None:
    fails(Divides, "divided a group: .*leaky = True")
    check_option(changed(Divides, leaky=True))


def test_a_splitter_that_draws_from_elsewhere_than_the_seed() -> None:
    calls = []

    def split(self: Any, *, table: Table, seed: int) -> Table:
        calls.append(seed)
        parts = ("train", "val", "test")
        people = sorted(table["identity"].dropna().unique())
        part = {who: parts[(n + len(calls)) % 3] for n, who in enumerate(people)}
        return table.with_rows(table.rows.assign(part=table["identity"].map(part), role="both"))

    fails(changed(Divides, split=split), "draw from the seed")


@pytest.mark.parametrize(
    ("apply", "words"),
    [
        (lambda images: images[:, :1], "changed the shape"),
        (lambda images: images.double(), "changed the type"),
        (lambda images: images * torch.rand(1), "changed every image of a batch alike"),
        (lambda images: images + torch.rand(len(images), 1, 1, 1), r"left \[0, 1\]"),
    ],
)
def test_transforms(apply: Callable[[torch.Tensor], torch.Tensor], words: str) -> None:
    class Odd(TransformKind):
        """A transform."""

        name = "odd"

        def build(self, *, size: int) -> Any:
            return apply

    fails(Odd, words)


class Still(nn.Module):
    """Features that are the mean of each channel."""

    width, size, mean, std = 3, 8, (0.0,) * 3, (1.0,) * 3

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))
        self.stages = [("all", [self.scale])]

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.mean((2, 3)) * self.scale


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"width": 4}, r"gave features \(2, 3\), not \(2, 4\)"),
        ({}, ""),
        ({"stages": []}, "stages that do not hold each parameter"),
        ({"missing": "stages"}, "without the attribute 'stages'"),
    ],
)
def test_backbones(change: dict[str, Any], words: str) -> None:
    def build(self: Any) -> Any:
        module = Still()
        for name, value in change.items():
            if name == "missing":
                delattr(module, value)
            else:
                setattr(module, name, value)
        return module

    option = type("Odd", (Backbone,), {"__doc__": "Changed.", "name": "odd", "build": build})
    if words:
        fails(option, words)
    else:
        check_option(option)


class Forgets:
    """A schedule that halves at the third step, and does not say so when it is saved."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self.optimizer, self.steps = optimizer, 0

    def step(self, value: float | None) -> None:
        self.steps += 1
        self.optimizer.param_groups[0]["lr"] = 1.0 / self.steps

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        pass


def test_schedulers() -> None:
    def odd(build: Any) -> Any:
        return type("Odd", (Scheduler,), {"__doc__": "Changed.", "name": "odd", "build": build})

    fails(odd(lambda self, *, optimizer, steps: Forgets(optimizer)), "goes on otherwise after state_dict")
    fails(odd(lambda self, *, optimizer, steps: object()), "built object, which has no 'step'")


def test_trackers() -> None:
    class NoContext(Tracker):
        """A tracker."""

        name = "no-context"

        def open(self, *, run: Any) -> Any:
            return object()

    fails(NoContext, "built object, which has no '__enter__'")

    class NoLog(Tracker):
        """A tracker."""

        name = "no-log"

        def open(self, *, run: Any) -> Any:
            return nullcontext()

    fails(NoLog, "built NoneType, which has no 'log'")


def test_a_miner_that_draws_outside_torch() -> None:
    class Drawn(Miner):
        """A miner."""

        name = "drawn"

        def build(self) -> Any:
            turns = iter(range(10))
            return lambda embeddings, labels: tuple(
                torch.tensor([part]) for part in (0, 1, 8 + next(turns) % 4)
            )

    fails(Drawn, "not the same under the same torch seed")


def test_heads_miners_samplers_optimizers() -> None:
    class Narrow(Head):
        """A head."""

        name = "narrow"

        def build(self, *, width: int) -> Any:
            layer = nn.Linear(width, 4)
            layer.width = 5  # type: ignore[assignment]
            return layer

    fails(Narrow, r"gave \(6, 4\), not \(6, 5\)")

    class Swapped(Miner):
        """A miner."""

        name = "swapped"

        def build(self) -> Any:
            return lambda embeddings, labels: tuple(torch.tensor(part) for part in ([0], [8], [1]))

    fails(Swapped, "a positive of another identity")

    class Short(Sampler):
        """A sampler."""

        name = "short"

        def build(self, *, table: Table, batch: int, seed: int) -> Any:
            class Batches(list):  # type: ignore[type-arg]
                def set_epoch(self, epoch: int) -> None:
                    self[:] = [list(range(batch - 1))]

            return Batches()

    fails(Short, "another size than was asked for")

    class Nameless(Optimizer):
        """An optimizer."""

        name = "nameless"

        def build(self, *, groups: Any) -> Any:
            return torch.optim.SGD([{"params": group} for group in groups.values()], lr=0.1)

    fails(Nameless, "carry the names")


@pytest.mark.parametrize(
    ("measured", "words"),
    [
        ({}, "no figures"),
        ({"a": float("nan")}, r"or Missing\(reason\)"),
        ({"a": np.zeros(2)}, r"of shape \(2,\)"),
        ({"a": None}, r"gave a = None; a figure is a number, or Missing\(reason\)"),
    ],
)
def test_metrics(measured: dict[str, Any], words: str) -> None:
    class Odd(Metric):
        """A metric."""

        name = "odd"

        def measure(self, *, evidence: Any) -> Any:
            return measured

    fails(Odd, words)


def test_reporters_and_clusterers(tmp_path: Path) -> None:
    class Elsewhere(Reporter):
        """A reporter."""

        name = "elsewhere"

        def write(self, *, results: Any, folder: Path) -> list[Path]:
            path = tmp_path / "stray.txt"
            path.write_text("here")
            return [path]

    fails(Elsewhere, "wrote outside its folder")

    class ByOrder(Clusterer):
        """A clusterer."""

        name = "by-order"

        def cluster(self, *, similarity: Any, cut: float) -> Any:
            return np.arange(len(similarity)) // 3

    fails(ByOrder, "when the same encounters came in another order")


def test_datasets(tmp_path: Path) -> None:
    class Odd(Dataset):
        """A data set."""

        name = "odd"

        def table(self) -> Table:
            return Table.of(pd.DataFrame({"image": ["a.jpg"], "identity": ["a"]}), Path("here"))

    fails(Odd, "a root that is not absolute.*Location")


PLUGIN = """
{top}
from wildreid.hookspecs import hookimpl
from wildreid.kinds import Loss

class Mine(Loss):
    "A loss."
    name = "mine"

    def build(self, *, width, classes):
        from torch import nn

        class Product(nn.Module):
            def forward(self, embeddings, labels, mined=None):
                return (embeddings * embeddings[0].detach()).sum()

        return Product()

@hookimpl
def wildreid_losses():
    return [Mine]
"""


def write(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "__init__.py").write_text(textwrap.dedent(text))
    return folder


def test_a_heavy_import_is_named_with_its_line(tmp_path: Path) -> None:
    light = write(tmp_path / "light", PLUGIN.format(top="import json"))
    assert heavy_import(light) is None
    check_plugin(light)
    heavy = write(tmp_path / "heavy", PLUGIN.format(top="from . import deeper"))
    (heavy / "deeper.py").write_text("import json\nimport pandas\n")
    assert heavy_import(heavy) == f"{heavy}/deeper.py:2 imports pandas"
    with pytest.raises(AssertionError, match=r"deeper.py:2 imports pandas at module level; import it inside"):
        check_plugin(heavy)


def test_a_plugin_that_offers_nothing_or_fails(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="offers no option; write a hook"):
        check_plugin(write(tmp_path / "nothing", ""))
    with pytest.raises(AssertionError, match="No module named 'not_there'"):
        check_plugin(write(tmp_path / "broken", "import not_there"))
    with pytest.raises(AssertionError, match="no_such_module"):
        check_plugin("no_such_module")


def test_all_that_is_registered_is_judged(tmp_path: Path) -> None:
    wrong = PLUGIN.format(top="").replace(".sum()", "").replace("mine", "wrong")
    needs = PLUGIN.format(top="").replace('"mine"', '"needs"\n    margin: float')
    packs = [
        write(tmp_path / "good", PLUGIN.format(top="")),
        write(tmp_path / "wrong", wrong),
        write(tmp_path / "needs", needs),
        write(tmp_path / "broken", "1 / 0"),
    ]
    verdicts = {verdict.of: verdict for verdict in check_registered(Registry(packs=packs, installed=False))}
    assert {of: verdict.kept for of, verdict in verdicts.items()} == {
        "broken": False,
        "good": True,
        "wrong": True,
        "needs": True,
        "loss mine": True,
        "loss wrong": False,
        "loss needs": None,
    }
    assert "ZeroDivisionError" in verdicts["broken"].words
    assert "not a scalar" in verdicts["loss wrong"].words
    assert verdicts["loss needs"].words == "needs margin"


def test_fixtures(tiny_table: Table, registry: Registry, photos: Path, run_folder: Path) -> None:
    assert {"sequence", "group", "encounter"} <= set(tiny_table.rows)
    registry.add(type("Plugin", (), {}), Source("mine", "here"))
    assert not registry.options("loss")
    assert (photos / "photos.csv").is_file()
    assert (run_folder / "report" / "index.html").is_file()


def test_drawn_photos_are_the_same_each_time(tmp_path: Path) -> None:
    first, second = (draw_photos(tmp_path / name, individuals=2, encounters=2) for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()
    images = pd.read_csv(first)["image"]
    assert len(images) == 6  # the last animal has one encounter
    assert all(
        (first.parent / image).read_bytes() == (second.parent / image).read_bytes() for image in images
    )


def test_undated_photos(tmp_path: Path) -> None:
    table = pd.read_csv(draw_photos(tmp_path, individuals=2, encounters=2, dated=False))
    assert list(table.columns) == ["image", "identity"]


def test_the_tiny_table_has_bursts_and_one_lonely_encounter() -> None:
    rows = tiny_table().rows
    assert rows.groupby("encounter").size().eq(3).all()
    assert sorted(rows.groupby("identity")["encounter"].nunique())[:2] == [1, 4]


def load_class(kind: str, name: str) -> type[Option]:
    return Registry().choose(kind, name)


class Apart(Splitter):
    """Cameras are kept apart: those that the tiny table has cannot be divided so."""

    name = "apart"
    leaky: ClassVar[bool] = True

    def split(self, *, table: Table, seed: int) -> Table:
        part = {"north": "train", "south": "val", "west": "test"}
        parts = table["camera"].map(part).astype("string")
        return table.with_rows(table.rows.assign(part=parts, role="both"))


def test_a_table_of_ones_own(tiny_table: Table) -> None:
    with pytest.raises(AssertionError, match=r"check_option\(…, table=…\)"):
        check_option(Apart)
    places = np.array(["north", "south", "west"])[np.arange(len(tiny_table)) % 3]
    named = tiny_table.with_rows(tiny_table.rows.assign(camera=places))
    check_option(Apart, table=named)
    with pytest.raises(TypeError, match="a loss is not tried on a table"):
        check_option(load_class("loss", "triplet"), table=named)


class Doubled(Loss):
    """Twice another loss."""

    name = "doubled"
    inner: SerializeAsAny[Loss] = Field(..., description="the loss")

    def build(self, *, width: int, classes: int) -> Any:
        return Twice(self.inner.objective(width=width, classes=classes))


class Twice(nn.Module):
    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor, mined: Any) -> torch.Tensor:
        return 2 * self.inner(embeddings, labels, mined)


class Own(load_class("loss", "triplet")):  # type: ignore[misc]
    """A triplet loss under a name that nobody has registered."""

    name = "own"


def test_an_option_within_an_option_need_not_be_registered() -> None:
    check_option(Doubled(inner=Own(margin=0.3)))
    check_option(Doubled(inner=Doubled(inner=load_class("loss", "triplet")())))


@pytest.mark.parametrize(
    ("uses", "words"), [("seed", "in each epoch"), ("epoch", "with each seed"), ("both", "")]
)
def test_a_sampler_draws_anew_by_seed_and_epoch(uses: str, words: str) -> None:
    class Draws:
        def __init__(self, table: Table, batch: int, seed: int) -> None:
            self.rows, self.batch, self.seed, self.epoch = len(table), batch, seed, 0

        def set_epoch(self, epoch: int) -> None:
            self.epoch = epoch

        def __len__(self) -> int:
            return self.rows // self.batch

        def __iter__(self) -> Any:
            by = {"seed": [self.seed], "epoch": [self.epoch], "both": [self.seed, self.epoch]}[uses]
            order = np.random.default_rng(by).permutation(self.rows)
            return (order[n * self.batch : (n + 1) * self.batch].tolist() for n in range(len(self)))

    class Drawing(Sampler):
        """Rows in a drawn order."""

        name = "drawing"

        def build(self, *, table: Table, batch: int, seed: int) -> Any:
            return Draws(table, batch, seed)

    with pytest.raises(AssertionError, match=words) if words else nullcontext():
        check_option(Drawing)


def test_one_option_or_one_kind_can_be_judged_alone(tmp_path: Path) -> None:
    registry = Registry(packs=[write(tmp_path / "good", PLUGIN.format(top=""))])
    alone = [verdict.of for verdict in check_registered(registry, kind="losses", name="mine")]
    assert alone == ["good", "loss mine"]
    kind = [verdict.of for verdict in check_registered(registry, kind="miner")]
    assert "builtin" in kind
    assert {of.split()[0] for of in kind} == {"builtin", "miner"}
