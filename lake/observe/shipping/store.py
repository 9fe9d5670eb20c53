"""OpenSearch as the store of logs and spans: what is written, how an index begins, and when one goes.

All of a kind is written to an alias, ``logs`` or ``spans``, which leads to the newest of the indexes ``logs-000001``,
``logs-000002``, … A new one is begun by OpenSearch's own `rollover
<https://docs.opensearch.org/latest/api-reference/index-apis/rollover/>`_, when the last is old or large enough, and the
oldest are removed when they are older than the settings want, or all together larger. (The plug-in that would do so by
itself is not in the build that runs here.)
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from lake.errors import ServiceError
from lake.observe.shipping.document import KINDS, Document, Kind
from lake.settings import PROJECT, settings

log = logging.getLogger(__name__)

FOLDER = PROJECT / "infra" / "opensearch"
"""Holds a folder for each kind, with the template of its indexes and when one is followed by a new one."""

CHECK_SECONDS = 600
AGAIN = 409
"""The status of a document that is there already."""


class Away(ServiceError):
    """OpenSearch does not answer, or takes nothing now."""


@dataclass(frozen=True)
class Shipped:
    """What became of some documents of one kind: taken, there already, or refused for what they are."""

    taken: int = 0
    known: int = 0
    refused: int = 0


class Store:
    """OpenSearch, for somebody who writes logs and spans.

    Args:
        client: with its address.
    """

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._is_prepared = False

    async def prepare(self) -> None:
        """Put the templates in place, and begin the first index of a kind where there is none.

        Raises:
            Away: OpenSearch does not answer.
        """
        for kind in KINDS:
            template = json.loads((FOLDER / kind / "template.json").read_text())
            await self._ask("PUT", f"/_index_template/{kind}", template)
            if (await self._ask("HEAD", f"/_alias/{kind}", may_be=(404,))).status_code == 404:
                first = {"aliases": {kind: {"is_write_index": True}}}
                await self._ask("PUT", f"/{kind}-000001", first, may_be=(400,))  # another has just made it
        self._is_prepared = True

    async def write(self, kind: Kind, documents: Sequence[Document]) -> Shipped:
        """Write some documents of a kind; those that are there already stay.

        Raises:
            Away: OpenSearch does not answer, or has taken not all of them now; all are to be handed on again.
        """
        if not self._is_prepared:
            await self.prepare()
        lines = [
            text
            for each in documents
            for text in (json.dumps({"create": {"_id": each.id}}), json.dumps(each.fields, ensure_ascii=False))
        ]
        content = ("\n".join(lines) + "\n").encode("utf-8", "replace")
        answer = await self._ask("POST", f"/{kind}/_bulk", content, may_be=(404,))
        if answer.status_code == 404:  # somebody has removed the index
            self._is_prepared = False
            raise Away(f"OpenSearch at {self._client.base_url} has no index for {kind}", "it is made with the next try")
        return self._counted([next(iter(item.values())) for item in answer.json()["items"]])

    def _counted(self, items: Sequence[dict[str, Any]]) -> Shipped:
        later = [each for each in items if each["status"] == 429 or each["status"] >= 500]
        if later:
            raise Away(f"OpenSearch takes {len(later)} of {len(items)} documents not now: {_reason(later[0])}")
        refused = [each for each in items if 400 <= each["status"] < 500 and each["status"] != AGAIN]
        if refused:
            log.warning("OpenSearch refuses %s of %s documents: %s", len(refused), len(items), _reason(refused[0]))
        known = sum(each["status"] == AGAIN for each in items)
        return Shipped(len(items) - known - len(refused), known, len(refused))

    async def tend(self) -> list[str]:
        """Begin a new index where the last is old or large enough, and remove those that are not to be kept longer.

        Returns:
            Names of the indexes that were removed.

        Raises:
            Away: OpenSearch does not answer.
        """
        await self.prepare()
        return [name for kind in KINDS for name in await self._tend(kind)]

    async def _tend(self, kind: Kind) -> list[str]:
        await self._ask("POST", f"/{kind}/_rollover", {"conditions": lifecycle(kind)["rollover"]})
        listed = await self._ask("GET", f"/_cat/indices/{kind}-*?format=json&bytes=b&h=index,creation.date,store.size")
        gone = outlived(listed.json(), datetime.now(UTC))
        for name in gone:
            await self._ask("DELETE", f"/{name}", may_be=(404,))
            log.info("removed %s", name)
        return gone

    async def _ask(self, method: str, path: str, content: Any = None, may_be: Sequence[int] = ()) -> httpx.Response:
        body = content if isinstance(content, bytes) else json.dumps(content).encode() if content is not None else None
        kind = "application/x-ndjson" if isinstance(content, bytes) else "application/json"
        try:
            answer = await self._client.request(method, path, content=body, headers={"Content-Type": kind})
        except httpx.HTTPError as error:
            where = f"OpenSearch at {self._client.base_url}"
            raise Away(f"{where} does not answer: {error or type(error).__name__}", "`lake status`") from error
        if answer.is_success or answer.status_code in may_be:
            return answer
        raise Away(f"OpenSearch answers {answer.status_code} to {method} {path}: {answer.text[:300]}")


def lifecycle(kind: Kind) -> dict[str, Any]:
    """When an index of a kind is followed by a new one."""
    told: dict[str, Any] = json.loads((FOLDER / kind / "lifecycle.json").read_text())
    return told


def outlived(indexes: Sequence[dict[str, str]], now: datetime) -> list[str]:
    """Names of the indexes that are not kept, the oldest first: what is in them is older than the settings want, or
    they are beyond what a kind may take of the disk. The newest, which is written to, always stays.

    Args:
        indexes: as ``_cat/indices`` lists them, with the index's name, the date of its creation in ms, and its bytes.
    """
    config = settings()
    # An index holds what was written within a day of its beginning.
    oldest = now - timedelta(days=config.kept_logs_days + 1)
    newest_first = sorted(indexes, key=lambda each: each["index"], reverse=True)
    gone, total = [], 0
    for number, each in enumerate(newest_first):
        total += int(each["store.size"] or 0)
        begun = datetime.fromtimestamp(int(each["creation.date"]) / 1000, UTC)
        if number and (begun < oldest or total > config.kept_logs_mib << 20):
            gone.append(each["index"])
    return gone[::-1]


def _reason(item: dict[str, Any]) -> str:
    error = item.get("error", {})
    return f"{error.get('type', item['status'])}: {str(error.get('reason', ''))[:300]}"
