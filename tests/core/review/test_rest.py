"""What programs may ask: who is on their photos, embeddings, exports, the desk's questions, by roles."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from tests.core.review.conftest import HOST
from tests.core.review.drawn import Bears

from wildreid.artefacts import Crop
from wildreid.data.images import read
from wildreid.kinds import Segmenter
from wildreid.registry import Registry

pytest.importorskip("starlette", reason="the extra review is not installed")
pytest.importorskip("httpx", reason="httpx is not installed")

from starlette.testclient import TestClient

if TYPE_CHECKING:
    from wildreid.review.building import Built

ORIGIN = f"http://{HOST}"


def bearer(built: Built, role: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {built.made[role]}"}  # type: ignore[attr-defined]


def test_programs_have_roles(built: Built) -> None:
    one = TestClient(built.app, base_url=ORIGIN)
    assert one.get("/health").json()["state"] == "ready"
    assert one.get("/v1/gallery").status_code == 403
    assert one.get("/v1/gallery", headers={"Authorization": "Bearer x"}).status_code == 403
    assert one.get("/v1/gallery", headers=bearer(built, "read")).json()["individuals"] == 8
    assert one.get("/v1/tasks/next", headers=bearer(built, "read")).status_code == 403
    view = one.get("/v1/tasks/next", headers=bearer(built, "review")).json()
    path, said = f"/v1/tasks/{view['lease']}/decision", {"decision": "new", "name": "Otis"}
    headers = bearer(built, "review")
    stale = one.post(path, json=said, headers={**headers, "If-Match": '"old"'})
    assert stale.status_code == 409
    assert stale.headers["content-type"] == "application/problem+json"
    assert (
        one.post(path, json=said, headers={**headers, "If-Match": f'"{view["revision"]}"'}).status_code == 200
    )
    built.desk.settle(20)
    assert one.get("/v1/individuals/Otis", headers=headers).json()["encounters"][0]["images"] == 2
    first = one.get("/v1/individuals?limit=5", headers=headers).json()
    rest = one.get(f"/v1/individuals?limit=5&cursor={first['cursor']}", headers=headers).json()
    assert len(first["individuals"]) + len(rest["individuals"]) == 9
    assert rest["cursor"] is None
    assert one.post("/v1/undo", json={"number": 1}, headers=headers).status_code == 200


def files(bears: Bears, names: list[str]) -> list[tuple[str, tuple[str, bytes, str]]]:
    return [("photos", (name, (bears.asked.parent / name).read_bytes(), "image/png")) for name in names]


def test_parallel_identifies_equal_the_sequential(built: Built, bears: Bears) -> None:
    names = sorted(bears.truth())
    one = TestClient(built.app, base_url=ORIGIN)
    one.headers.update(bearer(built, "read"))

    def ask(n: int) -> dict:
        got = one.post("/v1/identify", files=files(bears, names[n % 8 : n % 8 + 2]))
        assert got.status_code == 200, got.text
        return got.json()

    alone = [ask(n) for n in range(8)]
    with ThreadPoolExecutor(64) as pool:
        together = list(pool.map(ask, range(64)))
    assert [alone[n % 8] for n in range(64)] == together
    assert alone[0]["format"] == 1
    assert [image["query"] for image in alone[0]["images"]] == names[:2]


class Middle(Segmenter):
    """The animal is in the middle half of any photo."""

    name = "middle"

    def build(self, *, device: str) -> Callable[[Sequence[Crop]], Sequence[np.ndarray]]:
        def mask(crop: Crop) -> np.ndarray:
            found = np.zeros(crop.shape, np.uint8)
            height, width = crop.shape
            found[height // 4 : -height // 4, width // 4 : -width // 4] = 255
            return found

        return lambda crops: [mask(crop) for crop in crops]


def test_what_is_extracted_is_what_the_model_sees(
    built: Built, bears: Bears, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = TestClient(built.app, base_url=ORIGIN)
    one.headers.update(bearer(built, "read"))
    name = sorted(bears.truth())[0]
    plain = one.post("/v1/extract", files=files(bears, [name])).json()["embeddings"]
    opened = bears.opened()
    opened.model.images = opened.model.images.model_copy(update={"background": "grey"})
    opened.model.foreground = Middle()
    monkeypatch.setattr(built, "_opened", opened)
    hidden = one.post("/v1/extract", files=files(bears, [name])).json()["embeddings"]
    expected = opened.identify([read(bears.asked.parent / name)]).embeddings
    np.testing.assert_allclose(hidden, expected, atol=1e-6)
    assert not np.allclose(hidden, plain, atol=1e-2)


def test_many_photos_are_a_job_and_one_is_extracted(built: Built, bears: Bears) -> None:
    one = TestClient(built.app, base_url=ORIGIN)
    one.headers.update(bearer(built, "read"))
    digest = built.desk.gallery.state.digest()
    got = one.post("/v1/identify", files=files(bears, sorted(bears.truth())[:51]))
    assert got.status_code == 202
    for _ in range(600):
        job = one.get(got.headers["location"]).json()
        if job["state"] != "running":
            break
    assert len(job["result"]["images"]) == 51
    name = files(bears, sorted(bears.truth())[:1])
    found = one.post("/v1/extract", files=name, data={"bbox": "10,10,100,80"}).json()
    assert found["embeddings_shape"] == [1, 48]
    assert found["bbox"] == [10, 10, 100, 80]
    assert one.post("/v1/extract", files=name, data={"bbox": "1,2"}).status_code == 422
    assert one.post("/v1/identify", content=b"x").status_code == 415
    said = one.post("/v1/identify?matching=no", files=files(bears, sorted(bears.truth())[:1]))
    assert (said.status_code, said.json()["where"]) == (422, "matching")
    assert (
        one.post("/v1/identify?matching=false", files=files(bears, sorted(bears.truth())[:1])).json()[
            "matching"
        ]
        is None
    )
    assert built.desk.gallery.state.digest() == digest


def test_schemathesis_finds_no_500(built: Built) -> None:
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    from hypothesis import HealthCheck, given, settings

    schema = schemathesis.openapi.from_asgi("/openapi.json", built.app, headers={"Host": HOST})
    asked: list[int] = []
    for found in schema.get_all_operations():

        @settings(max_examples=10, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=found.ok().as_strategy())
        def send(case: Any) -> None:
            answer = case.call(headers={**bearer(built, "write"), "Host": HOST})
            asked.append(answer.status_code)
            assert answer.status_code < 500, (case.path, answer.text)

        send()
    assert len(asked) > 60
    assert 200 in asked


def program(built: Built, role: str) -> TestClient:
    one = TestClient(built.app, base_url=ORIGIN)
    one.headers.update(bearer(built, role))
    return one


def uri(path: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()


def test_data_uris_are_answered_as_files_are(built: Built, bears: Bears) -> None:
    names, one = sorted(bears.truth())[:2], program(built, "read")
    sent = [{"image_uri": uri(bears.asked.parent / name), "name": name} for name in names]
    assert (
        one.post("/v1/identify", json={"photos": sent}).json()
        == one.post("/v1/identify", files=files(bears, names)).json()
    )
    found = one.post(
        "/v1/extract", json={"image_uri": sent[0]["image_uri"], "bbox": [10, 10, 100, 80]}
    ).json()
    again = one.post("/v1/extract", files=files(bears, names[:1]), data={"bbox": "10,10,100,80"}).json()
    assert found == again
    assert found["bbox"] == [10, 10, 100, 80]


def test_boxes_are_animals_of_their_own(built: Built, bears: Bears) -> None:
    names, one = sorted(bears.truth())[:2], program(built, "read")
    boxes = [[0, 0, 96, 192], [96, 0, 96, 192]]
    form = one.post(
        "/v1/identify", files=files(bears, names), data={"boxes": json.dumps({names[0]: boxes})}
    ).json()
    asked = [image["query"] for image in form["images"]]
    assert asked == [f"{names[0]}#0,0,96,192", f"{names[0]}#96,0,96,192", names[1]]
    sent = [{"image_uri": uri(bears.asked.parent / name), "name": name} for name in names]
    sent[0]["boxes"] = boxes  # type: ignore[assignment]
    assert one.post("/v1/identify", json={"photos": sent}).json() == form
    rows = pd.DataFrame({"image": [names[0], names[0], names[1]]})
    for side, values in zip(("left", "top", "width", "height"), zip(*boxes, strict=True), strict=True):
        rows[f"box_{side}"] = [*values, None]
    table = ("table", ("boxes.csv", rows.to_csv(index=False).encode(), "text/csv"))
    found = one.post("/v1/identify", files=[*files(bears, names), table]).json()
    assert [image["query"] for image in found["images"]] == asked
    assert [image["candidates"] for image in found["images"]] == [
        image["candidates"] for image in form["images"]
    ]


BOX = [0, 0, 10, 10]


@pytest.mark.parametrize(
    ("sent", "where"),
    [
        ([{"image_uri": "http://x/a.jpg"}], "photos[0]"),
        ([{"image_uri": "file:///etc/passwd"}], "photos[0]"),
        ([{"image_uri": "/etc/passwd"}], "photos[0]"),
        ([{"image_uri": "data:image/png;base64,%%%"}], "photos[0]"),
        ([{"image_uri": "data:text/csv;base64,eA=="}], "photos[0]"),
        (["http://x"], "photos[0]"),
        ([], "photos"),
        ([{"image_uri": "data:image/png;base64,eA==", "name": "../a.png"}], "../a.png"),
        ([{"image_uri": "data:image/png;base64,eA==", "name": "a.yaml"}], "a.yaml"),
        ([{"image_uri": "data:image/png;base64,eA==", "boxes": [[0, 0, 0, 9]]}], "boxes of photo-1.png"),
        ([{"image_uri": "data:image/png;base64,eA==", "boxes": [[0, 0, True, 9]]}], "boxes of photo-1.png"),
        ([{"image_uri": "data:image/png;base64,eA==", "boxes": [BOX] * 1001}], "boxes of photo-1.png"),
    ],
)
def test_what_cannot_be_taken_says_where(built: Built, sent: Any, where: str) -> None:
    refused = program(built, "read").post("/v1/identify", json={"photos": sent})
    assert refused.status_code == 422, refused.text
    assert refused.json()["where"] == where


def test_a_table_names_only_photos_that_came_with_it(built: Built, bears: Bears) -> None:
    one, names = program(built, "read"), sorted(bears.truth())[:2]
    for image in ("other.png", "../asked.csv", str(bears.asked.parent / names[1])):
        table = ("table", ("t.csv", f"image\n{image}\n".encode(), "text/csv"))
        refused = one.post("/v1/identify", files=[*files(bears, names[:1]), table])
        assert refused.status_code == 422
        assert image in refused.json()["what"]
    strange = {"boxes": json.dumps({"other.png": [BOX]})}
    assert one.post("/v1/identify", files=files(bears, names), data=strange).json()["where"] == "other.png"
    for name in ("t.csv", "../x.jpg"):
        bad = [("photos", (name, b"x", "image/jpeg"))]
        assert one.post("/v1/identify", files=bad).status_code == 422


def test_every_exporter_gives_a_zip_with_safe_places(built: Built) -> None:
    one = program(built, "read")
    forms = sorted(Registry().options("exporter"))
    assert len(forms) >= 7
    for form in forms:
        asked = f"/v1/export/{form}?occasion_days=30&timezone=UTC&species=Ursus%20arctos"
        asked += "&location_id=Katmai" if form == "wildbook" else ""
        got = one.get(asked)
        assert got.status_code == 200, (form, got.text)
        assert got.headers["content-type"] == "application/zip"
        with zipfile.ZipFile(io.BytesIO(got.content)) as inside:
            texts = {name: inside.read(name).decode() for name in inside.namelist()}
        assert "export.json" in texts
        assert json.loads(texts["export.json"])["photos"]["written"] == 24
        assert not [name for name, text in texts.items() if "58.12345" in text or "155.5432" in text], form
        assert not [name for name in texts if "private" in name]
        assert one.get(asked).content == got.content, form


def test_places_are_told_to_the_role_write_alone(built: Built) -> None:
    for asked in ("private=true", "station_names=true", "precision=3"):
        for role in ("read", "review"):
            refused = program(built, role).get(f"/v1/export/csv?occasion_days=30&{asked}")
            assert refused.status_code == 403
            assert "role write" in refused.json()["what"]
    told = program(built, "write").get(
        "/v1/export/camtrap-dp?occasion_days=30&timezone=UTC&species=Ursus%20arctos&private=true"
    )
    with zipfile.ZipFile(io.BytesIO(told.content)) as inside:
        assert any("58.12345" in inside.read(name).decode() for name in inside.namelist())


def test_an_export_that_cannot_be_says_why(built: Built) -> None:
    one = program(built, "write")
    for asked, words in {
        "nothing": "no exporter is named", "csv?occasion_days=0": "occasion_days", "csv?side=up": "side",
        "csv?nonsense=1": "nonsense", "csv?since=soon": "since", "csv?draws=1": "one draw",
        "csv?draws=5000": "draws", "csv?seed=1&seed=2": "twice", "csv?timezone=Nowhere": "Nowhere",
        "csv?spreadsheet=%5B": "YAML",
    }.items():  # fmt: skip
        refused = one.get(f"/v1/export/{asked}")
        assert refused.status_code == 422, (asked, refused.status_code)
        assert words in refused.json()["what"], (asked, refused.json())
    object.__setattr__(built.rest.beside, "deployments", None)
    assert "deployments" in one.get("/v1/export/csv").json()["cure"]
