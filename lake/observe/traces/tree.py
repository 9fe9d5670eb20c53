"""The spans of a trace as a tree: whose child is whose, what each did by itself, and what the whole waited for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

SLACK = 0.1
"""Seconds by which what comes next may seem to begin before the end of what it waited for: Airflow tells the span of a
task a moment after it has told the scheduler that the task is done."""

NOT_TOLD = "(not told)"
"""What a span is called that is only known by its children: it is at work, or it was lost."""


@dataclass
class Node:
    """A span in its tree.

    Attributes:
        start, end: seconds since the first span of the trace began.
        own: seconds in which none of its children was at work.
        critical: seconds by which the whole would be shorter if this one's own work took no time; see `critical_path`.
        is_missing: it is only known by its children.
    """

    id: str
    name: str
    service: str
    start: float
    end: float
    parent_id: str = ""
    status: str = "unset"
    message: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    is_missing: bool = False
    children: list[Node] = field(default_factory=list)
    own: float = 0.0
    critical: float = 0.0
    is_critical: bool = False

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end - self.start

    def walk(self) -> Iterator[Node]:
        """This one and all below it, in the order in which they began."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += reversed(node.children)


def tree(documents: Iterable[Mapping[str, Any]]) -> Node:
    """The tree of all spans of a trace, of which there must be one.

    A span whose parent is not there stands below one that is made up; so do several that have none.
    """
    listed = sorted(documents, key=lambda each: (str(each["timestamp"]), str(each["span_id"])))
    began = _instant(listed[0]["timestamp"])
    nodes = [_node(each, began) for each in listed]
    by_id: dict[str, list[Node]] = {}
    for node in nodes:
        by_id.setdefault(node.id, []).append(node)
    roots = []
    for node in nodes:
        if not node.parent_id:
            roots.append(node)
        elif parent := _parent(node, by_id.get(node.parent_id, ())):
            parent.children.append(node)
        else:
            missing = _made_up(node)
            by_id.setdefault(node.parent_id, []).append(missing)
            missing.children.append(node)
            roots.append(missing)
    root = _root(roots)
    for node in reversed([*root.walk()]):
        node.children.sort(key=lambda child: (child.start, child.end))
        if node.is_missing:
            node.start, node.end = node.children[0].start, max(child.end for child in node.children)
        node.own = _own(node)
    critical_path(root)
    return root


def _parent(node: Node, found: Sequence[Node]) -> Node | None:
    """Which of the spans with the id of its parent is a span's: Airflow gives each try of a task the same."""
    if "try" in node.fields and any("try" in each.fields for each in found):
        tries = (each for each in found if str(each.fields.get("try")) == str(node.fields["try"]))
        return next(tries, None)
    begun = [each for each in found if each.start <= node.start + SLACK]
    return begun[-1] if begun else found[0] if found else None


def _node(document: Mapping[str, Any], began: datetime) -> Node:
    start = (_instant(document["timestamp"]) - began).total_seconds()
    return Node(
        id=document["span_id"],
        name=document["name"],
        service=document.get("service", ""),
        start=start,
        end=start + float(document["seconds"]),
        parent_id=document.get("parent_id", ""),
        status=document.get("status", "unset"),
        message=document.get("message", ""),
        fields=document,
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _made_up(child: Node) -> Node:
    """The parent of a span that is not there: still at work, or lost."""
    kind, _, thing = child.name.partition(".")
    name = {"worker": f"task_run.{thing}", "task_run": f"dag_run.{child.fields.get('dag', '')}"}.get(kind, "")
    tried = {"try": child.fields["try"]} if "try" in child.fields else {}
    return Node(
        child.parent_id,
        f"{name} {NOT_TOLD}".strip(),
        child.service,
        child.start,
        child.end,
        fields=tried,
        is_missing=True,
    )


def _root(roots: list[Node]) -> Node:
    """The one below which all others stand. One that is there is before those that are made up."""
    if len(roots) == 1:
        return roots[0]
    there = [root for root in roots if not root.is_missing]
    first = there[0] if len(there) == 1 else Node("", NOT_TOLD, "", 0.0, 0.0, is_missing=True)
    first.children += [root for root in roots if root is not first]
    return first


def _own(node: Node) -> float:
    """Seconds of a span in which no child of it was at work."""
    covered, upto = 0.0, node.start
    for child in node.children:
        start, end = max(child.start, upto), min(child.end, node.end)
        if end > start:
            covered += end - start
            upto = end
    return max(node.seconds - covered, 0.0)


def critical_path(root: Node) -> None:
    """Find what the whole waited for, from its end back to its beginning, and give each instant of it to one span.

    From the end of a span one goes to the child that ended last before that; from that child's beginning to the one
    that ended last before this; what lies between is the span's own. So Jaeger does it, and CRISP (Zhang and others,
    "CRISP: Critical Path Analysis of Large-Scale Microservice Architectures", USENIX ATC 2022, algorithm 1). Children
    are taken as far as they lie within their parents.
    """
    waiting = [(root, root.start, root.end)]
    while waiting:
        node, least, upto = waiting.pop()
        node.is_critical = True
        for child in sorted(node.children, key=lambda each: each.end, reverse=True):
            start, end = max(child.start, least), min(child.end, upto)
            if start >= end or min(child.end, node.end) > upto + SLACK:
                continue
            node.critical += upto - end
            waiting.append((child, start, end))
            upto = start
        node.critical += max(upto - least, 0.0)
