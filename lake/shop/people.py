"""Invented names and addresses for the real households and stores (Faker, seeded)."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import numpy as np
import pandas as pd
from faker import Faker

from lake.shop.rng import stream
from lake.shop.source import Journey

LOCALES = {"en_US": "US", "en_GB": "GB", "de_DE": "DE", "fr_FR": "FR", "es_ES": "ES", "pl_PL": "PL"}
LOCALE_SHARES = [0.55, 0.12, 0.12, 0.09, 0.07, 0.05]
MAIL_HOSTS = ["example.com", "example.net", "example.org"]
"""Reserved names: mail to them reaches nobody."""

REGIONS = ["North", "East", "South", "West", "Central", "Coast"]
NO_PHONE_SHARE = 0.15
NO_PREFERENCES_SHARE = 0.25


class Inventor:
    """Invents people, addresses and mail addresses, the same ones for the same seed."""

    def __init__(self, seed: int, purpose: str) -> None:
        self.random = stream(seed, purpose)
        self._fakers: dict[str, Faker] = {}
        self._seed = int(self.random.integers(2**31))

    def _faker(self, locale: str) -> Faker:
        if locale not in self._fakers:
            self._fakers[locale] = Faker(locale)
            self._fakers[locale].seed_instance(self._seed)
        return self._fakers[locale]

    def person(self, customer_id: int) -> dict[str, Any]:
        """The invented columns of one customer, from ``email`` to ``preferences``."""
        locale = str(self.random.choice(list(LOCALES), p=LOCALE_SHARES))
        faker = self._faker(locale)
        first_name, last_name = faker.first_name(), faker.last_name()
        preferences = {
            "language": locale[:2],
            "newsletter": str(self.random.choice(["daily", "weekly", "never"])),
            "substitutes": bool(self.random.random() < 0.6),
        }
        return {
            "email": self.email(first_name, last_name, customer_id),
            "first_name": first_name,
            "last_name": last_name,
            "phone": None if self.random.random() < NO_PHONE_SHARE else faker.phone_number(),
            **self.address(LOCALES[locale]),
            "is_marketing_opt_in": bool(self.random.random() < 0.55),
            "preferences": None if self.random.random() < NO_PREFERENCES_SHARE else json.dumps(preferences),
        }

    def address(self, country: str) -> dict[str, str]:
        """Street, city, postcode and country of an address in ``country`` (two letters)."""
        faker = self._faker(next((name for name, code in LOCALES.items() if code == country), "en_US"))
        street, city, postcode = faker.street_address(), faker.city(), faker.postcode()
        return {"street": street.replace("\n", ", "), "city": city, "postcode": postcode, "country": country}

    def email(self, first_name: str, last_name: str, customer_id: int, change: int = 0) -> str:
        """A mail address that holds the customer's id, and so is unique; ``change`` makes a later one differ."""
        # Letters without an ASCII counterpart fall away (Polish l with stroke); the id keeps the address unique.
        plain = unicodedata.normalize("NFKD", f"{first_name}.{last_name}").encode("ascii", "ignore").decode().lower()
        name = "".join(letter if letter.isalnum() else "." for letter in plain)
        suffix = f"{customer_id}-{change}" if change else str(customer_id)
        return f"{name}.{suffix}@{MAIL_HOSTS[int(self.random.integers(len(MAIL_HOSTS)))]}"


def customers(journey: Journey, seed: int) -> pd.DataFrame:
    """A row per household that ever bought; those of the survey carry its answers.

    ``created_at`` lies between a minute and thirty days before the first order.
    """
    first_orders = journey.lines.groupby("household_id")["ordered_at"].min()
    inventor = Inventor(seed, "customers")
    frame = pd.DataFrame([inventor.person(int(customer_id)) for customer_id in first_orders.index])
    frame.insert(0, "customer_id", first_orders.index.to_numpy())

    renamed = {
        "household_id": "customer_id",
        "age": "age_band",
        "income": "income_band",
        "household_comp": "household_composition",
    }
    frame = frame.merge(journey.demographics.rename(columns=renamed), on="customer_id", how="left")
    before = stream(seed, "customers.created_at").integers(60 * 10**6, 30 * 86400 * 10**6, size=len(frame))
    frame["created_at"] = first_orders.to_numpy() - before.astype("timedelta64[us]")
    frame["updated_at"] = frame["created_at"]
    return frame


def stores(journey: Journey, seed: int) -> pd.DataFrame:
    """A row per store that sold anything, opened between one and thirty years before the dataset begins."""
    ids = np.unique(journey.lines["store_id"])
    random = stream(seed, "stores")
    faker = Faker("en_US")
    faker.seed_instance(int(random.integers(2**31)))
    cities = [faker.city() for _ in ids]
    first_day = journey.anchor.astype("datetime64[D]") - np.timedelta64(365, "D")
    opened_on = first_day - random.integers(365, 365 * 30, size=len(ids)).astype("timedelta64[D]")
    return pd.DataFrame(
        {
            "store_id": ids,
            "store_name": [f"{city} #{store_id}" for city, store_id in zip(cities, ids, strict=True)],
            "city": cities,
            "region": random.choice(REGIONS, size=len(ids)),
            "opened_on": opened_on,
            "created_at": opened_on.astype("datetime64[us]"),
            "updated_at": opened_on.astype("datetime64[us]"),
        }
    )
