"""What load and tick refuse before they speak to a database."""

from datetime import date
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

from lake.commands.days import day
from lake.commands.shop import app
from lake.errors import LakeError, SourceError
from lake.shop.database import connect
from lake.shop.load import load
from lake.shop.tick import live, tick


@pytest.mark.parametrize("sample", [0.0, -0.1, 1.01, float("nan")])
def test_sample_outside_its_range(sample: float) -> None:
    with pytest.raises(LakeError, match="is not a fraction of the customers"):
        load(Mock(), date(2026, 1, 1), sample=sample)


@pytest.mark.parametrize("scale", [0, -1, 1001])
def test_scale_outside_its_range(scale: int) -> None:
    with pytest.raises(LakeError, match=f"scale {scale} is not a number of copies"):
        load(Mock(), date(2026, 1, 1), scale=scale)


@pytest.mark.parametrize("orders", [0, -5, 100_001])
def test_orders_outside_their_range(orders: int) -> None:
    with pytest.raises(LakeError, match=f"{orders} orders is not a number of new orders"):
        tick(Mock(), orders)


@pytest.mark.parametrize("rate", [0, -1, 1000.5, float("nan"), float("inf")])
def test_a_rate_outside_its_range(rate: float) -> None:
    with pytest.raises(LakeError, match="orders a second is no rate"):
        live(Mock(), rate, minutes=1)


@pytest.mark.parametrize("minutes", [0, -1, 1441, float("nan"), float("inf")])
def test_minutes_outside_their_range(minutes: float) -> None:
    with pytest.raises(LakeError, match="minutes is no time to live"):
        live(Mock(), 20, minutes)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--rate", "20"], "--rate and --minutes belong together"),
        (["--minutes", "30"], "--rate and --minutes belong together"),
        (["--rate", "20", "--minutes", "30", "--orders", "5"], "--orders does not go with --rate"),
    ],
)
def test_options_of_a_tick_that_do_not_go_together(options: list[str], said: str) -> None:
    refused = CliRunner().invoke(app, ["tick", *options])
    assert isinstance(refused.exception, LakeError)
    assert said in str(refused.exception)


def test_an_anchor_that_is_no_day() -> None:
    with pytest.raises(LakeError, match="anchor '2026-02-30' is not a day"):
        day("anchor", "2026-02-30")


def test_a_database_that_is_away() -> None:
    # Port 1 of loopback: nothing listens there.
    with pytest.raises(SourceError, match=r"shop@127\.0\.0\.1:1/shop.*\n.*lake up"):
        connect("127.0.0.1", 1, "shop", "", "shop")
