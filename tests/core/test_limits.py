"""YAML that would hang or break: refused at once, with its line."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml

from wildreid.errors import UserError
from wildreid.recipe import limits, load_recipe

LAUGHS = "".join(
    f"k{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" if level else "k0: &a0 [x]\n"
    for level in range(10)
)
BAD = {
    "aliases of aliases": (LAUGHS, "aliases make it larger"),
    "an alias within itself": ("a: &r [*r]\n", "is within"),
    "a mapping within itself": ("a: &r {b: *r}\n", "is within"),
    "deep brackets": ("a: " + "[" * 5000, "levels"),
    "a list as a key": ("? [1, 2]\n: 3\n", "a key is"),
    "a mapping as a key": ("a:\n  ? {b: 1}\n  : 3\n", "a key is"),
    "a number of 5,000 digits": ("seed: " + "9" * 5000, "digits"),
    "a day that is none": ("seed: 2023-02-31\n", "day"),
    "a sign that no text has": ("a: \x01\n", "not readable as YAML"),
}


@pytest.mark.parametrize("case", BAD)
def test_it_is_refused_at_once(case: str, tmp_path: Path) -> None:
    text, words = BAD[case]
    (tmp_path / "recipe.yaml").write_text(text)
    begun = time.process_time()
    with pytest.raises(UserError, match=words) as caught:
        load_recipe(tmp_path / "recipe.yaml")
    assert "recipe.yaml" in str(caught.value)
    assert time.process_time() - begun < 20  # the aliases took more than 40 s and 3.5 GB


def test_what_is_plain_is_read_as_ever() -> None:
    text = "a: &x {b: [1, 2.5, null, true], 3: 2024-05-01}\nc: *x\nd: {<<: *x, e: 1}\n"
    assert limits.read(text) == yaml.safe_load(text)
    assert limits.read("") is None
    assert limits.read("- 1\n- [2]") == [1, [2]]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("dataset: {name: folder, root: ~nosuchuser/photos}", "nobody's home"),
        ("packs: ['~nosuchuser/pack']", "nobody's home"),
        ("seed: 99999999999999999999999999", "less than 4294967296"),
        ("split_seed: 4294967296", "less than 4294967296"),
    ],
)
def test_values_that_broke_later_are_refused_by_the_check(line: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(line + "\n")
    with pytest.raises(UserError, match=words):
        load_recipe(tmp_path / "recipe.yaml")
