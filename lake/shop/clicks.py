"""The clickstream of the web shop: sessions that lead to the baskets that were bought, and those that lead to none.

Events arrive as they do from browsers: most at once, some hours late from a phone that was offline, some twice.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lake.shop.rng import stream
from lake.shop.source import Journey, share

SESSIONS = 60_000
BUYING_SHARE = 0.25
"""Of the sessions. More than in a real shop, whose many visitors without an order would be rows without a use here."""

SEEN_OF_A_BASKET = 8
"""Products that a buyer is seen to put into the cart; of a larger basket the rest was ordered from a list."""
LOGGED_IN_SHARE = 0.6
WITHOUT_PROPERTIES_SHARE = 0.05
LATE_SHARE, LONGEST_DELAY_HOURS = 0.01, 12
TWICE_SHARE = 0.005

DEVICES = ["phone", "tablet", "desktop"]
DEVICE_SHARES = {"buys": [0.45, 0.1, 0.45], "leaves": [0.68, 0.09, 0.23]}
SOURCES = ["direct", "search_engine", "mail", "ads", "social"]
SOURCE_SHARES = {"buys": [0.38, 0.24, 0.26, 0.09, 0.03], "leaves": [0.22, 0.34, 0.08, 0.2, 0.16]}

FRUITLESS = ["birthday 🎂", 'tv 32"', "crème brûlée torch", "iphone charger", "cofee beens", "gluten fre bred"]
"""What is searched for in vain, by those who leave without an order."""
FRUITLESS_SHARE = 0.12
SEARCHING_SHARES = {"buys": 0.6, "leaves": 0.35}
CART_SHARE, CHECKOUT_SHARE = 0.15, 0.03
"""Of the sessions without an order, those that come as far; every one at the checkout has a cart."""

SEARCH, VIEW, CART, CHECKOUT, ORDER = "search", "view", "add_to_cart", "checkout", "order"


@dataclass(frozen=True)
class Words:
    """What people type to find a product, and how many products that finds.

    Attributes:
        query: by ``product_id``, the first two words of the kind of goods.
        results: by query.
    """

    query: dict[int, str]
    results: Counter[str]

    @classmethod
    def of(cls, products: pd.DataFrame) -> Words:
        """Of the shop's catalogue."""
        kinds = products["product_type"].fillna("groceries").str.lower().str.findall(r"[a-z]{3,}")
        queries = kinds.str[:2].str.join(" ").replace("", "groceries")
        query = dict(zip(products["product_id"].tolist(), queries.tolist(), strict=True))
        return cls(query, Counter(query.values()))


def clickstream(
    journey: Journey, orders: pd.DataFrame, items: pd.DataFrame, products: pd.DataFrame, seed: int
) -> pd.DataFrame:
    """A row per event, in the order in which they arrived.

    A quarter of the sessions end in a web order of their customer: its products are seen, go into the cart, and are
    checked out. The others are spread over the year like orders are, look at what others buy, and end anywhere before.
    """
    random = stream(seed, "clickstream")
    count = share(journey, SESSIONS)
    # The position of the order that a session led to, or whose instant it only borrows.
    order = random.integers(len(orders), size=count)
    web = random.permutation(np.flatnonzero(orders["channel"] == "web"))[: round(count * BUYING_SHARE)]
    buys = np.arange(count) < len(web)
    order[: len(web)] = web

    steps = pd.concat(
        [
            _bought(orders.iloc[web], items),
            _looked_at(np.flatnonzero(buys), random.poisson(1, size=len(web)), journey, random),
            _looked_at(np.flatnonzero(~buys), 1 + random.poisson(1.5, size=count - len(web)), journey, random),
            _left(np.flatnonzero(~buys), journey, random),
            _searches(buys, random),
        ],
        ignore_index=True,
    ).sort_values(["session", "place"], kind="stable", ignore_index=True)
    # A search is for the product that is looked at next.
    steps["product_id"] = steps["product_id"].astype("Int64")
    sought = steps.groupby("session")["product_id"].bfill()

    frame = pd.DataFrame(
        {
            "session_id": _session_ids(count, random)[steps["session"]],
            "customer_id": _visitors(orders, order, buys, random)[steps["session"]],
            "product_id": steps["product_id"],
            "order_id": orders["order_id"].to_numpy()[order][steps["session"]],
            "event_type": steps["kind"],
            "occurred_at": _instants(steps, orders["ordered_at"].to_numpy()[order], journey.anchor, random),
            "properties": _properties(steps, sought, buys, Words.of(products), random),
        }
    )
    frame["order_id"] = frame["order_id"].astype("Int64").where(frame["event_type"] == ORDER)
    return _arrived(frame, journey.anchor, random)


def _steps(session: NDArray[np.int64], place: NDArray[np.float64], kind: str, product: object = None) -> pd.DataFrame:
    """Events of some sessions; ``place`` is where they stand in theirs, below 1000 but for checkout and order."""
    return pd.DataFrame({"session": session, "place": place, "kind": kind, "product_id": product})


def _bought(orders: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """The sessions of ``orders``, numbered as these are: each product is seen and put into the cart."""
    session_of = pd.Series(np.arange(len(orders)), index=orders["order_id"].to_numpy())
    lines = items[items["order_id"].isin(session_of.index)].drop_duplicates(["order_id", "product_id"])
    place = lines.groupby("order_id").cumcount().to_numpy()
    lines, place = lines[place < SEEN_OF_A_BASKET], place[place < SEEN_OF_A_BASKET].astype("float64")
    session, product = session_of[lines["order_id"]].to_numpy(), lines["product_id"].to_numpy()
    ends = np.arange(len(orders))
    return pd.concat(
        [
            _steps(session, place, VIEW, product),
            _steps(session, place + 0.1, CART, product),
            _steps(ends, np.full(len(ends), 1000.0), CHECKOUT),
            _steps(ends, np.full(len(ends), 1001.0), ORDER),
        ]
    )


def _looked_at(
    sessions: NDArray[np.int64], times: NDArray[np.int64], journey: Journey, random: np.random.Generator
) -> pd.DataFrame:
    """Views of products without a purchase, drawn as products sell."""
    session: NDArray[np.int64] = np.repeat(sessions, times)
    seen = journey.lines["product_id"].to_numpy()[random.integers(len(journey.lines), size=len(session))]
    return _steps(session, random.uniform(0.2, SEEN_OF_A_BASKET, size=len(session)), VIEW, seen)


def _left(sessions: NDArray[np.int64], journey: Journey, random: np.random.Generator) -> pd.DataFrame:
    """What sessions without an order put into a cart and leave there, some of them at the checkout."""
    with_cart = sessions[random.random(len(sessions)) < CART_SHARE]
    at_checkout = with_cart[random.random(len(with_cart)) < CHECKOUT_SHARE / CART_SHARE]
    product = journey.lines["product_id"].to_numpy()[random.integers(len(journey.lines), size=len(with_cart))]
    place = np.full(len(with_cart), 500.0)
    return pd.concat(
        [
            _steps(with_cart, place, VIEW, product),
            _steps(with_cart, place + 0.1, CART, product),
            _steps(at_checkout, np.full(len(at_checkout), 1000.0), CHECKOUT),
        ]
    )


def _searches(buys: NDArray[np.bool_], random: np.random.Generator) -> pd.DataFrame:
    searches = random.random(len(buys)) < np.where(buys, *SEARCHING_SHARES.values())
    session = np.flatnonzero(searches)
    return _steps(session, np.full(len(session), -1.0), SEARCH)


def _visitors(
    orders: pd.DataFrame, order: NDArray[np.int64], buys: NDArray[np.bool_], random: np.random.Generator
) -> pd.api.extensions.ExtensionArray:
    """Who is logged in: buyers are, of the others some."""
    customer = orders["customer_id"].to_numpy(dtype="float64")[order]
    customer[~buys & (random.random(len(buys)) >= LOGGED_IN_SHARE)] = np.nan
    visitors: pd.api.extensions.ExtensionArray = pd.array(customer, dtype="Float64").astype("Int64")
    return visitors


def _instants(
    steps: pd.DataFrame, ended_at: NDArray[np.datetime64], anchor: np.datetime64, random: np.random.Generator
) -> NDArray[np.datetime64]:
    """A session runs towards its order, each event some time before the next; the order itself is told after it."""
    session, is_order = steps["session"].to_numpy(), (steps["kind"] == ORDER).to_numpy()
    pause = random.integers(10**6, 90 * 10**6, size=len(steps))
    pause[is_order] = 0
    passed = np.cumsum(pause)
    last: NDArray[np.int64] = np.append(np.flatnonzero(np.diff(session)), len(session) - 1)
    to_go = passed[last][np.searchsorted(session[last], session)] - passed
    before = ended_at[session] - np.timedelta64(2, "s") - to_go.astype("timedelta64[us]")
    after = np.minimum(ended_at[session] + np.timedelta64(1, "s"), anchor - np.timedelta64(1, "us"))
    return np.where(is_order, after, before)


def _properties(
    steps: pd.DataFrame,
    sought: pd.Series[int],
    buys: NDArray[np.bool_],
    words: Words,
    random: np.random.Generator,
) -> pd.Series[str]:
    """JSON of each event: device and source of its session, what was searched for and found, where a view came from."""
    session, kinds = steps["session"].to_numpy(), steps["kind"].to_numpy()
    device, source = (
        _of_session(names, shares, buys, random)[session]
        for names, shares in ((DEVICES, DEVICE_SHARES), (SOURCES, SOURCE_SHARES))
    )
    position = random.geometric(0.3, size=len(steps))
    fruitless = random.choice(FRUITLESS, size=len(steps))
    is_fruitless = random.random(len(steps)) < np.where(buys[session], 0, FRUITLESS_SHARE)
    has_none = random.random(len(steps)) < WITHOUT_PROPERTIES_SHARE
    texts: list[str | None] = []
    query, queried = "", -1
    for place, (kind, product) in enumerate(zip(kinds, sought.to_numpy(dtype="int64", na_value=0), strict=True)):
        said: dict[str, str | int] = {"device": str(device[place]), "source": str(source[place])}
        if kind == SEARCH:
            query = str(fruitless[place]) if is_fruitless[place] else words.query.get(int(product), "groceries")
            queried = int(session[place])
            said |= {"query": query, "results": words.results[query]}
        elif kind == VIEW and queried == session[place] and words.results[query]:
            # The first that is looked at after a search is one of its results.
            said |= {"from": "search", "query": query, "position": int(min(position[place], words.results[query]))}
            queried = -1
        texts.append(None if has_none[place] else json.dumps(said, ensure_ascii=False))
    return pd.Series(texts, dtype="str")


def _of_session(
    names: list[str], shares: dict[str, list[float]], buys: NDArray[np.bool_], random: np.random.Generator
) -> NDArray[np.str_]:
    of_buyers, of_others = (random.choice(names, size=len(buys), p=of) for of in shares.values())
    return np.where(buys, of_buyers, of_others)


def _arrived(events: pd.DataFrame, anchor: np.datetime64, random: np.random.Generator) -> pd.DataFrame:
    """The events numbered as they arrived, some of them late, some twice; none at or after the anchor."""
    late = random.random(len(events)) < LATE_SHARE
    delay = np.where(late, random.integers(60 * 10**6, LONGEST_DELAY_HOURS * 3600 * 10**6, size=len(events)), 0)
    events = events.assign(created_at=events["occurred_at"].to_numpy() + delay.astype("timedelta64[us]"))
    again = events[random.random(len(events)) < TWICE_SHARE]
    later = random.integers(10**6, 60 * 10**6, size=len(again)).astype("timedelta64[us]")
    frame: pd.DataFrame = pd.concat([events, again.assign(created_at=again["created_at"].to_numpy() + later)])
    frame["created_at"] = np.minimum(frame["created_at"].to_numpy(), anchor - np.timedelta64(1, "us"))
    frame["updated_at"] = frame["created_at"]
    frame = frame.sort_values(["created_at", "session_id"], kind="stable", ignore_index=True)
    frame.insert(0, "event_id", np.arange(1, len(frame) + 1))
    return frame


def _session_ids(count: int, random: np.random.Generator) -> NDArray[np.object_]:
    """Random identifiers in the shape of a UUID."""
    digits = random.bytes(16 * count).hex()
    ids = [digits[start : start + 32] for start in range(0, 32 * count, 32)]
    return np.array([f"{i[:8]}-{i[8:12]}-4{i[13:16]}-a{i[17:20]}-{i[20:]}" for i in ids], dtype=object)
