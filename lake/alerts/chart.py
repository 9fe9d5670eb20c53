"""The chart of an alert: how what its rule judges went, what it should have been, and the days in question.

It is kept in the object store, drawn once a receipt: the same one gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import re

from lake.alerts.finding import Course, Finding
from lake.metrics.wording import told
from lake.platform import storage

PLACE = f"{storage.REPORTS}/alert-charts"
PNG = "image/png"


def attached(finding: Finding, run_id: str) -> dict[str, str]:
    """What an alert says of its chart, which is kept: where, what it shows in words, and the picture itself for mails,
    which cannot fetch it. An alert without one says why."""
    course = finding.course
    if not course or all(point.value is None for point in course.points):
        of_a_query = finding.state == "firing" and not course
        return {"no_chart": "its rule asks for one value alone" if of_a_query else "there is no data to draw"}
    picture = _png(course)
    place = address(finding, run_id)
    storage.put(place, picture, PNG)
    return {"chart": place, "chart_said": said(course), "chart_png": base64.b64encode(picture).decode()}


def address(finding: Finding, run_id: str) -> str:
    """Where the chart of a finding at a receipt is kept."""
    of = f"-{_in_a_name(finding.segment)}" if finding.segment else ""
    return f"{PLACE}/{run_id}/{finding.rule.name}{of}.png"


def said(course: Course) -> str:
    """What the chart shows, for those who do not see it."""
    *_, last = course.points
    known = [point.value for point in course.points[: -course.judged] if point.value is not None]
    before = f"between {told(min(known), course.unit)} and {told(max(known), course.unit)} before, " if known else ""
    bounds = [
        f"at {word} {told(limit, course.unit)}"
        for word, limit in (("least", last.low), ("most", last.high))
        if limit is not None
    ]
    should = f", where it should have been {' and '.join(bounds)}" if bounds else ""
    days = f"{course.points[0].day} to {last.day}"
    return f"{course.what}, {days}: {before}{told(last.value, course.unit)} on {last.day}{should}."


def _png(course: Course) -> bytes:
    # Imported here: what draws takes a second to import, and most rules hold.
    from lake.drawing import limits

    days, values, low, high = zip(*((each.day, each.value, each.low, each.high) for each in course.points), strict=True)
    return limits.png(course.what, course.unit, days, values, low, high, course.judged, course.is_band)


def _in_a_name(segment: str) -> str:
    """A segment as a part of a name, no two of them alike."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", segment).strip("-").lower()
    return f"{plain}-{hashlib.sha256(segment.encode()).hexdigest()[:8]}"
