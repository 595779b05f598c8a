"""An option: a frozen, typed description of one choice, which builds what it describes."""

from __future__ import annotations

import difflib
import os
import re
import sys
from abc import ABC
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, ClassVar, Protocol, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ModelWrapValidatorHandler,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    ValidationError,
    ValidationInfo,
    model_serializer,
    model_validator,
)

from wildreid.errors import UserError


class Chooser(Protocol):
    """What a kind asks for the class that goes by a name (the registry, in practice)."""

    def choose(self, kind: str, name: str) -> type[Option]:
        """Return the class of this kind and name, or raise ValueError that lists what there is."""
        ...


class Option(BaseModel, ABC):
    """One choice of one kind: its name in a recipe, its typed fields, its documentation and its factory.

    A kind (``Loss``) is an abstract subclass that sets ``kind``; an option (``Triplet``) is a concrete
    subclass of a kind that sets ``name``. Where a field is typed by the kind, as ``loss: Loss`` is in a
    recipe, the class is chosen by the ``name`` key of the value, through the ``registry`` (a `Chooser`)
    in the validation context; a bare string is a name with every field at its default. With ``saved`` in that
    context the value was written by a run, perhaps of an earlier version: see `before`.

    Raises:
        pydantic.ValidationError: for an unknown key, a wrong type or a value out of bounds; for a name
            that no plugin offers, with the nearest one and the list of those there are.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=False)

    kind: ClassVar[str]
    name: ClassVar[str]
    before: ClassVar[Mapping[str, Any]] = {}
    """Of fields that came later, what was done before they were there: what a saved option without them means."""

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Let what fails in the methods of its kind name the option."""
        super().__init_subclass__(**keywords)
        asked = {name for base in cls.__mro__[1:] for name in getattr(base, "__abstractmethods__", ())}
        for name in asked & vars(cls).keys():
            setattr(cls, name, _named(vars(cls)[name]))

    @classmethod
    def is_kind(cls) -> bool:
        """Whether this class is a kind rather than an option: it has no name."""
        return not hasattr(cls, "name")

    @classmethod
    def plural(cls) -> str:
        """The kind's plural, which names its hook: losses, metrics."""
        return cls.kind + ("es" if cls.kind.endswith("s") else "s")

    @model_validator(mode="wrap")
    @classmethod
    def _choose(cls, value: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        if isinstance(value, cls):
            return value
        if not cls.is_kind():
            value = _without_name(value, cls)
            saved = (info.context or {}).get("saved") and isinstance(value, Mapping)
            return handler({**cls.before, **value} if saved else value)
        if isinstance(value, str):
            value = {"name": value}
        if not isinstance(value, Mapping) or not isinstance(value.get("name"), str):
            raise ValueError(f"a {cls.kind} is written as a name, or as a mapping with a key 'name'")
        chooser: Chooser | None = (info.context or {}).get("registry")
        if chooser is None:
            raise ValueError(f"there is no registry to look up the {cls.kind} '{value['name']}' in")
        chosen = chooser.choose(cls.kind, value["name"])
        return chosen.model_validate(_without_name(value, chosen), context=info.context)  # type: ignore[return-value]

    @model_serializer(mode="wrap")
    def _with_name(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {"name": self.name, **handler(self)}

    @classmethod
    def summary(cls) -> str:
        """The first line of the docstring."""
        return (cls.__doc__ or "").strip().split("\n", 1)[0]


@contextmanager
def blamed(option: Option, doing: str) -> Iterator[None]:
    """Within it, whatever fails gets a note that names the option, and the file of the plugin that offers it.

    A traceback alone names neither. What the user can correct says so itself, and gets none.
    """
    try:
        yield
    except Exception as error:
        cls = type(option)
        note = f"in the {cls.kind} '{cls.name}' ({cls.__name__} of {_file(cls)}), {doing}"
        if not isinstance(error, UserError | ValidationError) and not hasattr(error, "__notes__"):
            error.add_note(note)  # the innermost option alone
        raise


def _named(method: Any) -> Any:
    @wraps(method)
    def call(self: Option, *given: Any, **named: Any) -> Any:
        with blamed(self, f"{method.__name__}()"):
            return method(self, *given, **named)

    return call


def _file(cls: type[Option]) -> str:
    module = sys.modules.get(cls.__module__)
    return str(getattr(module, "__file__", None) or cls.__module__)


def _without_name(value: Any, cls: type[Option]) -> Any:
    if isinstance(value, Mapping) and value.get("name") == cls.name:
        return {key: item for key, item in value.items() if key != "name"}
    return value


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """``", did you mean 'triplet'?"`` where one of `known` is near to `wrong`, else an empty string.

    Capitals do not count: ``MRR`` is near to ``mrr``.
    """
    spelled = {name.lower(): name for name in known}
    near = difflib.get_close_matches(wrong.lower(), list(spelled), n=1, cutoff=0.6)
    return f", did you mean '{spelled[near[0]]}'?" if near else ""


class Given(str):
    """A text that came from the command line or a caller: its relative paths start at the working folder."""


_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::-(?P<default>[^}]*))?\}")


def expand(value: str) -> str:
    """Fill in ``${NAME}`` and ``${NAME:-default}`` from the environment, as a shell does.

    Raises:
        ValueError: a variable without a default is not set.
    """

    def fill(match: re.Match[str]) -> str:
        found = os.environ.get(match["name"]) or match["default"]
        if found is None:
            raise ValueError(f"the environment variable {match['name']} is not set")
        return found

    return _VARIABLE.sub(fill, value)


def home(text: str) -> Path:
    """A path as it is written in a recipe, with ``${NAME}`` and ``~`` filled in.

    Raises:
        ValueError: a variable without a default is not set; there is no such user, or no home.
    """
    try:
        return Path(expand(text)).expanduser()
    except RuntimeError:
        raise ValueError(f"nobody's home is known for '{text}'; write the folder in full") from None


def overridden(value: object) -> bool:
    """Whether a path as it stands in a recipe names an environment variable that is set."""
    return isinstance(value, str) and any(
        os.environ.get(match["name"]) for match in _VARIABLE.finditer(value)
    )


def _locate(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str):
        return value
    base = Path.cwd()
    if not isinstance(value, Given) and not overridden(value):
        base = Path((info.context or {}).get("base", base))
    return (base / home(value)).absolute()


Location = Annotated[Path, BeforeValidator(_locate), PlainSerializer(str, return_type=str)]
"""The type of a path in an option: ``~`` and ``${VARIABLE:-default}`` are filled in; a relative path in a
recipe starts at the recipe's folder, one from the command line or environment at the working folder."""
