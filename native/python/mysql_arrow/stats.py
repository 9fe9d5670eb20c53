"""What was read."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Stats:
    """Counts of a read; complete once the result has ended.

    Attributes:
        rows: rows of the result.
        bytes: bytes of the reply, headers included.
        warnings: how many the server has for ``SHOW WARNINGS``.
        extra_results: further results of a procedure, which are left out.
        nulled: by column, values that a policy made NULL; columns without any are left out.
        replaced: by column, texts with bytes that are no UTF-8 and became U+FFFD.
    """

    rows: int = 0
    bytes: int = 0
    warnings: int = 0
    extra_results: int = 0
    nulled: dict[str, int] = field(default_factory=dict)
    replaced: dict[str, int] = field(default_factory=dict)
