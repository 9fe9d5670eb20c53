"""What routes have in common: the parameters of several, and the parts that they are handed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from lake.api import problems
from lake.api.answers import Answers
from lake.api.cache import Cache
from lake.api.cursors import LONGEST, Cursors
from lake.api.defined import Defined
from lake.api.gate import Gate
from lake.api.indexes import Indexes
from lake.api.observed import Observed
from lake.api.problems import KINDS
from lake.api.published import Published
from lake.api.recommended import Recommended
from lake.api.trino import Asks

LARGEST_ID = 2**63 - 1
RECEIPT = r"^[a-z0-9_]{1,128}$"
"""Ids of runs, which are those of receipts too."""

EXAMPLE_RECEIPT = "scheduled_20261127t120000"
EXAMPLE_COMMIT = "5f0c4f3d0b8d4c1e9a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f"

At = Annotated[
    Annotated[str, Field(pattern=RECEIPT)] | None,
    Field(description="id of a receipt: answer as of then; the newest lake, if not given", examples=[EXAMPLE_RECEIPT]),
]
PageSize = Annotated[int, Field(ge=1, le=500, description="how many a page has at most")]
Cursor = Annotated[
    Annotated[str, Field(min_length=1, max_length=LONGEST)] | None,
    Field(description="`next_cursor` of the page before; none for the first page"),
]


class Strict(BaseModel):
    """Parameters of a request, of which an unknown one is refused: a misspelled one must not be passed over."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Parts:
    """What answers are made with.

    Attributes:
        defined: the metrics.
        published: which lake is the newest.
        trino: asks it.
        cache, answers: keep what was worked out.
        searches: the same for searches, which so do not wait for those who ask Trino.
        indexes: which index of the products is asked.
        recommended: which version of the recommendations counts.
        cursors: write where pages begin.
        gate: lets requests in.
        observed: counts.
    """

    defined: Defined
    published: Published
    trino: Asks
    cache: Cache
    answers: Answers
    searches: Answers
    indexes: Indexes
    recommended: Recommended
    cursors: Cursors
    gate: Gate
    observed: Observed


def _parts(request: Request) -> Parts:
    found: Parts = request.app.state.parts
    return found


Given = Annotated[Parts, Depends(_parts)]

HEADERS = {
    "ETag": {"schema": {"type": "string"}, "description": "names the answer: send it back as `If-None-Match`"},
    "Cache-Control": {"schema": {"type": "string"}},
    "Shoplake-Receipt": {"schema": {"type": "string"}, "description": "as in the body"},
    "Shoplake-Commit": {"schema": {"type": "string"}, "description": "as in the body"},
    "X-Request-Id": {"schema": {"type": "string"}, "description": "of this request, as in the log"},
}

EVERYWHERE = ("no-key", "invalid-key", "missing-scope", "invalid-request", "body-too-large", "too-many-requests",
              "unavailable", "nothing-published", "busy", "timeout")  # fmt: skip
"""What may be wrong with any question about the lake."""


def responses(*kinds: str) -> dict[int | str, dict[str, Any]]:
    """What a route may answer beside what was asked for, for OpenAPI.

    Args:
        kinds: of `problems.KINDS`, beside those that any route may have.
    """
    found: dict[int | str, dict[str, Any]] = {
        200: {"headers": HEADERS},
        304: {"description": "The client has it already: its ETag was sent as `If-None-Match`"},
    }
    for status in sorted({KINDS[kind][0] for kind in (*EVERYWHERE, *kinds)}):
        titles = [title for kind, (code, title) in KINDS.items() if code == status and kind in (*EVERYWHERE, *kinds)]
        found[status] = {
            "description": "; ".join(titles),
            "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    return found
