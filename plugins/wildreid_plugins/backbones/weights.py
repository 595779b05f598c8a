"""Weights from files: safely, strictly, and with a clear word where they do not fit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wildreid.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

WRAPPERS = ("state_dict_ema", "model_ema", "state_dict", "model")
"""Keys under which training scripts keep the weights; an average of them is what they validated."""


def read_weights(path: Path, *, prefix: str = "") -> dict[str, Tensor]:
    """Read a state dict: safetensors, or a torch file that holds nothing but weights.

    Files that keep theirs under ``state_dict`` or ``model``, averaged or from several GPUs, are unwrapped.

    Args:
        path: the file.
        prefix: only the weights whose names begin with it and a dot, without it; empty: all.

    Raises:
        UserError: no such file, a file that is neither, a pickle with anything else in it (never run); no name
            begins with the prefix.
    """
    import warnings
    from pickle import UnpicklingError

    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file
    from timm.models import clean_state_dict

    if not path.is_file():
        raise UserError("there is no such file of weights", where=str(path), cure="correct backbone.weights")
    try:
        if path.suffix == ".safetensors":
            state: Any = load_file(path)
        else:
            with warnings.catch_warnings(action="ignore"):  # of how the pickle was written
                state = torch.load(path, map_location="cpu", weights_only=True)
        for wrapper in WRAPPERS:
            if isinstance(state, Mapping) and isinstance(state.get(wrapper), Mapping):
                state = state[wrapper]
        if not isinstance(state, Mapping) or not all(
            isinstance(name, str) and hasattr(value, "shape") for name, value in state.items()
        ):
            raise ValueError("it holds no mapping of names to tensors")
    except UnpicklingError as error:
        raise UserError(
            f"not loaded, because it holds more than weights and could run code, or is no such file{_found(error)}",
            where=str(path),
            cure="save model.state_dict() alone, preferably as safetensors",
        ) from None
    except (RuntimeError, ValueError, KeyError, EOFError, OSError, SafetensorError) as error:
        raise UserError(f"not readable as weights: {_short(error)}", where=str(path)) from None
    named: dict[str, Tensor] = dict(clean_state_dict(dict(state)))  # without the module. of several GPUs
    if not prefix:
        return named
    start = prefix.rstrip(".") + "."
    own = {name.removeprefix(start): value for name, value in named.items() if name.startswith(start)}
    if not own:
        beginnings = sorted({name.partition(".")[0] for name in named})
        raise UserError(
            f"no name begins with '{start}'; they begin with {_some(beginnings)}",
            where=str(path),
            cure="correct backbone.prefix",
        )
    return own


def fit_weights(model: Any, state: Mapping[str, Tensor], *, where: str, spare: tuple[str, ...] = ()) -> None:
    """Load `state` into `model`, every key of it; what begins with a name in `spare` may be left over.

    Raises:
        UserError: keys that are missing, left over or of another shape, by name.
    """
    own = model.state_dict()
    left = {
        key: value for key, value in state.items() if not key.startswith(tuple(f"{name}." for name in spare))
    }
    problems = [
        ("missing in the file", sorted(own.keys() - left.keys())),
        ("not in the network", sorted(left.keys() - own.keys())),
        (
            "of another shape",
            [
                f"{key} {tuple(left[key].shape)} for {tuple(own[key].shape)}"
                for key in own.keys() & left.keys()
                if own[key].shape != left[key].shape
            ],
        ),
    ]
    found = [f"{len(keys)} {what}: {_some(sorted(keys))}" for what, keys in problems if keys]
    if found:
        raise UserError(
            f"the weights do not fit the network; {'; '.join(found)}",
            where=where,
            cure="name the network that these weights are of, or in backbone.prefix what their names begin with",
        )
    model.load_state_dict(left)


def _found(error: Exception) -> str:
    """What torch says it met; the rest of its message advises to load the file all the same."""
    import re

    met = re.search(r"GLOBAL (\S+)", str(error))
    return f": it names {met[1]}" if met else ""


def _some(keys: list[str]) -> str:
    return ", ".join(keys[:4]) + (" …" if len(keys) > 4 else "")


def _short(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:200] or type(error).__name__
