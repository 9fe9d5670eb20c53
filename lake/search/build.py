"""Builds the index of a receipt: a new one, checked, and put in place of the old one at once.

Nobody who searches sees a part of it. Where an index of the same making is there already, the new one begins as a copy
of it, which shares its files, and only products that have changed are written.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Any, Literal

from lake.errors import AuditError, LakeError
from lake.runtime.serve import PROFILE
from lake.search import documents, query, store
from lake.search.documents import Product
from lake.search.index import PHRASES, PRODUCTS, About, fingerprint, phrases_body, products_body
from lake.search.query import Asked, Way
from lake.search.store import Held
from lake.search.words import vocabulary
from lake.settings import settings

log = logging.getLogger(__name__)

ANEW_ABOVE = 0.5
"""Share of the products that have changed from which on a copy would save nothing."""

KNOWN = 5
"""Products, those that sell best, that have to be found by their names before an index is asked."""


@dataclass(frozen=True)
class Built:
    """What a build did.

    Attributes:
        index: its name.
        how: ``anew``, of what had ``changed``, or not at all since the index is ``as it was``.
        products: how many there are in it.
        written, removed: documents that it wrote, and took out of the copy.
    """

    index: str
    receipt: str
    lake_commit: str
    how: Literal["anew", "changed", "as it was"]
    products: int
    written: int
    removed: int
    seconds: float


def is_wanted() -> bool:
    """Whether there is to be an index: somebody has chosen the profile that has search, or its OpenSearch answers.

    One that was chosen and is away is an error of `build`, and no reason to leave it.
    """
    return PROFILE in settings().profiles.split(",") or store.answers()


def build(run_id: str, lake_commit: str, source_instant: str, whole: bool = False) -> Built:
    """Build the index of a receipt, and let it be asked.

    Args:
        run_id, lake_commit, source_instant: of the receipt.
        whole: write every product, also those that have not changed.

    Raises:
        AuditError: the new index does not hold what it should; the old one is still asked.
        LakeError: the lake has no marts at that commit.
        ServiceError: OpenSearch or Trino does not answer.
    """
    begun = monotonic()
    now = store.asked()
    if now and not whole and (now.about.receipt, now.about.fingerprint) == (run_id, fingerprint()):
        products = now.about.products
        return Built(now.name, run_id, lake_commit, "as it was", products, 0, 0, monotonic() - begun)
    return index(documents.read(lake_commit), run_id, lake_commit, source_instant, whole)


def index(
    products: Sequence[Product], run_id: str, lake_commit: str, source_instant: str, whole: bool = False
) -> Built:
    """The same, of products that were read. Raises as `build` does."""
    begun = monotonic()
    if not products:
        raise AuditError(
            f"the lake sells no product at {lake_commit}",
            "the index stays as it was; look at marts.product_performance",
        )
    now = store.asked()
    built_at = datetime.now(UTC)
    name = f"{PRODUCTS}-{lake_commit[:12].lower()}-{built_at:%Y%m%d%H%M%S%f}"
    about = About(
        run_id, lake_commit, source_instant, built_at.isoformat(), len(products), fingerprint(), _previous(now, run_id)
    )
    new = Held(name, about)
    try:
        how, written, removed = _fill(new, products, None if whole else now)
        _check(new, products)
        _put_in_place(new, now)
    except BaseException:
        # Whatever ended it: what nobody asks is not left behind.
        with suppress(LakeError):
            _remove(new)
        raise
    for old in store.held():
        if old.name not in (name, about.previous):
            _remove(old)
    log.info("%s of %s: %d products, %d written, %d removed", name, run_id, len(products), written, removed)
    return Built(name, run_id, lake_commit, how, len(products), written, removed, monotonic() - begun)


def _previous(now: Held | None, run_id: str) -> str:
    """The index of the receipt before: what is asked now, or, where that is of the same receipt, the one before it."""
    if now is None:
        return ""
    return now.about.previous if now.about.receipt == run_id else now.name


def _fill(new: Held, products: Sequence[Product], before: Held | None) -> tuple[Literal["anew", "changed"], int, int]:
    """Write the products and the phrases; how, and how many products were written and removed."""
    told = {str(product.product_id): product.to_json() for product in products}
    hashes = {name: documents.sha256(document) for name, document in told.items()}
    how: Literal["anew", "changed"] = "anew"
    changed, gone = set(told), set[str]()
    if before and before.about.fingerprint == new.about.fingerprint:
        had = {str(each["product_id"]): each["sha256"] for each in store.scan(before.name, ["product_id", "sha256"])}
        differ = {name for name, sha256 in hashes.items() if had.get(name) != sha256}
        if len(differ) <= ANEW_ABOVE * len(told):
            how, changed, gone = "changed", differ, set(had) - set(told)
    if how == "changed" and before:
        _copy(before, new)
    else:
        _create(new.name, products_body(new.about.to_json()))
    store.put(
        new.name,
        ({"_id": name, **told[name], "sha256": hashes[name]} for name in sorted(changed, key=int)),
        sorted(gone, key=int),
    )
    _create(new.phrases, phrases_body(new.about.to_json()))
    store.put(new.phrases, (phrase.to_json() for phrase in documents.phrases(products, vocabulary())))
    return how, len(changed), len(gone)


def _create(name: str, body: Mapping[str, Any]) -> None:
    with store.told(f"making {name}") as search:
        search.indices.create(index=name, body=body, request_timeout=store.BUILD_SECONDS)


def _copy(before: Held, new: Held) -> None:
    with store.told(f"copying {before.name}") as search:
        # Nobody writes to an index that is asked; without this mark there is no copy of it.
        search.indices.put_settings(index=before.name, body={"index.blocks.write": True})
        search.indices.clone(
            index=before.name,
            target=new.name,
            body={"settings": {"index.blocks.write": None}},
            request_timeout=store.BUILD_SECONDS,
        )
        health = search.cluster.health(
            index=new.name, params={"wait_for_status": "yellow", "timeout": f"{store.BUILD_SECONDS - 10}s"},
            request_timeout=store.BUILD_SECONDS,
        )  # fmt: skip
        if health["timed_out"]:
            raise AuditError(f"the copy {new.name} of {before.name} is not there in time", "`lake logs search`")
        search.indices.put_mapping(index=new.name, body={"_meta": new.about.to_json()})


def _check(new: Held, products: Sequence[Product]) -> None:
    """Look at a new index before anybody asks it.

    Raises:
        AuditError: what is wrong, all of it.
    """
    wrong = []
    with store.told(f"checking {new.name}") as search:
        count = search.count(index=new.name)["count"]
        if count != len(products):
            wrong.append(f"it has {count} products, the lake {len(products)}")
        best = sorted(products, key=lambda product: (-product.orders, product.product_id))[:KNOWN]
        for product in best:
            asked = Asked(product.name[: query.MOST_LETTERS], facets=False)
            found = search.search(index=new.name, body=query.body(asked, Way.as_asked, asked.text))
            names = [hit["_source"]["name"] for hit in found["hits"]["hits"]]
            if product.name not in names:
                wrong.append(f"{product.name!r} finds {names[:3]}")
        phrases = search.count(index=new.phrases)["count"]
        if not phrases:
            wrong.append("it has nothing to suggest")
    if wrong:
        raise AuditError(
            f"the index {new.name} is not put in place: {'; '.join(wrong)}",
            "those who search still get the index before it; `lake search build --whole` builds one without it",
        )


def _put_in_place(new: Held, now: Held | None) -> None:
    """Let the aliases lead to a new index, both at once."""
    actions: list[dict[str, Any]] = []
    if now:
        actions += [
            {"remove": {"index": now.name, "alias": PRODUCTS}},
            {"remove": {"index": now.phrases, "alias": PHRASES}},
        ]
    actions += [
        {"add": {"index": new.name, "alias": PRODUCTS}},
        {"add": {"index": new.phrases, "alias": PHRASES}},
    ]
    with store.told("putting an index in place") as search:
        search.indices.update_aliases(body={"actions": actions}, request_timeout=store.BUILD_SECONDS)


def _remove(old: Held) -> None:
    with store.told(f"removing {old.name}") as search:
        search.indices.delete(
            index=f"{old.name},{old.phrases}",
            params={"ignore_unavailable": "true"},
            request_timeout=store.BUILD_SECONDS,
        )
