"""The desk as a web application: one page, its script, pictures by key, and what the script asks."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from wildreid.errors import UserError
from wildreid.gallery.journal import author
from wildreid.review import deciding, journal
from wildreid.review.acts import ACTS
from wildreid.review.desk import Conflict, Desk
from wildreid.review.pictures import Pictures
from wildreid.review.security import COOKIE, ROLES, Doors, Guard, problem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PAGE = Path(__file__).with_name("page")
BODY = 2**16
"""Bytes that a decision has at most."""
PATIENCE = 0.05
"""Seconds to wait for a decision to reach the gallery before the next question is made."""


def application(
    desk: Desk,
    pictures: Pictures,
    doors: Doors,
    *,
    hosts: set[str],
    secure: bool = False,
    more: list[Route] | None = None,
) -> Starlette:
    """Everything that a browser may ask.

    Args:
        desk: who answers.
        pictures: what is shown.
        doors: who is let in.
        hosts: the names, with their port, under which this server is asked.
        secure: it is reached by https, behind a proxy or by itself.
        more: routes for programs.
    """

    def page(request: Request) -> Response:
        return HTMLResponse(_page(desk, larger=pictures.photos is not None))

    async def session(request: Request) -> Response:
        said = await body(request)
        name = str(said.get("name") or "") or ("" if doors.users else author())
        entered = await run_in_threadpool(doors.enter, name, str(said.get("secret") or ""))
        if entered is None:
            return problem(
                403, "the token or the password is wrong", cure="open the address that was printed"
            )
        cookie, token = entered
        out = JSONResponse({"token": token, "name": doors.sessions[cookie][0]})
        out.set_cookie(COOKIE, cookie, httponly=True, samesite="strict", secure=secure, path="/")
        return out

    def task(request: Request) -> dict[str, Any]:
        desk.settle(PATIENCE)
        asked = request.query_params
        mode = asked.get("mode") if asked.get("mode") in ("identify", "compare") else None
        return desk.next(request.scope["who"], mode, not_task=asked.get("after", ""))

    def names(request: Request) -> dict[str, Any]:
        state, wanted = desk.gallery.state, request.query_params.get("q", "").casefold()
        found = [name for name in state.individuals if wanted in name.casefold()][:20]
        return {"names": [{"id": state.keys_of(name)[0], "name": name} for name in found]}

    def explained(request: Request) -> dict[str, Any]:
        pair = request.query_params.get("a", ""), request.query_params.get("b", "")
        return desk.explained(request.scope["who"], pair)

    def picture(request: Request) -> Response:
        key, wanted = request.path_params["key"], request.query_params
        made = pictures.of(key, "frame" if "frame" in wanted else "small" if "small" in wanted else "animal")
        return Response(made, media_type="image/jpeg") if made else problem(404, "there is no such picture")

    routes = [
        Route("/", page),
        Route("/session", session, methods=["POST"]),
        *(Route(f"/static/{name}", _file(name)) for name in ("desk.js", "keys.js", "desk.css")),
        Route("/pictures/{key}", _safe(picture, "read")),
        Route("/api/task", _asked(task, "review")),
        Route("/api/names", _asked(names, "read")),
        Route("/api/explain", _asked(explained, "read")),
        Route("/api/agreement", _asked(lambda request: desk.agreement(), "read")),
        Route("/api/said", _asked(lambda request: {**desk.said(), "preparing": desk.preparing}, "read")),
        *_acts(desk),
        *(more or ()),
    ]

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(desk.close)

    guard = Middleware(Guard, doors=doors, hosts=hosts, secure=secure)
    return Starlette(routes=routes, middleware=[guard], lifespan=lifespan)


def _acts(desk: Desk) -> list[Route]:
    """What changes something: told as JSON."""

    def undo(who: str, said: dict[str, Any]) -> dict[str, Any]:
        number = said.get("number")
        return desk.undo(
            who, number if isinstance(number, int) else None, together=said.get("together") is True
        )

    def renew(who: str, said: dict[str, Any]) -> dict[str, Any]:
        return {"held": desk.renew(who, str(said.get("lease")))}

    def see(who: str, said: dict[str, Any]) -> dict[str, Any]:
        return desk.see(who, *(str(said.get(name)) for name in ("task", "key", "side")))

    def carry_out(who: str, said: dict[str, Any]) -> dict[str, Any]:
        return {"waiting": list(desk.apply().values())}

    return [
        Route("/api/decide", told(desk.decide, "review"), methods=["POST"]),
        Route("/api/undo", told(undo, "review"), methods=["POST"]),
        Route("/api/lease", told(renew, "review"), methods=["POST"]),
        Route("/api/side", told(see, "review"), methods=["POST"]),
        Route("/api/apply", told(carry_out, "write"), methods=["POST"]),
    ]


async def body(request: Request) -> dict[str, Any]:
    """The JSON mapping that was sent; empty where it is none."""
    text = b""
    async for part in request.stream():
        text += part
        if len(text) > BODY:
            return {}
    try:
        said = json.loads(text or b"{}")
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def told(act: Callable[[str, dict[str, Any]], dict[str, Any]], role: str) -> Any:
    """An endpoint that takes JSON and changes something."""

    async def endpoint(request: Request) -> Response:
        said = await body(request)
        return await run_in_threadpool(answered, request, role, lambda: act(request.scope["who"], said))

    return endpoint


def _asked(act: Callable[[Request], dict[str, Any]], role: str) -> Any:
    return _safe(lambda request: JSONResponse(act(request)), role)


def _safe(act: Callable[[Request], Response], role: str) -> Any:
    def endpoint(request: Request) -> Response:
        return answered(request, role, lambda: act(request))

    return endpoint


def answered(request: Request, role: str, act: Callable[[], Any]) -> Response:
    """What an action returns, or why not: 403, 409, 422, and 507 where the disk is full."""
    if ROLES.index(request.scope["role"]) < ROLES.index(role):
        return problem(403, f"this takes the role {role}, and yours is {request.scope['role']}")
    try:
        found = act()
    except Conflict as error:
        return problem(409, error.what, **error.more)
    except UserError as error:
        full = error.what.startswith(("the decision is not written down", "cannot be written"))
        return problem(507 if full else 422, error.what, where=error.where, cure=error.cure)
    return found if isinstance(found, Response) else JSONResponse(found)


def _file(name: str) -> Any:
    kind = {"js": "text/javascript", "css": "text/css"}[name.rpartition(".")[2]]
    return lambda request: FileResponse(PAGE / name, media_type=kind)


def _page(desk: Desk, *, larger: bool) -> str:
    import jinja2

    state = desk.gallery.state
    loader = jinja2.FileSystemLoader(PAGE)
    made = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    return made.get_template("desk.html").render(
        acts=ACTS, reasons=journal.REASONS, sides=deciding.SIDES, settings=desk.settings,
        larger=larger, stamp=state.manifest.provenance.get("stamp", ""),
    )  # fmt: skip
