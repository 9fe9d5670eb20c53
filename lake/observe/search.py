"""Looks for lines in the logs that OpenSearch keeps."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx

from lake.errors import LakeError, ServiceError
from lake.observe.shipping.document import Kind
from lake.settings import settings

ASK_SECONDS = 30
MOST = 10_000
"""Lines of one answer: as many as OpenSearch gives at once."""

NO_SEARCH = "without it, `lake logs NAME` shows a service's file"
"""What is left where logs cannot be searched."""

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True)
class Asked:
    """What is looked for.

    Attributes:
        text: words that a line has, each; ``"several words"`` as they stand, ``a | b`` for either, ``-word`` for none,
            ``begin*``. Of what it says, and of an error's traceback. Empty for any line.
        only: what a field is, by its name: one value or several, of which it is one.
        since: how far back; None for all that is kept.
        most: lines at most, the newest.
        file: the end of the path of the file that they stand in; any, if empty.
    """

    text: str = ""
    only: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    since: timedelta | None = None
    most: int = 100
    file: str = ""

    def query(self) -> dict[str, Any]:
        """The same as OpenSearch takes it: https://docs.opensearch.org/latest/query-dsl/"""
        words = {"query": self.text, "fields": ["event", "error"], "default_operator": "and"}
        must = [{"simple_query_string": words}] if self.text else []
        filters: list[dict[str, Any]] = [
            {"terms": {name: [value] if isinstance(value, str) else [*value]}}
            for name, value in self.only.items()
            if value
        ]
        if self.file:
            filters.append({"wildcard": {"file": {"value": f"*/{_literal(self.file)}"}}})
        if self.since:
            filters.append({"range": {"timestamp": {"gte": f"now-{int(self.since.total_seconds())}s"}}})
        return {
            "query": {"bool": {"must": must, "filter": filters}},
            # Lines of one instant in the order in which they stand in their file.
            "sort": [{"timestamp": "desc"}, {"offset": {"order": "desc", "missing": 0}}],
            "size": min(self.most, MOST),
            "track_total_hits": True,
        }


@dataclass(frozen=True)
class Lines:
    """What was found: the newest lines, the oldest of them first, and how many there are in all."""

    found: list[dict[str, Any]]
    total: int


def search(asked: Asked) -> Lines:
    """Look for lines.

    Raises:
        ServiceError: OpenSearch does not answer, has no logs, or did not understand.
    """
    hits = ask("logs", asked.query(), NO_SEARCH)
    return Lines([hit["_source"] for hit in reversed(hits["hits"])], hits["total"]["value"])


def values(name: str, since: timedelta = timedelta(days=7)) -> list[str]:
    """What a field is in the lines of some time, the most frequent first; a hundred at most.

    Raises:
        ServiceError: see `search`.
    """
    query = {**Asked(since=since, most=0).query(), "aggs": {"values": {"terms": {"field": name, "size": 100}}}}
    return [each["key"] for each in _answer("logs", query, NO_SEARCH)["aggregations"]["values"]["buckets"]]


def of_file(path: str) -> Lines:
    """The lines of one file, in the order in which they stand there.

    Args:
        path: its end; what is before it is another on each machine.

    Raises:
        ServiceError: see `search`.
    """
    return search(Asked(file=path, most=MOST))


def ask(kind: Kind, query: Mapping[str, Any], instead: str) -> dict[str, Any]:
    """What OpenSearch finds of a kind: the ``hits`` of its answer.

    Args:
        instead: what else can be looked at where it does not run.

    Raises:
        ServiceError: OpenSearch does not answer, has nothing of the kind, or did not understand.
    """
    hits: dict[str, Any] = _answer(kind, query, instead)["hits"]
    return hits


def _answer(kind: Kind, query: Mapping[str, Any], instead: str) -> dict[str, Any]:
    address = settings().opensearch_url
    try:
        answer = httpx.post(f"{address}/{kind}/_search", json=query, timeout=ASK_SECONDS, trust_env=False)
    except httpx.HTTPError as error:
        raise ServiceError(
            f"OpenSearch at {address}, which keeps the {kind}, does not answer: {error}",
            f"`lake up observe` starts it; {instead}",
        ) from error
    if answer.status_code == 404:
        raise ServiceError(
            f"OpenSearch at {address} has no {kind} yet", "look at `lake status`: is the shipper healthy?"
        )
    if not answer.is_success:
        raise ServiceError(f"OpenSearch answers {answer.status_code}: {answer.text[:300]}", "ask in other words")
    told: dict[str, Any] = answer.json()
    if told["timed_out"] or told["_shards"]["failed"]:
        raise ServiceError(
            f"OpenSearch could not look at all of its {kind}: {told['_shards']}", "ask again, or for less"
        )
    return told


def _literal(text: str) -> str:
    """A text for which a wildcard's own characters stand for themselves."""
    return re.sub(r"([*?\\])", r"\\\1", text)


def span(text: str) -> timedelta:
    """How long ``90s``, ``15m``, ``1h`` or ``7d`` is.

    Raises:
        LakeError: it is none of these.
    """
    found = re.fullmatch(r"(\d{1,6})([smhd])", text.strip())
    if not found:
        raise LakeError(f"{text!r} is no span of time", "write a number and s, m, h or d, such as 15m, 1h or 7d")
    return timedelta(**{UNITS[found[2]]: int(found[1])})
