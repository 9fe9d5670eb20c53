"""A platform with every service, a loaded shop and a published lake has no problem, and nothing is left out."""

from __future__ import annotations

import json
from typing import Any

from lake.observe.doctor.checks import CHECKS
from tests.end_to_end.driving import lake


def test_a_sound_platform_has_no_problem(published: dict[str, Any]) -> None:
    found = json.loads(lake("doctor", "--json"))
    assert [each for each in found if each["state"] in ("problem", "skipped")] == []
    assert {each["check"] for each in found} == {check.name for check in CHECKS}
