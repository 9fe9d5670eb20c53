"""The chart of an alert: what it shows, what it says, and where it is kept."""

from __future__ import annotations

import base64
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO

import numpy
import pytest
from PIL import Image

from lake.alerts import chart
from lake.alerts.finding import Course, Finding, Point
from lake.alerts.rules import MetricRule, QueryRule
from lake.platform import storage

FIRST = date(2026, 9, 30)
RULE = MetricRule.model_validate(
    {"name": "falls", "description": "x", "severity": "warning", "metric": "revenue", "threshold": {"min": 1}}
)
QUERY = QueryRule.model_validate(
    {"name": "odd", "description": "x", "severity": "warning", "query": "SELECT 1", "condition": {"min": 2}}
)


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What is put into the object store."""
    found: dict[str, bytes] = {}

    def put(uri: str, data: bytes, content_type: str) -> None:
        assert content_type == "image/png"
        found[uri] = data

    monkeypatch.setattr(storage, "put", put)
    return found


def course(last: Decimal | None = Decimal("458.01"), judged: int = 1, is_band: bool = True, days: int = 56) -> Course:
    points = [
        Point(FIRST + timedelta(days=at), Decimal(900 + at % 7 * 50) if at < days - 1 else last, Decimal(675), None)
        for at in range(days)
    ]
    return Course("Revenue of MEAT", "money", tuple(points), judged, is_band)


def finding(shown: Course | None, segment: str = "MEAT") -> Finding:
    return Finding(RULE, "firing", "x", segment=segment, course=shown)


def reds(picture: bytes) -> list[int]:
    """In which columns of a picture there is the red of the days in question, below its legend."""
    image = Image.open(BytesIO(picture)).convert("RGB")
    height = image.height
    red, green, blue = (numpy.asarray(band, dtype=int)[height // 5 :] for band in image.split())
    # A few colours stand for all, so it is near enough to the red that was drawn.
    is_red = (red > 180) & (green < 90) & (blue < 90)
    return [*map(int, is_red.any(axis=0).nonzero()[0])]


def test_the_same_finding_gives_the_same_bytes_at_the_same_place(kept: dict[str, bytes]) -> None:
    said = chart.attached(finding(course()), "r1")
    assert chart.attached(finding(course()), "r1") == said
    [(place, picture)] = kept.items()
    assert said["chart"] == place == chart.address(finding(None), "r1")
    assert place.startswith("s3://reports/alert-charts/r1/falls-meat-")
    assert base64.b64decode(said["chart_png"]) == picture
    assert said["chart_said"] == (
        "Revenue of MEAT, 2026-09-30 to 2026-11-24: between 900.00 and 1,200.00 before, 458.01 on 2026-11-24, where it "
        "should have been at least 675.00."
    )
    # Small enough for a mail, many of which may come at once.
    assert len(picture) < 20_000


@pytest.mark.parametrize("is_band", [True, False])
def test_the_days_in_question_are_marked(kept: dict[str, bytes], is_band: bool) -> None:
    one, three = (chart.attached(finding(course(judged=judged, is_band=is_band)), "r1") for judged in (1, 3))
    of_one, of_three = (reds(base64.b64decode(said["chart_png"])) for said in (one, three))
    width = Image.open(BytesIO(base64.b64decode(one["chart_png"]))).width
    assert of_one
    assert min(of_one) > width * 0.95, "the last day stands at the end"
    assert min(of_three) < min(of_one)
    assert max(of_three) == max(of_one)


@pytest.mark.parametrize("days", [1, 2])
def test_a_lake_that_is_a_day_old_has_a_chart(kept: dict[str, bytes], days: int) -> None:
    said = chart.attached(finding(course(days=days)), "r1")
    assert Image.open(BytesIO(base64.b64decode(said["chart_png"]))).format == "PNG"


def test_segments_that_look_alike_have_places_of_their_own() -> None:
    assert len({chart.address(finding(None, segment), "r1") for segment in ("A/B", "A B", "a-b", "Ä", "")}) == 5
    assert ".." not in chart.address(finding(None, "../../x"), "r1")


@pytest.mark.parametrize(
    ("without", "why"),
    [
        (Finding(RULE, "no_data", "nothing"), "there is no data to draw"),
        (finding(course(last=None, days=1)), "there is no data to draw"),
        (Finding(QUERY, "firing", "1 should be 2"), "its rule asks for one value alone"),
    ],
)
def test_what_cannot_be_drawn_has_no_chart_and_says_why(kept: dict[str, bytes], without: Finding, why: str) -> None:
    assert chart.attached(without, "r1") == {"no_chart": why}
    assert kept == {}
