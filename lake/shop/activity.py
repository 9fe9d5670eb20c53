"""What customers leave behind besides orders: reviews, and clicks on the web shop."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lake.shop.rng import stream
from lake.shop.source import Journey

REVIEWS = 20_000
SESSIONS = 37_500
LINES_OF_FULL_SHOP = 1_469_307

TITLES = {
    1: ["Never again", "Broken on arrival", "Not what it says", "Awful 😡"],
    2: ["Disappointing", "Too dear for this", "Meh 😕", "Expected more"],
    3: ["It is all right", "Average", "So so 🤷", "Does the job"],
    4: ["Good", "Would buy again", "Nice 🙂", "Good value"],
    5: ["Excellent", "My favourite ❤️", "Best of its kind", "Parfait, très bon", "Świetne! 🎉"],
}
OPENINGS = {
    1: ["I had to throw it away.", "The package was open.", "It tasted of nothing at all."],
    2: ["I have had better ones.", "Smaller than it looks in the picture.", "Half of it was stale."],
    3: ["It is what it is.", "Fine for every day.", "Neither good nor bad."],
    4: ["Fresh and well packed.", "The family liked it.", "Arrived a day early 📦."],
    5: ["We buy it every week.", "Exactly as described 👌.", "Nothing comes close to it.", "Größe und Geschmack gut."],
}
ENDINGS = [
    "",
    " The price went up though.",
    " Thank you!",
    '\nMy neighbour calls it "the real thing".',
    " 10/10 👍🏽",
    " Delivered late.",
]
SEARCHES = ["milk", "coffee beans", "crème fraîche", "gluten free", "birthday 🎂", "bread", "dog food", 'tv 32"']
DEVICES = ["phone", "tablet", "desktop"]


def share(journey: Journey, of_full_shop: int) -> int:
    """How many rows of ``of_full_shop`` a shop of this size gets; one at least."""
    return max(1, round(of_full_shop * len(journey.lines) / LINES_OF_FULL_SHOP))


def reviews(journey: Journey, seed: int) -> pd.DataFrame:
    """Reviews of products that their writer bought, within a month of the order, in the order of time."""
    random = stream(seed, "reviews")
    count = share(journey, REVIEWS)
    bought = journey.lines.iloc[random.integers(len(journey.lines), size=count)]
    rating = random.choice([1, 2, 3, 4, 5], size=count, p=[0.06, 0.08, 0.14, 0.30, 0.42])
    later = random.integers(3600 * 10**6, 30 * 86400 * 10**6, size=count).astype("timedelta64[us]")
    written_at = np.minimum(bought["ordered_at"].to_numpy() + later, _just_before(journey.anchor, count, random))

    body = np.char.add(_of_rating(OPENINGS, rating, random), random.choice(ENDINGS, size=count))
    frame = pd.DataFrame(
        {
            "product_id": bought["product_id"].to_numpy(),
            "customer_id": bought["household_id"].to_numpy(),
            "rating": rating,
            "title": _of_rating(TITLES, rating, random),
            "body": pd.Series(body).where(random.random(count) >= 0.25, None),
            "created_at": written_at,
            "updated_at": written_at,
        }
    )
    frame = frame.sort_values("created_at", kind="stable", ignore_index=True)
    frame.insert(0, "review_id", np.arange(1, count + 1))
    return frame


def clickstream(journey: Journey, orders: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Events of web sessions, in the order of time.

    Half of the sessions end in the checkout of a web order by its customer; the others are spread over the year like
    orders are, and in two of five of them nobody is logged in.
    """
    random = stream(seed, "clickstream")
    count = share(journey, SESSIONS)
    # The position of the order that a session led to, or whose instant it only borrows.
    order = random.integers(len(orders), size=count)
    web_orders = random.permutation(np.flatnonzero(orders["channel"] == "web"))[: count // 2]
    buys = np.arange(count) < len(web_orders)
    order[buys] = web_orders
    customer = orders["customer_id"].to_numpy(dtype="float64")[order]
    customer[~buys & (random.random(count) < 0.4)] = np.nan

    events = np.where(buys, 3, 1) + random.poisson(2, size=count)
    session: np.ndarray = np.repeat(np.arange(count), events)
    last = np.cumsum(events) - 1
    to_go = last[session] - np.arange(len(session))
    buying = buys[session]
    kind = np.where(random.random(len(session)) < 0.15, "search", "view").astype("U11")
    kind[(to_go == 1) & buying] = "add_to_cart"
    kind[(to_go == 0) & buying] = "checkout"
    kind[(kind == "view") & (random.random(len(session)) < 0.1)] = "add_to_cart"

    # A session runs towards its order: the checkout a few seconds before it, each event some time before the next.
    ended_at = orders["ordered_at"].to_numpy()[order] - np.timedelta64(2, "s")
    pause = random.integers(10**6, 90 * 10**6, size=len(session))
    passed = np.cumsum(pause)
    occurred_at = ended_at[session] - (passed[last][session] - passed).astype("timedelta64[us]")

    shows_product = np.isin(kind, ["view", "add_to_cart"])
    seen = journey.lines["product_id"].to_numpy()[random.integers(len(journey.lines), size=len(session))]
    frame = pd.DataFrame(
        {
            "session_id": _session_ids(count, random)[session],
            "customer_id": pd.array(customer[session], dtype="Float64").astype("Int64"),
            "product_id": pd.Series(seen, dtype="Int64").where(pd.Series(shows_product)),
            "event_type": kind,
            "occurred_at": occurred_at,
            "properties": _properties(kind, random.integers(len(DEVICES), size=count)[session], random),
            "created_at": occurred_at,
            "updated_at": occurred_at,
        }
    )
    frame = frame.sort_values("occurred_at", kind="stable", ignore_index=True)
    frame.insert(0, "event_id", np.arange(1, len(frame) + 1))
    return frame


def _just_before(anchor: np.datetime64, count: int, random: np.random.Generator) -> NDArray[np.datetime64]:
    """Instants of the last hour before the anchor."""
    return anchor - random.integers(1, 3600 * 10**6, size=count).astype("timedelta64[us]")


def _of_rating(texts: dict[int, list[str]], rating: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.str_]:
    """A text for each rating, drawn from those that fit it."""
    chosen: np.ndarray = np.empty(
        len(rating), dtype=f"U{max(len(text) for choices in texts.values() for text in choices)}"
    )
    for stars, choices in texts.items():
        fits = rating == stars
        chosen[fits] = random.choice(choices, size=int(fits.sum()))
    return chosen


def _session_ids(count: int, random: np.random.Generator) -> NDArray[np.object_]:
    """Random identifiers in the shape of a UUID."""
    digits = random.bytes(16 * count).hex()
    ids = [digits[start : start + 32] for start in range(0, 32 * count, 32)]
    return np.array([f"{i[:8]}-{i[8:12]}-4{i[13:16]}-a{i[17:20]}-{i[20:]}" for i in ids], dtype=object)


def _properties(kind: NDArray[np.str_], device: NDArray[np.int64], random: np.random.Generator) -> pd.Series[str]:
    """JSON of an event: the device, what was searched for, or where a viewer came from; a tenth have none."""
    searches = [[json.dumps({"device": d, "query": q}, ensure_ascii=False) for q in SEARCHES] for d in DEVICES]
    views = [[json.dumps({"device": d, "from": f}) for f in ("home", "search", "mail", "category")] for d in DEVICES]
    found = np.array(searches)[device, random.integers(len(SEARCHES), size=len(kind))]
    viewed = np.array(views)[device, random.integers(4, size=len(kind))]
    text = pd.Series(np.where(kind == "search", found, viewed), dtype="str")
    return text.where(random.random(len(kind)) >= 0.1, None)
