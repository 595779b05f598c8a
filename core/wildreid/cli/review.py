"""`reid review` and `reid serve`: a person decides who is who, in the browser; programs ask the same server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from wildreid.cli.arguments import Device
from wildreid.cli.gallery.arguments import GalleryPath, Root

if TYPE_CHECKING:
    from wildreid.review.beside import Beside
    from wildreid.review.serving import Address

Host = Annotated[str, typer.Option(metavar="ADDRESS", help="The address to bind.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")]
Users = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Who may decide, with their passwords' hashes.")
]
Tokens = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Programs that may ask, with their tokens' hashes.")
]
Certificate = Annotated[Path | None, typer.Option(metavar="FILE", help="Of https, in PEM; with --key.")]
Key = Annotated[Path | None, typer.Option(metavar="FILE", help="The certificate's key, in PEM.")]
Proxy = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The name by which a proxy that speaks https makes the desk known."),
]
Album = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Where the gallery's own photos are: its pictures are then larger."),
]
Deployments = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="CSV of cameras, as for `reid gallery export`: exports need it."),
]
Role = Annotated[Literal["read", "review", "write"], typer.Option(help="What the one who is added may do.")]


def review(
    gallery: GalleryPath,
    photos: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[PHOTOS]", help="New photos, folders of them, or one table.", show_default=False
        ),
    ] = None,
    root: Root = None,
    order: Annotated[
        Literal["likely", "date", "station", "random"],
        typer.Option(help="Which question comes first; random for a study of agreement."),
    ] = "likely",
    audit: Annotated[
        float, typer.Option(min=0, max=1, help="The share of encounters taken for known that is asked about.")
    ] = 0.05,
    second_share: Annotated[
        float, typer.Option(min=0, max=1, help="The share of encounters that a second person sees blind.")
    ] = 0.0,
    salt: Annotated[str, typer.Option(metavar="TEXT", help="From which both shares are drawn.")] = "wildreid",
    hold: Annotated[
        bool, typer.Option("--hold", help="Change the gallery only when the page's button is pressed.")
    ] = False,
    confidence: Annotated[bool, typer.Option("--confidence", help="Ask how sure the reviewer is.")] = False,
    thorough: Annotated[
        bool,
        typer.Option(
            "--thorough", help="Ask about the gallery also what one answer would hardly change, last."
        ),
    ] = False,
    replay: Annotated[
        bool, typer.Option("--replay", help="Carry out what was decided and not yet done, say it, and stop.")
    ] = False,
    gallery_photos: Album = None,
    deployments: Deployments = None,
    host: Host = "127.0.0.1",
    port: Port = 0,
    users: Users = None,
    tokens: Tokens = None,
    certificate: Certificate = None,
    key: Key = None,
    behind_proxy: Proxy = None,
    add_user: Annotated[
        str | None, typer.Option(metavar="NAME", help="Write a user into --users, asking for a password.")
    ] = None,
    role: Role = "review",
    device: Device = None,
) -> None:
    """Decide who is who, in the browser: each encounter with one key.

    Open the address that is printed. With PHOTOS their encounters are asked about; without any, encounters
    of the gallery that may be one animal under two names, or two under one.

    Example: [bold]reid review bears new-photos[/]
    """
    from wildreid.review.beside import Beside
    from wildreid.review.serving import Address
    from wildreid.review.settings import Settings

    if add_user is not None:
        _add_user(users, add_user, role)
        return
    if replay:
        _replay(gallery)
        return
    settings = Settings(order, audit, second_share, salt, hold, confidence, thorough)
    address = Address(host, port, users, tokens, certificate, key, behind_proxy)
    beside = Beside(gallery_photos, deployments)
    _serve(gallery, photos or [], root, settings, address, device, beside)


def serve(
    gallery: GalleryPath,
    tokens: Tokens = None,
    gallery_photos: Album = None,
    deployments: Deployments = None,
    host: Host = "127.0.0.1",
    port: Port = 8008,
    users: Users = None,
    certificate: Certificate = None,
    key: Key = None,
    behind_proxy: Proxy = None,
    add_token: Annotated[
        str | None, typer.Option(metavar="NAME", help="Write a program into --tokens and print its token.")
    ] = None,
    role: Role = "read",
    device: Device = None,
) -> None:
    """Answer programs: who is on a photo, embeddings, individuals, and the desk's questions (`/openapi.json`).

    It is the server of [bold]reid review[/], which is there as well.

    Example: [bold]reid serve bears --tokens tokens.json[/]
    """
    from wildreid.cli.gallery import printing
    from wildreid.errors import UserError
    from wildreid.review.beside import Beside
    from wildreid.review.serving import Address
    from wildreid.review.settings import Settings

    if tokens is None:
        raise UserError("programs need tokens", cure="add --tokens FILE; --add-token NAME makes one")
    if add_token is not None:
        from wildreid.review.security import add_token as write_token

        printing.say(write_token(tokens, add_token, role))
        return
    address = Address(host, port, users, tokens, certificate, key, behind_proxy)
    _serve(gallery, [], None, Settings(), address, device, Beside(gallery_photos, deployments))


def _serve(
    gallery: Path,
    photos: list[Path],
    root: Path | None,
    settings: object,
    address: Address,
    device: str | None,
    beside: Beside,
) -> None:
    from wildreid.cli.gallery import printing
    from wildreid.review import serving

    def told(where: str) -> None:
        printing.say(f"open {where}")
        printing.say("Ctrl+C stops; every decision is on the disk when the page says so")

    serving.serve(
        gallery, photos, root=root, settings=settings, address=address, device=device or "auto",  # type: ignore[arg-type]
        beside=beside, told=told,
    )  # fmt: skip


def _add_user(users: Path | None, name: str, role: str) -> None:
    from wildreid.errors import UserError
    from wildreid.review.security import add_user

    if users is None:
        raise UserError("a user is written into a file", cure="add --users FILE")
    secret = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    add_user(users, name, secret, role)


def _replay(gallery: Path) -> None:
    """Bring the gallery to its reviews and say how many there are of each kind."""
    from collections import Counter

    from wildreid.cli.gallery import printing
    from wildreid.gallery.store import Gallery
    from wildreid.review.desk import Desk
    from wildreid.review.settings import Settings

    desk = Desk(Gallery(gallery), Settings(hold=True))
    try:
        waiting = desk.apply()
        counted = Counter(line.decision for line in desk.standing())
        printing.table(("decision", "standing"), sorted(counted.items()), numbers=(1,))
        for number, why in waiting.items():
            printing.say(f"! decision {number} waits: {why}", style="yellow")
        printing.say(
            f"{len(desk.reviews.lines)} lines; the gallery's digest is {desk.gallery.state.digest()}"
        )
    finally:
        desk.close()


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(review)
    app.command()(serve)
