"""The page: what it says is what was measured, and it tells nothing that it should not."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.drawn_run import frames
from PIL import Image

from wildreid.artefacts import Results
from wildreid.data import images
from wildreid.errors import UserError
from wildreid.page import Larger, thumbnail
from wildreid_plugins.reporters.html import Html
from wildreid_plugins.reporters.html.headline import headline, practice
from wildreid_plugins.reporters.html.individuals import individuals, split_summary
from wildreid_plugins.reporters.html.strips import choose, strips
from wildreid_plugins.reporters.html.view import View

LIMIT = 8_000_000
Make = Callable[..., Results]


def write(results: Results, **options: Any) -> str:
    (path,) = Html(umap=False, **options).write(results=results, folder=results.folder / "report")
    assert path.name == "index.html"
    assert path.stat().st_size < LIMIT
    assert {file.name for file in path.parent.iterdir()} <= {"index.html", "index-photos"}
    return path.read_text()


def words(page: str) -> str:
    """The page as it is read: without tags, spaces as one."""
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", body).replace("\N{NO-BREAK SPACE}", " ").split())


def pictures(page: str) -> list[Image.Image]:
    return [
        Image.open(io.BytesIO(base64.b64decode(data)))
        for data in re.findall(r"data:image/jpeg;base64,([\w+/=]+)", page)
    ]


def test_the_headline_says_the_figure_its_interval_and_its_protocol(make_results: Make) -> None:
    results = make_results()
    page = words(write(results))
    score = results.scores["protocols"]["cross-encounter"]["scores"]["accuracy@1"]
    mated = results.rankings["cross-encounter"].mated
    assert f"Asked about {mated.sum()} photos of 12 individuals" in page
    assert f"{100 * score['value']:.1f} % of the photos" in page
    assert f"95 % interval {100 * score['low']:.1f} to {100 * score['high']:.1f} %" in page
    assert "cross-encounter , test against test, across encounters" in page
    assert "under 30: the interval is wide and rough" in page


def test_what_the_burst_gives_away_is_counted_on_the_same_queries(make_results: Make) -> None:
    results = make_results(noise=0.9)
    hits: dict[str, dict[int, bool]] = {}
    for name, ranking in results.rankings.items():
        pairs = zip(ranking.queries.tolist(), ranking.own_rank.tolist(), strict=True)
        hits[name] = {row: rank == 1 for row, rank in pairs if rank > 0}
    both = hits["cross-encounter"].keys() & hits["image-loo"].keys()
    across, within = (100 * sum(hits[name][row] for row in both) / len(both) for name in hits)
    leak = headline(View(results))["leak"]
    assert leak["n"] == len(both) == len(hits["cross-encounter"]) < len(hits["image-loo"])
    assert leak["points"] == f"{within - across:.1f}"
    assert within - across > 10, "the fixture must have something to give away"


def test_the_threshold_in_practice_adds_up(make_results: Make) -> None:
    results = make_results(noise=0.6, unknowns=40)
    ranking, decision = results.rankings["cross-encounter"], results.decision
    assert decision is not None
    assert decision.tells
    told = practice(View(results))
    known = dict.fromkeys(("named right", "named wrong", "undecided", "called new"), 0)
    new = dict.fromkeys(("called new", "undecided", "taken for a known one"), 0)
    for query in range(len(ranking.queries)):  # the rule in words: both the threshold and the probability
        score = max(ranking.own_score[query], ranking.impostor_score[query])
        score = ranking.impostor_score[query] if np.isnan(score) else score
        *candidates, none_of_them = decision.shares(ranking.top_scores[query : query + 1])[0]
        said = "undecided"
        if score >= decision.threshold and candidates[0] >= 0.5:
            said = "known"
        elif score < min(decision.threshold, decision.new_below) and none_of_them >= max(candidates):
            said = "called new"
        if ranking.mated[query]:
            right = "named right" if ranking.own_rank[query] == 1 else "named wrong"
            known[right if said == "known" else said] += 1
        else:
            new["taken for a known one" if said == "known" else said] += 1
    for who, counted in (("known", known), ("new", new)):
        shares = {case["words"]: case["share"] for case in told[who]["cases"]}
        assert shares == {word: pytest.approx(100 * n / told[who]["n"]) for word, n in counted.items()}
    assert told["taken"] == round(100 * new["taken for a known one"] / told["new"]["n"])
    sentence = f"Of 100 photos of new individuals, about {told['taken']} would be taken for known ones"
    assert sentence in words(write(results))


def test_individuals_are_counted_as_they_are(make_results: Make) -> None:
    results = make_results(noise=0.9)
    view, ranking = View(results), results.rankings["cross-encounter"]
    table = {row[0]: row for row in individuals(view)}
    assert len(table) == results.table["identity"].iloc[ranking.queries].nunique()
    for name, (_, asked, encounters, photos, trained, mated, right, taken) in table.items():
        rows = results.table.rows[results.table["identity"] == name]
        test = rows[rows["part"] == "test"]
        assert (asked, encounters, photos) == (len(test), test["encounter"].nunique(), len(rows))
        assert trained == ("yes" if (rows["part"] == "train").any() else "no")
        queries = [
            q for q, row in enumerate(ranking.queries) if row in test.index and ranking.own_rank[q] > 0
        ]
        assert mated == len(queries)
        if not queries:
            assert right["words"] == "no match possible"
            continue
        assert right["sort"] == pytest.approx(np.mean([ranking.own_rank[q] == 1 for q in queries]))
        for_whom = [ranking.individuals[ranking.top[q, 0]] for q in queries if ranking.own_rank[q] > 1]
        if for_whom:
            who, count = re.fullmatch(r"(.*) \((\d+) of \d+\)", taken).groups()  # type: ignore[union-attr]
            assert for_whom.count(who) == int(count) == max(map(for_whom.count, for_whom))
        else:
            assert taken == ""


def test_the_split_is_summed_up(make_results: Make) -> None:
    results = make_results()
    rows = {row[0]: row[1:] for row in split_summary(View(results))}
    assert rows == {
        "train": [78, 14, 26, 2, 0, 0],
        "val": [78, 14, 26, 2, 0, 0],
        "test": [78, 14, 26, 2, 0, 0],
    }


def test_strips_show_what_they_are_named_for(make_results: Make) -> None:
    results = make_results(noise=0.9)
    view, ranking = View(results), results.rankings["cross-encounter"]
    chosen = choose(view, most=8)
    rank, first = ranking.own_rank, ranking.first_score
    assert results.decision is not None
    believed = first >= results.decision.threshold
    assert all(rank[q] > 1 or (rank[q] == 0 and believed[q]) for q in chosen["mistakes"])
    assert all(rank[q] == 1 for q in chosen["hardest"])
    assert first[chosen["mistakes"][0]] == first[(rank > 1) | ((rank == 0) & believed)].max()
    margins = (ranking.own_score - ranking.impostor_score)[chosen["hardest"]]
    assert (np.diff(margins) >= 0).all()
    for queries in chosen.values():
        encounters = view.encounter[ranking.queries[queries]]
        assert len(set(encounters)) == len(queries) == 8, "one query an encounter"
    assert choose(view, most=0) == {"mistakes": [], "hardest": [], "sample": []}


def test_the_true_individual_is_shown_with_its_rank_wherever_it_is(make_results: Make) -> None:
    results = make_results(noise=1.4)
    view, ranking = View(results), results.rankings["cross-encounter"]
    chosen = choose(view, most=12)["mistakes"]
    shown = strips(view, most=12, nearest=3, larger=Larger(Path("page.html"), "none"))["mistakes"]
    beyond = 0
    for query, strip in zip(chosen, shown, strict=True):
        rank = int(ranking.own_rank[query])
        assert len(strip["nearest"]) == 3
        if rank > 3:
            beyond += 1
            assert strip["own"]["mark"] == "right"
            assert strip["own"]["who"] == view.identity[ranking.queries[query]]
            assert strip["own"]["words"][0] == f"rank {rank} · {ranking.own_score[query]:.3f}"
        elif rank > 0:
            assert strip["own"] is None
            assert [picture["mark"] for picture in strip["nearest"]].index("right") == rank - 1
    assert beyond > 2, "the fixture must be hard enough"


def test_a_name_with_html_in_it_is_text(make_results: Make) -> None:
    bad = "<script>alert(1)</script>"
    results = make_results(
        names={0: bad, 1: '"><img src=x onerror=alert(2)>'}, cameras=(bad, "b", "c"), private=True
    )
    page = write(results, strips=20)
    assert "alert(1)" in page
    assert "alert(2)" in page
    assert not re.search(r"<script>\s*alert", page)
    assert "<img src=x" not in page
    found = set(re.findall(r"<(\w+)", re.sub(r"<script\b.*?</script>", "", page, flags=re.DOTALL)))
    assert "iframe" not in found
    assert len(re.findall(r"<script\b", page)) == 2, "our own two; this page has no map"


def test_nothing_is_asked_of_the_network(make_results: Make) -> None:
    page = write(make_results())
    assert not re.search(r"(?:src|href|action|data)\s*=\s*[\"'](?!#|data:)", page)
    assert not re.search(r"https?://", re.sub(r"data:image/jpeg;base64,[\w+/=]+", "", page))


def planted(results: Results, root: Path) -> Results:
    """The same run over photos on disk that carry a position, a camera and a station in their EXIF."""
    for name in results.table["image"]:
        path = root / name
        path.parent.mkdir(exist_ok=True, parents=True)
        exif = Image.Exif()
        exif[0x010F], exif[0x010E] = "TrailMaker 3000", "North Creek, behind the hut"
        exif.get_ifd(0x8825).update({1: "N", 2: (51.0, 30.0, 26.46), 3: "W", 4: (0.0, 7.0, 39.0)})
        Image.new("RGB", (60, 40), "#684").save(path, exif=exif)
    with Image.open(path) as picture:
        assert picture.getexif().get_ifd(0x8825)
    table = replace(results.table, root=root)
    return replace(
        results,
        table=table,
        read=lambda row, longest: images.read(root / table["image"][row], longest=longest),
    )


def test_places_cameras_and_machines_are_withheld(make_results: Make, tmp_path: Path) -> None:
    results = planted(make_results(), tmp_path / "photos of jane")
    page = write(results)
    for secret in (
        *("North Creek", "Old Mill", "Ridge", "Hidden Valley"),
        *("/home/", "jane", "/srv/", "/opt/", "janes-laptop", str(tmp_path), "IMG_"),
        *("51.50735", "TrailMaker", "behind the hut"),
    ):
        assert secret not in page, secret
    assert "camera 1" in page
    seen = pictures(page)
    assert len(seen) > 50
    for picture in seen:
        assert not picture.getexif()
        assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_heat_and_lines_are_shown_with_their_caution_and_closed(make_results: Make) -> None:
    results, grey = make_results(), thumbnail(np.full((40, 40, 3), 90, np.uint8))
    pair = {"query": 0, "found": 1, "same": True, "pictures": [grey, grey]}
    heat = {**pair, "similarity": 0.81, "heat": [[[0.3, 0.1], [0.2, 0.2]], [[0.5, -0.1], [0.2, 0.1]]]}
    page = write(replace(results, lines=(heat,)))
    (section,) = re.findall(r'<section id="alike">.*?</section>', page, re.DOTALL)
    assert "similarity 0.81; places add 0.80 in one photo, 0.70 in the other" in section
    assert "The network tells 2 × 2 places apart" in section
    assert "not that it is the same one" in section
    assert section.count("<details") == section.count("<svg") == 1
    assert "<details open" not in section
    assert section.count("data:image/png") == 2
    assert 'href="#alike"' in page
    assert 'id="alike"' not in write(results)
    told = write(replace(results, no_lines="the network has no map"))
    assert "There is no heat map: the network has no map." in told


def test_a_private_report_shows_cameras_and_paths(make_results: Make) -> None:
    page = write(make_results(private=True))
    assert "North Creek" in page
    assert "/home/jane/secret place/photos" in page
    assert "Old Mill/IMG_" in page


def test_stamp_and_optimistic_label_stand_where_figures_are(make_results: Make) -> None:
    page = write(make_results(dated=False, stamp="sample"))
    for section in ("answer", "trust", "photos", "individuals", "slices"):
        text = re.search(rf'<section id="{section}">.*?</section>', page, re.DOTALL)
        assert text
        assert 'class="stamp">sample' in text[0], section
        assert 'class="optimistic">optimistic: no dates' in text[0], section
    for figure in re.findall(r"<figcaption>.*?</figcaption>", page, re.DOTALL):
        assert 'class="stamp">sample' in figure
    assert 'class="stamp"' not in write(replace(make_results(stamp="", folder="other"), stamp=""))


def test_without_dates_the_headline_says_why_it_is_missing(make_results: Make) -> None:
    page = words(write(make_results(dated=False)))
    assert "could not be measured (cross-encounter): no dates: encounters cannot be told apart" in page
    assert "Every figure of this run flatters" in page
    assert "What photos of the same burst are worth was not measured: no dates" in page
    assert "Protocol: image-loo" in page


def test_without_unknowns_it_says_what_cannot_be_known(make_results: Make) -> None:
    page = words(write(make_results(unknowns=0)))
    assert "What happens to new individuals: no query is without a match in the gallery" in page
    assert (
        "How new individuals are told from known ones Not measured. needs both mated and non-mated queries"
        in page
    )


def test_one_test_individual_is_said_to_be_one(make_results: Make) -> None:
    page = words(write(make_results(individuals=1, unknowns=0)))
    assert "There is one individual among the queries" in page
    assert "1 individual" in page


def test_three_hundred_individuals_fit(make_results: Make) -> None:
    page = write(make_results(individuals=300, encounters=4, burst=1))
    assert page.count('scope="row"') > 300 or page.count("scope=row") > 300
    assert page.count("<rect") >= 300


def test_a_run_without_threshold_or_training_says_so(make_results: Make) -> None:
    results = make_results()
    scores = {**results.scores, "decision": {"reason": "val has two queries"}}
    page = words(write(replace(results, decision=None, history=(), scores=scores)))
    assert "There is no threshold between known and new: val has two queries" in page
    assert "Nothing was trained" in page
    assert "The recipe did not ask for probes" in page


def test_probes_are_shown_with_n(make_results: Make) -> None:
    results = make_results()
    results.scores["protocols"]["cross-encounter"]["probes"] = {
        "background": {
            **{"value": 0.25, "low": 0.1, "high": 0.4, "n": 12},
            **{"reference": 0.75, "too_few": True, "meaning": "blanked"},
        },
        "mirrored": {"value": None, "reason": "there is no mated query", "n": 0, "meaning": "mirrored"},
    }
    page = words(write(results))
    assert "background blanked 25.0 % 10.0 % to 40.0 % 75.0 % 12 (too few)" in page
    assert "mirrored mirrored – there is no mated query" in page


def test_a_photo_that_cannot_be_read_leaves_words(make_results: Make) -> None:
    def read(row: int, longest: int) -> Any:
        raise UserError("the file is truncated")

    page = write(replace(make_results(), read=read))
    assert "the photo cannot be read" in page
    assert not pictures(page)


def test_the_page_stays_small_whatever_is_asked_for(make_results: Make) -> None:
    def noise(row: int, longest: int) -> Any:
        return np.random.default_rng(row).integers(0, 255, (longest, longest, 3), dtype=np.uint8)

    results = replace(make_results(individuals=40, noise=0.9, burst=2), read=noise)
    frames(results)
    page = write(results, strips=30, nearest=10)
    assert len(pictures(page)) > 600


def test_the_same_run_gives_the_same_page(make_results: Make) -> None:
    results = make_results()
    assert write(results) == write(results)


def test_rates_that_are_equal_are_one_line(make_results: Make) -> None:
    page = words(write(make_results()))
    assert "backbone head Learning rates" in page
    assert "backbone.stem" not in page
