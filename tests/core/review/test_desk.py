"""The desk without a browser: decisions, what they make of the gallery, undo, two people, replay."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.core.review.doubled import doubled
from tests.core.review.drawn import Bears

from wildreid.errors import UserError
from wildreid.gallery.store import Gallery
from wildreid.identification.discover import discover
from wildreid.registry import Registry
from wildreid.review.agreement import agreement
from wildreid.review.applying import Newcomers
from wildreid.review.desk import Conflict, Desk
from wildreid.review.journal import FILE, Reviews
from wildreid.review.settings import Settings


@pytest.fixture
def desk(bears: Bears) -> Iterator[Desk]:
    """A desk that asks about all thirty encounters."""
    opened = bears.opened()
    made = Desk(opened.gallery, Settings(audit=1.0, order="date"))
    made.receive(Newcomers(opened, opened.identify([bears.asked])))
    yield made
    made.close()


def asked(desk: Desk, who: str = "Ann") -> dict:
    assert desk.settle(20)
    found = desk.next(who)
    assert found["task"], found
    return found


def say(desk: Desk, view: dict, decision: str, who: str = "Ann", at: int = 0, **more: object) -> dict:
    chosen = view["candidates"][at]["id"] if view["candidates"] else None
    said = {
        "task": view["lease"],
        "revision": view["revision"],
        "decision": decision,
        "candidate": chosen,
        **more,
    }
    return desk.decide(who, said)


def test_same_adds_the_encounter_with_who_decided(desk: Desk) -> None:
    view = asked(desk)
    name, keys = view["candidates"][0]["name"], [one["key"] for one in view["photos"]]
    before = desk.gallery.state.images
    say(desk, view, "same")
    assert desk.settle(20)
    state = desk.gallery.state
    assert state.images == before + len(keys) == before + 2
    rows = state.rows.iloc[[state.row_of[key] for key in keys]]
    assert set(rows["identity"]) == {name}
    assert set(rows["decided_by"]) == {"Ann"}
    assert set(rows["method"]) == {"human"}
    assert state.changes[-1].what["reviews"] == [1]
    assert asked(desk)["task"] != view["task"]


def test_new_is_a_candidate_of_the_next(desk: Desk) -> None:
    view = asked(desk)
    say(desk, view, "new", name="Otis")
    assert desk.settle(20)
    assert "Otis" in desk.gallery.state.individuals
    view = asked(desk)
    with pytest.raises(UserError, match="named 'Otis' already"):
        say(desk, view, "new", name="Otis")
    assert "Otis" in {one["name"] for one in view["candidates"]}


def test_different_takes_the_candidate_away_and_forbids_it(desk: Desk, bears: Bears) -> None:
    view = asked(desk)
    first = view["candidates"][0]
    say(desk, view, "different")
    again = asked(desk)
    assert again["task"] == view["task"]
    assert first["name"] not in {one["name"] for one in again["candidates"]}
    with pytest.raises(UserError, match="decided that this is not"):
        desk.decide("Ann", {"task": again["lease"], "revision": again["revision"], "decision": "same",
                            "candidate": first["id"]})  # fmt: skip
    say(desk, again, "new", name="Otis")
    assert desk.settle(20)
    with pytest.raises(UserError, match="two animals"):
        desk.gallery.merge("Otis", first["name"])
    found = bears.opened().identify([bears.asked])
    photos = {photo["key"] for photo in view["photos"]}
    mine = [one for one in found.encounters if set(found.rows["key"].iloc[list(one.rows)]) & photos]  # fmt: skip
    assert all(first["name"] != other.individual for one in mine for other in one.candidates)


def test_undo_goes_to_any_depth(desk: Desk) -> None:
    digests = [desk.gallery.state.digest()]
    for _ in range(4):
        say(desk, asked(desk), "same")
        assert desk.settle(20)
        digests.append(desk.gallery.state.digest())
    for expected in reversed(digests[:-1]):
        desk.undo("Ann")
        assert desk.settle(20)
        assert desk.gallery.state.digest() == expected
    with pytest.raises(UserError, match="nothing to undo"):
        desk.undo("Ann")


def test_undo_of_an_old_decision_leaves_the_others(desk: Desk) -> None:
    views = []
    for _ in range(3):
        views.append(asked(desk))
        say(desk, views[-1], "same")
    desk.undo("Ann", 1)
    assert desk.settle(20)
    state = desk.gallery.state
    assert [view["photos"][0]["key"] in state.row_of for view in views] == [False, True, True]
    assert asked(desk)["task"] == views[0]["task"], "it is asked again"


def test_undo_lists_what_builds_on_a_decision(desk: Desk) -> None:
    say(desk, asked(desk), "new", name="Otis")
    view = asked(desk)
    otis = [one["name"] for one in view["candidates"]].index("Otis")
    say(desk, view, "same", at=otis)
    assert desk.settle(20)
    with pytest.raises(Conflict) as refused:
        desk.undo("Ann", 1)
    assert [one["number"] for one in refused.value.more["later"]] == [2]
    assert desk.undo("Ann", 1, together=True)["undone"] == [1, 2]
    assert desk.settle(20)
    assert "Otis" not in desk.gallery.state.individuals


def test_a_decision_sent_twice_is_one(desk: Desk) -> None:
    view = asked(desk)
    first = say(desk, view, "same", client="w:1")
    assert say(desk, view, "same", client="w:1") == first
    assert len(desk.reviews.lines) == 1


def test_a_rename_meanwhile_is_told_and_followed(desk: Desk) -> None:
    view = asked(desk)
    name = view["candidates"][0]["name"]
    Gallery(desk.gallery.folder).rename(name, "Otis")  # at the command line
    with pytest.raises(Conflict, match=f"'{name}' is now 'Otis'"):
        say(desk, view, "same")
    view = asked(desk)
    assert view["candidates"][0]["name"] == "Otis"
    say(desk, view, "same")
    assert desk.settle(20)
    assert desk.waiting == {}
    assert view["photos"][0]["key"] in desk.gallery.state.keys_of("Otis")


def test_a_decision_on_a_merged_individual_is_told_and_goes_to_who_it_is_now(desk: Desk) -> None:
    view = asked(desk)
    name, other = (one["name"] for one in view["candidates"][:2])
    Gallery(desk.gallery.folder).merge(name, other)  # at the command line
    with pytest.raises(Conflict, match=f"'{name}' is now '{other}'"):
        say(desk, view, "same")
    assert desk.reviews.lines == []
    view = asked(desk)
    assert name not in {one["name"] for one in view["candidates"]}
    at = [one["name"] for one in view["candidates"]].index(other)
    say(desk, view, "same", at=at)
    assert desk.settle(20)
    assert view["photos"][0]["key"] in desk.gallery.state.keys_of(other)


def test_who_is_merged_or_removed_before_it_is_applied(bears: Bears) -> None:
    opened = bears.opened()
    desk = Desk(opened.gallery, Settings(audit=1.0, hold=True, order="date"))
    desk.receive(Newcomers(opened, opened.identify([bears.asked])))
    views = [desk.next("Ann")]
    say(desk, views[0], "same")
    views.append(desk.next("Ann"))
    say(desk, views[1], "same")
    merged, removed = (view["candidates"][0]["name"] for view in views)
    assert merged != removed
    into = next(name for name in desk.gallery.state.individuals if name not in (merged, removed))
    desk.gallery.merge(merged, into)
    desk.gallery.remove(removed)
    assert desk.apply() == {2: f"'{removed}' is no longer in the gallery"}
    assert views[0]["photos"][0]["key"] in desk.gallery.state.keys_of(into)
    assert desk.said()["waiting"] == [f"decision 2: '{removed}' is no longer in the gallery"]
    desk.gallery.undo()
    desk.gallery.undo()
    desk.close()


def test_a_disk_that_is_full_while_the_gallery_is_changed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = asked(desk)
    images = desk.gallery.state.images

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("wildreid.gallery.journal.append", full)
        say(desk, view, "same")  # the decision itself is on the disk
        assert desk.settle(20)
        assert "No space left" in desk.said()["waiting"][0]
        assert desk.gallery.state.images == images
    assert desk.apply() == {}
    assert desk.gallery.state.images == images + 2
    assert desk.said()["waiting"] == []


def test_an_undo_at_the_command_line_is_respected(desk: Desk) -> None:
    view = asked(desk)
    say(desk, view, "same")
    assert desk.settle(20)
    before = desk.gallery.state.images
    Gallery(desk.gallery.folder).undo()
    desk.apply()
    assert desk.gallery.state.images == before - 2
    assert asked(desk)["task"] == view["task"]


def test_what_nobody_foresaw_is_said_and_ends_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The decision is on the disk; the next ones are carried out, and with them the one that failed."""
    view, before = asked(desk), desk.gallery.state.images

    def broken(*_: object) -> None:
        raise RuntimeError("nobody foresaw it")

    with monkeypatch.context() as patched:
        patched.setattr("wildreid.review.desk.apply", broken)
        say(desk, view, "new")
        assert desk.settle(60)
    assert desk.said()["waiting"] == ["RuntimeError: nobody foresaw it"]
    assert "Traceback" in capsys.readouterr().err
    assert desk.gallery.state.images == before
    say(desk, asked(desk), "new")
    assert desk.settle(60)
    assert desk.said()["waiting"] == []
    assert desk.gallery.state.images == before + 4


def test_two_people_get_two_questions(desk: Desk) -> None:
    ann, bob = desk.next("Ann"), desk.next("Bob")
    assert ann["task"] != bob["task"]
    with pytest.raises(Conflict, match="somebody else"):
        say(desk, ann, "same", who="Bob")
    assert desk.renew("Ann", ann["lease"])
    assert not desk.renew("Bob", ann["lease"])


def test_twenty_at_once_lose_nothing(desk: Desk) -> None:
    told: list[int] = []

    def work(who: str) -> None:
        while (view := desk.next(who))["task"]:
            try:
                told.append(say(desk, view, "new", who=who)["number"])
            except Conflict:
                continue

    threads = [threading.Thread(target=work, args=(f"person {n}",)) for n in range(20)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(told) == list(range(1, 31))
    assert desk.settle(60)
    assert desk.waiting == {}
    assert desk.gallery.state.images == 24 + 60


def test_bad_input_is_refused(desk: Desk) -> None:
    view = asked(desk)
    wrong: list[dict[str, object]] = [
        {"decision": "perhaps"},
        {"decision": "bad-photo"},
        {"decision": "bad-photo", "reason": "ugly"},
        {"decision": "same", "candidate": "../x"},
        {"decision": "different", "candidate": None},
        {"decision": "new", "name": "a\tb"},
        {"decision": "new", "ms": -1},
        {"decision": "new", "ms": True},
    ]
    for more in wrong:
        said = {"task": view["lease"], "revision": view["revision"], **more}
        with pytest.raises(UserError):
            desk.decide("Ann", said)
    assert desk.reviews.lines == []


def test_a_full_disk_is_told_and_nothing_is_done(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    view = asked(desk)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("wildreid.review.journal.append", full)
        with pytest.raises(UserError, match="not written down"):
            say(desk, view, "same")
    assert desk.reviews.lines == []
    say(desk, view, "same")  # the question is still open
    assert len(desk.reviews.lines) == 1


def test_a_second_server_is_refused_naming_the_first(bears: Bears) -> None:
    desk = Desk(Gallery(bears.folder), where="http://127.0.0.1:1234/")
    with pytest.raises(UserError, match="reviewed already: http://127"):
        Desk(Gallery(bears.folder))
    desk.close()
    Desk(Gallery(bears.folder)).close()


def test_held_decisions_wait_for_the_button_and_for_their_photos(bears: Bears) -> None:
    opened = bears.opened()
    desk = Desk(opened.gallery, Settings(audit=1.0, hold=True))
    desk.receive(Newcomers(opened, opened.identify([bears.asked])))
    say(desk, desk.next("Ann"), "same")
    assert desk.gallery.state.images == 24
    desk.close()
    desk = Desk(Gallery(bears.folder), Settings(hold=True))
    assert "give the same PHOTOS again" in desk.apply()[1]
    desk.newcomers = Newcomers(opened, opened.identify([bears.asked]))
    assert desk.apply() == {}
    assert desk.gallery.state.images == 26
    desk.close()


def test_a_line_that_was_altered_shows(desk: Desk) -> None:
    for _ in range(3):
        say(desk, asked(desk), "same")
    path = desk.gallery.folder / FILE
    path.write_text(path.read_text().replace('"decision": "same"', '"decision": "new"', 1))
    with pytest.raises(UserError, match="altered"):
        Reviews(desk.gallery.folder, write=False)


def test_the_second_look_is_blind_and_a_third_settles(bears: Bears) -> None:
    opened = bears.opened()
    desk = Desk(opened.gallery, Settings(audit=1.0, second_share=1.0))
    desk.receive(Newcomers(opened, opened.identify([bears.asked])))
    view = desk.next("Ann")
    say(desk, view, "same")
    assert desk.settle(20)
    blind = [one for _ in range(40) if (one := desk.next("Bob", not_task="")) and one["blind"]]
    assert not blind, "what nobody has decided comes first"
    while not (second := desk.next("Bob"))["blind"]:
        say(desk, second, "bad-photo", who="Bob", reason="dark")
    assert second["task"] == view["task"]
    assert {one["name"] for one in second["candidates"]} == {
        f"candidate {n + 1}" for n in range(len(second["candidates"]))
    }
    assert all(one["p"] is None and one["score"] is None for one in second["candidates"])
    shown = {photo["key"] for one in second["candidates"] for photo in one["photos"]}
    assert not shown & {photo["key"] for photo in view["photos"]}, "the answer is not among the exemplars"
    say(desk, second, "new", who="Bob")
    images = desk.gallery.state.images
    assert desk.settle(20)
    assert desk.gallery.state.images == images, "a second look changes nothing"
    found = desk.agreement()
    assert (found["pairs"], found["observed"]) == (1, 0.0)
    assert len(found["disagreements"]) == 1
    while not (third := desk.next("Cho"))["settles"]:
        say(desk, third, "bad-photo", who="Cho", reason="far")
    assert [one["said"] for one in third["settles"]] == [view["candidates"][0]["name"], "a new individual"]
    say(desk, third, "new", who="Cho", name="Otis")
    assert desk.settle(20)
    assert view["photos"][0]["key"] in desk.gallery.state.keys_of("Otis")
    assert desk.reviews.lines[-1].settles
    desk.close()


def test_kappa() -> None:
    pairs = [("a", "a")] * 20 + [("a", "b")] * 5 + [("b", "a")] * 10 + [("b", "b")] * 15
    found = agreement(pairs, [(one == "a", other == "a") for one, other in pairs])
    assert (found.observed, found.expected) == (pytest.approx(0.70), pytest.approx(0.50))
    assert found.kappa == pytest.approx(0.40)
    assert found.positive == pytest.approx(2 * 20 / (2 * 20 + 15))
    assert found.negative == pytest.approx(2 * 15 / (2 * 15 + 15))
    assert agreement([], []).kappa is None


def test_the_catalogue_is_compared_without_a_model(tmp_path: Path) -> None:
    desk = Desk(doubled(tmp_path / "g"))
    desk.compare()
    view = desk.next("Ann")
    assert {view["place"], view["candidates"][0]["name"]} == {"bear 0", "bear 0 again"}
    say(desk, view, "same")
    assert desk.settle(20)
    assert "bear 0 again" not in desk.gallery.state.individuals
    assert desk.gallery.state.changes[-1].kind == "merge"
    assert desk.next("Ann")["task"] is None, "no single answer would change what is believed now"
    desk.close()
    desk = Desk(desk.gallery, Settings(thorough=True))
    desk.compare()
    view = desk.next("Ann")
    say(desk, view, "different")
    assert desk.settle(20)
    with pytest.raises(UserError, match="two animals"):
        desk.gallery.merge(view["place"], view["candidates"][0]["name"])
    desk.close()


def test_what_is_held_is_not_asked_about_again(tmp_path: Path) -> None:
    desk = Desk(doubled(tmp_path / "g"), Settings(hold=True))
    desk.compare()
    say(desk, desk.next("Ann"), "same")
    assert desk.settle(20)
    assert desk.next("Ann")["task"] is None
    assert "bear 0 again" in desk.gallery.state.individuals
    assert desk.apply() == {}
    assert "bear 0 again" not in desk.gallery.state.individuals
    desk.close()


def test_replay_brings_a_copy_to_the_same(bears: Bears, tmp_path: Path) -> None:
    shutil.copytree(bears.folder, tmp_path / "copy")
    opened = bears.opened()
    desk = Desk(opened.gallery, Settings(audit=1.0))
    found = opened.identify([bears.asked])
    desk.receive(Newcomers(opened, found))
    for n in range(8):
        say(desk, asked(desk), ("same", "new", "different", "cannot-tell")[n % 4])
        if n == 5:
            desk.undo("Ann")
    assert desk.settle(20)
    desk.close()
    shutil.copy(bears.folder / FILE, tmp_path / "copy" / FILE)
    other = Bears(tmp_path / "copy", bears.table, bears.asked).opened()
    again = Desk(other.gallery, Settings(hold=True))
    again.newcomers = Newcomers(other, found)
    assert again.apply() == {}
    assert other.state.digest() == desk.gallery.state.digest()
    assert [change.kind for change in other.state.changes].count("undo") == 0
    again.close()


def test_discovery_honours_different(bears: Bears) -> None:
    opened = bears.opened()
    found = opened.identify([bears.asked])
    rows = found.rows.reset_index(drop=True)
    cluster = Registry().choose("clusterer", "average-linkage").model_validate({}).cluster  # type: ignore[attr-defined]
    before = discover(rows, found.embeddings, cluster, cut=0.8)
    own = rows[before == before[0]].drop_duplicates("burst")["key"].tolist()
    assert len(own) >= 2
    opened.gallery.different([own[0]], [own[1]])
    after = discover(rows, found.embeddings, cluster, cut=0.8, different=opened.state.different)
    names = dict(zip(rows["key"], after, strict=True))
    assert names[own[0]] != names[own[1]]
