"""What the server answers to whom: the specification's six requests, pictures, users, and programs."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.core.review.drawn import Bears

pytest.importorskip("starlette", reason="the extra review is not installed")
pytest.importorskip("httpx", reason="httpx is not installed")

from starlette.testclient import TestClient

from wildreid.errors import UserError
from wildreid.gallery.store import Gallery
from wildreid.review.building import Built
from wildreid.review.desk import Desk
from wildreid.review.security import add_token, add_user
from wildreid.review.serving import Address, prepare
from wildreid.review.settings import Settings

HOST = "127.0.0.1:8000"
ORIGIN = f"http://{HOST}"


@pytest.fixture
def built(bears: Bears, tmp_path: Path) -> Iterator[Built]:
    """A desk with programs that may read, review and write."""
    tokens = tmp_path / "tokens.json"
    made = {role: add_token(tokens, f"a {role}er", role) for role in ("read", "review", "write")}
    desk = Desk(Gallery(bears.folder), Settings(audit=1.0))
    found = Built(desk, bears.folder, Address(tokens=tokens), name=HOST)
    found.made = made  # type: ignore[attr-defined]
    prepare(found, [bears.asked], None)
    assert desk.preparing == ""
    yield found
    desk.close()


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


def test_beyond_this_machine_only_with_users_and_https(tmp_path: Path) -> None:
    users = tmp_path / "users.json"
    for address in (
        Address("0.0.0.0"),
        Address("0.0.0.0", certificate=users, key=users),
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
    bad = [("photos", ("../x.jpg", b"x", "image/jpeg"))]
    assert one.post("/v1/identify", files=bad).status_code in (200, 422)
    assert one.post("/v1/identify", json={"photos": ["http://x"]}).status_code == 415
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
