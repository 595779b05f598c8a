"""What the server answers to whom: the specification's six requests, pictures, users, and programs."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest
from PIL import Image
from tests.core.review.conftest import HOST
from tests.core.review.drawn import Bears, draw_bears

pytest.importorskip("starlette", reason="the extra review is not installed")
pytest.importorskip("httpx", reason="httpx is not installed")

from starlette.testclient import TestClient

from wildreid.errors import UserError
from wildreid.gallery import thumbnails
from wildreid.gallery.store import Gallery
from wildreid.review.beside import Beside
from wildreid.review.building import Built
from wildreid.review.desk import Desk
from wildreid.review.pictures import Pictures
from wildreid.review.security import add_user
from wildreid.review.serving import Address

ORIGIN = f"http://{HOST}"


@pytest.fixture
def client(built: Built) -> TestClient:
    """A browser that has opened the printed address."""
    one = TestClient(built.app, base_url=ORIGIN)
    entered = one.post(
        "/session", json={"name": "Ann", "secret": built.doors.token}, headers={"Origin": ORIGIN}
    )
    assert entered.status_code == 200
    cookie = entered.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    one.headers["X-Reid-Token"] = entered.json()["token"]
    return one


def test_the_six_requests(built: Built, client: TestClient) -> None:
    def post(**headers: str) -> int:
        return client.post("/api/lease", json={"lease": "x"}, headers=headers).status_code

    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400
    assert TestClient(built.app, base_url=ORIGIN).get("/api/task").status_code == 403
    assert post(Origin=ORIGIN, **{"X-Reid-Token": ""}) == 403
    assert post(Origin=ORIGIN, **{"Sec-Fetch-Site": "cross-site"}) == 403
    assert post(Origin="null") == 403
    assert post(Origin="http://127.0.0.1:9") == 403
    assert client.post("/api/lease", json={}).status_code == 403, "no origin at all"
    assert client.get("/").status_code == client.get("/api/task").status_code == 200
    assert post(Origin=ORIGIN, **{"Sec-Fetch-Site": "same-origin"}) == 200


def test_headers_and_the_page_holds_no_script_of_its_own(client: TestClient) -> None:
    page = client.get("/")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "style=" not in page.text
    assert page.text.count("<script") == 1
    assert "access-control-allow-origin" not in page.headers


def test_a_wrong_token_opens_no_session(built: Built) -> None:
    one = TestClient(built.app, base_url=ORIGIN)
    refused = one.post("/session", json={"name": "Eve", "secret": "x"}, headers={"Origin": ORIGIN})
    assert refused.status_code == 403
    assert "set-cookie" not in refused.headers


def test_pictures_by_key_alone(built: Built, client: TestClient, bears: Bears) -> None:
    view = client.get("/api/task").json()
    mine, theirs = view["photos"][0]["key"], view["candidates"][0]["photos"][0]["key"]
    for path in (f"/pictures/{mine}", f"/pictures/{mine}?frame", f"/pictures/{theirs}"):
        got = client.get(path)
        assert got.status_code == 200
        with Image.open(io.BytesIO(got.content)) as image:
            assert image.format == "JPEG"
            assert not image.getexif()
    for bad in (
        "../gallery.json",
        "..%2fgallery.json",
        "%2e%2e%2fgallery.json",
        "0" * 32,
        str(bears.asked),
        "x",
    ):
        assert client.get(f"/pictures/{bad}").status_code == 404
    assert TestClient(built.app, base_url=ORIGIN).get(f"/pictures/{mine}").status_code == 403
    assert client.get("/static/").status_code in (403, 404)


def test_a_key_of_another_gallery_gets_no_picture(client: TestClient, tmp_path: Path) -> None:
    other = draw_bears(tmp_path / "others", known=2, new=0, encounters=1, seed=6)
    keys = Gallery(other.folder).state.keys_of("bear 0")
    assert all(thumbnails.place(other.folder, key).is_file() for key in keys)
    for key in keys:
        for path in (f"/pictures/{key}", f"/pictures/{key}?frame", f"/pictures/{key}?small"):
            assert client.get(path).status_code == 404


def width(client: TestClient, path: str) -> int:
    got = client.get(path)
    if got.status_code == 404:
        return 0
    with Image.open(io.BytesIO(got.content)) as image:
        return image.width


def test_pictures_of_the_gallery_come_from_its_photos_where_they_are_what_they_were(
    built: Built, client: TestClient, bears: Bears, tmp_path: Path
) -> None:
    state = built.desk.gallery.state
    row = state.rows.iloc[0]
    key, photos = row["key"], tmp_path / "photos"
    shutil.copytree(bears.asked.parent, photos)
    shown = Pictures(built.desk.gallery, Beside(photos))
    sizes = [
        Image.open(io.BytesIO(shown.of(key, form) or b"")).width for form in ("animal", "small", "frame")
    ]
    assert sizes == [192, 160, 192]
    assert width(client, f"/pictures/{key}") == 192
    shutil.copy(photos / state.rows["image"].iloc[1], photos / row["image"])  # another photo of that name
    shown = Pictures(built.desk.gallery, Beside(photos))
    assert Image.open(io.BytesIO(shown.of(key) or b"")).width == 160
    assert shown.of(key, "frame") is None
    (photos / row["image"]).unlink()
    assert Image.open(io.BytesIO(Pictures(built.desk.gallery, Beside(photos)).of(key) or b"")).width == 160
    bare = Pictures(built.desk.gallery)
    assert Image.open(io.BytesIO(bare.of(key) or b"")).width == 160
    assert bare.of(key, "frame") is None


def test_a_gallery_that_names_files_elsewhere_gets_them_not(bears: Bears, tmp_path: Path) -> None:
    gallery = Gallery(bears.folder)
    secret = bears.asked.parent / gallery.state.rows["image"].iloc[0]
    inside = tmp_path / "inside"
    inside.mkdir()
    for path in (f"../{secret.name}", str(secret)):
        shutil.copy(secret, tmp_path / secret.name)
        gallery.state.rows.loc[0, "image"] = path
        assert Pictures(gallery, Beside(inside)).of(gallery.state.rows["key"].iloc[0], "frame") is None


def test_a_private_photo_is_shown_in_its_box_alone(bears: Bears) -> None:
    gallery, photos = Gallery(bears.folder), bears.asked.parent
    key = gallery.state.rows["key"].iloc[0]
    gallery.state.rows["private"] = True
    shown = Pictures(gallery, Beside(photos))
    assert shown.of(key, "frame") is None
    assert Image.open(io.BytesIO(shown.of(key) or b"")).width == 160, "no box: no more than the thumbnail"


def test_a_photo_that_is_gone_meanwhile(built: Built, client: TestClient, tmp_path: Path) -> None:
    view = client.get("/api/task").json()
    table = built.pictures.newcomers.found.table  # type: ignore[union-attr]
    object.__setattr__(table, "root", tmp_path)
    assert client.get(f"/pictures/{view['photos'][0]['key']}").status_code == 404
    said = {"task": view["lease"], "revision": view["revision"], "decision": "cannot-tell"}
    assert client.post("/api/decide", json=said, headers={"Origin": ORIGIN}).status_code == 200


def test_a_decision_undo_and_conflict(client: TestClient) -> None:
    def post(path: str, said: dict) -> tuple[int, dict]:
        got = client.post(path, json=said, headers={"Origin": ORIGIN})
        return got.status_code, got.json()

    view = client.get("/api/task").json()
    said = {"task": view["lease"], "revision": view["revision"], "decision": "same",
            "candidate": view["candidates"][0]["id"], "client": "w:1"}  # fmt: skip
    assert post("/api/decide", {**said, "revision": "old"})[0] == 409
    assert post("/api/decide", {**said, "decision": "perhaps"})[0] == 422
    assert post("/api/decide", said) == (200, {"number": 1, "said": view["candidates"][0]["name"]})
    assert post("/api/decide", said)[1]["number"] == 1
    assert post("/api/undo", {})[1]["undone"] == [1]
    status, refused = post("/api/undo", {})
    assert status == 422
    assert "nothing to undo" in refused["what"]
    for nonsense in ("[1]", "{", "9" * 70_000):
        got = client.post("/api/decide", content=nonsense, headers={"Origin": ORIGIN})
        assert got.status_code == 409


def test_a_full_disk_is_told_to_the_browser(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    view = client.get("/api/task").json()
    said = {"task": view["lease"], "revision": view["revision"], "decision": "cannot-tell"}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("wildreid.review.journal.append", full)
        told = client.post("/api/decide", json=said, headers={"Origin": ORIGIN})
    assert told.status_code == 507
    assert told.headers["content-type"] == "application/problem+json"
    assert "make space" in told.json()["cure"]
    assert client.get("/api/said").json()["decided"] == 0
    assert client.post("/api/decide", json=said, headers={"Origin": ORIGIN}).json()["number"] == 1


def test_beyond_this_machine_only_with_users_and_https(tmp_path: Path) -> None:
    users = tmp_path / "users.json"
    for address in (
        Address("0.0.0.0"),
        Address(behind_proxy="x.org"),
        Address("0.0.0.0", users=users),
    ):
        with pytest.raises(UserError, match="other machines"):
            address.check()
    for address in (Address(), Address("::1"), Address("0.0.0.0", users=users, behind_proxy="x.org")):
        address.check()


def test_users_and_roles(bears: Bears, tmp_path: Path) -> None:
    users = tmp_path / "users.json"
    add_user(users, "Ann", "correct horse", "review")
    add_user(users, "Rob", "battery staple", "read")
    assert "horse" not in users.read_text()
    with pytest.raises(UserError, match="10 characters"):
        add_user(users, "Eve", "short", "read")
    desk = Desk(Gallery(bears.folder))
    built = Built(desk, bears.folder, Address(users=users), name=HOST)
    status = {}
    for name, secret in (
        ("Ann", "correct horse"),
        ("Ann", "battery staple"),
        ("Eve", ""),
        ("Rob", "battery staple"),
    ):
        one = TestClient(built.app, base_url=ORIGIN)
        got = one.post("/session", json={"name": name, "secret": secret}, headers={"Origin": ORIGIN})
        status[name, secret] = got.status_code, one.get("/api/task").status_code
    assert status == {("Ann", "correct horse"): (200, 200), ("Ann", "battery staple"): (403, 403),
                      ("Eve", ""): (403, 403), ("Rob", "battery staple"): (200, 403)}  # fmt: skip
    desk.close()
