"""``/v1/receipts``: what was published, and on what evidence."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from lake.api.answers import FromLake, respond
from lake.api.asked import (
    EXAMPLE_COMMIT,
    EXAMPLE_RECEIPT,
    RECEIPT,
    Cursor,
    Given,
    Strict,
    responses,
)
from lake.api.gate import needs
from lake.ledger import receipts
from lake.ledger.receipts import Receipt

router = APIRouter(prefix="/v1/receipts", tags=["receipts"], dependencies=needs("receipts"))

ABOUT = "receipts"

EXAMPLE: dict[str, Any] = {
    "id": EXAMPLE_RECEIPT, "commit": EXAMPLE_COMMIT, "published_at": "2026-11-27T12:03:11.482913+00:00",
    "source_instant": "2026-11-27T12:00:04.119204+00:00", "unchanged_since": None, "rows_read": 5120, "checks": 214,
    "warnings": 1,
}  # fmt: skip


class ReceiptSummary(BaseModel):
    """A receipt, in short."""

    id: str = Field(description="of the receipt and of its run; what `at` takes")
    commit: str = Field(description="the commit of the lake that shows exactly what was published")
    published_at: str = Field(description="UTC, ISO 8601")
    source_instant: str = Field(description="instant (UTC) as of which the shop was read; empty of a lake without one")
    unchanged_since: str | None = Field(
        description="the run that published the lake, where this one found that nothing has changed"
    )
    rows_read: int
    checks: int = Field(description="that the audit made")
    warnings: int = Field(description="checks that failed and do not keep a run from being published")


class ReceiptTable(BaseModel):
    """What a run did with a table."""

    name: str
    mode: str = Field(description="how it was read: such as full, increment, held back")
    rows_read: int
    held_since: str | None = Field(description="as of when it is, where it was held back")
    verified_through: str | None = Field(description="up to when parity had proven it equal to the source")


class ReceiptDetail(ReceiptSummary):
    """A receipt."""

    code_version: str
    dbt_manifest_sha256: str
    rows_written: dict[str, int] = Field(description="rows of each layer")
    tables: list[ReceiptTable]


class ReceiptPage(FromLake):
    """A page of the receipts, the newest first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"receipt": EXAMPLE_RECEIPT, "lake_commit": EXAMPLE_COMMIT, "receipts": [EXAMPLE], "next_cursor": None}
            ]
        }
    )
    receipts: list[ReceiptSummary]
    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last one")


class ReceiptAnswer(FromLake):
    """One receipt."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "receipt": EXAMPLE_RECEIPT,
                    "lake_commit": EXAMPLE_COMMIT,
                    "about": {
                        **EXAMPLE,
                        "code_version": "0.1.0",
                        "dbt_manifest_sha256": "9f2c…",
                        "rows_written": {"cleaned": 5098, "quarantine": 22},
                        "tables": [
                            {
                                "name": "orders", "mode": "increment", "rows_read": 311, "held_since": None,
                                "verified_through": "2026-11-27T11:00:03.000000+00:00",
                            }
                        ],
                    },
                }
            ]
        }
    )  # fmt: skip
    about: ReceiptDetail


class OfReceipts(Strict):
    """Parameters of a page."""

    limit: Annotated[int, Field(ge=1, le=100, description="how many a page has at most")] = 20
    cursor: Cursor = None


class Nothing(Strict):
    """A route that takes no parameters."""


@router.get("", response_model=ReceiptPage, responses=responses(), summary="List the receipts")
async def list_receipts(request: Request, parts: Given, asked: Annotated[OfReceipts, Query()]) -> Response:
    """What was published, the newest first. Receipts are only added in front and removed by age, so that a cursor of
    this list holds beyond a publish.
    """
    lake = await parts.published.at(None)
    after = parts.cursors.read(asked.cursor, ABOUT, "") if asked.cursor else None
    found = await asyncio.to_thread(receipts.listed)
    begins = _begin(found, after)
    page = found[begins : begins + asked.limit]
    # One may go while it is looked at.
    read = [each for each in await asyncio.gather(*(parts.published.find(one.run_id) for one in page)) if each]
    more = begins + asked.limit < len(found)
    body = ReceiptPage(
        receipt=lake.receipt,
        lake_commit=lake.commit,
        receipts=[ReceiptSummary(**_summary(each)) for each in read],
        next_cursor=parts.cursors.write(ABOUT, "", [page[-1].written_at, page[-1].run_id]) if more else None,
    )
    return respond(request, lake, body.model_dump_json().encode())


@router.get("/{id}", response_model=ReceiptAnswer, responses=responses("unknown-receipt"), summary="Ask for a receipt")
async def ask_receipt(
    request: Request,
    parts: Given,
    id_: Annotated[str, Path(alias="id", pattern=RECEIPT, examples=[EXAMPLE_RECEIPT])],
    asked: Annotated[Nothing, Query()],
) -> Response:
    """What a run published, and on what evidence: `about`. `receipt` and `lake_commit` are, as in every answer, those
    of the newest lake.
    """
    found = await parts.published.receipt(id_, "path.id")
    lake = await parts.published.at(None)
    body = ReceiptAnswer(receipt=lake.receipt, lake_commit=lake.commit, about=_detail(found))
    return respond(request, lake, body.model_dump_json().encode())


def _begin(found: Sequence[receipts.Listed], after: list[str] | None) -> int:
    """Where a page begins: behind the last one of the page before, which may be gone meanwhile."""
    if after is None:
        return 0
    last = receipts.Listed(*after)
    return next((place for place, one in enumerate(found) if one < last), len(found))


def _summary(receipt: Receipt) -> dict[str, Any]:
    return {
        "id": receipt.run_id,
        "commit": receipt.lake_commit,
        "published_at": receipt.published_at,
        "source_instant": receipt.source_instant,
        "unchanged_since": receipt.unchanged_since or None,
        "rows_read": sum(int(told.get("read", 0)) for told in receipt.tables.values()),
        "checks": int(receipt.checks.get("checks", 0)),
        "warnings": len(receipt.checks.get("warnings", ())),
    }


def _detail(receipt: Receipt) -> ReceiptDetail:
    return ReceiptDetail.model_validate(
        {
            **_summary(receipt),
            "code_version": receipt.code_version,
            "dbt_manifest_sha256": receipt.dbt_manifest_sha256,
            "rows_written": receipt.layers,
            "tables": [
                {
                    "name": name,
                    "mode": told.get("mode", ""),
                    "rows_read": told.get("read", 0),
                    "held_since": told.get("held_since") or None,
                    "verified_through": told.get("verified_through") or None,
                }
                for name, told in sorted(receipt.tables.items())
            ],
        }
    )
