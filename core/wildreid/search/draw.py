"""One draw: the values that one place of a recipe may take, and when it is drawn at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    model_validator,
)

Scalar = StrictStr | StrictBool | StrictInt | StrictFloat | None
Several = Annotated[tuple[Scalar, ...], Field(min_length=1)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    when: dict[str, Scalar | Several] = Field(
        {}, description="only where these other draws take these values"
    )


class Choice(_Form):
    """One of several values, or of several parts of a recipe, each as likely."""

    choice: tuple[Any, ...] = Field(min_length=1)


class _Number(_Form):
    times: str | None = Field(None, description="multiply what is drawn by the recipe's value at this key")


class Uniform(_Number):
    """A number between two ends, each as likely."""

    uniform: tuple[float, float]

    @model_validator(mode="after")
    def _rises(self) -> Self:
        _rising(*self.uniform)
        return self


class LogUniform(_Number):
    """A number between two positive ends, each order of magnitude as likely."""

    loguniform: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]]

    @model_validator(mode="after")
    def _rises(self) -> Self:
        _rising(*self.loguniform)
        return self


class Int(_Number):
    """A whole number between two ends, both included, each as likely."""

    ends: tuple[StrictInt, StrictInt] = Field(alias="int")

    @model_validator(mode="after")
    def _rises(self) -> Self:
        _rising(*self.ends)
        return self


Form = Choice | Uniform | LogUniform | Int
FORMS: dict[str, type[Form]] = {"choice": Choice, "uniform": Uniform, "loguniform": LogUniform, "int": Int}


def _rising(low: float, high: float) -> None:
    if not low < high:
        raise ValueError(f"the first end is below the second; {low:g} and {high:g} are not")


def is_draw(value: object) -> bool:
    """Whether a value of a space stands for a draw rather than for itself."""
    return isinstance(value, Mapping) and any(form in value for form in FORMS)


@dataclass(frozen=True, eq=False)
class Draw:
    """A draw in its place.

    Attributes:
        name: unique in its space and stable: ``loss.triplet.margin`` is drawn where `loss` is triplet.
        path: where in the recipe what is drawn goes.
        form: what may be drawn.
        conditions: it is drawn where each of these other draws has one of these values.
        items: of a choice, the part of a recipe that each value stands for, in which there may be draws.
        at: where it stands in the file, from `space` on.
    """

    name: str
    path: tuple[str | int, ...]
    form: Form
    conditions: Mapping[str, tuple[Scalar, ...]]
    items: Mapping[Scalar, Any] = field(default_factory=dict)
    at: tuple[str | int, ...] = ()

    @property
    def times(self) -> str:
        """The key whose value multiplies what is drawn; empty for none."""
        return "" if isinstance(self.form, Choice) else self.form.times or ""

    def values(self) -> tuple[Scalar, ...] | None:
        """Every value it may take; None where it is continuous."""
        if isinstance(self.form, Choice):
            return tuple(self.items)
        if isinstance(self.form, Int):
            return tuple(range(self.form.ends[0], self.form.ends[1] + 1))
        return None

    def ends(self) -> tuple[Scalar, ...]:
        """Values that stand for all: each one of a choice, the two ends of a range."""
        if isinstance(self.form, Choice):
            return tuple(self.items)
        if isinstance(self.form, Int):
            return self.form.ends
        return self.form.uniform if isinstance(self.form, Uniform) else self.form.loguniform

    def happens(self, values: Mapping[str, Scalar]) -> bool:
        """Whether it is drawn, given what was drawn before it."""
        return all(name in values and values[name] in allowed for name, allowed in self.conditions.items())
