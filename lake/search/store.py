"""OpenSearch as the store of products: its errors in our words, and which index is asked."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from opensearchpy import OpenSearch, exceptions, helpers

from lake.errors import LakeError, ServiceError
from lake.search.index import PHRASES, PRODUCTS, About
from lake.settings import settings

# The client warns of every answer that is none, such as that there is no index yet. We tell what matters of them.
logging.getLogger("opensearch").setLevel(logging.ERROR)

BUILD_SECONDS = 120
"""For which one request of a build may take."""


class NoIndexError(LakeError):
    """There is no index to ask: none was built yet, or that of an older receipt is no longer kept.

    Attributes:
        receipts: of which there is one, the newest first; empty where there is none at all, or it is not known.
    """

    def __init__(self, what: str, fix: str, receipts: tuple[str, ...] = ()) -> None:
        super().__init__(what, fix)
        self.receipts = receipts


@dataclass(frozen=True)
class Held:
    """An index of products with the phrases that belong to it."""

    name: str
    about: About

    @property
    def phrases(self) -> str:
        """The index of its phrases."""
        return phrases_of(self.name)


def phrases_of(name: str) -> str:
    """The index of the phrases that belong to an index of products."""
    return PHRASES + name.removeprefix(PRODUCTS)


@lru_cache(maxsize=4)
def client(address: str) -> OpenSearch:
    """A client with its pool of connections, for the threads of this process."""
    return OpenSearch(
        hosts=[address],
        timeout=settings().search_timeout_seconds,
        max_retries=1,
        retry_on_timeout=False,
        pool_maxsize=16,
    )


@contextmanager
def told(doing: str) -> Iterator[OpenSearch]:
    """The client, with its errors in our words.

    Args:
        doing: for messages.

    Raises:
        NoIndexError: an index is not there.
        ServiceError: OpenSearch does not answer, or refuses.
    """
    address = settings().search_url
    try:
        yield client(address)
    except exceptions.NotFoundError as error:
        raise NoIndexError(
            f"OpenSearch at {address} has no index for {doing}: {_reason(error)}", "`lake search build` makes it"
        ) from error
    except exceptions.ConnectionError as error:
        raise ServiceError(
            f"OpenSearch at {address} does not answer to {doing}: {error.error}",
            "`lake up serve` starts it; `lake status` tells how it is",
        ) from error
    except exceptions.TransportError as error:
        raise ServiceError(
            f"OpenSearch at {address} answers {error.status_code} to {doing}: {_reason(error)}", "`lake logs search`"
        ) from error
    except helpers.BulkIndexError as error:
        first = next(iter(error.errors[0].values()))
        raise ServiceError(
            f"OpenSearch at {address} refuses {len(error.errors)} documents: {first.get('error', first)}",
            "`lake logs search`; nothing has changed for those who search",
        ) from error


def _reason(error: exceptions.TransportError) -> str:
    info = error.info
    if isinstance(info, dict) and isinstance(info.get("error"), dict):
        causes = info["error"].get("root_cause") or [info["error"]]
        return str(causes[0].get("reason", info["error"]))[:300]
    return str(error.error)[:300]


def answers() -> bool:
    """Whether OpenSearch is there at all."""
    return bool(client(settings().search_url).ping())


def asked() -> Held | None:
    """The index that is asked now; None where none was built yet.

    Raises:
        ServiceError: OpenSearch does not answer.
    """
    try:
        return _held(PRODUCTS)
    except NoIndexError:
        return None


def held() -> list[Held]:
    """Every index of products that is there, the newest first: the one that is asked, one before it, and what an
    interrupted build may have left.

    Raises:
        ServiceError: OpenSearch does not answer.
    """
    with told("listing indexes") as search:
        found = search.indices.get_mapping(index=f"{PRODUCTS}-*", params={"allow_no_indices": "true"})
    every = [Held(name, About(**each["mappings"]["_meta"])) for name, each in found.items()]
    return sorted(every, key=lambda one: one.about.built_at, reverse=True)


def of_receipt(receipt: str) -> Held:
    """The index of a receipt: of the one that is asked, or of the one before.

    Raises:
        NoIndexError: it is not kept.
        ServiceError: OpenSearch does not answer.
    """
    now = asked()
    kept = [now] if now else []
    if now and now.about.previous:
        with suppress(NoIndexError):
            kept.append(_held(now.about.previous))
    for one in kept:
        if one.about.receipt == receipt:
            return one
    there = tuple(one.about.receipt for one in kept)
    raise NoIndexError(
        f"there is no index of the receipt {receipt}", f"there is one of {', '.join(there) or 'none'}", there
    )


def _held(name: str) -> Held:
    with told("the products") as search:
        found = search.indices.get_mapping(index=name)
    ((index, each),) = found.items()
    return Held(index, About(**each["mappings"]["_meta"]))


def put(index: str, documents: Iterable[Mapping[str, Any]], gone: Iterable[str] = ()) -> None:
    """Write documents, and remove others.

    Args:
        documents: with their ``_id``.
        gone: ids.

    Raises:
        ServiceError: OpenSearch does not answer, or refuses one.
    """

    def actions() -> Iterator[dict[str, Any]]:
        for document in documents:
            yield {"_op_type": "index", "_index": index, **document}
        for name in gone:
            yield {"_op_type": "delete", "_index": index, "_id": name}

    with told(f"writing to {index}") as search:
        helpers.bulk(search, actions(), chunk_size=2000, max_retries=3, request_timeout=BUILD_SECONDS)
        search.indices.refresh(index=index, request_timeout=BUILD_SECONDS)


def scan(index: str, fields: list[str]) -> Iterator[dict[str, Any]]:
    """Every document of an index, with some of its fields.

    Raises:
        NoIndexError: it is not there.
        ServiceError: OpenSearch does not answer.
    """
    with told(f"reading {index}") as search:
        every = helpers.scan(
            search, index=index, query={"_source": fields}, size=5000, request_timeout=BUILD_SECONDS, scroll="2m"
        )
        for hit in every:
            yield hit["_source"]
