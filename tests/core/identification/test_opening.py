from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from wildreid.data.images import read
from wildreid.data.pixels import ImageRows
from wildreid.errors import UserError
from wildreid.evaluation.rank import load_ranking, rank
from wildreid.gallery import thumbnails
from wildreid.gallery.check import verify
from wildreid.identification import OpenGallery, create_gallery, open_gallery, read_data, read_photos
from wildreid.identification.pages import identified_page
from wildreid.pipeline import RunFolder, load_results


def test_identify_is_right_exactly_where_the_evaluation_says_so(
    tiny: Path, known: OpenGallery, asked: Path, photos: Path
) -> None:
    found = known.identify(read_photos([asked], root=photos))
    results = load_results(tiny)
    ranking = load_ranking(tiny / "ranking.npz")
    ids, truth = results.table["id"], results.table["identity"]
    answers = {answer.query: answer for answer in found.images}
    assert len(answers) == len(ranking.queries)
    for query, row in enumerate(ranking.queries):
        first = answers[ids[row]].candidates[0]
        assert first.individual == ranking.individuals[ranking.top[query, 0]]
        assert first.score == pytest.approx(float(ranking.top_scores[query, 0]), abs=1e-5)
    mated = [row for row, one in zip(ranking.queries, ranking.mated, strict=True) if one]
    right = np.mean([answers[ids[row]].candidates[0].individual == truth[row] for row in mated])
    said = results.scores["protocols"]["fixed-gallery"]["scores"]["accuracy@1"]
    assert right == pytest.approx(said["value"])
    assert len(mated) == said["n"]


def test_on_drawn_bears_identify_is_right_as_often_as_the_evaluation_says(
    smoke_run: Path, tmp_path: Path
) -> None:
    run = RunFolder(smoke_run)
    table = run.load_split()
    ranking = rank(np.load(run.embeddings), table, protocol="fixed-gallery", part="test")
    gallery = create_gallery(tmp_path / "g", smoke_run)
    gallery.add(read_data(smoke_run, parts=["train", "val"]))
    asked = table.with_rows(table.rows.iloc[ranking.queries])
    answers = gallery.identify(asked).images
    truth = asked["identity"].tolist()
    right = [answer.candidates[0].individual == who for answer, who in zip(answers, truth, strict=True)]
    assert len(ranking.queries) > 5
    np.testing.assert_array_equal(np.array(right), ranking.mated & (ranking.own_rank == 1))


def test_the_gallery_knows_dates_encounters_and_what_the_model_has_trained_on(
    known: OpenGallery, photos: Path
) -> None:
    state = known.state
    table = pd.read_csv(photos / "table.csv").set_index("image")
    assert state.individuals == tuple(f"who{n}" for n in range(6))
    assert set(state.sizes) == {8}
    assert set(state.encounters) == {4}
    parts = table.loc[state.rows["image"], "part"].to_numpy()
    np.testing.assert_array_equal(state.rows["trained"], parts == "train")
    assert verify(state.folder).damage == ()
    assert verify(state.folder).notes == ()
    assert thumbnails.missing(state) == 0
    assert state.manifest.provenance["run"] == "tiny"


def test_every_photo_that_goes_in_comes_out(known: OpenGallery, photos: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    (new / "deep").mkdir(parents=True)
    shutil.copy(photos / "0-4-0.png", new / "a<b>.png")
    shutil.copy(photos / "1-4-0.png", new / "deep" / "b c.png")
    (new / "c.jpg").write_bytes(b"")
    (new / "d.jpg").write_text("no picture")
    found = known.identify([new])
    assert [(answer.query, answer.verdict == "unreadable") for answer in found.images] == [
        ("a<b>.png", False), ("c.jpg", True), ("d.jpg", True), ("deep/b c.png", False),
    ]  # fmt: skip
    assert all(answer.reason for answer in found.images if answer.verdict == "unreadable")
    assert len(found.encounters) == 2
    pd.DataFrame({"image": ["deep/b c.png", "away.png"]}).to_csv(new / "table.csv", index=False)
    found = known.identify(new / "table.csv")
    assert [answer.verdict == "unreadable" for answer in found.images] == [False, True]
    with pytest.raises(UserError, match="no photo"):
        known.identify([tmp_path / "nowhere"])


def test_a_photo_that_comes_twice_is_answered_twice_and_counts_once(
    known: OpenGallery, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photos)
    up = Path("..") / photos.name
    found = known.identify([up / "0-4-0.png", "1-4-0.png", "0-4-0.png", Path("./1-4-0.png")])
    assert [answer.query for answer in found.images] == ["0-4-0.png", "1-4-0.png"] * 2
    assert found.images[:2] == found.images[2:]
    assert len(found.encounters) == len(found.rows) == 2
    proposed = known.discover(["0-4-0.png", "0-4-0.png"], cut=0.0).rows
    assert proposed["image"].tolist() == ["0-4-0.png"]


def test_photos_none_of_which_can_be_read_are_all_answered(known: OpenGallery, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"")
    (tmp_path / "b.jpg").write_text("no picture")
    found = known.identify([tmp_path])
    assert [answer.verdict for answer in found.images] == ["unreadable"] * 2
    assert found.encounters == ()
    assert "b.jpg" in identified_page(found, lambda name: None)
    proposed = known.discover([tmp_path], cut=0.5).rows
    assert proposed["identity"].isna().all()
    assert proposed["reason"].str.len().min() > 0


def test_a_row_that_names_no_image_is_answered_in_its_place(
    known: OpenGallery, photos: Path, tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_text("image,camera\n0-4-0.png,a\n,b\n,c\n1-4-0.png,d\n")
    found = known.identify(tmp_path / "t.csv", root=photos)
    assert [answer.query for answer in found.images] == ["0-4-0.png", "row 3", "row 4", "1-4-0.png"]
    assert found.images[1].reason == "the row names no image"


def test_two_animals_in_one_frame_are_answered_apart(
    known: OpenGallery, photos: Path, tmp_path: Path
) -> None:
    both = np.concatenate([read(photos / "0-4-0.png"), read(photos / "3-4-0.png")], axis=1)
    Image.fromarray(both).save(tmp_path / "both.png")
    rows = [
        {"image": "both.png", "timestamp": "2024-07-01 10:00:00", "camera": "gate", "box_left": left,
         "box_top": 0, "box_width": 40, "box_height": 40}
        for left in (0, 40)
    ]  # fmt: skip
    pd.DataFrame(rows).to_csv(tmp_path / "boxes.csv", index=False)
    found = known.identify(tmp_path / "boxes.csv")
    assert [answer.query for answer in found.images] == ["both.png#0,0,40,40", "both.png#40,0,40,40"]
    assert len(found.encounters) == 2
    alone = known.identify([photos / "0-4-0.png", photos / "3-4-0.png"])
    for boxed, whole in zip(found.images, alone.images, strict=True):
        assert boxed.candidates[0].individual == whole.candidates[0].individual
        assert boxed.candidates[0].score == pytest.approx(whole.candidates[0].score, abs=1e-3)
    proposed = known.discover(tmp_path / "boxes.csv", cut=-1.0).rows
    assert not proposed["proposed"].any() or proposed["identity"].nunique() == 2
    away = pd.DataFrame([{**rows[0], "image": "away.png"}])
    pd.concat([pd.DataFrame(rows), away]).to_csv(tmp_path / "boxes.csv", index=False)
    proposed = known.discover(tmp_path / "boxes.csv", cut=-1.0).rows
    assert proposed["image"].tolist() == ["both.png", "both.png", "away.png"]
    assert proposed["box_width"].tolist() == [40, 40, 40]
    assert proposed["identity"].isna().tolist() == [False, False, True]


def test_arrays_are_answered_as_their_files_are(known: OpenGallery, photos: Path) -> None:
    files = [photos / f"{n}-5-1.png" for n in range(4)]
    from_files = known.identify(files)
    from_arrays = known.identify([read(file) for file in files])
    for one, other in zip(from_files.images, from_arrays.images, strict=True):
        assert one.candidates[0].individual == other.candidates[0].individual
        assert one.candidates[0].score == pytest.approx(other.candidates[0].score, abs=1e-5)
    with pytest.raises(UserError, match="uint8"):
        known.identify([np.zeros((4, 4), np.uint8)])


def test_threads_get_the_answers_that_one_alone_gets(known: OpenGallery, photos: Path) -> None:
    files = [photos / f"{n}-4-0.png" for n in range(6)]
    alone = [known.identify([file]).images for file in files]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda file: known.identify([file]).images, files))
    assert together == alone


def test_a_photo_in_the_gallery_is_recognised_as_such(known: OpenGallery, photos: Path) -> None:
    (answer,) = known.identify([photos / "2-0-0.png"]).images
    assert answer.in_gallery == "who2"
    assert answer.candidates[0].individual == "who2"
    assert answer.candidates[0].score == pytest.approx(1, abs=1e-5)
    assert "1 of the photos are in the gallery" in known.identify([photos / "2-0-0.png"]).notes[-1]


def test_adding_again_adds_nothing_and_says_why(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery = create_gallery(tmp_path / "g", tiny)
    table = read_data(tiny, parts=["val"])
    before = gallery.add(table).rows
    assert before == len(table)
    embedded: list[int] = []
    embed = gallery.model.embed

    def watched(images: ImageRows, wanted: np.ndarray) -> np.ndarray:
        embedded.append(len(wanted))
        return embed(images, wanted)

    monkeypatch.setattr(gallery.model, "embed", watched)
    again = gallery.add(table)
    assert embedded == [0]
    assert (again.rows, len(again.left)) == (0, len(table))
    assert {left.reason for left in again.left} == {"it is in the gallery already"}
    nobody = table.with_rows(table.rows.assign(identity=pd.Series(pd.NA, table.rows.index, "string")))
    assert len(gallery.add(nobody).left) == len(table)


def test_calibration_leaves_out_encounters_and_individuals(tiny: Path, tmp_path: Path) -> None:
    gallery = create_gallery(tmp_path / "g", tiny)
    gallery.add(read_data(tiny))
    before = gallery.state.digest()
    rule, notes = gallery.calibrate(false_accepts=0.1, false_new=0.2)
    assert not hasattr(rule, "reason")
    assert gallery.state.rule == rule
    assert rule.decision.gallery == (8, len(gallery.state.rows))
    assert rule.known_called_new == 0.2
    assert "not trained on" in notes[0]
    # by plain loops: unknowns are each image without its own individual, the model's training images apart
    state = gallery.state
    vectors = state.embeddings(np.arange(len(state.rows)))
    scores = vectors @ vectors.T
    who, visit = state.codes, state.met
    asking = np.flatnonzero(~state.rows["trained"].to_numpy())
    other = np.array([scores[q, who != who[q]].max() for q in asking])
    own = np.array([scores[q, (who == who[q]) & (visit != visit[q])].max() for q in asking])
    assert np.mean(other >= rule.decision.threshold) <= 0.1
    assert np.mean(other >= rule.decision.threshold - 2e-6) >= 0.1 - 1.5 / len(asking)
    below = np.mean(np.maximum(own, other) < rule.new_below)
    assert below <= 0.2
    gallery.gallery.undo()
    assert gallery.state.digest() == before


def test_strangers_become_proposals_that_can_be_added(
    tiny: Path, known: OpenGallery, asked: Path, photos: Path, tmp_path: Path
) -> None:
    found = known.discover(read_photos([asked], root=photos), cut=0.9)
    assert len(found.rows) == len(pd.read_csv(asked))
    assert found.rows["identity"].notna().all()
    assert found.agreement is not None or not found.rows["proposed"].any()
    found.save_csv(tmp_path / "proposals.csv")
    found.save_json(tmp_path / "proposals.json")
    assert len(json.loads((tmp_path / "proposals.json").read_text())["images"]) == len(found.rows)
    gallery = create_gallery(tmp_path / "g", tiny)
    added = gallery.add(read_data(tmp_path / "proposals.csv", root=photos))
    assert added.rows == len(found.rows)
    assert set(gallery.state.individuals) == set(found.rows["identity"])


def test_without_a_rule_a_cut_must_be_given(tiny: Path, tmp_path: Path, photos: Path) -> None:
    gallery = create_gallery(tmp_path / "g", tiny)
    gallery.gallery.calibrate(None)
    with pytest.raises(UserError, match="not calibrated"):
        gallery.discover([photos / "0-0-0.png"])


def test_a_gallery_is_not_made_over_something_else(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match="not empty"):
        create_gallery(tmp_path, tiny)
    with pytest.raises(UserError, match="no trained model"):
        create_gallery(tmp_path / "g", tmp_path)
    assert not (tmp_path / "g").exists()


def test_data_may_be_a_folder_a_table_a_recipe_or_a_run(tiny: Path, photos: Path, tmp_path: Path) -> None:
    assert len(read_data(tiny)) == len(read_data(photos / "table.csv")) == 80
    assert len(read_data(tiny.parents[1] / "recipe.yaml")) == len(read_data(tiny))
    assert set(read_data(tiny, parts=["val"])["part"]) == {"val"}
    for who in ("Otis", "Grazer"):
        (tmp_path / who).mkdir()
        shutil.copy(photos / "0-0-0.png", tmp_path / who / "x.png")
    assert set(read_data(tmp_path)["identity"]) == {"Otis", "Grazer"}
    with pytest.raises(UserError, match="no part dev"):
        read_data(tiny, parts=["dev"])


def test_another_model_is_refused(known: OpenGallery, tiny: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(known.gallery.folder / "model", other)
    (other / "package.json").unlink()
    described = json.loads((other / "model.json").read_text())
    described["images"]["margin"] = 0.5
    (other / "model.json").write_text(json.dumps(described))
    with pytest.raises(UserError, match="has changed since"):
        open_gallery(known.gallery.folder, model=other)
