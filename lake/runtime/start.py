"""Starting the services: each as soon as what it needs is healthy, and waiting until it answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Set

from tenacity import RetryError, Retrying, retry_if_exception, stop_after_delay, stop_when_event_set, wait_fixed

from lake import logs
from lake.errors import LakeError, ServiceError
from lake.ordered import in_order
from lake.runtime import ports, supervise
from lake.runtime.service import Service
from lake.settings import settings

SHOWN_LOG_LINES = 15

Report = Callable[[str, str], None]
"""Called with a service's name and what happens to it: waiting, starting, healthy or failed."""


def start_all(
    known: dict[str, Service], report: Report = lambda name, state: None, wanted: Set[str] | None = None
) -> None:
    """Bring services up and wait until they are healthy. Those that are are left alone.

    Args:
        known: every service, for the supervisor's configuration.
        wanted: which of them are started, if not all; what they need is among them.

    Raises:
        ServiceError: a port is taken, or services did not become healthy; it holds the last lines of their logs.
    """
    services = {name: service for name, service in known.items() if wanted is None or name in wanted}
    if not supervise.is_running():
        supervise.end_leftovers()
        ports.check_free(services.values())
    before = _running()
    supervise.start(known.values())
    running = _running()
    # What ran with another configuration was stopped, and goes on with the new one, asked for or not.
    services |= {name: known[name] for name in before - running if name in known}
    ports.check_free(service for name, service in services.items() if name not in running)

    failures: list[LakeError] = []
    given_up = threading.Event()

    def one(name: str) -> None:
        report(name, "starting")
        try:
            start_one(services[name], given_up)
        except _GivenUp:
            raise
        except Exception as error:
            report(name, "failed")
            if isinstance(error, LakeError):
                failures.append(error)
            raise
        report(name, "healthy")

    # What is needed beside them runs.
    needs = {name: [need for need in service.needs if need in services] for name, service in services.items()}
    try:
        in_order(needs, one, at_once=len(services), give_up=given_up.set)
    except LakeError:
        fixes = dict.fromkeys(error.fix for error in failures)
        raise ServiceError("\n".join(error.what for error in failures), "; ".join(filter(None, fixes))) from failures[0]


def _running() -> set[str]:
    return {name for name, process in supervise.processes().items() if process.state in supervise.ALIVE}


def start_one(service: Service, given_up: threading.Event) -> None:
    """Start one service and wait until it is healthy, or until another one has failed.

    Raises:
        ServiceError: it ended, or was not healthy in time.
    """
    if supervise.processes()[service.name].state not in supervise.ALIVE:
        service.folder.mkdir(parents=True, exist_ok=True)
        service.prepare()
        supervise.start_process(service.name)
    # What prepares a service has limits of its own: making the schema of a database takes minutes on a slow machine.
    deadline = time.monotonic() + settings().start_patience_seconds
    for step in (service.settle, service.ping):
        _until(deadline, given_up, service, step)


def _until(deadline: float, given_up: threading.Event, service: Service, step: Callable[[], None]) -> None:
    """Try a step until it succeeds, the process is dead or the patience is over."""
    attempts = Retrying(
        retry=retry_if_exception(lambda error: not isinstance(error, _Dead)),
        stop=stop_after_delay(max(1.0, deadline - time.monotonic())) | stop_when_event_set(given_up),
        wait=wait_fixed(0.25),
    )
    try:
        for attempt in attempts:
            with attempt:
                _raise_if_dead(service)
                step()
    except RetryError as error:
        if given_up.is_set():
            raise _GivenUp(service.name) from error
        cause = error.last_attempt.exception()
        patience = f"{settings().start_patience_seconds} s (LAKE_START_PATIENCE_SECONDS)"
        raise failure(service.name, f"is not healthy after {patience}: {cause}") from cause


class _GivenUp(Exception):
    """Nobody waits for this service any more: another one has failed."""


class _Dead(ServiceError):
    """The process ended by itself."""


def _raise_if_dead(service: Service) -> None:
    process = supervise.processes().get(service.name)
    if process is None or process.state in ("FATAL", "EXITED", "STOPPED"):
        described = failure(service.name, f"ended ({process.description if process else 'the supervisor is gone'})")
        raise _Dead(described.what, described.fix)


def failure(name: str, what: str) -> ServiceError:
    """An error that shows the end of the service's log."""
    return ServiceError(
        f"{name} {what}\n" + "\n".join(f"    {logs.readable(line)}" for line in last_lines([name])),
        f"look at `lake logs {name}`",
    )


def last_lines(names: Iterable[str], count: int = SHOWN_LOG_LINES) -> list[str]:
    """The last lines of these services' logs."""
    lines: list[str] = []
    for name in names:
        file = supervise.log_file(name)
        if file.exists():
            lines += file.read_text(errors="replace").splitlines()[-count:]
    return lines
