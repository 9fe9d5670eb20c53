"""What one look at one thing came to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lake.alerts.alert import Alert
from lake.alerts.alertmanager import Labels


@dataclass(frozen=True)
class Look:
    """What there is to hear of, and what is over.

    Attributes:
        settled: says by its labels of an alert that is up whether it is over, if it is not among the alerts.
    """

    alerts: Sequence[Alert]
    settled: Callable[[Labels], bool]
