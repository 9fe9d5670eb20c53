"""What is wrong with a request, as RFC 9457 has it: a document of the type ``application/problem+json``.

Everything that goes wrong leaves the API in this form, with the id of the request. No document holds a stack trace, or
what another service said: that is for the log.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from lake.errors import LakeError, ServiceError

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
URN = "urn:shoplake:problem:"
SHOWN = 200
"""Characters of a value that a document repeats."""

MOST_ERRORS = 20
RETRY_SECONDS = 2


class Wrong(BaseModel):
    """A part of a request that is not as it should be."""

    model_config = ConfigDict(title="FieldError")

    field: str = Field(description="which part: path, query, header or body, and the name in it", examples=["query.by"])
    value: str | None = Field(None, description="what stood there, shortened", examples=["categry"])
    message: str = Field(description="what is wrong with it", examples=["metric revenue has no dimension 'categry'"])
    allowed: list[str] | None = Field(None, description="what may stand there, where that can be listed")


class Document(BaseModel):
    """What went wrong (RFC 9457)."""

    model_config = ConfigDict(title="Problem")

    type: str = Field(description="names the kind of problem, and never changes", examples=[f"{URN}invalid-request"])
    title: str = Field(description="the kind of problem, for people", examples=["The request is not valid"])
    status: int = Field(description="of HTTP, again", ge=400, le=599, examples=[422])
    detail: str = Field(description="what is wrong with this request, and the way out")
    instance: str = Field(description="id of the request, as in the header `X-Request-Id` and in the log")
    errors: list[Wrong] | None = Field(None, description="each part of the request that is not as it should be")


KINDS: dict[str, tuple[int, str]] = {
    "malformed-request": (400, "The request cannot be read"),
    "no-key": (401, "A key is needed"),
    "invalid-key": (401, "The key is not valid"),
    "missing-scope": (403, "The key may not do this"),
    "not-found": (404, "There is nothing at this address"),
    "unknown-metric": (404, "There is no such metric"),
    "unknown-product": (404, "There is no such product"),
    "unknown-customer": (404, "Nothing is known of the customer"),
    "unknown-receipt": (404, "There is no such receipt"),
    "not-in-this-lake": (404, "The lake of that receipt does not hold it"),
    "method-not-allowed": (405, "The address does not take this method"),
    "foreign-cursor": (409, "The cursor is of another state of the lake"),
    "index-gone": (410, "The index of that receipt is not kept"),
    "body-too-large": (413, "The body is too large"),
    "invalid-request": (422, "The request is not valid"),
    "invalid-cursor": (422, "The cursor is none of ours"),
    "too-many-rows": (422, "The answer would have too many rows"),
    "too-many-requests": (429, "Too many requests"),
    "internal": (500, "The API failed"),
    "unavailable": (503, "The lake cannot be asked now"),
    "nothing-published": (503, "Nothing was published yet"),
    "no-index": (503, "No index of the products was built yet"),
    "no-recommendations": (503, "No recommendations were made yet"),
    "busy": (503, "Too much is asked at once"),
    "timeout": (503, "It took too long"),
}
"""Every kind of problem: its status, and its title."""


class Problem(HTTPException):
    """A request that cannot be answered.

    Args:
        kind: of `KINDS`.
        detail: what is wrong, and the way out.
        errors: the parts of the request that are to blame.
        headers: of the answer.
    """

    def __init__(
        self, kind: str, detail: str, errors: Sequence[Wrong] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        self.kind, self.errors = kind, tuple(errors[:MOST_ERRORS])
        status, self.title = KINDS[kind]
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            headers = {"Retry-After": str(RETRY_SECONDS), **(headers or {})}
        super().__init__(status, detail, dict(headers or {}))

    def answer(self, request_id: str) -> Response:
        """The document, as an answer to a request."""
        document = Document(
            type=f"{URN}{self.kind}",
            title=self.title,
            status=self.status_code,
            detail=self.detail,
            instance=f"urn:shoplake:request:{request_id}",
            errors=list(self.errors) or None,
        )
        headers = {"Cache-Control": "no-store", **(self.headers or {})}
        body = document.model_dump_json(exclude_none=True)
        return Response(body, self.status_code, headers, media_type=MEDIA_TYPE)


def wrong(field: str, value: object, message: str, allowed: Sequence[str] | None = None) -> Wrong:
    """A part of a request that is to blame, with its value as text and shortened."""
    return Wrong(field=field, value=shown(value), message=message, allowed=list(allowed) if allowed else None)


def shown(value: object) -> str | None:
    """A value as a document repeats it."""
    if value is None:
        return None
    text = str(value).encode("utf-8", "replace").decode()
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}… ({len(text)} characters)"


def of_error(error: LakeError) -> Problem:
    """What a request is told of an error of the lake. What a service said goes to the log alone."""
    if isinstance(error, ServiceError):
        log.warning("the lake could not be asked: %s", error)
        return Problem("unavailable", "a service behind the API does not answer or is busy; ask again in a moment")
    log.error("a question failed: %s", error)
    return Problem("internal", "the API could not work this out; its log says why, by the id of the request")


def install(app: FastAPI) -> None:
    """Let an application answer with documents, whatever goes wrong in it."""
    app.add_exception_handler(Problem, _of_problem)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(LakeError, _of_lake)


def _request_id(request: Request) -> str:
    return str(request.state.request_id)


async def _of_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.answer(_request_id(request))


async def _of_lake(request: Request, error: Exception) -> Response:
    assert isinstance(error, LakeError)
    return of_error(error).answer(_request_id(request))


async def _of_http(request: Request, error: Exception) -> Response:
    """What the framework itself refuses."""
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "")
        detail = f"{request.url.path} takes {allowed}, not {shown(request.method)}"
        problem = Problem("method-not-allowed", detail, headers=error.headers)
    elif error.status_code == HTTPStatus.NOT_FOUND:
        problem = Problem("not-found", f"there is no {shown(request.url.path)}; /openapi.json lists what there is")
    else:
        problem = Problem("malformed-request", str(error.detail))
    return problem.answer(_request_id(request))


async def _of_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [_of_part(each) for each in error.errors()]
    first = errors[0]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return Problem("invalid-request", f"{first.field}: {first.message}{more}", errors).answer(_request_id(request))


def _of_part(error: Mapping[str, Any]) -> Wrong:
    """One of pydantic's errors."""
    field = shown(".".join(str(part) for part in error["loc"])) or ""
    value = error.get("input")
    context = error.get("ctx") or {}
    match error["type"]:
        case "extra_forbidden":
            message, value = "there is no such parameter", value
        case "json_invalid":
            message, value = f"it is no JSON: {context.get('error', '')}", None
        case "missing":
            message, value = "it is missing", None
        case _:
            message = str(error["msg"])
    return wrong(field, value, message)
