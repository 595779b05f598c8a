"""The commands' own server: https, a second one, and what stops it from starting."""

from __future__ import annotations

import http.client
import json
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.core.review.doubled import doubled
from typer.testing import CliRunner

pytest.importorskip("uvicorn", reason="the extra review is not installed")

from wildreid.cli import app
from wildreid.errors import UserError
from wildreid.review.security import add_user
from wildreid.review.serving import Address


@contextmanager
def serving(*words: str | Path) -> Iterator[str]:
    """`reid review` in a process of its own; gives the address that it prints."""
    command = [sys.executable, "-m", "wildreid", "review", *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            assert line.startswith("open http"), line + process.stdout.read()
            yield line.split()[1]
        finally:
            process.kill()


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for this machine, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl to make a certificate with")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    subprocess.run([*made, "-out", certificate, "-keyout", key], check=True, capture_output=True)
    return certificate, key


def test_https_with_users(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    gallery, users = doubled(tmp_path / "g"), tmp_path / "users.json"
    add_user(users, "Ann", "correct horse", "review")
    certificate, key = pair
    with serving(gallery.folder, "--users", users, "--certificate", certificate, "--key", key) as address:
        assert address.startswith("https://")
        assert "#t=" not in address, "whoever has the address alone does not decide"
        host = urlsplit(address).netloc
        trusting = ssl.create_default_context(cafile=str(certificate))
        trusting.check_hostname = False
        line = http.client.HTTPSConnection(host, context=trusting, timeout=30)
        line.request("GET", "/")
        answer = line.getresponse()
        page = answer.read().decode()
        assert answer.status == 200
        assert "Who decides?" in page
        said = {"Origin": f"https://{host}", "Content-Type": "application/json"}
        line.request("POST", "/session", json.dumps({"name": "Ann", "secret": "correct horse"}), said)
        entered = line.getresponse()
        entered.read()
        assert entered.status == 200
        cookie = entered.headers["set-cookie"].lower()
        assert "secure" in cookie
        line.request("GET", "/api/task", headers={"Cookie": cookie.partition(";")[0]})
        assert line.getresponse().status in (200, 403)
        line.close()
        plain = http.client.HTTPConnection(host, timeout=10)
        plain.request("GET", "/")
        with pytest.raises((OSError, http.client.HTTPException)):
            plain.getresponse()
        plain.close()


def test_a_certificate_that_cannot_be_used_is_said_before_anything_starts(
    tmp_path: Path, pair: tuple[Path, Path]
) -> None:
    certificate, key = pair
    Address(certificate=certificate, key=key).check()
    with pytest.raises(UserError, match="cannot be used: No such file"):
        Address(certificate=tmp_path / "none.pem", key=key).check()
    with pytest.raises(UserError, match="cannot be used"):
        Address(certificate=key, key=certificate).check()
    with pytest.raises(UserError, match="needs its key"):
        Address(certificate=certificate).check()
    locked = tmp_path / "locked.pem"
    subprocess.run(["openssl", "rsa", "-aes128", "-passout", "pass:secret", "-in", key, "-out", locked],
                   check=True, capture_output=True)  # fmt: skip
    with pytest.raises(UserError, match="cannot be used"):
        Address(certificate=certificate, key=locked).check()


def test_a_second_server_is_refused_and_told_the_first(tmp_path: Path) -> None:
    gallery = doubled(tmp_path / "g")
    with serving(gallery.folder) as address:
        second = CliRunner().invoke(app, ["review", str(gallery.folder)]).exception
        assert isinstance(second, UserError)
        assert f"reviewed already: {address.partition('#')[0]}" in second.what
    with serving(gallery.folder) as again:  # the first was killed: nothing is left behind
        assert again.startswith("http://")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["no-photos"], "there is no photo, folder or table"),
        (["--gallery-photos", "no-folder"], "there is no folder"),
        (["--deployments", "no.csv"], "there is no file"),
        (["--host", "0.0.0.0"], "anybody could decide"),
    ],
)
def test_what_is_not_there_is_said_at_once(tmp_path: Path, words: list[str], said: str) -> None:
    gallery = doubled(tmp_path / "g")
    refused = CliRunner().invoke(app, ["review", str(gallery.folder), *words]).exception
    assert isinstance(refused, UserError)
    assert said in refused.what
