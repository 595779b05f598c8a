"""Drawn bears and their desk, with a model that needs no network."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.core.review.drawn import Bears, MeanColours, draw_bears

from wildreid.gallery.store import Gallery
from wildreid.identification.opened import OpenGallery

if TYPE_CHECKING:
    from wildreid.review.building import Built

HOST = "127.0.0.1:8000"


@pytest.fixture(scope="session", autouse=True)
def _no_waiting_for_the_disk(no_waiting_for_the_disk: None) -> None:
    """The kill tests run in processes of their own."""


@pytest.fixture(autouse=True)
def _own_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever a gallery is opened with its model, it is the drawn bears'."""

    def opened(folder: Path, **_: object) -> OpenGallery:
        return OpenGallery(Gallery(folder), MeanColours())

    monkeypatch.setattr("wildreid.identification.open_gallery", opened)
    monkeypatch.setattr("wildreid.review.building.open_gallery", opened, raising=False)


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Bears:
    """Bears that no test changes."""
    return draw_bears(tmp_path_factory.mktemp("drawn") / "bears")


@pytest.fixture
def bears(drawn: Bears, tmp_path: Path) -> Bears:
    """The same bears with a gallery of the test's own."""
    shutil.copytree(drawn.folder, tmp_path / "gallery")
    return Bears(tmp_path / "gallery", drawn.table, drawn.asked)


Serve = Callable[..., str]


@pytest.fixture
def serving() -> Iterator[Serve]:
    """Start a server in a thread; returns its address with the token."""
    uvicorn = pytest.importorskip("uvicorn", reason="the extra review is not installed")
    from wildreid.review.building import Built
    from wildreid.review.desk import Desk
    from wildreid.review.serving import Address, prepare
    from wildreid.review.settings import Settings

    running = []

    def serve(folder: Path, photos: list[Path], *, explain: Any = None, **settings: object) -> str:
        bound = socket.create_server(("127.0.0.1", 0))
        name = f"127.0.0.1:{bound.getsockname()[1]}"
        desk = Desk(Gallery(folder), Settings(**settings))  # type: ignore[arg-type]
        built = Built(desk, folder, Address(), name=name)
        desk.explain = explain or desk.explain
        prepare(built, photos, None)
        server = uvicorn.Server(uvicorn.Config(built.app, log_level="warning", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        running.append((server, thread, bound))
        until = time.monotonic() + 20
        while not server.started and time.monotonic() < until:
            time.sleep(0.02)
        return f"http://{name}/#t={built.doors.token}"

    yield serve
    for server, thread, bound in running:
        server.should_exit = True
        thread.join(20)
        bound.close()


@pytest.fixture
def built(bears: Bears, tmp_path: Path) -> Iterator[Built]:
    """A desk with programs that may read, review and write, and deployments for exports."""
    pytest.importorskip("starlette", reason="the extra review is not installed")
    from wildreid.review.beside import Beside
    from wildreid.review.building import Built
    from wildreid.review.desk import Desk
    from wildreid.review.security import add_token
    from wildreid.review.serving import Address, prepare
    from wildreid.review.settings import Settings

    tokens = tmp_path / "tokens.json"
    made = {role: add_token(tokens, f"a {role}er", role) for role in ("read", "review", "write")}
    desk = Desk(Gallery(bears.folder), Settings(audit=1.0))
    beside = Beside(bears.asked.parent, bears.deployments())
    found = Built(desk, bears.folder, Address(tokens=tokens), name=HOST, beside=beside)
    found.made = made  # type: ignore[attr-defined]
    prepare(found, [bears.asked], None)
    assert desk.preparing == ""
    yield found
    desk.close()
