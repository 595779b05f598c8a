"""What programs may ask: the gallery, its individuals, who is on their photos, and the desk's questions."""

from __future__ import annotations

import asyncio
import tempfile
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from wildreid.data.images import read
from wildreid.errors import UserError
from wildreid.gallery.history import encounters
from wildreid.identification.opened import OpenGallery
from wildreid.identification.photos import look_at_arrays
from wildreid.review import openapi
from wildreid.review.desk import Conflict, Desk
from wildreid.review.security import problem
from wildreid.review.server import answered, body

PHOTOS, BYTES, WAITING = 50, 25 * 2**20, 64
"""Photos that are answered at once, bytes of one, and how many requests may wait for the model."""
MOST = 1000
"""Photos of one request."""


class Rest:
    """The routes under ``/v1``.

    Args:
        desk: of the same process: there is one writer.
        opened: gives the gallery with its model, loaded when it is first needed.
    """

    def __init__(self, desk: Desk, opened: Callable[[], OpenGallery]) -> None:
        self.desk, self.opened = desk, opened
        self.jobs: dict[str, dict[str, Any]] = {}
        self._model = threading.Lock()
        self._waiting = 0

    def routes(self) -> list[Route]:
        """All of them."""
        get = {
            "/v1/gallery": (self.gallery, "read"),
            "/v1/individuals": (self.individuals, "read"),
            "/v1/individuals/{name:path}": (self.individual, "read"),
            "/v1/jobs/{job}": (self.job, "read"),
            "/v1/tasks/next": (self.next, "review"),
            "/v1/agreement": (lambda request: self.desk.agreement(), "read"),
        }
        return [
            Route("/health", self.health),
            Route("/openapi.json", lambda request: JSONResponse(openapi.document())),
            *(Route(path, _get(act, role)) for path, (act, role) in get.items()),
            Route("/v1/identify", self.identify, methods=["POST"]),
            Route("/v1/extract", self.extract, methods=["POST"]),
            Route("/v1/tasks/{task}/decision", self.decide, methods=["POST"]),
            Route("/v1/undo", self.undo, methods=["POST"]),
        ]

    def health(self, request: Request) -> Response:
        """Whether it lives, what the gallery says, and whose embeddings it holds."""
        state = self.desk.gallery.state
        said = {"state": "ready", "digest": state.digest(), "model": state.manifest.model.name}
        return JSONResponse(said)

    def gallery(self, request: Request) -> dict[str, Any]:
        """What the gallery is."""
        state = self.desk.gallery.state
        return {
            "name": state.folder.absolute().name, "model": state.manifest.model.model_dump(),
            "individuals": len(state.individuals), "images": state.images, "changes": len(state.changes),
            "licence": state.manifest.licence, "calibrated": state.rule is not None,
        }  # fmt: skip

    def individuals(self, request: Request) -> dict[str, Any]:
        """A page of individuals by name; `cursor` is the last name of the page before."""
        state = self.desk.gallery.state
        try:
            limit = int(request.query_params.get("limit", "100"))
        except ValueError:
            limit = 0
        if not 1 <= limit <= 1000:
            raise UserError("limit is a whole number from 1 to 1000")
        cursor = request.query_params.get("cursor", "")
        names = [name for name in state.individuals if name > cursor]
        chosen = names[:limit]
        found = [
            {"individual": name, "images": int(state.sizes[code]), "encounters": int(state.encounters[code])}
            for name in chosen
            for code in [state.code(name)]
        ]
        return {"individuals": found, "cursor": chosen[-1] if len(names) > limit else None}

    def individual(self, request: Request) -> dict[str, Any] | Response:
        """One individual, with its encounters and the keys of its images."""
        state, name = self.desk.gallery.state, request.path_params["name"]
        if name not in state.individuals:
            return problem(404, f"no individual is named '{name}'")
        met = encounters(state)
        own = met[met["individual"] == name]
        times = own[["first", "last"]].astype("string").fillna("")
        return {
            "individual": name,
            "images": state.keys_of(name),
            "encounters": [
                {"encounter": one, "first": first, "last": last, "images": int(count)}
                for one, first, last, count in zip(
                    own["encounter"], times["first"], times["last"], own["images"], strict=True
                )
            ],
        }

    def job(self, request: Request) -> dict[str, Any] | Response:
        """How far a job is; its answer when it is done."""
        job = self.jobs.get(request.path_params["job"])
        return dict(job) if job else problem(404, "there is no such job")

    def next(self, request: Request) -> dict[str, Any]:
        """The next question, leased to who asks."""
        mode = request.query_params.get("mode")
        if mode not in (None, "identify", "compare"):
            raise UserError("mode is identify or compare")
        return self.desk.next(request.scope["who"], mode)

    async def decide(self, request: Request) -> Response:
        """One decision; ``If-Match`` is the revision of the question."""
        said = await body(request)
        said |= {
            "task": request.path_params["task"],
            "revision": request.headers.get("if-match", "").strip('"'),
        }
        who = request.scope["who"]
        return await run_in_threadpool(answered, request, "review", lambda: self.desk.decide(who, said))

    async def undo(self, request: Request) -> Response:
        """Take back a decision by its number, or one's own last."""
        said = await body(request)
        number = said.get("number")
        if number is not None and (not isinstance(number, int) or isinstance(number, bool)):
            return problem(422, "number is a whole number")
        together = said.get("together") is True
        return await run_in_threadpool(
            answered, request, "review",
            lambda: self.desk.undo(request.scope["who"], number, together=together),
        )  # fmt: skip

    async def identify(self, request: Request) -> Response:
        """Who is on some photos: the answers, or above `PHOTOS` of them the address of a job."""
        folder = tempfile.TemporaryDirectory(prefix="reid-")
        received = await self._received(request, Path(folder.name), MOST)
        if isinstance(received, Response):
            folder.cleanup()
            return received
        photos, _ = received

        def identified() -> dict[str, Any]:
            with folder, self._model:
                found = self.opened().identify([Path(folder.name) / name for name in photos])
            return found.as_dict()

        if len(photos) <= PHOTOS:
            return await self._in_turn(request, identified)
        number = uuid.uuid4().hex
        self.jobs[number] = {"job": number, "state": "running", "result": None, "problem": None}
        threading.Thread(target=self._work, args=(number, identified), daemon=True).start()
        return JSONResponse({"job": number}, 202, headers={"Location": f"/v1/jobs/{number}"})

    async def extract(self, request: Request) -> Response:
        """The embedding of one photo, or of the part of it in a box: what ml-service answers."""
        folder = tempfile.TemporaryDirectory(prefix="reid-")
        received = await self._received(request, Path(folder.name), 1)
        if isinstance(received, Response):
            folder.cleanup()
            return received
        photos, text = received
        try:
            sides = [float(side) for side in text.strip("[] ").split(",")] if text else []
            if len(sides) not in (0, 4) or (
                sides and not (min(sides[2:]) >= 1 and max(map(abs, sides)) < 1e6)
            ):
                raise ValueError
        except ValueError:
            folder.cleanup()
            return problem(422, "bbox is left, top, width and height in pixels", where="bbox")

        def extracted() -> dict[str, Any]:
            with folder, self._model:
                model = self.opened().model
                box = (sides[0], sides[1], sides[2], sides[3]) if sides else None
                images = model.images
                pixels = read(
                    Path(folder.name) / photos[0], box=box, margin=images.margin, max_pixels=images.max_pixels
                )
                looked = look_at_arrays([pixels], images)
                vector = model.embed(looked.images, looked.usable.nonzero()[0])
            return {
                "model_id": model.mark.name, "embeddings": vector.tolist(), "embeddings_shape": list(vector.shape),
                "bbox": sides or [0, 0, pixels.shape[1], pixels.shape[0]], "theta": 0.0,
            }  # fmt: skip

        return await self._in_turn(request, extracted)

    async def _in_turn(self, request: Request, work: Callable[[], Any]) -> Response:
        """One at a time for the model; those who would wait too long are told to come back."""
        if self._waiting >= WAITING:
            out = problem(429, "too many requests wait for the model")
            out.headers["Retry-After"] = "5"
            return out
        self._waiting += 1
        try:
            return await asyncio.shield(run_in_threadpool(answered, request, "read", work))
        finally:
            self._waiting -= 1

    def _work(self, number: str, work: Callable[[], Any]) -> None:
        try:
            self.jobs[number] |= {"state": "done", "result": work()}
        except (UserError, OSError, Conflict) as error:
            self.jobs[number] |= {"state": "failed", "problem": str(error)}

    async def _received(self, request: Request, folder: Path, most: int) -> tuple[list[str], str] | Response:
        """The photos of a form, in a folder under their own names, and its field ``bbox``."""
        length = request.headers.get("content-length", "0")
        if not length.isdigit() or int(length) > most * BYTES:
            return problem(413, f"a photo has at most {BYTES // 2**20} MB")
        kind = request.headers.get("content-type", "").partition(";")[0]
        if kind != "multipart/form-data":
            return problem(415, "photos come as multipart/form-data, in fields named photos")
        try:
            async with request.form(max_files=most + 1, max_fields=10) as form:
                given, bbox = form.getlist("photos"), form.get("bbox")
                photos = [one for one in given if isinstance(one, UploadFile)]
                if not photos or len(photos) != len(given) or len(photos) > most:
                    return problem(
                        422, f"1 to {most} files in fields named photos are wanted", where="photos"
                    )
                names: list[str] = []
                for one in photos:
                    if refused := await _kept(one, folder, names):
                        return refused
                return names, bbox if isinstance(bbox, str) else ""
        except (HTTPException, MultiPartException, UnicodeDecodeError, ValueError, KeyError):
            return problem(422, "this is no form with files")


async def _kept(one: UploadFile, folder: Path, names: list[str]) -> Response | None:
    """Put one photo into the folder; says why not where it is too large or has no name of its own."""
    name = one.filename or ""
    data = await one.read(BYTES + 1)
    if len(data) > BYTES:
        return problem(413, f"a photo has at most {BYTES // 2**20} MB", where=name[:200])
    if not name.isprintable() or Path(name).name != name or name in names or len(name.encode()) > 200:
        return problem(422, "each photo needs a plain file name of its own", where=name[:200])
    (folder / name).write_bytes(data)
    names.append(name)
    return None


def _get(act: Callable[[Request], Any], role: str) -> Any:
    return lambda request: answered(request, role, lambda: act(request))
