"""The watch: looks at everything that somebody should hear of, and tells Alertmanager. It depends on no publish."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from lake.alerts import alertmanager, beat, drift, failures, freshness, held_back, reach, runs
from lake.alerts.alert import Alert
from lake.alerts.look import Look
from lake.settings import settings

log = logging.getLogger(__name__)

UNKNOWN = "NotWatched"
LOOKS: dict[str, Callable[[datetime], Look]] = {
    "services": reach.look,
    "runs": runs.look,
    "freshness": freshness.look,
    "held back": held_back.look,
    "drift": drift.look,
}
"""What is looked at. A further thing is a function more."""


def watch(looks: Mapping[str, Callable[[datetime], Look]] = LOOKS, now: datetime | None = None) -> list[str]:
    """Look at each thing and tell what there is; the summaries.

    What cannot be looked at is told as such, and its alerts stay as they are: nothing is known about it. The others are
    looked at all the same.

    Raises:
        ServiceError: Alertmanager is away.
    """
    now = now or datetime.now(UTC)
    alerts: list[Alert] = []
    done: dict[str, Look] = {}
    for name, look in looks.items():
        try:
            done[name] = look(now)
        except Exception as error:  # whatever it is, it must not keep the others from being looked at
            log.exception("%s: nothing is known", name)
            what, way_out = failures.explained(error)
            alerts.append(Alert(UNKNOWN, "critical", f"{name}: nothing is known: {what}", {"look": name}, way_out))
    alerts += [alert for found in done.values() for alert in found.alerts]
    said = [f"{alert.name}: {alert.summary}" for alert in alerts]

    def settled(labels: alertmanager.Labels) -> bool:
        is_known = labels["alertname"] == UNKNOWN and labels.get("look") in done
        return is_known or beat.is_former(labels) or any(found.settled(labels) for found in done.values())

    # Who looks by hand only is not missed.
    switch = [beat.beat(now)] if settings().watch_schedule else []
    alertmanager.tell([*alerts, *switch], settled, now)
    for each in said:
        log.warning("%s", each)
    return said
