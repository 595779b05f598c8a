"""Who may ask the desk: one host, one origin, a token in a header, and a page that may load nothing else."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from wildreid.errors import UserError
from wildreid.files import read_json, write_json

POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
COOKIE = "reid"
ROLES = ("read", "review", "write")
OPEN = ("/", "/health", "/openapi.json", "/static/desk.js", "/static/keys.js", "/static/desk.css")
"""What is answered to everybody: it holds nothing of a gallery but its digest."""


@dataclass
class Doors:
    """Who is let in.

    Attributes:
        token: of the printed address; empty where people have names and passwords.
        users: name → {"salt", "hash", "role"}, scrypt.
        tokens: for programs, {"name", "hash", "role"} each, SHA-256 of a random token.
        sessions: of browsers, by their cookie: name, token of the header, role.
    """

    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    users: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: list[dict[str, str]] = field(default_factory=list)
    sessions: dict[str, tuple[str, str, str]] = field(default_factory=dict)

    def enter(self, name: str, secret: str) -> tuple[str, str] | None:
        """A cookie and a token for a browser; None where the token or the password is wrong."""
        if self.users:
            user = self.users.get(name, {"salt": "", "hash": "", "role": "read"})
            right = hmac.compare_digest(scrypt(secret, user["salt"]), user["hash"])
            role = user["role"]
        else:
            right, role = hmac.compare_digest(secret.encode(), self.token.encode()), "write"
        if not right or not name.strip():
            return None
        cookie, token = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self.sessions[cookie] = (name.strip()[:80], token, role)
        return cookie, token

    def bearer(self, request: Request) -> tuple[str, str] | None:
        """Name and role of a program by its bearer token."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return None
        digest = hashlib.sha256(token.encode()).hexdigest()
        for one in self.tokens:
            if hmac.compare_digest(digest, one["hash"]):
                return one["name"], one["role"]
        return None


class Guard:
    """ASGI middleware: refuses what does not come from the desk's own page or a program with a token."""

    def __init__(self, app: Any, doors: Doors, hosts: set[str], *, secure: bool = False) -> None:
        self.app, self.doors, self.hosts, self.secure = app, doors, hosts, secure

    async def __call__(  # noqa: D102 ASGI's own
        self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Any
    ) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        refused = self._refuse(request)

        async def with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                kept = [(k, v) for k, v in message["headers"] if k not in (b"cache-control",)]
                message["headers"] = [*kept, *((k.lower().encode(), v.encode()) for k, v in HEADERS.items())]
            await send(message)

        await (refused or self.app)(scope, receive, with_headers)

    def _refuse(self, request: Request) -> Response | None:
        host = request.headers.get("host", "")
        if host not in self.hosts:
            return problem(400, "this server has another name", cure="open the address that was printed")
        if known := self.doors.bearer(request):
            request.scope["who"], request.scope["role"] = known
            return None
        session = self.doors.sessions.get(request.cookies.get(COOKIE, ""))
        if request.method not in ("GET", "HEAD"):
            origin = request.headers.get("origin")
            site = request.headers.get("sec-fetch-site", "same-origin")
            own = f"{'https' if self.secure else request.url.scheme}://{host}"
            if site != "same-origin" or origin != own:
                return problem(403, "this came from another page")
            if request.url.path == "/session":
                return None
            if session is None or not hmac.compare_digest(
                request.headers.get("x-reid-token", "").encode(), session[1].encode()
            ):
                return problem(403, "no token", cure="open the address that was printed")
        elif request.url.path in OPEN:
            return None
        if session is None:
            return problem(403, "no session", cure="open the address that was printed")
        request.scope["who"], request.scope["role"] = session[0], session[2]
        return None


def problem(status: int, what: str, **more: Any) -> JSONResponse:
    """An error as RFC 9457 has it, with our own ``what``, ``where`` and ``cure``."""
    said = {"type": "about:blank", "title": what, "status": status, "what": what, **more}
    return JSONResponse(said, status, media_type="application/problem+json")


def scrypt(secret: str, salt: str) -> str:
    """The hash of a password."""
    return hashlib.scrypt(secret.encode(), salt=salt.encode(), n=2**14, r=8, p=1).hex()


def read_users(path: Path) -> dict[str, dict[str, str]]:
    """Names, hashes and roles of a file that `add_user` wrote.

    Raises:
        UserError: it is no such file.
    """
    users = read_json(path)
    for name, user in users.items():
        if not isinstance(user, dict) or set(user) != {"salt", "hash", "role"} or user["role"] not in ROLES:
            raise UserError(
                f"'{name}' is no user", where=str(path), cure="make it with `reid review`, given `add_user`"
            )
    return users


def add_user(path: Path, name: str, secret: str, role: str) -> None:
    """Write a user with a password into a file that only its owner can read."""
    _check_role(role)
    if len(secret) < 10:
        raise UserError("a password has at least 10 characters")
    users = read_users(path) if path.is_file() else {}
    salt = secrets.token_hex(16)
    users[name] = {"salt": salt, "hash": scrypt(secret, salt), "role": role}
    write_json(path, users, lasting=True)
    os.chmod(path, 0o600)


def read_tokens(path: Path) -> list[dict[str, str]]:
    """Programs' tokens of a file that `add_token` wrote.

    Raises:
        UserError: it is no such file.
    """
    tokens = read_json(path).get("tokens")
    if not isinstance(tokens, list) or not all(
        isinstance(one, dict) and set(one) == {"name", "hash", "role"} and one["role"] in ROLES
        for one in tokens
    ):
        raise UserError(
            "this file holds no tokens", where=str(path), cure="make it with `reid serve`, given `add_token`"
        )
    return tokens


def add_token(path: Path, name: str, role: str) -> str:
    """Write a program's token into a file, as a hash, and return it; it is never to be seen again."""
    _check_role(role)
    tokens = read_tokens(path) if path.is_file() else []
    token = secrets.token_urlsafe(32)
    tokens.append({"name": name, "hash": hashlib.sha256(token.encode()).hexdigest(), "role": role})
    write_json(path, json.loads(json.dumps({"tokens": tokens})), lasting=True)
    os.chmod(path, 0o600)
    return token


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise UserError(f"there is no role '{role}'", cure=f"one of {', '.join(ROLES)}")
