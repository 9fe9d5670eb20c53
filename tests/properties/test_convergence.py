"""Whatever a table looks like, whatever happens to its rows and wherever a run dies: the lake becomes the source."""

from __future__ import annotations

import string
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.faults.case import KILLED, Case
from tests.faults.world import World

CHUNK_BYTES = 600
"""So that a table of a dozen rows is read in several chunks."""

_TEXT = st.characters(exclude_categories=["Cs"])


def _whole(low: int, high: int) -> SearchStrategy[int]:
    return st.integers(low, high) | st.sampled_from([low, high])


def _decimal(digits: int, scale: int) -> SearchStrategy[Decimal]:
    return _whole(-(10**digits) + 1, 10**digits - 1).map(lambda whole: Decimal(whole).scaleb(-scale))


VALUES: dict[str, SearchStrategy[Any]] = {
    "tinyint": _whole(-128, 127),
    "int": _whole(-(2**31), 2**31 - 1),
    "int unsigned": _whole(0, 2**32 - 1),
    "bigint": _whole(-(2**63), 2**63 - 1),
    "bigint unsigned": _whole(0, 2**64 - 1),
    "decimal(12,2)": _decimal(12, 2),
    "decimal(28,9)": _decimal(28, 9),  # what Python's decimals hold without a context of their own
    "varchar(40)": st.text(_TEXT, max_size=40),
    "text": st.text(_TEXT, max_size=200),
    "varbinary(30)": st.binary(max_size=30),
    "date": st.dates(date(1000, 1, 1), date(9999, 12, 31)),
    "datetime(6)": st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999)),
}
KEYS = {
    "int": VALUES["int"],
    "bigint unsigned": VALUES["bigint unsigned"],
    "varchar(40)": st.text(string.ascii_letters + "äß 😀", max_size=8),
    "datetime(6)": VALUES["datetime(6)"],
}
POINTS = (
    "extract.row_group:2",
    "extract.source_read",
    "extract.between_chunks:1",
    "extract.between_chunks:3",
    "extract.uploaded",
    "extract.committed",
    "register.committed",
    "publish.merged",
)


@dataclass(frozen=True)
class Shape:
    """Columns of a table: name -> type, and whether NULL is allowed."""

    key: dict[str, str]
    columns: dict[str, tuple[str, bool]]
    has_cursor: bool
    collation: str
    increment: str

    @property
    def ddl(self) -> str:
        parts = [f"{name} {kind} NOT NULL" for name, kind in self.key.items()]
        parts += [f"{name} {kind} {'NULL' if null else 'NOT NULL'}" for name, (kind, null) in self.columns.items()]
        if self.has_cursor:
            now = "CURRENT_TIMESTAMP(6)"
            parts.append(f"updated_at DATETIME(6) NOT NULL DEFAULT {now} ON UPDATE {now}")
        parts.append(f"PRIMARY KEY ({', '.join(self.key)})")
        return f"CREATE TABLE things ({', '.join(parts)}) COLLATE {self.collation}"


@dataclass(frozen=True)
class Changes:
    """What happens to the rows: some are put (new, or over those of the same key), some updated, some deleted.

    Attributes:
        updates: per row, as a number that is taken from the rows that there are, the new values.
        deletes: likewise; `everything` deletes all of them.
    """

    puts: list[tuple[Any, ...]]
    updates: list[tuple[int, tuple[Any, ...]]]
    deletes: list[int]
    everything: bool


@dataclass(frozen=True)
class Turn:
    """Changes, then a run that may be killed, with more changes before it is tried again."""

    changes: Changes
    crash_at: str | None
    meanwhile: Changes | None
    retry_from_the_start: bool


@dataclass(frozen=True)
class Story:
    """A table and what happens to it."""

    shape: Shape
    turns: list[Turn] = field(default_factory=list)


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    kinds = draw(st.lists(st.sampled_from(sorted(KEYS)), min_size=1, max_size=2))
    columns = draw(st.lists(st.tuples(st.sampled_from(sorted(VALUES)), st.booleans()), min_size=1, max_size=5))
    has_cursor = draw(st.sampled_from([True, True, False]))
    return Shape(
        key={f"k{number}": kind for number, kind in enumerate(kinds)},
        columns={f"c{number}": column for number, column in enumerate(columns)},
        has_cursor=has_cursor,
        increment=draw(st.sampled_from(["auto", "sweep", "full", *(["cursor"] if has_cursor else [])])),
        collation=draw(st.sampled_from(["utf8mb4_bin", "utf8mb4_unicode_ci", "utf8mb4_nopad_bin"])),
    )


@st.composite
def stories(draw: st.DrawFn) -> Story:
    shape = draw(shapes())
    key = st.tuples(*(KEYS[kind] for kind in shape.key.values()))
    values = st.tuples(*(st.none() | VALUES[kind] if null else VALUES[kind] for kind, null in shape.columns.values()))

    def changes(most: int) -> SearchStrategy[Changes]:
        return st.builds(
            Changes,
            puts=st.lists(st.tuples(key, values).map(lambda pair: (*pair[0], *pair[1])), max_size=most),
            updates=st.lists(st.tuples(st.integers(0, 1000), values), max_size=4),
            deletes=st.lists(st.integers(0, 1000), max_size=4),
            everything=st.sampled_from([False] * 9 + [True]),
        )

    turns = st.builds(
        Turn,
        changes=changes(25),
        crash_at=st.none() | st.sampled_from(POINTS),
        meanwhile=st.none() | changes(5),
        retry_from_the_start=st.booleans(),
    )
    return Story(shape, draw(st.lists(turns, min_size=2, max_size=4)))


def apply(case: Case, shape: Shape, changes: Changes) -> None:
    """Let the changes happen in the source."""
    names = [*shape.key, *shape.columns]
    same_key = " AND ".join(f"{name} = %s" for name in shape.key)
    places = ", ".join(["%s"] * len(names))
    set_all = ", ".join(f"{name} = VALUES({name})" for name in shape.columns)
    with case.connection() as connection, connection.cursor() as cursor:
        if changes.everything:
            cursor.execute("DELETE FROM things")
        for row in changes.puts:
            cursor.execute(
                f"INSERT INTO things ({', '.join(names)}) VALUES ({places}) ON DUPLICATE KEY UPDATE {set_all}", row
            )
        cursor.execute(f"SELECT {', '.join(shape.key)} FROM things ORDER BY {', '.join(shape.key)}")
        keys = list(cursor.fetchall())
        for number, values in changes.updates if keys else []:
            sets = ", ".join(f"{name} = %s" for name in shape.columns)
            cursor.execute(f"UPDATE things SET {sets} WHERE {same_key}", (*values, *keys[number % len(keys)]))
        for number in changes.deletes if keys else []:
            cursor.execute(f"DELETE FROM things WHERE {same_key}", keys[number % len(keys)])


def tell(world: World, story: Story) -> None:
    """Let a story happen; after every run the lake must be the source."""
    case = Case(world)
    try:
        case.sql(story.shape.ddl)
        case.add("things", increment=story.shape.increment)
        for turn in story.turns:
            apply(case, story.shape, turn.changes)
            run = case.new_run()
            attempt = case.launch(run, crash_at=turn.crash_at, chunk_bytes=CHUNK_BYTES)
            code = attempt.wait()
            assert code in (0, KILLED), attempt.tail
            if code == KILLED:
                if turn.meanwhile:
                    apply(case, story.shape, turn.meanwhile)
                attempt = case.run(run, chunk_bytes=CHUNK_BYTES, from_the_start=turn.retry_from_the_start)
                if turn.meanwhile:  # which the retry has seen or not: its snapshot may be the first try's
                    attempt = case.run(chunk_bytes=CHUNK_BYTES)
            note(attempt.tail)
            case.prove()
        case.settle()
    finally:
        case.close()


_BOUNDED = {
    "deadline": None,
    "derandomize": True,
    "database": None,
    # Making a failing story shorter means telling it a hundred times, which takes half an hour.
    "phases": (Phase.explicit, Phase.generate),
    "suppress_health_check": list(HealthCheck),
}


@settings(max_examples=3, **_BOUNDED)  # type: ignore[arg-type]
@given(stories())
def test_the_lake_becomes_the_source(world: World, story: Story) -> None:
    tell(world, story)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@settings(max_examples=40, **_BOUNDED)  # type: ignore[arg-type]
@given(stories())
def test_the_lake_becomes_the_source_in_many_stories(world: World, story: Story) -> None:
    tell(world, story)
