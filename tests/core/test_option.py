from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel, Field, SerializeAsAny, ValidationError

from wildreid.errors import UserError
from wildreid.kinds import Loss
from wildreid.option import Given, Location, Option, did_you_mean, overridden


class Fruit(Option):
    """A kind."""

    kind: ClassVar[str] = "fruit"


class Apple(Fruit):
    """An apple.

    More about it.
    """

    name = "apple"
    weight: float = Field(0.2, gt=0, description="kilograms")


class Pear(Fruit):
    """A pear."""

    name = "pear"
    place: Location = Field(Path("tree"), description="where it hangs")


class Basket(BaseModel):
    fruit: SerializeAsAny[Fruit]
    more: tuple[SerializeAsAny[Fruit], ...] = ()


class Shop:
    known: ClassVar[dict[str, type[Option]]] = {"apple": Apple, "pear": Pear}

    def choose(self, kind: str, name: str) -> type[Option]:
        if name not in self.known:
            raise ValueError(f"no {kind} is named '{name}'{did_you_mean(name, self.known)}")
        return self.known[name]


def basket(raw: object, **context: object) -> Basket:
    return Basket.model_validate(raw, context={"registry": Shop(), **context})


def test_the_class_is_chosen_by_name() -> None:
    found = basket({"fruit": {"name": "apple", "weight": 3}, "more": ["pear", {"name": "apple"}]})
    assert found.fruit == Apple(weight=3)
    assert [type(fruit) for fruit in found.more] == [Pear, Apple]


def test_an_object_is_taken_as_it_is() -> None:
    apple = Apple(weight=1)
    assert Basket(fruit=apple).fruit is apple


def test_it_is_written_with_its_name_and_read_again() -> None:
    first = basket({"fruit": {"name": "apple", "weight": 3}, "more": ["apple"]})
    plain = first.model_dump(mode="json")
    assert plain == {"fruit": {"name": "apple", "weight": 3.0}, "more": [{"name": "apple", "weight": 0.2}]}
    assert basket(plain) == first


@pytest.mark.parametrize(
    ("raw", "place", "words"),
    [
        ({"fruit": "aple"}, ("fruit",), "no fruit is named 'aple', did you mean 'apple'?"),
        ({"fruit": {"name": "apple", "weigth": 3}}, ("fruit", "weigth"), "Extra inputs are not permitted"),
        ({"fruit": {"name": "apple", "weight": 0}}, ("fruit", "weight"), "greater than 0"),
        ({"fruit": {"weight": 3}}, ("fruit",), "a mapping with a key 'name'"),
        ({"fruit": 3}, ("fruit",), "a fruit is written as a name"),
        ({"fruit": "apple", "more": ["apple", "aple"]}, ("more", 1), "no fruit is named 'aple'"),
    ],
)
def test_mistakes_are_told_with_their_place(raw: object, place: tuple[str | int, ...], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        basket(raw)
    (error,) = caught.value.errors()
    assert error["loc"] == place
    assert words in error["msg"]


def test_an_option_is_frozen() -> None:
    with pytest.raises(ValidationError):
        Apple().weight = 3


def test_a_kind_is_no_option_and_a_summary_is_one_line() -> None:
    assert Fruit.is_kind()
    assert not Apple.is_kind()
    assert Apple.summary() == "An apple."


def test_relative_paths_start_at_the_recipe_or_at_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    recipe = tmp_path / "elsewhere"

    def place(value: str) -> Path:
        found = basket({"fruit": {"name": "pear", "place": value}}, base=recipe).fruit
        assert isinstance(found, Pear)
        return found.place

    assert place("data") == recipe / "data"
    assert place(Given("data")) == tmp_path / "data"
    assert place("/data") == Path("/data")


def test_a_variable_wins_over_its_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORCHARD", raising=False)
    text = "${ORCHARD:-data}/x"
    assert not overridden(text)
    found = basket({"fruit": {"name": "pear", "place": text}}, base=tmp_path).fruit
    assert found.model_dump(mode="json")["place"] == str(tmp_path / "data" / "x")
    monkeypatch.setenv("ORCHARD", str(tmp_path / "own"))
    assert overridden(text)
    found = basket({"fruit": {"name": "pear", "place": text}}, base=tmp_path / "recipe").fruit
    assert found.model_dump(mode="json")["place"] == str(tmp_path / "own" / "x")


def test_a_variable_without_default_must_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORCHARD", raising=False)
    with pytest.raises(ValidationError, match="the environment variable ORCHARD is not set"):
        basket({"fruit": {"name": "pear", "place": "${ORCHARD}"}})


def test_what_fails_in_a_plugin_names_the_option_and_its_file() -> None:
    class Wrong(Loss):
        """Fails."""

        name = "wrong"

        def build(self, *, width: int, classes: int) -> Any:
            raise ZeroDivisionError("by zero")

    class Outer(Wrong):
        """Fails within another."""

        name = "outer"
        inner: SerializeAsAny[Loss]

        def build(self, *, width: int, classes: int) -> Any:
            return self.inner.build(width=width, classes=classes)

    for option in (Wrong(), Outer(inner=Wrong())):
        with pytest.raises(ZeroDivisionError) as caught:
            option.build(width=3, classes=2)
        assert caught.value.__notes__ == [f"in the loss 'wrong' (Wrong of {__file__}), build()"]

    class Says(Wrong):
        """Says itself what is wrong."""

        name = "says"

        def build(self, *, width: int, classes: int) -> Any:
            raise UserError("the margin is too wide")

    with pytest.raises(UserError) as told:
        Says().build(width=3, classes=2)
    assert not hasattr(told.value, "__notes__")
