"""The OpenAPI document of what programs may ask."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from wildreid.review.exporting import parameters
from wildreid.review.journal import DECISIONS, REASONS

_OBJECT: dict[str, Any] = {"type": "object"}
_TEXT: dict[str, Any] = {"type": "string"}
_PHOTOS: dict[str, Any] = {
    "type": "array",
    "minItems": 1,
    "items": {"type": "string", "contentMediaType": "image/jpeg"},
}
_DECISION: dict[str, Any] = {
    "type": "object",
    "required": ["decision"],
    "properties": {
        "decision": {"enum": list(DECISIONS)},
        "candidate": {"type": ["string", "null"], "description": "the id of a candidate"},
        "name": {"type": ["string", "null"], "description": "of a new individual"},
        "reason": {"enum": [None, *REASONS]},
        "ms": {"type": ["integer", "null"], "minimum": 0, "maximum": 10**9},
        "confidence": {"enum": [None, 1, 2, 3, 4]},
        "client": {"type": ["string", "null"], "description": "sent twice, it is one decision"},
    },
}
_UNDO: dict[str, Any] = {
    "type": "object",
    "properties": {"number": {"type": ["integer", "null"]}, "together": {"type": "boolean"}},
}
_LIMIT: dict[str, Any] = {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}
_BOX: dict[str, Any] = {"type": "array", "minItems": 4, "maxItems": 4, "items": {"type": "number"}}
_URI: dict[str, Any] = {"type": "string", "pattern": "^data:image/(jpeg|png|webp|tiff|bmp);base64,"}
_SENT: dict[str, Any] = {
    "type": "object", "required": ["image_uri"],
    "properties": {
        "image_uri": _URI, "name": _TEXT,
        "boxes": {"type": "array", "items": _BOX, "description": "left, top, width, height in pixels"},
    },
}  # fmt: skip
_SEVERAL: dict[str, Any] = {
    "type": "object", "required": ["photos"],
    "properties": {"photos": {"type": "array", "minItems": 1, "items": _SENT}},
}  # fmt: skip
_ONE: dict[str, Any] = {
    "type": "object", "required": ["image_uri"], "properties": {"image_uri": _URI, "bbox": _BOX},
}  # fmt: skip
_TABLE: dict[str, Any] = {
    "type": "string", "contentMediaType": "text/csv",
    "description": "one row for each animal, as for reid identify",
}  # fmt: skip
_BOXES_BY_NAME: dict[str, Any] = {
    "type": "string", "description": "JSON: by the photo's name its boxes, each left, top, width, height",
}  # fmt: skip


def document() -> dict[str, Any]:
    """OpenAPI 3.1, as plain data."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "wildreid: one gallery and its desk", "version": version("wildreid")},
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                "Problem": {
                    "type": "object",
                    "required": ["title", "status", "what"],
                    "properties": {
                        "title": _TEXT, "status": {"type": "integer"}, "what": _TEXT, "where": _TEXT, "cure": _TEXT,
                    },
                }
            },
        },
        "security": [{"token": []}],
        "paths": _paths(),
    }  # fmt: skip


def _paths() -> dict[str, Any]:
    return {
        "/health": {"get": {**_says("Whether it lives"), "security": []}},
        "/v1/gallery": {"get": _says("What the gallery is")},
        "/v1/individuals": {
            "get": _says("A page of individuals", parameters=[_query("cursor", _TEXT), _query("limit", _LIMIT)])
        },
        "/v1/individuals/{name}": {"get": _says("One individual", 404, parameters=[_path("name")])},
        "/v1/identify": {
            "post": _says(
                "Who is on these photos; above 50 a job", 202, 413, 415, 429,
                parameters=[_query("matching", {"type": "boolean", "default": True})],
                form={"photos": _PHOTOS, "table": _TABLE, "boxes": _BOXES_BY_NAME}, json=_SEVERAL,
            )
        },
        "/v1/extract": {
            "post": _says(
                "The embedding of one photo", 413, 415, 429, form={"photos": _PHOTOS, "bbox": _TEXT}, json=_ONE
            )
        },
        "/v1/jobs/{job}": {"get": _says("How far a job is", 404, parameters=[_path("job")])},
        "/v1/tasks/next": {
            "get": _says("The next question", parameters=[_query("mode", {"enum": ["identify", "compare"]})])
        },
        "/v1/tasks/{task}/decision": {
            "post": _says(
                "Decide", 409, 507, parameters=[_path("task"), {**_query("If-Match", _TEXT), "in": "header"}],
                json=_DECISION,
            )
        },
        "/v1/undo": {"post": _says("Take back a decision", 409, 507, json=_UNDO)},
        "/v1/agreement": {"get": _says("How far two people agree")},
        "/v1/export/{form}": {"get": _export()},
    }  # fmt: skip


def _query(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _says(
    words: str,
    *others: int,
    parameters: list[dict[str, Any]] | None = None,
    form: dict[str, Any] | None = None,
    json: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """An operation: what it is for, what it takes, and the problems it may answer."""
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    answers: dict[str, Any] = {
        "200": {"description": words, "content": {"application/json": {"schema": _OBJECT}}}
    }
    for status in (400, 403, 404, 422, *others):
        answers[str(status)] = {"description": "a problem", "content": problem}
    if 202 in others:
        job = {"application/json": {"schema": _OBJECT}}
        answers["202"] = {"description": "a job", "content": job}
    said: dict[str, Any] = {"summary": words, "responses": answers, "parameters": parameters or []}
    if form is not None:
        schema = {"type": "object", "required": ["photos"], "properties": form}
        said["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    if json is not None:
        body = said.setdefault("requestBody", {"required": True, "content": {}})
        body["content"]["application/json"] = {"schema": json}
    return said


def _export() -> dict[str, Any]:
    asked = [_query(name, schema) for name, schema in parameters().items()]
    said = _says(
        "The gallery as a survey for another program; fields of the exporter may be asked for too",
        parameters=[_path("form"), *asked],
    )
    said["responses"]["200"]["content"] = {"application/zip": {}}
    return said
