"""Answers: products to a question, and phrases to what was typed so far. Each names the receipt that it comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from threading import Lock
from time import monotonic
from typing import Any, TypeVar

from lake.errors import LakeError, ServiceError
from lake.search import query, store
from lake.search.documents import Product
from lake.search.query import Asked, Way
from lake.search.store import Held, NoIndexError
from lake.search.words import spelled_out
from lake.settings import settings

REMEMBERED_SECONDS = 2.0
"""For which it is remembered which index is asked. One that was replaced is kept for much longer."""

MOST_SUGGESTED = 20


@dataclass(frozen=True)
class Hit(Product):
    """A product that was found, and how well it fits."""

    score: float


@dataclass(frozen=True)
class Count:
    """How many products of what was found are of one department, category or brand, or within a range of prices.

    Attributes:
        value: its name; of prices ``2-5``, with the lower bound in it and the upper one not, ``-1`` and ``20-``.
    """

    value: str
    products: int


@dataclass(frozen=True)
class Answer:
    """What was found.

    Attributes:
        receipt, lake_commit, source_instant: of the lake that the index was built from.
        way: how it was found.
        did_you_mean: the question with its unknown words put right; None where there is nothing to put right.
        total: how many products there are in all.
        facets: counts by ``department``, ``category``, ``brand`` and ``price``; empty where they were not asked for.
    """

    receipt: str
    lake_commit: str
    source_instant: str
    way: Way
    did_you_mean: str | None
    total: int
    hits: tuple[Hit, ...]
    facets: dict[str, tuple[Count, ...]]

    @property
    def is_found(self) -> bool:
        """Whether these are answers to the question, and not only what sells best."""
        return self.way is not Way.popular and self.total > 0

    def to_json(self) -> dict[str, Any]:
        """Plain values, money as text."""
        told = asdict(self)
        told["is_found"] = self.is_found
        for hit in told["hits"]:
            hit["price"] = str(hit["price"])
            hit["margin_rate"] = None if hit["margin_rate"] is None else str(hit["margin_rate"])
        return told


@dataclass(frozen=True)
class Suggestion:
    """A phrase that one may be about to type, and how many products it names."""

    text: str
    products: int


@dataclass(frozen=True)
class Suggestions:
    """Phrases, the likeliest first; see `Answer`."""

    receipt: str
    lake_commit: str
    suggestions: tuple[Suggestion, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def search(asked: Asked, at: str = "", analyzer: str = "asked", index: Held | None = None) -> Answer:
    """Look for products.

    Args:
        at: a receipt, of which the index is asked; empty for the newest.
        analyzer: see `lake.search.query.body`.
        index: of `index_of`, instead of ``at``: this one is asked and no other.

    Raises:
        NoIndexError: no index was built yet, or that of the receipt is no longer kept.
        ServiceError: OpenSearch does not answer in time.
    """
    return _of(at, lambda found: _search(asked, found, analyzer), index)


def suggest(text: str, limit: int = 8, at: str = "", index: Held | None = None) -> Suggestions:
    """Phrases to what somebody has typed so far; `search` tells of ``at`` and ``index``.

    Raises as `search` does, and LakeError where text or limit are too large.
    """
    if len(text) > query.MOST_LETTERS:
        raise LakeError(f"text has {len(text)} letters", f"ask in at most {query.MOST_LETTERS}")
    if not 1 <= limit <= MOST_SUGGESTED:
        raise LakeError(f"limit is {limit}", f"ask for 1 to {MOST_SUGGESTED} suggestions")
    return _of(at, lambda found: _suggest(text, limit, found), index)


def plain(text: str, limit: int = 10) -> tuple[Hit, ...]:
    """What plain BM25 finds, to compare with. Raises as `search` does."""
    return _of("", lambda index: _hits(_ask((index.name, query.plain_body(text, limit)))[0]))


def index_of(at: str = "") -> Held:
    """The index that is asked now: of a receipt, or the newest. Nothing is remembered.

    Raises as `search` does.
    """
    return store.of_receipt(at) if at else _newest()


def forget() -> None:
    """Forget which index is asked, so that the next question looks."""
    _now.forget()


# -- which index
def _newest() -> Held:
    found = store.asked()
    if found is None:
        raise NoIndexError(
            "no index of the products was built yet",
            "`lake search build` makes it of the newest receipt; each publish does where `lake up serve` has run",
        )
    return found


class _Now:
    """The index that is asked, remembered for a moment."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: tuple[float, str, Held] | None = None

    def get(self) -> Held:
        address = settings().search_url
        with self._lock:
            if self._known and self._known[1] == address and monotonic() - self._known[0] < REMEMBERED_SECONDS:
                return self._known[2]
        found = _newest()
        with self._lock:
            self._known = (monotonic(), address, found)
        return found

    def forget(self) -> None:
        with self._lock:
            self._known = None


_now = _Now()
T = TypeVar("T")


def _of(at: str, answer: Callable[[Held], T], index: Held | None = None) -> T:
    if index:
        return answer(index)
    if at:
        return answer(store.of_receipt(at))
    try:
        return answer(_now.get())
    except NoIndexError:
        # Replaced and removed since we looked.
        _now.forget()
        return answer(_now.get())


# -- what it says
def _search(asked: Asked, index: Held, analyzer: str) -> Answer:
    meant: str | None = None
    if not asked.text.strip():
        (found,) = _ask((index.name, query.body(asked, Way.as_asked, "", analyzer)))
        return _answer(index, Way.as_asked, None, found)
    found, spelling = _ask(
        (index.name, query.body(asked, Way.as_asked, asked.text, analyzer)),
        (index.phrases, query.spelling_body(asked.text)),
    )
    way = Way.as_asked
    if not _total(found):
        meant = query.corrected(asked.text, spelling["suggest"]["words"])
        texts = {Way.begun: asked.text, Way.corrected: meant, Way.some_words: meant or asked.text, Way.popular: ""}
        for way, text in texts.items():
            if text is None:
                continue
            (found,) = _ask((index.name, query.body(asked, way, text, analyzer)))
            if _total(found):
                break
    return _answer(index, way, meant if way in (Way.corrected, Way.some_words, Way.popular) else None, found)


def _suggest(text: str, limit: int, index: Held) -> Suggestions:
    about = index.about
    if not spelled_out(text):
        return Suggestions(about.receipt, about.lake_commit, ())
    (found,) = _ask((index.phrases, query.suggest_body(text, limit)))
    options = [option for name in ("begun", "near") for each in found["suggest"][name] for option in each["options"]]
    by_text = {option["_source"]["text"]: option["_source"]["products"] for option in reversed(options)}
    ordered = dict.fromkeys(option["_source"]["text"] for option in options)
    suggested = tuple(Suggestion(each, by_text[each]) for each in list(ordered)[:limit])
    return Suggestions(about.receipt, about.lake_commit, suggested)


def _ask(*questions: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Several questions in one request."""
    lines = [line for index, each in questions for line in ({"index": index}, each)]
    with store.told("a search") as search:
        answers: list[dict[str, Any]] = search.msearch(body=lines)["responses"]
    for answer in answers:
        if "error" in answer:
            reason = str(answer["error"].get("reason", answer["error"]))[:300]
            if answer["status"] == 404:
                raise NoIndexError(f"an index is gone: {reason}", "ask again")
            raise ServiceError(f"OpenSearch answers {answer['status']} to a search: {reason}", "`lake logs search`")
        if answer.get("timed_out") or answer["_shards"]["failed"]:
            raise ServiceError(f"OpenSearch could not look at all products: {answer['_shards']}", "ask again")
    return answers


def _total(found: dict[str, Any]) -> int:
    return int(found["hits"]["total"]["value"])


def _answer(index: Held, way: Way, meant: str | None, found: dict[str, Any]) -> Answer:
    about = index.about
    facets = {name: _counts(each["values"]["buckets"]) for name, each in found.get("aggregations", {}).items()}
    return Answer(
        about.receipt, about.lake_commit, about.source_instant, way, meant, _total(found), _hits(found), facets
    )


def _hits(found: dict[str, Any]) -> tuple[Hit, ...]:
    nothing = {"brand": None, "size": None, "margin_rate": None}
    hits = (Hit(**{**nothing, **hit["_source"]}, score=float(hit["_score"] or 0)) for hit in found["hits"]["hits"])
    return tuple(
        replace(
            hit,
            price=Decimal(hit.price),
            margin_rate=None if hit.margin_rate is None else Decimal(hit.margin_rate),
        )
        for hit in hits
    )


def _counts(buckets: list[dict[str, Any]]) -> tuple[Count, ...]:
    def named(bucket: dict[str, Any]) -> str:
        if "from" in bucket or "to" in bucket:
            return "-".join(f"{bucket[name]:g}" if name in bucket else "" for name in ("from", "to"))
        return str(bucket["key"])

    return tuple(Count(named(each), each["doc_count"]) for each in buckets if each["doc_count"])
