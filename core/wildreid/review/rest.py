"""What programs may ask: the gallery, its individuals, who is on their photos, and the desk's questions."""

from __future__ import annotations

import asyncio
import tempfile
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from wildreid.data.images import read
from wildreid.errors import UserError
from wildreid.gallery.history import encounters
from wildreid.review import openapi
from wildreid.review.beside import Beside
from wildreid.review.desk import Conflict, Desk
from wildreid.review.exporting import exported, wanted
from wildreid.review.received import Received, Refused, received
from wildreid.review.security import problem
from wildreid.review.server import answered, body

if TYPE_CHECKING:
    from wildreid.identification.opened import OpenGallery

PHOTOS, MOST = 50, 1000
"""Photos that are answered at once, and photos of one request."""
WAITING, JOBS = 64, 100
"""How many requests may wait for the model, and how many finished jobs are remembered."""


class Rest:
    """The routes under ``/v1``.

    Args:
        desk: of the same process: there is one writer.
        opened: gives the gallery with its model, loaded when it is first needed.
        beside: what exports need.
    """

    def __init__(self, desk: Desk, opened: Callable[[], OpenGallery], beside: Beside | None = None) -> None:
        self.desk, self.opened, self.beside = desk, opened, beside or Beside()
        self.jobs: dict[str, dict[str, Any]] = {}
        self._model, self._exporting = threading.Lock(), threading.Lock()
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
            "/v1/export/{form}": (self.export, "read"),
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
        matching = request.query_params.get("matching", "true")
        if matching not in ("true", "false"):
            return problem(422, "matching is true or false", where="matching")
        came = await _received(request, MOST)
        if isinstance(came, Response):
            return came
        folder, photos = came

        def identified() -> dict[str, Any]:
            with folder, self._model:
                return self.opened().identify(photos.asked(), matching=matching == "true").as_dict()

        if len(photos.photos) <= PHOTOS:
            return await self._in_turn(request, identified)
        number = uuid.uuid4().hex
        for old in [key for key, job in self.jobs.items() if job["state"] != "running"][:-JOBS]:
            del self.jobs[old]
        self.jobs[number] = {"job": number, "state": "running", "result": None, "problem": None}
        threading.Thread(target=self._work, args=(number, identified), daemon=True).start()
        return JSONResponse({"job": number}, 202, headers={"Location": f"/v1/jobs/{number}"})

    async def extract(self, request: Request) -> Response:
        """The embedding of one photo, or of the part of it in a box: what ml-service answers."""
        came = await _received(request, 1)
        if isinstance(came, Response):
            return came
        folder, photos = came
        boxes = photos.boxes.get(photos.photos[0], [])
        if len(boxes) > 1 or photos.table:
            return problem(422, "one photo with at most one box is wanted", where="bbox")

        def extracted() -> dict[str, Any]:
            from wildreid.identification.looking import look_at_arrays  # the network library takes seconds

            with folder, self._model:
                model, box = self.opened().model, boxes[0] if boxes else None
                images = model.images
                pixels = read(
                    photos.folder / photos.photos[0],
                    box=box,
                    margin=images.margin,
                    max_pixels=images.max_pixels,
                )
                looked = look_at_arrays([pixels], images, foreground=model.foreground, device=model.device)
                vector = model.embed(looked.images, looked.usable.nonzero()[0])
            return {
                "model_id": model.mark.name, "embeddings": vector.tolist(), "embeddings_shape": list(vector.shape),
                "bbox": list(box or (0, 0, pixels.shape[1], pixels.shape[0])), "theta": 0.0,
            }  # fmt: skip

        return await self._in_turn(request, extracted)

    def export(self, request: Request) -> Response:
        """The gallery as a survey in the form of another program, as a zip; nobody else's places are told."""
        form = request.path_params["form"]
        asked = wanted(form, request.query_params.multi_items())
        if asked.tells and request.scope["role"] != "write":
            return problem(403, f"{asked.tells} tells where animals live, and takes the role write")
        with self._exporting:
            data = exported(self.desk.gallery.state, self.beside, asked)
        name = {"Content-Disposition": f'attachment; filename="{form}.zip"'}
        return Response(data, media_type="application/zip", headers=name)

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


async def _received(
    request: Request, most: int
) -> tuple[tempfile.TemporaryDirectory[str], Received] | Response:
    """What was sent and the folder that holds it, or what is wrong with it."""
    folder = tempfile.TemporaryDirectory(prefix="reid-")
    try:
        return folder, await received(request, Path(folder.name), most)
    except Refused as error:
        folder.cleanup()
        return problem(error.status, error.what, where=error.where)


def _get(act: Callable[[Request], Any], role: str) -> Any:
    return lambda request: answered(request, role, lambda: act(request))
