"""What OpenSearch keeps, of whatever kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

Kind = Literal["logs", "spans"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Document:
    """A line of a log, or a span.

    Attributes:
        id: the same whenever the same thing is handed on.
    """

    id: str
    fields: dict[str, Any]
