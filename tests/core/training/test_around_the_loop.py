"""What stands around the loop: reading ahead, files whole or not at all, generators, devices, the tally."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from made import micro

from wildreid.errors import UserError
from wildreid.files import put
from wildreid.training.device import pick_device, pick_precision
from wildreid.training.interrupt import listening
from wildreid.training.prefetch import prefetch
from wildreid.training.random_state import random_state, restore_random_state, seed_all
from wildreid.training.tally import Tally


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_prefetch_keeps_the_order_and_reads_only_a_little_ahead(threads: int) -> None:
    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        time.sleep(0.001 * (item % 3))
        return item * 10

    found = []
    for value in prefetch(range(20), work, threads=threads):
        found.append(value)
        assert len(begun) <= len(found) + threads + 1
    assert found == [item * 10 for item in range(20)]


@pytest.mark.parametrize("threads", [0, 2])
def test_prefetch_raises_an_error_at_its_place_and_ends_its_threads(threads: int) -> None:
    def work(item: int) -> int:
        if item == 3:
            raise UserError("torn")
        return item

    found = []
    with pytest.raises(UserError, match="torn"):
        found.extend(prefetch(range(9), work, threads=threads))
    assert found == [] or found == [0, 1, 2]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("images")]


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    put(path, lambda aside: aside.write_text("first"))

    def torn(aside: Path) -> None:
        aside.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(UserError, match="No space left on device"):
        put(path, torn)
    assert path.read_text() == "first"
    assert list(path.parent.iterdir()) == [path]


def test_a_full_disk_is_named_where_torch_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def torn(aside: Path) -> None:
        raise RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 64 vs 0")

    with pytest.raises(UserError, match="unexpected pos"):
        put(tmp_path / "file", torn)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=0))
    with pytest.raises(UserError, match="No space left on device"):
        put(tmp_path / "file", torn)


def test_all_generators_go_back_to_where_they_were(tmp_path: Path) -> None:
    def draw() -> tuple[float, ...]:
        return (
            random.random(),
            random.gauss(0, 1),
            np.random.random(),
            np.random.normal(),
            float(torch.rand(1)),
        )

    device = torch.device("cpu")
    seed_all(3)
    draw()
    torch.save(random_state(device), tmp_path / "state")
    expected = draw()
    seed_all(4)
    restore_random_state(torch.load(tmp_path / "state", weights_only=True), device)
    assert draw() == expected


def test_the_first_interruption_is_heard_and_the_second_stops() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it

    def twice() -> None:
        with listening() as stop:
            assert not stop.asked
            os.kill(os.getpid(), signal.SIGINT)
            assert stop.asked
            os.kill(os.getpid(), signal.SIGINT)
            raise AssertionError("went on")

    try:
        with pytest.raises(KeyboardInterrupt):
            twice()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_request_to_terminate_is_heard_too() -> None:
    with listening() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.asked


def test_off_the_main_thread_nothing_is_caught() -> None:
    heard = []

    def listen() -> None:
        with listening() as stop:
            heard.append(stop.asked)

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert heard == [False]


def test_a_device_that_is_not_there_is_said() -> None:
    assert pick_device("cpu").type == "cpu"
    with pytest.raises(UserError, match="there is no device 'cuda:77' here"):
        pick_device("cuda:77")


def test_precision_is_full_on_a_cpu_unless_asked() -> None:
    cpu = torch.device("cpu")
    assert pick_precision("auto", cpu) is None
    assert pick_precision("fp32", cpu) is None
    assert pick_precision("bf16", cpu) is torch.bfloat16


def test_the_tally_is_a_mean_that_can_be_put_back() -> None:
    table, _ = micro.herd()
    tally = Tally(table)
    for loss in (1.0, 2.0, 6.0):
        tally.add(torch.tensor(loss), [0, 1])
    assert tally.seen == 3
    tally.settle()
    assert (tally.mean, tally.images) == (3.0, 6)
    again = Tally(table)
    again.load_state_dict(tally.state_dict())
    assert again.state_dict() == tally.state_dict()
    tally.clear()
    assert (tally.mean, tally.seen, tally.speed) == (0.0, 0, 0.0)


def test_the_clock_of_a_tally_goes_on_where_a_checkpoint_stopped_it(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("wildreid.training.tally.time.perf_counter", lambda: now[0])
    tally = Tally(micro.herd()[0])
    tally.load_state_dict({"total": 4.0, "batches": 2, "images": 30, "seconds": 5.0})
    now[0] = 200.0
    tally.start()
    now[0] = 205.0
    tally.lap()
    now[0] = 207.0
    assert (tally.seconds, tally.speed, tally.elapsed) == (10.0, 3.0, 12.0)
