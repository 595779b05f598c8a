"""A gallery that matches: features kept, photos shortlisted, matched and fused as in a run, and what is said."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.core.matching.made import Colour, colourful

from wildreid.data.table import Table
from wildreid.errors import UserError
from wildreid.gallery import thumbnails
from wildreid.gallery.check import verify
from wildreid.gallery.manifest import Matching
from wildreid.gallery.rule import Rule
from wildreid.gallery.store import Gallery
from wildreid.identification import OpenGallery, create_gallery, local, open_gallery, read_data, recalibrate
from wildreid.identification.calibration import as_table
from wildreid.identification.identify import identify
from wildreid.identification.matched import compare
from wildreid.identification.pages import identified_page
from wildreid.identification.search import Search
from wildreid.matching import candidates
from wildreid.matching.candidates import ORDER
from wildreid.matching.curve import PairCurve
from wildreid.registry import Registry

CURVES = (PairCurve(6.0, -3.0), PairCurve(4.0, -15.0))
MATCHING = Matching(
    stands="fused",
    says=("Matching by colour counts.",),
    matchers=({"name": "colour"},),
    fingerprints=(Colour().fingerprint(),),
    fusion={"name": "calibrated-mean"},
    pairs=6,
    curves=tuple(asdict(one) for one in CURVES),
)


@pytest.fixture(autouse=True)
def _colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "Registry", colourful)


@pytest.fixture(scope="session")
def plain(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty gallery of the tiny run, which knows matchers."""
    folder = tmp_path_factory.mktemp("matching") / "g"
    create_gallery(folder, tiny)
    Gallery(folder).describe([], [], matching=MATCHING)
    return folder


@pytest.fixture
def matching(plain: Path, tiny: Path, tmp_path: Path) -> OpenGallery:
    """A gallery of train and val that keeps local features."""
    folder = tmp_path / "g"
    shutil.copytree(plain, folder)
    opened = open_gallery(folder)
    opened.add(read_data(tiny, parts=["train", "val"]))
    opened.calibrate()
    return opened


def naive(opened: OpenGallery, found: Any, pairs: int) -> np.ndarray:
    """(photos, individuals) the fused score of the best image, by two loops."""
    state, matchers = opened.state, opened.matchers
    rows = found.where(np.arange(len(found.rows)))
    (own,) = matchers.look(found.photos, rows)
    kept = state.local["colour"]
    scores = np.full((len(rows), len(state.individuals)), -np.inf)
    for n, row in enumerate(rows):
        cosine = state.embeddings(np.arange(len(state.codes))) @ found.embeddings[n]
        listed = np.argsort(-cosine, kind="stable")[:pairs]
        for other in range(len(state.codes)):
            count = 0.0
            if other in listed:
                features = local.unpacked(kept.take(np.array([other])), matchers.built[0])
                count = float(matchers.built[0].score(own.take([row]), features)[0])
            first, second = CURVES[0](cosine[[other]])[0], CURVES[1](np.log1p([count]))[0]
            fused = ((first + second) / 2 + ORDER * first) / (1 + ORDER)
            code = state.codes[other]
            scores[n, code] = max(scores[n, code], fused)
    return scores


def test_identify_answers_by_the_fused_score(matching: OpenGallery, asked: Path, photos: Path) -> None:
    found = matching.identify(asked, root=photos)
    assert found.comparison is not None
    assert found.comparison.scores == pytest.approx(naive(matching, found, 6), abs=1e-5)
    alone = matching.identify(asked, root=photos, matching=False)
    assert alone.comparison is None
    first = found.images[0].candidates[0]
    assert first.score == pytest.approx(found.comparison.scores[0].max(), abs=1e-6)
    assert found.rule == matching.state.fused
    assert alone.rule == matching.state.rule


def test_a_side_that_may_not_answer_is_in_no_shortlist(
    matching: OpenGallery, asked: Path, photos: Path
) -> None:
    plain = matching.identify(asked, root=photos)
    assert plain.photos is not None
    first, state = plain.images[0].candidates[0].individual, matching.state
    here = state.codes == state.code(first)
    sided = state.rows.assign(viewpoint=np.where(here, "left", "right"))
    manifest = state.manifest.model_copy(update={"apart": ("side",)})
    search = Search(replace(state, rows=sided, manifest=manifest))
    at, barred = plain.where([0]), np.zeros((1, len(state.individuals)), bool)
    found = compare(
        search,
        matching.matchers,
        plain.rows.iloc[[0]].assign(viewpoint="right"),
        plain.embeddings[[0]],
        barred,
        matching.matchers.look(plain.photos, at),
        at,
    )
    (listed,) = found.candidates.shortlists
    assert len(listed) == 6  # all of them of others
    assert not here[search.gallery[listed]].any()
    assert np.isneginf(found.scores[0, state.code(first)])
    assert np.isfinite(np.delete(found.scores[0], state.code(first))).all()


def test_whom_a_person_ruled_out_takes_no_place_in_the_shortlist(
    matching: OpenGallery, asked: Path, photos: Path
) -> None:
    plain = matching.identify(asked, root=photos)
    first = plain.images[0].candidates[0].individual
    matching.gallery.different([plain.rows["key"].iloc[0]], matching.state.keys_of(first))
    found = matching.identify(asked, root=photos)
    assert found.comparison is not None
    assert first not in [one.individual for one in found.images[0].candidates]
    assert len(found.comparison.candidates.shortlists[0]) == 6


def test_budgets_are_kept_and_said(
    matching: OpenGallery, asked: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = matching.identify(asked, root=photos, pairs=1000)
    assert whole.comparison is not None
    assert whole.comparison.exhaustive
    assert whole.comparison.scores == pytest.approx(naive(matching, whole, 1000), abs=1e-5)
    few = matching.identify(asked, root=photos, pairs=2)
    assert any("matched to 2 images, and probabilities are meant for 6" in note for note in few.notes)
    monkeypatch.setattr(candidates, "AT_ONCE", 3)
    short = matching.identify(asked, root=photos, seconds=1e-9)
    assert short.comparison is not None
    assert {len(one) for one in short.comparison.candidates.shortlists} == {3}  # the nearest, and no fewer
    assert short.comparison.scores == pytest.approx(naive(matching, short, 3), abs=1e-5)
    assert any(f"too few for {len(short.rows)} of {len(short.rows)} photos" in note for note in short.notes)
    for wrong in ({"pairs": 0}, {"seconds": 0.0}, {"seconds": float("nan")}):
        with pytest.raises(UserError, match="matched to one image at least"):
            matching.identify(asked, root=photos, **wrong)  # type: ignore[arg-type]


def test_of_the_kept_features_the_shortlist_alone_is_read(
    matching: OpenGallery, asked: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, taken = matching.state.local["colour"], []

    def take(rows: Any) -> Any:
        taken.extend(rows.tolist())
        return kept.take(rows)

    monkeypatch.setitem(matching.state.local, "colour", replace(kept, take=take))
    found = matching.identify([photos / "0-0-0.png"])
    assert found.comparison is not None
    (listed,) = found.comparison.candidates.shortlists
    assert sorted(taken) == sorted(found.search.gallery[listed].tolist())


def test_a_photo_without_points_scores_0_and_is_counted(matching: OpenGallery) -> None:
    found = matching.identify([np.zeros((40, 40, 3), np.uint8), np.full((40, 40, 3), 90, np.uint8)])
    assert found.comparison is not None
    assert any("in 1 of 2 photos colour found no point" in note for note in found.notes)
    assert not np.concatenate(found.comparison.candidates.local[0]).any()
    assert found.comparison.scores == pytest.approx(naive(matching, found, 6), abs=1e-5)


def test_a_gallery_says_why_it_does_not_match(
    plain: Path, tiny: Path, asked: Path, photos: Path, tmp_path: Path
) -> None:
    for name, matching, why in (
        (
            "closed",
            Matching(stands="embedding", says=("Matching by colour does not count.",)),
            "does not count",
        ),
        ("open", MATCHING, "has no local features"),
        ("other", MATCHING.model_copy(update={"fingerprints": ("colour 2",)}), "of another matcher"),
    ):
        shutil.copytree(plain, tmp_path / name)
        opened = open_gallery(tmp_path / name)
        opened.add(read_data(tiny, parts=["train", "val"]), matching=name == "other")
        opened.gallery.describe([], [], matching=matching)
        assert not opened.matches
        found = opened.identify(asked, root=photos)
        assert found.comparison is None
        assert sum(why in note for note in found.notes) == 1, (name, found.notes)
        assert found.rule == opened.state.rule
        assert opened.explain(found.rows["key"].iloc[0], opened.state.rows["key"].iloc[0], found=found) == []
        assert not any(why in note for note in opened.identify(asked, root=photos, matching=False).notes)
        assert why in local.described(opened.state)


def test_features_are_added_to_a_gallery_that_has_none(
    matching: OpenGallery, plain: Path, tiny: Path, photos: Path, tmp_path: Path
) -> None:
    shutil.copytree(plain, tmp_path / "late")
    late = open_gallery(tmp_path / "late")
    late.add(read_data(tiny, parts=["train", "val"]), matching=False)
    away = tmp_path / "photos"
    shutil.copytree(photos, away)
    gone, other, broken = sorted(late.state.rows["image"])[:3]
    (away / gone).unlink()
    shutil.copyfile(away / "7-0-0.png" if (away / "7-0-0.png").exists() else away / "5-5-0.png", away / other)
    (away / broken).write_bytes(b"none")
    done = late.describe(away)
    assert (done.rows, done.had) == (late.state.images - 3, 0)
    assert {one.image for one in done.left} == {gone, other, broken}
    assert "not the one that was added" in next(one.reason for one in done.left if one.image == other)
    assert any(
        "3 of 48 images of the gallery have no local features" in note for note in _asked(late, photos)
    )
    done = late.describe(photos)
    assert (done.rows, done.had, done.left) == (3, late.state.images - 3, ())
    late.calibrate()
    assert late.state.digest() == matching.state.digest()
    assert verify(late.gallery.folder).damage == ()
    assert thumbnails.load(late.gallery.folder, late.state.rows["key"].iloc[0]) is not None
    with pytest.raises(UserError, match="of another model"):
        late.describe(photos, model=_other_model(tiny, tmp_path))


def _asked(opened: OpenGallery, photos: Path) -> tuple[str, ...]:
    return opened.identify([photos / "0-0-0.png"]).notes


def _other_model(tiny: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "other"
    shutil.copytree(tiny, folder)
    described = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**described, "sha256": "0" * 64}))
    return folder


def test_the_rule_for_matched_photos_is_fitted_on_fused_scores(matching: OpenGallery) -> None:
    """Each encounter left out in turn, in two loops; the threshold is the one that its impostor scores give."""
    state, matchers = matching.state, matching.matchers
    rule = recalibrate.fused_rule_of_gallery(state, matchers, false_accepts=0.1, false_new=0.05, prior=0.5)
    assert isinstance(rule, Rule)
    table = as_table(state)
    vectors, kept = state.embeddings(np.arange(48)), state.local["colour"]
    impostors = []
    for row in range(48):
        cosine = vectors @ vectors[row]
        valid = np.flatnonzero(table["encounter"].to_numpy() != table["encounter"].iloc[row])
        listed = valid[np.argsort(-cosine[valid], kind="stable")[:6]]
        own = local.unpacked(kept.take(np.array([row])), matchers.built[0])
        best = -np.inf
        for other in valid[state.codes[valid] != state.codes[row]]:
            count = 0.0
            if other in listed:
                features = local.unpacked(kept.take(np.array([other])), matchers.built[0])
                count = float(matchers.built[0].score(own, features)[0])
            first, second = CURVES[0](cosine[[other]])[0], CURVES[1](np.log1p([count]))[0]
            best = max(best, ((first + second) / 2 + ORDER * first) / (1 + ORDER))
        impostors.append(best)
    falling = np.sort(impostors)[::-1]
    assert rule.decision.threshold == pytest.approx(falling[int(0.1 * 48)], abs=1e-4)
    assert "matched" in rule.source
    assert state.fused is not None
    assert state.rule is not None
    assert state.fused.decision.threshold != state.rule.decision.threshold


def test_of_many_images_whole_encounters_ask(matching: OpenGallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recalibrate, "MOST", 31)
    rule = recalibrate.fused_rule_of_gallery(
        matching.state, matching.matchers, false_accepts=0.1, false_new=0.05, prior=0.5
    )
    assert isinstance(rule, Rule)
    assert "30 of 48 images asked" in rule.source
    assert sum(rule.decision.queries) == 30


def test_undo_brings_the_rule_for_matched_photos_back(matching: OpenGallery) -> None:
    before = matching.state.fused
    matching.calibrate(false_accepts=0.3)
    assert matching.state.fused != before
    anew = matching.state.rule
    matching.calibrate(false_accepts=0.2, matching=False)
    assert matching.state.rule != anew
    matching.gallery.undo()
    matching.gallery.undo()
    assert matching.state.fused == before
    assert verify(matching.gallery.folder).damage == ()


def test_what_a_matcher_needs_is_named(
    matching: OpenGallery, asked: Path, photos: Path, monkeypatch: Any
) -> None:
    def lacks(self: Any, *, device: str) -> Any:
        raise UserError(
            "the matcher colour needs the package paint", where="matchers", cure="pip install paint"
        )

    fresh = open_gallery(matching.gallery.folder)
    monkeypatch.setattr(Colour, "build", lacks)
    with pytest.raises(UserError, match="needs the package paint") as caught:
        fresh.identify(asked, root=photos)
    assert caught.value.cure == "pip install paint; or do without: `matching=False`"
    assert fresh.identify(asked, root=photos, matching=False).images
    monkeypatch.undo()
    monkeypatch.setattr(local, "Registry", Registry)  # no plugin offers it
    with pytest.raises(UserError, match="is not available") as caught:
        open_gallery(matching.gallery.folder).identify(asked, root=photos)
    assert "colour" in caught.value.what


def test_a_matcher_that_finds_other_points_is_refused(
    matching: OpenGallery, asked: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Colour, "fingerprint", lambda self: "of other weights")
    with pytest.raises(UserError, match="finds other points here") as caught:
        open_gallery(matching.gallery.folder).identify(asked, root=photos)
    assert "matching=False" in caught.value.cure


def test_joining_takes_features_over_of_the_same_matcher_alone(
    matching: OpenGallery, plain: Path, tiny: Path, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        shutil.copytree(plain, tmp_path / name)
    one, two = (open_gallery(tmp_path / name) for name in ("one", "two"))
    one.add(read_data(tiny, parts=["train"]))
    two.add(read_data(tiny, parts=["val"]))
    one.join(two.gallery)
    assert one.state.local["colour"].there.all()
    rows = [one.state.row_of[key] for key in matching.state.rows["key"]]
    known = matching.state.local["colour"].take(np.arange(48))
    assert (one.state.local["colour"].take(np.array(rows)) == known).all()
    one.gallery.undo()
    two.gallery.describe([], [], matching=MATCHING.model_copy(update={"fingerprints": ("colour 2",)}))
    one.join(two.gallery)
    assert one.state.local["colour"].there.sum() == 24


def test_photos_that_were_answered_are_taken_with_their_features(
    matching: OpenGallery, asked: Path, photos: Path
) -> None:
    found = matching.identify(asked, root=photos)
    assert found.comparison is not None
    keys = found.rows["key"].tolist()[:3]
    matching.take(found, keys, source="test", reviews=[1], identity="somebody")
    rows = [matching.state.row_of[key] for key in keys]
    assert matching.state.local["colour"].there[rows].all()
    calls = len(found.comparison.known[0])
    again = matching.compared(Search(matching.state), found, np.array([0]))
    assert again is not None
    assert len(found.comparison.known[0]) - calls <= 3  # what was matched before is not matched again
    whole = matching.identify(asked, root=photos).comparison
    assert whole is not None
    assert again.scores[0] == pytest.approx(whole.scores[0], abs=1e-6)
    (answer,) = identify(
        Search(matching.state), found.rows.iloc[[0]].assign(burst=0), found.embeddings[[0]], comparison=again
    )[1]
    assert answer.candidates[0].individual == "somebody"  # it finds itself now


def test_explain_gives_lines_as_shares_of_the_pictures(plain: Path, tiny: Path, tmp_path: Path) -> None:
    """The matcher's one point is the upper left of what it is shown: the box, in a picture with a margin."""
    photo = np.full((80, 120, 3), 100, np.uint8)
    Image.fromarray(photo).save(tmp_path / "a.png")
    Image.fromarray(photo + 1).save(tmp_path / "b.png")
    box = {"box_left": 20.0, "box_top": 10.0, "box_width": 40.0, "box_height": 20.0}
    rows = pd.DataFrame({"image": ["a.png", "b.png"], "identity": ["x", "y"], **box})
    shutil.copytree(plain, tmp_path / "g")
    opened = open_gallery(tmp_path / "g")
    opened.model.images = opened.model.images.model_copy(update={"margin": 0.25})
    opened.add(Table.of(rows, tmp_path))
    one, other = opened.state.rows["key"]
    (line,) = opened.explain(one, other)
    # the picture is the box and 10 pixels on each side: 60 × 40 pixels of the photo
    assert line == pytest.approx((10 / 60, 10 / 40, 10 / 60, 10 / 40, line[4]), abs=0.02)
    assert 0 < line[4] <= 1
    found = opened.identify(Table.of(rows.iloc[[1]].assign(identity=None), tmp_path))
    assert opened.explain(found.rows["key"].iloc[0], one, found=found) == [pytest.approx(line, abs=1e-4)]
    assert opened.explain(one, "strange") == []


def test_the_page_has_lines_that_are_off_until_opened(
    matching: OpenGallery, asked: Path, photos: Path
) -> None:
    found = matching.identify(asked, root=photos)
    page = identified_page(found, lambda name: matching.pixels(found, name))
    assert page.count('<details class="lines">') == page.count('<svg class="matched"') > 0
    assert "<details open" not in page
    for left, top, wide, high, drawn in re.findall(
        r'<svg class="matched" viewBox="(\S+) (\S+) (\S+) (\S+)".*?(<line .*?/>)', page
    ):
        x1, y1, x2, y2 = map(float, re.findall(r'[xy][12]="(\S+?)"', drawn))
        assert float(left) <= x1 < float(wide) / 2 < x2 <= float(wide)
        assert float(top) <= min(y1, y2) <= max(y1, y2) <= float(top) + float(high)
    assert "Matched by colour: each photo to its 6 nearest of 48 gallery images" in page
    assert "lines on grass, mud or a fence show only that the place is" in page
    assert len(page) < 2_000_000
    alone = matching.identify(asked, root=photos, matching=False)
    assert 'class="matched"' not in identified_page(alone, lambda name: matching.pixels(alone, name))


def test_the_review_desk_ranks_by_matches_and_shows_them(
    matching: OpenGallery, asked: Path, photos: Path
) -> None:
    pytest.importorskip("starlette", reason="the extra review is not installed")
    from wildreid.review.applying import Newcomers
    from wildreid.review.building import Built
    from wildreid.review.desk import Desk
    from wildreid.review.serving import Address
    from wildreid.review.settings import Settings

    found = matching.identify(asked, root=photos)
    desk = Desk(matching.gallery, Settings(audit=1.0))
    built = Built(desk, matching.gallery.folder, Address(), name="127.0.0.1:1")
    built._opened = matching
    desk.receive(Newcomers(matching, found))
    view = desk.next("Ann", "identify")
    shown = {one["key"] for one in view["photos"]}
    answer = next(one for one in found.encounters if set(found.rows["key"].iloc[list(one.rows)]) == shown)
    told = {one.individual: one.score for one in answer.candidates}
    assert len(told) > 1
    for one in view["candidates"]:
        if one["name"] in told:
            assert one["score"] == pytest.approx(told[one["name"]])
    ours, theirs = view["photos"][0]["key"], view["candidates"][0]["photos"][0]["key"]
    lines = desk.explained("Ann", (ours, theirs))["matches"]
    assert lines == matching.explain(ours, theirs, found=found)
    desk.close()
