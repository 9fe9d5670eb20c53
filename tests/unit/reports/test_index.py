"""The index of all reports that are kept."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from lake.commands.main import app
from lake.ledger import receipts
from lake.ledger.receipts import Receipt
from lake.platform import storage
from lake.reports import index
from lake.reports.places import INDEX, KNOWN, address
from lake.settings import settings

RUNS = {
    "run_a": "2026-11-23T04:00:00+00:00",
    "run_b": "2026-11-24T04:00:00+00:00",
    "run_c": "2026-11-25T04:00:00+00:00",
}


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The object store, as a dictionary of this test, with a daily report of two runs and another of one."""
    found = {
        address(report, run_id, kind): f"{report} of {run_id}".encode()
        for report, run_id in (("daily", "run_a"), ("daily", "run_c"), ("business", "run_b"), ("gone", "run_z"))
        for kind in ("html", "pdf")
    }

    def get(uri: str) -> bytes:
        if uri not in found:
            raise FileNotFoundError(uri)
        return found[uri]

    def find(run_id: str) -> Receipt | None:
        return replace(Receipt(run_id, "", "", "", "", "", ""), source_instant=RUNS[run_id]) if run_id in RUNS else None

    monkeypatch.setattr(storage, "get", get)
    monkeypatch.setattr(storage, "put", lambda uri, data, content_type="": found.update({uri: data}))
    monkeypatch.setattr(
        storage, "list_keys", lambda prefix: sorted(uri for uri in found if uri.startswith(prefix + "/"))
    )
    monkeypatch.setattr(receipts, "find", find)
    return found


def test_it_lists_all_by_report_the_newest_first_and_links_them(kept: dict[str, bytes]) -> None:
    index.rebuild()
    page = kept[INDEX].decode()
    assert re.findall(r'href="([^"#]+html)"', page) == [
        "business/run_b/report.html",
        "daily/run_c/report.html",
        "daily/run_a/report.html",
        "gone/run_z/report.html",
    ]
    assert page.index("Tuesday, 24 November 2026") < page.index("Sunday, 22 November 2026")
    assert "data as of 2026-11-24 04:00 UTC" in page
    assert page.count('pdf"') == 4


def test_what_is_kept_is_looked_up_once_and_what_is_gone_is_left_out(
    kept: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    index.rebuild()
    before = kept[INDEX]
    monkeypatch.setattr(receipts, "find", lambda run_id: None)
    index.rebuild()
    assert kept[INDEX] == before
    for kind in ("html", "pdf"):
        del kept[address("daily", "run_a", kind)]
    index.rebuild()
    assert b"run_a" not in kept[INDEX] + kept[KNOWN]


def test_the_command_fetches_the_newest_beside_it(kept: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lake.commands.report.NEWEST", 1)
    monkeypatch.setattr("lake.commands.report.has_display", lambda: False)
    said = CliRunner().invoke(app, ["report", "open", "--index"])
    assert said.exit_code == 0, said.output
    folder = settings().home / "reports"
    page = (folder / "index.html").read_text()
    assert (folder / "daily" / "run_c" / "report.html").read_text() == "daily of run_c"
    assert "lake report open daily --run run_a" in page
    assert not (folder / "daily" / "run_a").exists()
    assert INDEX in said.output
