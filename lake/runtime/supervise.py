"""The supervisor: its configuration, its process, and what it is asked over its socket.

`supervisor <http://supervisord.org>`_ keeps the processes alive and rotates their logs. It listens on a socket in the
state directory that only its owner may open, and its configuration (which holds passwords) is as private.
"""

from __future__ import annotations

import os
import resource
import shlex
import subprocess
import sys
import xmlrpc.client
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

import psutil
from supervisor.xmlrpc import SupervisorTransport
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from lake.errors import ServiceError
from lake.runtime.service import Service
from lake.settings import settings

ALIVE = ("STARTING", "RUNNING")
LOG_BYTES, LOG_BACKUPS = 10 * 1024**2, 3
OPEN_FILES = 65536
STOP_SECONDS = 30
LONGEST_SOCKET_PATH = 107
KEPT_ENVIRONMENT = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "TMPDIR", "XDG_CACHE_HOME", "LD_LIBRARY_PATH")


@dataclass(frozen=True)
class Process:
    """A service as the supervisor sees it.

    Args:
        state: STOPPED, STARTING, RUNNING, BACKOFF, STOPPING, EXITED, FATAL or UNKNOWN.
        pid: of the process while it lives.
        description: the supervisor's own words (up for how long, or why it ended).
    """

    name: str
    state: str
    pid: int | None
    description: str


# -- the supervisor itself
def is_running() -> bool:
    """Whether the supervisor of this state directory answers. One that is shutting down is waited for first."""
    try:
        _rpc().getState()
    except xmlrpc.client.Fault:  # its only answer then
        with suppress(FileNotFoundError):
            _await_end(int(_pid_file().read_text()))
        return False
    except (OSError, xmlrpc.client.Error):
        return False
    return True


def start(services: Iterable[Service]) -> None:
    """Start the supervisor, or give a running one the services as they are configured now.

    A service whose configuration changed is stopped; the others go on.
    """
    folder = _run_folder()
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    (settings().home / "logs").mkdir(exist_ok=True)
    if len(str(_socket())) > LONGEST_SOCKET_PATH:
        raise ServiceError(
            f"{_socket()} is longer than the {LONGEST_SOCKET_PATH} characters that a socket's path may have",
            "set LAKE_HOME to a shorter path",
        )
    _write(folder / "supervisord.conf", _configuration(list(services)))
    if is_running():
        _reload()
        return
    command = [sys.executable, "-m", "lake.runtime.supervisord", "-c", str(folder / "supervisord.conf")]
    result = subprocess.run(
        command, env=base_environment(), check=False, capture_output=True, text=True, timeout=STOP_SECONDS
    )
    if result.returncode:
        raise ServiceError(
            f"supervisor did not start:\n{result.stdout}{result.stderr}", f"look at {folder}/supervisord.log"
        )
    for attempt in Retrying(
        retry=retry_if_exception_type(OSError), stop=stop_after_delay(10), wait=wait_fixed(0.1), reraise=True
    ):
        with attempt:
            _rpc().getState()


def stop() -> None:
    """End every service in good order, then the supervisor.

    Somebody else may be ending it at the same time: then it refuses, or is gone in the middle of an answer, and what is
    left to do is to wait until it has ended.
    """
    with suppress(FileNotFoundError):
        pid = int(_pid_file().read_text())
        with suppress(OSError, HTTPException, xmlrpc.client.Error):
            rpc = _rpc()
            rpc.stopAllProcesses(True)
            rpc.shutdown()
        _await_end(pid)


def _pid_file() -> Path:
    return _run_folder() / "supervisord.pid"


def _await_end(pid: int) -> None:
    for attempt in Retrying(stop=stop_after_delay(2 * STOP_SECONDS), wait=wait_fixed(0.1), reraise=True):
        with attempt:
            if psutil.pid_exists(pid):
                raise ServiceError(
                    f"the supervisor (pid {pid}) does not end", f"look at {_run_folder()}/supervisord.log"
                )


def end_leftovers() -> int:
    """End the processes that a killed supervisor of this state directory left behind, and say how many they were."""
    left = {child for process in psutil.process_iter() if _works_here(process) for child in _family(process)}
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(list(left), timeout=STOP_SECONDS)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=5)
    return len(left)


def _works_here(process: psutil.Process) -> bool:
    """Whether a process is one of ours: each runs in a folder of its own in the state directory, without a terminal.

    What their environment says would be a clearer mark, but Airflow writes its title over it.
    """
    try:
        return process.terminal() is None and Path(process.cwd()).is_relative_to(settings().home / "data")
    except psutil.Error:  # another user's, or gone
        return False


def _family(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


# -- its processes
def start_process(name: str) -> None:
    """Start one service; does nothing when it runs."""
    try:
        _rpc().startProcess(name, False)
    except xmlrpc.client.Fault as fault:
        if "ALREADY_STARTED" not in fault.faultString:
            raise ServiceError(
                f"{name} cannot be started: {fault.faultString}", f"look at `lake logs {name}`"
            ) from fault


def stop_process(name: str) -> None:
    """Stop one service; does nothing when it does not run."""
    if not is_running():
        return
    try:
        _rpc().stopProcess(name, True)
    except xmlrpc.client.Fault as fault:
        if "NOT_RUNNING" not in fault.faultString:
            raise


def processes() -> dict[str, Process]:
    """What the supervisor knows of each service; nothing when it is down."""
    try:
        infos = _rpc().getAllProcessInfo()
    except (OSError, xmlrpc.client.Error):
        return {}
    return {
        info["name"]: Process(
            info["name"], info["statename"], info["pid"] or None, info["description"] or info["spawnerr"]
        )
        for info in infos
    }


def log_file(name: str) -> Path:
    """Where a service's output goes; older parts lie beside it as ``.1``, ``.2``, ``.3``."""
    return settings().home / "logs" / f"{name}.log"


def base_environment() -> dict[str, str]:
    """What every process gets: little of the caller's shell, so that a start does the same from everywhere."""
    kept = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
    chosen = {name: value for name, value in os.environ.items() if name.startswith("LAKE_")}
    return {"LANG": "C.UTF-8", **kept, **chosen, "TZ": "UTC", "LAKE_HOME": str(settings().home)}


# -- inside
def _run_folder() -> Path:
    return settings().home / "run"


def _socket() -> Path:
    return _run_folder() / "supervisor.sock"


def _rpc() -> Any:
    """The supervisor's interface. A proxy serves one thread, so each call makes its own."""
    transport = SupervisorTransport(None, None, f"unix://{_socket()}")
    return xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport).supervisor


def _reload() -> None:
    rpc = _rpc()
    ((added, changed, removed),) = rpc.reloadConfig()
    for name in (*changed, *removed):
        rpc.stopProcessGroup(name)
        rpc.removeProcessGroup(name)
    for name in (*added, *changed):
        rpc.addProcessGroup(name)


def _write(file: Path, text: str) -> None:
    staging = file.with_suffix(".new")
    staging.unlink(missing_ok=True)
    with open(os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)
    staging.replace(file)


def _environment(service: Service) -> str:
    given = service.full_environment
    quoted = [name for name, value in given.items() if '"' in value or "\n" in value]
    if quoted:  # supervisor's format has no way to write one
        raise ServiceError(
            f"{', '.join(quoted)} of {service.name} holds a quotation mark or a line break", "take another value"
        )
    return ",".join(f'{name}="{value}"' for name, value in given.items())


def _configuration(services: list[Service]) -> str:
    folder = _run_folder()
    hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    daemon = {
        "logfile": folder / "supervisord.log",
        "logfile_maxbytes": LOG_BYTES,
        "logfile_backups": 1,
        "pidfile": folder / "supervisord.pid",
        "childlogdir": settings().home / "logs",
        "directory": settings().home,
        "minfds": OPEN_FILES if hard_limit == resource.RLIM_INFINITY else min(OPEN_FILES, hard_limit),
        "umask": "077",
    }
    if os.geteuid() == 0:
        daemon["user"] = "root"  # said aloud, or supervisor warns of it
    sections: dict[str, dict[str, object]] = {
        "unix_http_server": {"file": _socket(), "chmod": "0700"},
        "rpcinterface:supervisor": {
            "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
        },
        "supervisord": daemon,
    }
    for service in services:
        sections[f"program:{service.name}"] = {
            "command": shlex.join(service.full_command),
            "directory": service.folder,
            "environment": _environment(service),
            # `lake up` starts them, in order; from then on the supervisor keeps them alive.
            "autostart": "false",
            "autorestart": "true",
            "startsecs": 2,
            "startretries": 2,
            "stopsignal": service.stop_signal,
            "stopwaitsecs": STOP_SECONDS,
            "stopasgroup": "false",
            "killasgroup": "true",
            "redirect_stderr": "true",
            "stdout_logfile": log_file(service.name),
            "stdout_logfile_maxbytes": LOG_BYTES,
            "stdout_logfile_backups": LOG_BACKUPS,
        }
    lines = ["; written by `lake up`"]
    for section, options in sections.items():
        lines += ["", f"[{section}]", *(f"{name}={str(value).replace('%', '%%')}" for name, value in options.items())]
    return "\n".join(lines) + "\n"
