"""A version from the published lake to what is served, and back to an earlier one."""

from __future__ import annotations

import json
import logging
from datetime import date
from typing import Any

import pytest
from typer.testing import CliRunner

from lake.commands.recommend import app
from lake.errors import AuditError, LakeError
from lake.recommend import guard, make, popular, serve, source, tables, versions
from lake.recommend.versions import Event
from lake.steps import recommend
from tests.unit.recommend.conftest import Lake

CUSTOMERS: dict[int, str | None] = {customer: "25-34" if customer % 2 else None for customer in range(1, 31)}
BASKETS: dict[int | None, list[list[int]]] = {
    customer: [[1, 2, 10 + customer % 3], [1, 10 + customer % 3], [1, 2, 20 + customer % 4], [1, 2]]
    for customer in range(1, 26)
}


def _publish(lake: Lake, run_id: str, **more: Any):
    # 26 to 30 have bought nothing, 99 is no customer any more, and somebody has bought without an account.
    return lake.publish(run_id, {**BASKETS, 99: [[7], [7]], None: [[8], [8]]}, CUSTOMERS, **more)


def test_the_shop_is_what_its_customers_have_bought_and_kept(lake: Lake) -> None:
    shop = source.read(_publish(lake, "r1", cancelled=[1]))
    assert shop.baskets.customers.tolist() == list(range(1, 26))
    assert shop.baskets.counts.tolist() == [3, *[4] * 24]
    assert shop.baskets.products.tolist() == [1, 2, 10, 11, 12, 20, 21, 22, 23]
    assert (shop.segments[1], shop.segments[30]) == ("25-34", popular.EVERYBODY)


def test_a_version_serves_every_customer_and_says_why(lake: Lake) -> None:
    receipt = _publish(lake, "r1")
    make.make(receipt)
    found = serve.next_basket(4)
    assert found is not None
    first = found.products[0]
    assert (first.slot, first.rank, first.product_id, first.baskets, first.of_baskets) == ("usual", 1, 1, 4, 4)
    assert first.last_bought == date(2026, 1, 22)
    assert first.why == "in 4 of your 4 baskets, the last time on 2026-01-22"
    assert found.to_json()["receipt"] == "r1" and found.to_json()["lake_commit"] == "r1c"
    new = [one for one in found.products if one.slot == serve.NEW]
    bought = {1, 2, 11, 20}
    assert new and bought.isdisjoint(one.product_id for one in new)
    assert all(one.last_bought is None and one.baskets == 0 and "new to you" in one.why for one in new)
    # Who has bought nothing gets what most buy.
    start = serve.next_basket(30)
    assert start is not None
    assert [(one.slot, one.product_id) for one in start.products[:2]] == [("start", 1), ("start", 2)]
    # Who came later, too, where their segment is known; and nobody knows 99.
    later = serve.next_basket(77, segment="25-34")
    assert later is not None and later.products[0].product_id == 1
    assert serve.next_basket(77) is None and serve.next_basket(99) is None


def test_what_goes_with_a_cart_is_not_in_it(lake: Lake) -> None:
    make.make(_publish(lake, "r1"))
    companions = serve.bought_together(2)
    assert companions and all(one.with_product_id == 2 and one.lift > 1 for one in companions)
    # Product 1 is in all baskets: that it goes with 2 says nothing. 20 to 23 are in one of four, and always with 2.
    assert {one.product_id for one in companions} <= {20, 21, 22, 23}
    cart = [2, companions[0].product_id]
    assert set(cart).isdisjoint(one.product_id for one in serve.for_cart(cart))
    assert serve.for_cart([]) == () and serve.bought_together(404) == ()


def test_a_version_made_twice_is_there_once(lake: Lake) -> None:
    receipt = _publish(lake, "r1")
    make.make(receipt)
    found = serve.next_basket(4)
    make.make(receipt)
    assert serve.next_basket(4).products == found.products  # type: ignore[union-attr]
    assert [one.event for one in versions.history()] == [Event.published] * 2


def test_who_left_the_shop_is_gone_from_all_versions_with_the_next_publish(lake: Lake) -> None:
    make.make(_publish(lake, "r1"))
    without = {customer: age for customer, age in CUSTOMERS.items() if customer not in (4, 30)}
    lake.publish("r2", BASKETS, without)
    # One version a day: nothing is made, and yet they are gone.
    assert recommend.recommend("r2", asked=False) is None
    assert serve.next_basket(4) is None and serve.next_basket(30) is None
    assert serve.next_basket(5) is not None
    assert recommend.recommend("r2", asked=True) == "r2"
    versions.roll_back("r1", "to try")
    assert versions.current().run_id == "r1"
    assert serve.next_basket(4) is None


def test_the_first_publish_of_a_day_makes_a_version(lake: Lake) -> None:
    _publish(lake, "r1")
    assert recommend.recommend("r1", asked=False) == "r1"


def test_a_shop_to_which_nobody_came_back_has_none_and_fails_nothing(
    lake: Lake, caplog: pytest.LogCaptureFixture
) -> None:
    lake.publish("r1", {1: [[1]]}, {1: None})
    with caplog.at_level(logging.INFO):
        assert recommend.recommend("r1", asked=False) is None
    assert "no recommendations of r1: none of 1 customers has 2 baskets" in caplog.text
    with pytest.raises(LakeError, match="there are no recommendations yet"):
        serve.next_basket(1)


def test_going_back_names_what_can_be_gone_back_to(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "KEPT", 2)
    for run_id in ("r1", "r2", "r3"):
        make.make(_publish(lake, run_id))
    with pytest.raises(LakeError, match="count already"):
        versions.roll_back("r3", "")
    with pytest.raises(LakeError, match="older than the last 2"):
        versions.roll_back("r1", "")
    with pytest.raises(LakeError, match="did you mean r"):
        versions.roll_back("r22", "")
    versions.roll_back("r2", "r3 is odd")
    assert serve.next_basket(4).version.run_id == "r2"  # type: ignore[union-attr]
    kept = tables.rows(tables.NEXT_BASKET, versions.AlwaysTrue(), ("run_id",))["run_id"].to_pylist()
    assert set(kept) == {"r2", "r3"}
    assert (versions.history()[0].event, versions.history()[0].reason) == (Event.rolled_back, "r3 is odd")


def _card(recall: float, ndcg: float, error: float = 0.001) -> dict[str, Any]:
    told = {"recall@10": recall, "ndcg@10": ndcg}
    return {"receipt": "r0", "metrics": {"ours": told | {f"{name} standard error": error for name in told}}}


def test_the_guard_allows_the_margin_and_the_noise_and_no_more() -> None:
    former = _card(0.2, 0.3)
    assert guard.worse(_card(0.1, 0.1), None) == ""
    assert guard.worse(_card(0.191, 0.286), former) == ""
    assert "recall@10 is 0.1890, was 0.2000 with r0" in guard.worse(_card(0.189, 0.3), former)
    assert "ndcg@10 is 0.2840" in guard.worse(_card(0.2, 0.284), former)
    # Of few customers the same difference tells nothing.
    assert guard.worse(_card(0.189, 0.284, error=0.01), former) == ""
    assert guard.worse(_card(0.15, 0.284, error=0.01), former).startswith("recall@10")


def test_a_worse_version_is_refused_and_a_person_may_accept_it(lake: Lake) -> None:
    make.make(_publish(lake, "r1"))
    # People have changed: nobody buys again what they did.
    odd = {customer: [*of[:-1], [40 + customer]] for customer, of in BASKETS.items() if customer is not None}
    receipt = lake.publish("r2", odd, CUSTOMERS)
    with pytest.raises(AuditError, match=r"r2 are not published: recall@10 is 0\.0"):
        make.make(receipt)
    assert versions.current().run_id == "r1"
    assert serve.next_basket(4).version.run_id == "r1"  # type: ignore[union-attr]
    with pytest.raises(LakeError, match="they were refused"):
        versions.roll_back("r2", "")
    # Today it was judged: it is not made again with each publish, and not told again.
    assert recommend.recommend("r2", asked=False) is None
    accepted = make.make(receipt, accept_worse=True)
    assert versions.current().run_id == "r2" and accepted.reason.startswith("recall@10")


def test_commands_print_what_they_say(lake: Lake) -> None:
    receipt = _publish(lake, "r1")
    run = CliRunner().invoke
    text = run(app, ["run"]).output
    assert "Recommendations of receipt r1" in text and "age_band: 25-34" in text and "refused where" in text
    told = json.loads(run(app, ["evaluate", "--json"]).output)
    assert told["measured_on"]["receipt"] == receipt.run_id
    assert set(told) >= {"ours", "gp_topfreq", "p_topfreq", "g_topfreq", "tifu_knn"}
    since = json.loads(run(app, ["evaluate", "--json", "--since", "2026-01-15"]).output)
    # Before that day there were two baskets of each, and the third is held out.
    assert since["measured_on"]["known_baskets"] == 50
    (version,) = json.loads(run(app, ["list", "--json"]).output)
    assert (version["receipt"], version["event"], version["counts"]) == ("r1", "published", True)
    assert json.loads(run(app, ["show", "--json"]).output)["data"]["baskets"] == 100
    shown = json.loads(run(app, ["for", "4", "--json"]).output)["products"][0]
    assert (shown["product_name"], shown["why"][:18]) == ("product 1", "in 4 of your 4 bas")
    assert isinstance(run(app, ["for", "99"]).exception, LakeError)
    assert isinstance(run(app, ["evaluate", "--since", "soon"]).exception, LakeError)
