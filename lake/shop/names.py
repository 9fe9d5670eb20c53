"""Invented product names. The real data knows of a product its kind, maker's number and size, but not its name."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from faker import Faker

from lake.shop.rng import stream

OWN_LABEL = "Larder Lane"
"""Maker of what the shop sells under its own name."""

SUFFIXES = ["Farms", "Kitchen", "& Sons", "Foods", "Brothers", "Mills", "Company", "House"]
VARIETIES = ["", "", "", "Classic", "Original", "Fresh", "Select", "Family", "Everyday", "Golden"]

SPELLED_OUT = {
    "frzn": "frozen",
    "sft": "soft",
    "drnk": "drink",
    "drnks": "drinks",
    "btl": "bottle",
    "carb": "carbonated",
    "misc": "assorted",
    "pkgd": "packaged",
    "refrgratd": "refrigerated",
    "prod": "products",
    "bkfst": "breakfast",
    "choc": "chocolate",
    "veg": "vegetables",
    "dnrs": "dinners",
    "stk": "stick",
    "ss": "single serve",
}
"""What the data shortens, as a shop would print it."""

SMALL_WORDS = {"incl", "including", "ex", "all", "only", "not"}
"""Words of the data that describe its own groups, not the goods."""


def product_names(products: pd.DataFrame, seed: int) -> pd.Series[str]:
    """A name for each product: its maker, kind and size, such as ``Whitfield Farms Golden Fluid Milk White 1/2 Gal``.

    Args:
        products: with ``manufacturer_id``, ``brand``, ``product_type``, ``category_name``, ``package_size`` and
            ``attributes``; what is missing is left out of the name, and a product of no known kind is "Goods".
    """
    random = stream(seed, "products.names")
    makers = _makers(products["manufacturer_id"], seed).where(products["brand"].ne("Private"), OWN_LABEL)
    varieties = pd.Series(random.choice(VARIETIES, size=len(products)), index=products.index)
    is_organic = products["attributes"].fillna("").str.contains('"organic": true', regex=False)
    kinds = products["product_type"].fillna(products["category_name"]).map(_kind)
    sizes = products["package_size"].fillna("").str.title()
    varieties = varieties.where(~is_organic, "Organic")
    words = pd.DataFrame({"variety": varieties, "kind": kinds, "size": sizes})
    return makers.str.cat(words, sep=" ").str.split().str.join(" ").str.slice(0, 200)


def _makers(numbers: pd.Series[int], seed: int) -> pd.Series[str]:
    """An invented name for each maker's number; nobody's goods have none."""
    faker, random = Faker("en_US"), stream(seed, "products.makers")
    faker.seed_instance(int(random.integers(2**31)))
    known = np.sort(numbers.dropna().unique())
    suffixes = random.choice(SUFFIXES, size=len(known))
    names = {number: f"{faker.last_name()} {suffix}" for number, suffix in zip(known.tolist(), suffixes, strict=True)}
    return numbers.map(names).fillna("").astype("str")


def _kind(text: str) -> str:
    """The kind of goods in plain words: ``FRZN SS PREMIUM ENTREES/DNRS/N`` becomes Frozen Single Serve Premium ..."""
    words = [word for word in re.split(r"[^a-z0-9%']+", text.lower()) if len(word) > 1 and word not in SMALL_WORDS]
    kept = [SPELLED_OUT.get(word, word) for word in words if word != "unknown"]
    return " ".join(kept).title().replace("'S", "'s") or "Goods"
