"""`reid gallery rename`, `merge`, `split`, `remove` and `undo`: corrections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wildreid.cli.gallery import printing
from wildreid.cli.gallery.arguments import Encounter, GalleryPath, Individual, Keys

if TYPE_CHECKING:
    from wildreid.gallery.store import Gallery


def rename(
    gallery: GalleryPath, individual: Individual, to: Annotated[str, typer.Argument(metavar="NAME")]
) -> None:
    """Give an individual another name."""
    _change(gallery, lambda one: one.rename(individual, to), f"'{individual}' is now '{to}'")


def merge(
    gallery: GalleryPath, individual: Individual, into: Annotated[str, typer.Argument(metavar="INTO")]
) -> None:
    """Two names were one animal: give all images of the first to the second."""
    _change(gallery, lambda one: one.merge(individual, into), f"'{individual}' is merged into '{into}'")


def split(
    gallery: GalleryPath,
    individual: Individual,
    into: Annotated[str, typer.Argument(metavar="INTO", help="The name they belong to, new or known.")],
    image: Keys = None,
    encounter: Encounter = None,
) -> None:
    """Some images of an individual show another: give them to it."""

    def change(one: Gallery) -> None:
        one.split(individual, into, _keys(one, individual, image or (), encounter or ()))

    _change(gallery, change, f"some images of '{individual}' are now of '{into}'")


def remove(
    gallery: GalleryPath, individual: Individual, image: Keys = None, encounter: Encounter = None
) -> None:
    """Take an individual out, or some of its images."""

    def change(one: Gallery) -> None:
        some = bool(image or encounter)
        one.remove(individual, _keys(one, individual, image or (), encounter or ()) if some else None)

    _change(gallery, change, f"{'some images of ' if image or encounter else ''}'{individual}' removed")


def undo(gallery: GalleryPath) -> None:
    """Take back the last change; again, the one before it."""
    from wildreid.gallery.store import Gallery

    change = Gallery(gallery).undo()
    printing.say(f"undone: {printing.words(change.kind, change.what)} ({change.time}, {change.author})")


def _change(folder: Path, change: Callable[[Gallery], None], words: str) -> None:
    from wildreid.gallery.store import Gallery

    change(Gallery(folder))
    printing.say(f"{words}; reid gallery undo {folder} takes it back")


def _keys(gallery: Gallery, individual: str, images: Sequence[str], encounters: Sequence[str]) -> list[str]:
    """The keys of an individual's images by key, path or encounter.

    Raises:
        UserError: nothing was named, or something that the individual does not have.
    """
    import pandas as pd

    from wildreid.errors import UserError
    from wildreid.option import did_you_mean

    state = gallery.state
    own = state.rows_of(individual)
    rows = state.rows.iloc[own]
    if not images and not encounters:
        raise UserError(
            "say which images: --image or --encounter", cure=f"reid gallery show … '{individual}'"
        )
    for name, columns, wanted in (
        ("image", ("key", "image"), images), ("encounter", ("visit",), encounters),
    ):  # fmt: skip
        there = {value for column in columns for value in rows[column].dropna()}
        for one in wanted:
            if one not in there:
                raise UserError(
                    f"'{individual}' has no {name} '{one}'{did_you_mean(one, there)}",
                    cure=f"reid gallery show … '{individual}' lists them",
                )
    met = pd.Series(state.met[own], index=rows.index)  # an encounter may reach over midnight
    chosen = rows["key"].isin(images) | rows["image"].isin(images)
    chosen |= met.isin(met[rows["visit"].isin(encounters)])
    return [str(key) for key in rows["key"][chosen]]
