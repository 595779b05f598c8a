"""Checkpoints: everything that a stopped run needs to go on as if it had not been stopped."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, NamedTuple

import torch

from wildreid.data.table import Table
from wildreid.errors import UserError, first_line
from wildreid.files import put
from wildreid.progress import say
from wildreid.recipe.decides import FIGURES, NOTHING, ROWS, all_but
from wildreid.recipe.model import Recipe
from wildreid.training.random_state import random_state, restore_random_state
from wildreid.training.world import World

FORMAT = 2
FOLDER, LAST = "checkpoints", "last.pt"


def identity_of(recipe: Recipe, table: Table) -> dict[str, Any]:
    """What a checkpoint belongs to: all of the recipe that steers training, and the rows of train and val."""
    digest = hashlib.sha256()
    for row in table.of_part("train", "val")[["id", "identity", "part"]].itertuples(index=False):
        digest.update(repr(tuple(map(str, row))).encode())
    return {**all_but(recipe, NOTHING, FIGURES, ROWS), "data": digest.hexdigest()}


class Standing(NamedTuple):
    """How far a training has come: epochs and steps done, and a line of figures for each epoch."""

    epoch: int
    step: int
    history: list[dict[str, Any]]


class Checkpoints:
    """The checkpoints of one training: whose they are, what is kept, and the generators of each process.

    Args:
        folder: the run's.
        identity: what they belong to, as `identity_of` gives it.
        parts: by name, what has a ``state_dict`` to keep and a ``load_state_dict`` to go on from.
        place: the device whose generator of random numbers is kept, beside those of the CPU.
        world: the processes that train together; the first alone writes.
    """

    def __init__(
        self,
        folder: Path,
        identity: Mapping[str, Any],
        parts: Mapping[str, Any],
        *,
        place: torch.device,
        world: World,
    ) -> None:
        self.folder, self.identity, self.parts = folder, identity, parts
        self.place, self.world = place, world

    def restore(self) -> Standing | None:
        """Put every part and every generator back to where the last checkpoint was; None: there is none.

        Other processes than it was written by have other shares of each batch, and draw again.

        Raises:
            UserError: as `load_checkpoint`.
        """
        state = load_checkpoint(self.folder, self.identity)
        if state is None:
            return None
        for name, part in self.parts.items():
            part.load_state_dict(state[name])
        states = state["random"]
        if len(states) == self.world.size:
            restore_random_state(states[self.world.rank], self.place)
        elif self.world.first:
            say(f"begun by {len(states)} processes, goes on with {self.world.size}: other random draws")
        return Standing(state["epoch"], state["step"], state["history"])

    def save(self, standing: Standing) -> None:
        """Write one; all processes call it, since the generators of each are in it.

        Raises:
            UserError: as `save_checkpoint`.
        """
        states = self.world.ask(random_state(self.place))
        if self.world.first:
            parts = {name: part.state_dict() for name, part in self.parts.items()}
            save_checkpoint(
                self.folder, {"identity": self.identity, **parts, **standing._asdict(), "random": states}
            )


def save_checkpoint(folder: Path, state: Mapping[str, Any]) -> None:
    """Write ``checkpoints/last.pt``, whole or not at all.

    Raises:
        UserError: it cannot be written; the one before is as it was.
    """
    put(folder / FOLDER / LAST, lambda path: torch.save({"format": FORMAT, **state}, path), lasting=True)


def remove_checkpoints(folder: Path) -> None:
    """Remove what an earlier training left, so that nobody goes on from there by mistake."""
    shutil.rmtree(folder / FOLDER, ignore_errors=True)


def load_checkpoint(folder: Path, identity: Mapping[str, Any]) -> dict[str, Any] | None:
    """Read the last checkpoint; None where none was written yet. Nothing in it is run.

    Raises:
        UserError: it is damaged, holds more than weights and numbers, or belongs to another recipe or data.
    """
    path = folder / FOLDER / LAST
    if not path.is_file():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        if state["format"] != FORMAT:
            raise UserError(
                f"a checkpoint of format {state['format']}", where=str(path), cure="update wildreid"
            )
        other = list(_differences(state["identity"], identity))
    except UnpicklingError:  # whose words advise to load it all the same
        raise _unreadable(path, "it is damaged, or holds more than weights and numbers") from None
    except UserError:
        raise
    except Exception as error:  # a damaged file makes torch raise anything, struct.error among it
        raise _unreadable(path, first_line(error)) from None
    if other:
        raise UserError(
            f"this checkpoint is of another recipe: {'; '.join(other[:5])}{' …' if len(other) > 5 else ''}",
            where=str(path),
            cure="go on with the recipe it was made by, or give the run another name",
        )
    return state


def _unreadable(path: Path, why: str) -> UserError:
    return UserError(
        f"not readable as a checkpoint: {why}", where=str(path), cure="remove it to train from the beginning"
    )


def _differences(before: Any, after: Any, key: str = "") -> Iterator[str]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in {**before, **after}:
            path = f"{key}.{name}".lstrip(".")
            was = before[name] if name in before else _default(path)  # a key that a later version added
            yield from _differences(was, after.get(name), path)
    elif key == "data" and before != after:
        yield "the images, identities or parts of train and val are not the same"
    elif before != after:
        yield f"{key} was {before}, is {after}"


def _default(path: str) -> Any:
    """What a key of the recipe's own is where nobody sets it; None where that cannot be known."""
    key, *rest = path.split(".")
    field = Recipe.model_fields.get(key)
    value: Any = field.default if field else None
    for name in rest:
        value = getattr(value, name, None)
    return value
