"""Products that are made up for tests."""

from decimal import Decimal
from typing import Any

from lake.search.documents import Product


def product(product_id: int, **other: Any) -> Product:
    """A carton of milk, but for what is said otherwise."""
    told: dict[str, Any] = {
        "name": "Larder Lane Fluid Milk White 1/2 Gal",
        "department": "GROCERY",
        "category": "FLUID MILK PRODUCTS",
        "kind": "FLUID MILK WHITE ONLY",
        "brand": "Private",
        "size": "1/2 GAL",
        "price": Decimal("1.99"),
        "orders": 12,
        "margin_rate": Decimal("0.3100"),
    }
    return Product(product_id, **{**told, **other})
