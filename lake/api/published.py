"""Which lake is answered from: that of the newest receipt, or of the one that a request names.

Whether main has moved is asked of the catalog at most once in `LOOK_SECONDS`, by the first request after that; others
that come meanwhile wait for the same answer. So an answer is at most that long behind a publish, and the catalog has
one small request a second, whatever the API has. While the catalog does not answer, neither does the API: it cannot
know whether it would tell of an old lake.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import httpx

from lake.api.observed import Observed
from lake.api.problems import Problem, wrong
from lake.errors import LakeError, ServiceError
from lake.ledger import receipts
from lake.ledger.receipts import Receipt
from lake.platform import catalog
from lake.run import PREFIX, PUBLISH
from lake.runtime.access import API_CATALOG
from lake.settings import settings

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
REPLY_SECONDS = 5.0
MOST_COMMITS = 1_000
"""Commits of main, from its head, among which the newest publish is looked for: maintenance makes some of its own."""

KNOWN_SECONDS = 60.0
"""For which it is believed that a receipt is kept."""

MOST_KNOWN = 512

Head = Callable[[], Awaitable[str]]
"""Gives the commit that a branch points to; `NO_BRANCH` where there is no such branch."""

NO_BRANCH = ""


@dataclass(frozen=True)
class Lake:
    """A published state of the lake.

    Attributes:
        receipt: id of the receipt that tells of it.
        commit: of main.
        published_at: UTC, ISO 8601.
        is_past: whether a request asked for it by its receipt, so that it never changes.
    """

    receipt: str
    commit: str
    published_at: str
    is_past: bool = False

    @property
    def catalog(self) -> str:
        """Trino's catalog that shows it. Its name says what it shows, so any process may make it."""
        return f"{API_CATALOG}{self.commit[:40]}"

    @property
    def reference(self) -> str:
        """For a catalog."""
        return f"{catalog.MAIN}@{self.commit}"


class BranchHead:
    """Asks the catalog for the head of a branch, over one connection that is kept."""

    def __init__(self, branch: str) -> None:
        self._branch = branch
        url = f"{settings().nessie_url}/api/v2/"
        self._client = httpx.AsyncClient(base_url=url, timeout=REPLY_SECONDS, trust_env=False, verify=False)

    async def __call__(self) -> str:
        """The commit; `NO_BRANCH` where there is no such branch, which cannot be of main.

        Raises:
            ServiceError: the catalog does not answer.
        """
        try:
            answer = await self._client.get(f"trees/{self._branch}")
            if answer.status_code == httpx.codes.NOT_FOUND and self._branch != catalog.MAIN:
                return NO_BRANCH
            return str(answer.raise_for_status().json()["reference"]["hash"])
        except (httpx.HTTPError, ValueError, KeyError) as error:
            said = f"the catalog does not say where {self._branch} is: {error!r}"
            raise ServiceError(said, "look at `lake status`") from error

    async def close(self) -> None:
        """Let the connection go."""
        await self._client.aclose()


class Published:
    """Knows the newest receipt, and those that requests name.

    Args:
        head: asks for main's head.
    """

    def __init__(self, head: Head, observed: Observed) -> None:
        self._head = head
        self._observed = observed
        self._looked = -LOOK_SECONDS
        self._seen = ""
        self._is_settled = False
        self._now: Lake | None = None
        self._look: asyncio.Task[None] | None = None
        self._known: OrderedDict[str, tuple[float, Receipt]] = OrderedDict()

    async def at(self, receipt: str | None) -> Lake:
        """The lake of a receipt; that of the newest, without one.

        Raises:
            Problem: there is no such receipt, or nothing was published yet.
            ServiceError: the catalog or the object store does not answer.
        """
        if receipt is None:
            return await self._newest()
        found = await self.receipt(receipt, "query.at")
        return Lake(found.run_id, found.lake_commit, found.published_at, is_past=True)

    async def receipt(self, run_id: str, field: str) -> Receipt:
        """A receipt.

        Args:
            field: the part of the request that names it.

        Raises:
            Problem: there is none of this id.
        """
        found = await self.find(run_id)
        if found is None:
            said = f"there is no receipt {run_id}: {receipts.policy().partition(':')[0]}, and /v1/receipts lists them"
            raise Problem("unknown-receipt", said, [wrong(field, run_id, "there is no such receipt")])
        return found

    async def find(self, run_id: str) -> Receipt | None:
        """A receipt; None where there is none of this id."""
        known = self._known.get(run_id)
        if known and time.monotonic() - known[0] < KNOWN_SECONDS:
            return known[1]
        found = await asyncio.to_thread(receipts.find, run_id)
        self._known.pop(run_id, None)
        if found:
            self._known[run_id] = time.monotonic(), found
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
        return found

    async def _newest(self) -> Lake:
        if time.monotonic() - self._looked >= LOOK_SECONDS:
            if self._look is None:
                self._look = asyncio.create_task(self._look_anew())
            # One that gives up leaves the others waiting for the same look.
            await asyncio.shield(self._look)
        if self._now is None:
            raise Problem("nothing-published", "no run was published yet; ask again when one was")
        return self._now

    async def _look_anew(self) -> None:
        try:
            # What is published after this instant is for the next look.
            began = time.monotonic()
            head = await self._head()
            if head != self._seen or not self._is_settled:
                before = self._now
                self._now, self._is_settled = await asyncio.to_thread(self._find, head)
                self._seen = head
                if self._now and self._now != before:
                    self._observed.published.set(datetime.fromisoformat(self._now.published_at).timestamp())
                    log.info("answers are of receipt %s, commit %s", self._now.receipt, self._now.commit)
            self._looked = began
            self._observed.looked.set(time.time())
        finally:
            self._look = None

    def _find(self, head: str) -> tuple[Lake | None, bool]:
        """The newest publish up to a commit that has its receipt; and whether none before it lacks its own.

        A merge comes a moment before its receipt, and a run that is killed between them gets it from the next run.
        """
        mark, is_settled = PUBLISH + PREFIX, True
        for commit in islice(catalog.history(f"{catalog.MAIN}@{head}"), MOST_COMMITS):
            if not commit.message.startswith(mark):
                continue
            if found := receipts.find(commit.message.removeprefix(mark)):
                return Lake(found.run_id, found.lake_commit, found.published_at), is_settled
            is_settled = False
        return self._of_latest(), is_settled

    def _of_latest(self) -> Lake | None:
        """That of the newest receipt, where main's history does not tell: of a run that changed nothing, or whose
        publish lies further back."""
        try:
            found = receipts.latest()
            found = receipts.published(found.run_id)
        except ServiceError:
            raise
        except LakeError:
            return None
        return Lake(found.run_id, found.lake_commit, found.published_at)
