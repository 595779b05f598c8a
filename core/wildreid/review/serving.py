"""Start the desk: bind an address, print it, and look at the photos while the page is open already."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from wildreid.errors import UserError
from wildreid.gallery.store import Gallery
from wildreid.progress import quiet, say
from wildreid.review.beside import Beside
from wildreid.review.desk import Desk
from wildreid.review.settings import Settings


@dataclass(frozen=True)
class Address:
    """Where the desk is to be reached.

    Attributes:
        host: the address it binds.
        port: 0 takes a free one.
        users: a file of users; None: whoever has the printed address.
        tokens: a file of programs' tokens.
        certificate: of https, with `key`.
        key: of the certificate.
        behind_proxy: the name by which a proxy that speaks https makes it known.
    """

    host: str = "127.0.0.1"
    port: int = 0
    users: Path | None = None
    tokens: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    behind_proxy: str | None = None

    @property
    def secure(self) -> bool:
        """Whether browsers speak https with it."""
        return self.certificate is not None or self.behind_proxy is not None

    def check(self) -> None:
        """Refuse to be reached from other machines by those who have no name, or unencrypted.

        Raises:
            UserError: there are no users, or neither a certificate nor a proxy; a certificate cannot be used.
        """
        if (self.certificate is None) != (self.key is None):
            raise UserError("a certificate needs its key, and a key its certificate")
        if self.certificate is not None and self.key is not None:
            _check_pair(self.certificate, self.key)
        try:
            local = self.host == "localhost" or ip_address(self.host).is_loopback
        except ValueError:
            local = False
        if local and not self.behind_proxy:
            return
        if self.users is None:
            raise UserError(
                f"{self.behind_proxy or self.host} can be reached from other machines, and anybody could decide",
                cure="give `users=FILE`; `add_user=NAME` makes one",
            )
        if not self.secure:
            raise UserError(
                f"{self.host} can be reached from other machines, and passwords would go unencrypted",
                cure="give `certificate=FILE` and `key=FILE`, or `behind_proxy=NAME`",
            )


def _check_pair(certificate: Path, key: Path) -> None:
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
            certificate, key, password=lambda: ""
        )
    except (OSError, ssl.SSLError) as error:  # a missing file, no PEM, a key of another certificate or locked
        raise UserError(
            f"this certificate and key cannot be used: {error.strerror or error}", where=f"{certificate}, {key}",
            cure="give both in PEM, the key without a password",
        ) from None  # fmt: skip


def serve(
    folder: Path,
    photos: Sequence[Path] = (),
    *,
    root: Path | None = None,
    settings: Settings | None = None,
    address: Address | None = None,
    device: str = "auto",
    beside: Beside | None = None,
    told: Callable[[str], object] = say,
) -> None:
    """Serve the desk of one gallery until it is stopped.

    Args:
        folder: the gallery.
        photos: new photos to ask about; without any the model is not loaded.
        root: the folder that a table's paths are relative to.
        settings: how it asks.
        address: where.
        device: for the model.
        beside: the gallery's photos and deployments, where they are at hand.
        told: is given the address to open.

    Raises:
        UserError: a second server, an address that is not safe, no such photos.
    """
    try:
        import uvicorn

        from wildreid.review.building import Built
    except ModuleNotFoundError as error:
        raise UserError(
            f"the desk needs {error.name}", cure="pip install 'wildreid[review]' brings it"
        ) from None
    address = address or Address()
    address.check()
    missing = [path for path in photos if not path.exists()]
    if missing:
        raise UserError(f"there is no photo, folder or table {missing[0]}")
    if beside is not None:
        beside.check()
    gallery = Gallery(folder)
    try:
        bound = socket.create_server((address.host, address.port))
    except OSError as error:
        raise UserError(f"{address.host}:{address.port} cannot be bound: {error.strerror}") from None
    with bound:
        port = bound.getsockname()[1]
        name = address.behind_proxy or f"{address.host}:{port}"
        where = f"{'https' if address.secure else 'http'}://{name}/"
        desk = Desk(gallery, settings or Settings(), where=where)
        built = Built(desk, folder, address, name=name, device=device, beside=beside)
        told(where + (f"#t={built.doors.token}" if address.users is None else ""))
        threading.Thread(target=prepare, args=(built, photos, root), daemon=True).start()
        config = uvicorn.Config(
            built.app, log_level="warning", access_log=False, server_header=False, ws="none",
            ssl_certfile=address.certificate, ssl_keyfile=address.key, timeout_graceful_shutdown=3,
        )  # fmt: skip
        uvicorn.Server(config).run(sockets=[bound])


def prepare(built: Any, photos: Sequence[Path], root: Path | None) -> None:
    """Identify the photos, then look for questions in the gallery itself; what goes wrong stands on the page."""
    desk = built.desk
    with quiet():
        try:
            if photos:
                desk.preparing = "looking at the photos"
                built.receive(list(photos), root)
            desk.preparing = "comparing the gallery's encounters"
            desk.compare()
            desk.preparing = ""
        except (UserError, OSError) as error:
            desk.preparing = f"not ready: {error}"
