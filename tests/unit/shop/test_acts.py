"""What the living shop does, against what the contracts say of it."""

from __future__ import annotations

import inspect
import re

from lake import contracts
from lake.shop import acts


def test_deletes_are_looked_for_in_every_table_that_the_shop_deletes_from() -> None:
    deleted_from = set(re.findall(r"DELETE FROM (\w+)", inspect.getsource(acts)))
    assert deleted_from >= {"customers", "shipments"}
    compared = {name for name, contract in contracts.load_all(["shop"]).items() if contract.deletes == "keys"}
    assert deleted_from - compared == set()
