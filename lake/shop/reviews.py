"""What customers say of what they bought."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lake.shop.rng import stream
from lake.shop.source import Journey, share

REVIEWS = 20_000

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
