"""A trace as text of 80 columns, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lake.observe.traces.tree import Node

MOST_SHOWN = 12
"""Children of a span that are shown, unless all are wanted: those that the whole waited for, those that failed, and of
the others those that took longest."""

WIDTH = 80
NAME_FROM = 33
PATH_LINES = 5
SHORTEST = 0.0005
FIELDS = ("run", "source", "table", "task", "try")


def lines(root: Node, is_all: bool = False) -> Iterator[str]:
    """The tree, a line for each span; its columns are explained by the first."""
    yield f"{'start':>8} {'took':>8} {'share':>5} {'own':>8}   span (service)"
    total = root.seconds or 1.0
    waiting: list[tuple[Node | str, int, str]] = [(root, 0, "")]
    while waiting:
        node, depth, service = waiting.pop()
        if isinstance(node, str):
            yield f"{'':{NAME_FROM}} {'  ' * depth}{node}"
            continue
        yield _line(node, depth, service, total)
        if node.status == "error" and node.message:
            yield from _told(node.message, depth)
        shown, rest = _some(node.children) if not is_all else (node.children, [])
        if rest:
            waiting.append((f"… {len(rest)} more, {_took(sum(each.seconds for each in rest))} in all", depth + 1, ""))
        if left := node.fields.get("rest", {}).get("shoplake.left_out"):
            waiting.append((f"… {left} that have no span of their own", depth + 1, ""))
        waiting += [(child, depth + 1, node.service or service) for child in reversed(shown)]


def _some(children: list[Node]) -> tuple[list[Node], list[Node]]:
    """Those that are shown, in their order, and the others."""
    if len(children) <= MOST_SHOWN:
        return children, []
    ranked = sorted(children, key=lambda one: (one.is_critical, one.status == "error", one.seconds), reverse=True)
    chosen = {id(one) for one in ranked[:MOST_SHOWN]}
    return [one for one in children if id(one) in chosen], [one for one in children if id(one) not in chosen]


def _line(node: Node, depth: int, service: str, total: float) -> str:
    mark = "*" if node.is_critical else " "
    name = f"{'  ' * depth}{node.name}" + (" FAILED" if node.status == "error" else "")
    name += f" ({node.service})" if node.service and node.service != service else ""
    numbers = f"{_offset(node.start):>8} {_took(node.seconds):>8} {node.seconds / total:>5.0%} {_took(node.own):>8}"
    return f"{numbers} {mark} {_cut(name, WIDTH - NAME_FROM - 2)}".rstrip()


def _told(message: str, depth: int) -> Iterator[str]:
    yield f"{'':{NAME_FROM}} {'  ' * (depth + 1)}{_cut(message.splitlines()[0], WIDTH - NAME_FROM - 3 - 2 * depth)}"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _took(seconds: float) -> str:
    """
    >>> _took(0.0123), _took(5.25), _took(83.4), _took(7265)
    ('12 ms', '5.2 s', '83.4 s', '2:01:05')
    """
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 600:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def _offset(seconds: float) -> str:
    return f"+{seconds:.1f} s" if seconds < 600 else f"+{_took(seconds)}"


def path(root: Node) -> Iterator[str]:
    """What the whole waited for, most first, a line each."""
    ranked = sorted((node for node in root.walk() if node.critical > SHORTEST), key=lambda node: -node.critical)
    yield f"critical path (*): {_took(sum(node.critical for node in ranked))}, of which by themselves"
    for node in ranked[:PATH_LINES]:
        yield f"  {_took(node.critical):>8} {node.critical / (root.seconds or 1):>4.0%}  {node.name}"
    if rest := ranked[PATH_LINES:]:
        yield f"  {_took(sum(node.critical for node in rest)):>8}       {len(rest)} others"


def to_json(root: Node) -> list[dict[str, Any]]:
    """Plain values of each span, the first that began first."""
    return [
        {
            "span_id": node.id,
            "parent_id": node.parent_id,
            "name": node.name,
            "service": node.service,
            "start_seconds": round(node.start, 6),
            "seconds": round(node.seconds, 6),
            "own_seconds": round(node.own, 6),
            "critical_seconds": round(node.critical, 6),
            "is_critical": node.is_critical,
            "is_missing": node.is_missing,
            "status": node.status,
            "message": node.message,
            "attributes": {
                **{name: node.fields[name] for name in FIELDS if name in node.fields},
                **node.fields.get("rest", {}),
            },
        }
        for node in root.walk()
    ]
