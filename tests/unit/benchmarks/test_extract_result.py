"""The extraction benchmark's arithmetic: medians, ratios within a round, and what is told of a peer that is missing."""

from __future__ import annotations

import json

import pytest

from benchmarks.extract.compare import Comparison, Finding
from benchmarks.extract.process import Figures, last_words
from benchmarks.extract.result import Entry, Result, paired, total_cpu
from benchmarks.extract.ways import Way

RIGHT, WRONG = Comparison((), {}), Comparison((Finding("note", values_wrong=3, example="row 3"),), {})


def _entry(name: str, group: str, *rounds: tuple[float, float, float, float], main: Comparison | None = None) -> Entry:
    way = Way(name, group, lambda job: [], name)  # type: ignore[arg-type]
    return Entry(way, [Figures(*each) for each in rounds], main)


def _result() -> Result:
    return Result(
        "orders",
        6_000_000,
        [
            _entry("floor binary", "floor", (3.0, 0.5, 3.0, 14), (6.0, 0.5, 3.0, 14), (3.2, 0.5, 3.0, 14)),
            _entry("floor text", "floor", (4.0, 0.5, 4.0, 14), (5.0, 0.5, 4.0, 14), (4.4, 0.5, 4.0, 14)),
            _entry("parquet", "ours", (4.2, 3, 3, 90), (7.5, 3, 3, 120), (4.0, 3, 3, 95), main=RIGHT),
            _entry("parquet, hashes", "ours", (4.8, 4, 3, 90), (8.0, 4, 3, 99), (5.12, 4, 3, 95), main=RIGHT),
            _entry("quick and wrong", "peers", (7, 6, 3, 180), (9, 6, 3, 180), (7, 6, 3, 180), main=WRONG),
            _entry("slow and right", "peers", (9, 12, 3, 400), (9, 12, 3, 400), (9, 12, 3, 400), main=RIGHT),
        ],
    )


def test_each_figure_has_its_own_median() -> None:
    found = _result().named("parquet").medians
    assert found == Figures(wall_s=4.2, client_cpu_s=3, server_cpu_s=3, peak_mb=95)


def test_only_what_was_measured_in_the_same_round_is_compared() -> None:
    # 4.2 / 3.0, 7.5 / 5.0 (there the text protocol was the quicker one), 4.0 / 3.2
    assert _result().goals()["wall_to_floor"] == pytest.approx(1.4)
    assert _result().goals()["hashes_wall_to_floor"] == pytest.approx(1.6)


def test_rows_per_cpu_second_against_the_best_peer_and_the_best_right_one() -> None:
    goals = _result().goals()
    assert goals["rows_per_cpu_s_to_best_peer"] == pytest.approx(9 / 6)
    assert goals["rows_per_cpu_s_to_best_exact_peer"] == pytest.approx(15 / 6)
    assert goals["type_errors"] == 0
    assert goals["peak_mb"] == 95


def test_a_round_that_only_one_side_has_counts_for_nothing() -> None:
    mine = _entry("parquet", "ours", (4, 1, 1, 1), (4, 1, 1, 1))
    theirs = _entry("peer", "peers", (8, 1, 1, 1))
    assert paired(mine, [theirs], lambda figures: figures.wall_s) == 0.5
    assert paired(mine, [_entry("none", "peers")], total_cpu) is None


def test_the_json_has_the_groups_and_why_a_peer_is_missing() -> None:
    result = _result()
    result.entries.append(_entry("absent", "peers"))
    result.entries[-1].not_measured = "it could not be installed"
    written = json.loads(json.dumps(result.to_json()))
    assert set(written) >= {"floor", "ours", "peers"}
    assert set(written["floor"]) == {"binary", "text"}
    assert written["peers"]["absent"] == {"what": "absent", "not_measured": "it could not be installed"}
    peer = written["peers"]["quick and wrong"]
    assert (peer["wall_s"], peer["total_cpu_s"], peer["type_errors"], peer["values_wrong"]) == (7, 9, 1, 3)
    assert peer["errors"] == [{"column": "note", "values_wrong": 3, "example": "row 3"}]
    assert len(peer["rounds"]) == 3
    assert "type_errors" not in written["floor"]["binary"]


def test_the_table_can_be_printed_with_a_peer_missing() -> None:
    result = _result()
    result.entries.append(_entry("absent", "peers"))
    assert result.printed().row_count == 7


def test_the_end_of_a_log_tells_why() -> None:
    log = "\n".join(["starting", "", *(f"line {number}" for number in range(20)), "Error: no such host", ""])
    assert last_words(log).splitlines()[-1] == "Error: no such host"
    assert len(last_words(log).splitlines()) == 6


def test_a_peer_that_bends_a_value_without_a_word_is_not_exact_and_one_that_refuses_it_may_be() -> None:
    peer = _entry("peer", "peers", main=RIGHT)
    assert peer.is_exact
    peer.torture = {"t_time": "fails: no such type", "t_text": RIGHT}
    assert peer.is_exact
    peer.torture["t_decimal"] = WRONG
    assert not peer.is_exact
    assert not _entry("unchecked", "peers").is_exact
