"""The desk, its pictures, its doors and its routes, put together."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette

from wildreid.review.applying import Newcomers
from wildreid.review.beside import Beside
from wildreid.review.desk import Desk
from wildreid.review.pictures import Pictures
from wildreid.review.rest import Rest
from wildreid.review.security import Doors, read_tokens, read_users
from wildreid.review.server import application

if TYPE_CHECKING:
    from wildreid.identification.lines import Line
    from wildreid.identification.opened import OpenGallery
    from wildreid.review.serving import Address


class Built:
    """One served gallery.

    Args:
        desk: who asks.
        folder: the gallery's.
        address: where it is reached.
        name: host and port that a browser shows.
        device: for the model, which is loaded when the first photo must be embedded.
        beside: what lies beside the gallery.
    """

    def __init__(
        self, desk: Desk, folder: Path, address: Address, *, name: str, device: str = "auto",
        beside: Beside | None = None,
    ) -> None:  # fmt: skip
        self.desk, self.folder, self.device = desk, folder, device
        desk.explain = self.explain
        self.doors = Doors(
            users=read_users(address.users) if address.users else {},
            tokens=read_tokens(address.tokens) if address.tokens else [],
        )
        self.pictures = Pictures(desk.gallery, beside)
        self.rest = Rest(desk, self.opened, beside)
        self._opening = threading.Lock()
        self._opened: OpenGallery | None = None
        hosts = {name} | ({f"{address.host}:{address.port}"} if address.behind_proxy else set())
        self.app: Starlette = application(
            desk,
            self.pictures,
            self.doors,
            hosts=hosts,
            secure=address.secure,
            more=self.rest.routes(),
        )

    def opened(self) -> OpenGallery:
        """The gallery with its model."""
        from wildreid.identification import open_gallery  # the network library takes seconds

        with self._opening:
            if self._opened is None:
                self._opened = open_gallery(self.folder, device=self.device)
                self._opened.gallery = self.desk.gallery
            return self._opened

    def explain(self, key: str, other: str) -> tuple[list[Line], str]:
        """The matched points of two photos, and why there are none."""
        from wildreid.identification.local import why_not

        state = self.desk.gallery.state
        if state.manifest.matching is None:
            return [], (
                "this gallery's photos are not matched point by point; if its model's run has matchers, "
                "reid gallery features adds what is needed"
            )
        if why := why_not(state):
            return [], why
        found = self.desk.newcomers.found if self.desk.newcomers else None
        return self.opened().explain(key, other, found=found), ""

    def receive(self, photos: list[Path], root: Path | None) -> None:
        """Identify new photos and ask about them."""
        opened = self.opened()
        newcomers = Newcomers(opened, opened.identify(photos, root=root))
        self.pictures.receive(newcomers)
        self.desk.receive(newcomers)
