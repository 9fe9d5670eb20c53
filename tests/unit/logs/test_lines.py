"""What a process of ours writes: asked of a process, as whoever reads its log finds it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SECRET = "sesame open-now/é"
ADDED = "of-an-added-source"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A state folder with the secret of a source that was added."""
    (tmp_path / "secrets.env").write_text(f"LAKE_SOURCE_CRM_PASSWORD={ADDED}\n")
    return tmp_path


def said(home: Path, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What a process writes that sets logging up as a service does, and then runs some code."""
    begin = "import logging, structlog\nfrom lake import logs\nlog = logging.getLogger('lake.test')\n"
    body = "".join(f"    {line}\n" for line in code.strip().splitlines())
    return subprocess.run(
        [sys.executable, "-c", f"{begin}with logs.of_service():\n{body}"],
        env={**os.environ, "LAKE_HOME": str(home), "LAKE_S3_SECRET_KEY": SECRET, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def lines(home: Path, code: str, **environment: str) -> list[dict[str, Any]]:
    """The same, read as JSON: every line must be an object."""
    return [json.loads(line) for line in said(home, code, **environment).stderr.splitlines()]


def test_a_line_says_when_how_grave_who_what_and_about_what(home: Path) -> None:
    (line,) = lines(
        home, "with logs.about(run='r1', source='shop', table='orders', task='extract'):\n    log.info('%s rows', 5)"
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line.pop("timestamp"))
    assert line == {
        "level": "info",
        "logger": "lake.test",
        "event": "5 rows",
        "run": "r1",
        "source": "shop",
        "table": "orders",
        "task": "extract",
    }


def test_what_is_unknown_is_left_out_and_nothing_outlives_its_block(home: Path) -> None:
    code = "with logs.about(run='r1', source=None, table=''):\n    pass\nlog.warning('after')"
    (line,) = lines(home, code)
    assert line.keys() == {"timestamp", "level", "logger", "event"}


def test_threads_log_about_what_their_maker_is_about(home: Path) -> None:
    code = """
from lake.ordered import in_order
with logs.about(run='r1'):
    in_order({'a': (), 'b': ()}, lambda name: log.info(name), 2)
"""
    assert {(line["event"], line["run"]) for line in lines(home, code)} == {("a", "r1"), ("b", "r1")}


def test_structlog_s_own_loggers_and_warnings_go_the_same_way(home: Path) -> None:
    found = lines(home, "structlog.get_logger('lake.own').info('rows', count=5)\nimport warnings; warnings.warn('old')")
    assert (found[0]["logger"], found[0]["event"], found[0]["count"]) == ("lake.own", "rows", 5)
    assert found[1]["logger"] == "py.warnings" and "old" in found[1]["event"]


# -- secrets
WAYS = (
    "log.info(f'key {S}')",
    "log.info('key %s', S)",
    "log.info('key %r', {'a': [S]})",
    "log.info('key', extra={'key': S, 'keys': {S: [{'deep': (S,)}]}})",
    "log.info('key', extra={'raw': S.encode()})",
    "structlog.get_logger().info('key', key=S, keys={S})",
    "import urllib.parse as u; log.info('http://store/?k=' + u.quote(S, safe=''))",
    "log.info(json.dumps({'k': S}))",
    "log.info('%s', type('T', (), {'__str__': lambda self: S})())",
    "try:\n    raise ValueError(S)\nexcept ValueError:\n    log.exception('failed')",
    "t = threading.Thread(target=lambda: 1 / int(S)); t.start(); t.join()",
    "with logs.about(table=S):\n    log.info('bound')",
)
ENDS = ("raise ValueError(S)", "from lake.errors import ServiceError; raise ServiceError(f'wrong key {S}')")


@pytest.mark.parametrize("form", ["json", "plain"])
@pytest.mark.parametrize("end", ENDS)
def test_no_secret_is_written_whichever_way_it_comes(home: Path, end: str, form: str) -> None:
    both = [f"S = {secret!r}\n{way}" for secret in (SECRET, ADDED) for way in WAYS]
    result = said(home, "\n".join(["import json, threading", *both, end]), LAKE_LOG=form)
    written = result.stdout + result.stderr
    assert written.count("***") >= 2 * len(WAYS) + 1
    # Neither the value nor a part of it that would tell it.
    assert "sesame" not in written and ADDED not in written


def test_the_password_of_any_address_is_hidden(home: Path) -> None:
    (line,) = lines(home, "log.info('mysql://reader:from-elsewhere@db:3306/shop and http://db:3306/a@b')")
    assert line["event"] == "mysql://reader:***@db:3306/shop and http://db:3306/a@b"


def test_a_secret_that_is_made_while_the_process_runs_is_hidden_from_then_on(home: Path) -> None:
    code = """
from pathlib import Path; import os
log.info('made-later'); (Path(os.environ['LAKE_HOME']) / 'secrets.env').write_text('LAKE_SOURCE_B_PASSWORD=made-later')
log.info('made-later')
"""
    assert [line["event"] for line in lines(home, code)] == ["made-later", "***"]


# -- bad input
def test_a_line_of_ten_megabytes_is_cut_and_what_is_cut_is_counted(home: Path) -> None:
    (line,) = lines(home, "log.info('x' * 10_000_000)")
    assert line["cut_characters"] == 10_000_000 - 32 * 1024
    assert len(line["event"]) < 33 * 1024 and line["event"].endswith("characters more")


def test_many_long_fields_make_no_long_line(home: Path) -> None:
    result = said(home, "log.info('a', extra={f'f{n}': 'y' * 30_000 for n in range(100)} | {'n': [0] * 1_000_000})")
    (line,) = (json.loads(text) for text in result.stderr.splitlines())
    assert len(result.stderr) < 160 * 1024 and line["event"] == "a" and line["cut_characters"] > 2_000_000


@pytest.mark.parametrize(
    ("code", "event"),
    [
        ("log.info('name \\udcff here')", "name ? here"),
        ("log.info('%s', b'\\xff\\xfe')", "b'\\xff\\xfe'"),
        ("structlog.get_logger('lake.test').info('a', raw=b'caf\\xc3\\xa9 \\xff', far=float('inf'))", "a"),
        ("log.info('two\\nlines \\x1b[31m')", "two\nlines \x1b[31m"),
        ("a = []; a.append(a); log.info('round', extra={'a': a})", "round"),
        ("log.info('odd', extra={'odd': type('T', (), {'__str__': lambda s: 1 / 0})()})", "odd"),
    ],
)
def test_what_is_no_text_is_written_all_the_same(home: Path, code: str, event: str) -> None:
    (line,) = lines(home, code)
    assert line["event"] == event


# -- how it ends
def test_an_error_that_a_person_can_mend_is_the_last_line_and_the_exit_code(home: Path) -> None:
    result = said(home, "from lake.errors import ServiceError\nraise ServiceError('port 1 is taken', 'free it')")
    (line,) = (json.loads(text) for text in result.stderr.splitlines())
    assert (result.returncode, line["level"], line["event"]) == (1, "critical", "port 1 is taken\n  -> free it")


def test_any_other_error_is_one_line_with_its_traceback(home: Path) -> None:
    result = said(home, "1 / 0")
    (line,) = (json.loads(text) for text in result.stderr.splitlines())
    assert result.returncode == 1 and line["exception"].endswith("ZeroDivisionError: division by zero")


def test_settings_that_are_wrong_are_logged_as_well(home: Path) -> None:
    result = said(home, "from lake.settings import settings; settings()", LAKE_LOG="pretty")
    (line,) = (json.loads(text) for text in result.stderr.splitlines())
    assert result.returncode == 1 and line["event"].startswith("LAKE_LOG=pretty: ")


# -- people
def test_people_get_text(home: Path) -> None:
    result = said(home, "with logs.about(run='r1'):\n    log.warning('%s rows', 5)", LAKE_LOG="plain")
    assert re.fullmatch(r"\S+Z \[warning\s*\] 5 rows \s*\[lake.test\] run=r1\n", result.stderr), result.stderr
