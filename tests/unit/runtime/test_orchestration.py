"""Where Airflow's parts send their spans."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lake.runtime.orchestration import airflow_environment
from lake.settings import settings


@pytest.fixture(autouse=True)
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A shell in which somebody has OpenTelemetry's variables for something of his own."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://jaeger:4318")
    settings.cache_clear()
    yield monkeypatch
    monkeypatch.undo()
    settings.cache_clear()


def told() -> dict[str, str | None]:
    environment = airflow_environment()
    names = ("AIRFLOW__TRACES__OTEL_ON", "OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT")
    return {name.rpartition("_")[2]: environment.get(name) for name in names}


def test_into_files_whatever_the_shell_has() -> None:
    assert told() == {"ON": "True", "EXPORTER": "shoplake_file", "ENDPOINT": None}


def test_where_the_shell_says_if_that_is_wanted(shell: pytest.MonkeyPatch) -> None:
    shell.setenv("LAKE_TRACES", "otlp")
    assert told() == {"ON": "True", "EXPORTER": "otlp_proto_http", "ENDPOINT": "http://jaeger:4318"}
    shell.setenv("OTEL_TRACES_EXPORTER", "console")
    assert told()["EXPORTER"] == "console"


def test_nowhere(shell: pytest.MonkeyPatch) -> None:
    shell.setenv("LAKE_TRACES", "off")
    assert told()["ON"] == "False"
