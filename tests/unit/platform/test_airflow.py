"""How we call Airflow when it is slow, refuses, or is not there; the server is made up."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from lake.errors import LakeError, ServiceError
from lake.platform import airflow
from lake.platform.airflow import Airflow, TaskState
from lake.settings import Settings

Answer = Callable[[int], tuple[int, Any]]
"""What the n-th request is answered: status and JSON."""

RUNS = "/api/v2/dags/shop_lake/dagRuns"


class Server:
    """A made-up Airflow; counts what it was asked."""

    def __init__(self, answers: dict[str, Answer]) -> None:
        asked: Counter[str] = Counter()
        known = {"POST /auth/token": lambda _: (201, {"access_token": "t"}), **answers}

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                what = f"{self.command} {self.path.partition('?')[0]}"
                asked[what] += 1
                status, content = known[what](asked[what])
                body = json.dumps(content).encode()
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except ConnectionError:
                    pass  # the client has given up waiting

            do_GET = do_POST = do_PATCH = _answer

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.asked = asked
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Server]]:
    """Starts a made-up Airflow that the settings name."""
    started: list[Server] = []

    def start(**answers: Answer) -> Server:
        server = Server({name.replace("_", " ", 1): answer for name, answer in answers.items()})
        Thread(target=server.http.serve_forever, daemon=True).start()
        started.append(server)
        monkeypatch.setattr(airflow, "settings", lambda: Settings(airflow_port=server.http.server_port))
        return server

    yield start
    for server in started:
        server.http.shutdown()
        server.http.server_close()


def slow(first: int, then: Any) -> Answer:
    """Takes too long for the first requests."""

    def answer(number: int) -> tuple[int, Any]:
        if number <= first:
            time.sleep(1.5)
        return 200, then

    return answer


NO_RUNS = {"dag_runs": [], "total_entries": 0}


def test_a_question_that_a_busy_airflow_leaves_open_is_asked_again(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(airflow, "TIMEOUT_SECONDS", 0.5)
    server = serve(**{f"GET_{RUNS}": slow(first=2, then=NO_RUNS)})
    with Airflow() as session:
        assert session.active_runs("shop_lake") == []
    assert server.asked[f"GET {RUNS}"] == 3


def test_logging_in_is_tried_again(serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(airflow, "TIMEOUT_SECONDS", 0.5)
    server = serve(**{"POST_/auth/token": slow(first=1, then={"access_token": "t"})})
    with Airflow():
        assert server.asked["POST /auth/token"] == 2


def test_a_run_is_never_triggered_twice(serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(airflow, "TIMEOUT_SECONDS", 0.5)
    server = serve(**{f"POST_{RUNS}": slow(first=9, then={})})
    with Airflow() as session, pytest.raises(ServiceError, match=r"does not answer: .*timed out"):
        session.trigger("shop_lake", {"full": False})
    assert server.asked[f"POST {RUNS}"] == 1


def test_what_airflow_refuses_is_told_in_its_words(serve: Callable[..., Server]) -> None:
    serve(**{f"GET_{RUNS}/x": lambda _: (404, {"detail": "The DagRun was not found"})})
    with Airflow() as session, pytest.raises(LakeError, match=r"404 .*The DagRun was not found"):
        session.run_state("shop_lake", "x")


def test_a_wrong_password_is_told(serve: Callable[..., Server]) -> None:
    serve(**{"POST_/auth/token": lambda _: (401, {"detail": "Invalid credentials"})})
    with pytest.raises(LakeError, match=r"401 .*Invalid credentials"):
        Airflow()


def test_an_airflow_that_is_not_there_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(airflow, "settings", lambda: Settings(airflow_port=1))
    began = time.monotonic()
    with pytest.raises(ServiceError, match=r"does not answer: .*refused\n.*lake up"):
        Airflow()
    assert time.monotonic() - began < 5


def test_the_end_of_a_log_says_what_was_raised(serve: Callable[..., Server]) -> None:
    failure = {"exc_type": "AuditError", "exc_value": "2 checks failed"}
    events = [{"event": f"line {number}"} for number in range(5)] + [{"event": "failed", "error_detail": [failure]}]
    serve(**{f"GET_{RUNS}/x/taskInstances/audit/logs/1": lambda _: (200, {"content": events})})
    task = TaskState("audit", -1, "-1", "failed", None, None, 1)
    with Airflow() as session:
        said = list(session.log_tail("shop_lake", "x", task, lines=3))
    assert said == ["line 3", "line 4", "failed", "AuditError: 2 checks failed"]


@pytest.mark.parametrize(
    ("events", "name"),
    [
        ([{"event": "line"}], ""),
        (["a line of a log that is no event"], ""),
        (
            [
                {"event": "tried", "error_detail": [{"exc_type": "KeyError", "exc_value": "a"}]},
                {
                    "event": "Task failed with exception",
                    "error_detail": [
                        {"exc_type": "SourceError", "exc_value": "the source is away"},
                        {"exc_type": "OperationalError", "exc_value": "(2003, …)"},
                    ],
                },
                {"event": "Task instance in failure state"},
            ],
            "SourceError",
        ),
    ],
)
def test_the_class_of_the_error_that_a_task_ended_with(serve: Callable[..., Server], events: Any, name: str) -> None:
    serve(**{f"GET_{RUNS}/x/taskInstances/audit/logs/1": lambda _: (200, {"content": events})})
    task = TaskState("audit", -1, "-1", "failed", None, None, 1, "shop_lake", "x")
    with Airflow() as session:
        assert session.error_class(task) == name
