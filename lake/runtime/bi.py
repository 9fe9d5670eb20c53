"""The profile ``bi``: Superset, which shows the dashboards of ``infra/superset`` to the people of the shop.

It runs in an environment of its own (``artifacts.EnvironmentArtifact``), which `make setup` does not bring, and keeps
what it knows in a database of its own in the platform's PostgreSQL. docs/dashboards.md tells people of it.
"""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from urllib.parse import quote

from lake.errors import ServiceError
from lake.runtime import orchestration, supervise
from lake.runtime.artifacts import EnvironmentArtifact, artifacts
from lake.runtime.engines import http_ping, void
from lake.runtime.service import Service
from lake.settings import PROJECT, settings

PROFILE = "bi"
SOURCES = PROJECT / "infra" / "superset"
BOOT_SECONDS = 1800
"""How long it may take to make the database and bring the dashboards in: a first start, on a slow machine."""
REQUEST_SECONDS = 120
THREADS = 8
"""Questions to Trino at once: a dashboard has up to ten charts, and more would only wait in Trino."""


def services() -> list[Service]:
    """Superset."""
    config = settings()
    command = (
        str(python()),
        "-m",
        "gunicorn",
        f"--bind=127.0.0.1:{config.superset_port}",
        # One process: another would know nothing of what this one keeps in memory, and take as much of it again.
        "--workers=1",
        "--worker-class=gthread",
        f"--threads={THREADS}",
        f"--timeout={REQUEST_SECONDS}",
        "--no-control-socket",
        "--limit-request-line=0",
        "--limit-request-field_size=0",
        "superset.app:create_app()",
    )
    return [
        Service(
            name="superset",
            address=config.superset_url,
            ports=(config.superset_port,),
            command=command,
            env=environment(),
            reads=tuple(SOURCES / name for name in ("assets", "boot.py", "pages.py", "superset_config.py")),
            folder=_folder(),
            needs=("postgres", "trino"),
            prepare=_prepare,
            ping=lambda: void(http_ping(f"{config.superset_url}/health")),
            profile=PROFILE,
            parts=("superset",),
        )
    ]


def python() -> Path:
    """The interpreter of Superset's environment, whether or not it is installed."""
    part = artifacts()["superset"]
    assert isinstance(part, EnvironmentArtifact)
    return part.python


def trino_address() -> str:
    """As whom and where Superset asks Trino, for SQLAlchemy, with the password in it: the one place that says so."""
    config = settings()
    password = quote(config.trino_dashboards_password.get_secret_value(), safe="")
    return f"trino://dashboards:{password}@{config.trino_host}:{config.trino_port}/lake"


def environment() -> dict[str, str]:
    """What Superset is told of this installation; ``infra/superset/superset_config.py`` and ``boot.py`` read it."""
    config = settings()
    password = config.postgres_password.get_secret_value()
    return {
        "SUPERSET_CONFIG_PATH": str(SOURCES / "superset_config.py"),
        "SUPERSET_FOLDER": str(_folder()),
        "SUPERSET_DOCS": str(PROJECT / "docs"),
        "SUPERSET_SECRET_KEY": config.superset_secret.get_secret_value(),
        "SUPERSET_DATABASE_URI": f"postgresql+psycopg2://superset:{password}@127.0.0.1:{config.postgres_port}/superset",
        "SUPERSET_TRINO_URI": trino_address(),
        # Trino is the only server that it speaks TLS with, and its authority is ours.
        "REQUESTS_CA_BUNDLE": str(config.trino_ca),
        "SUPERSET_ADMIN": config.superset_admin,
        "SUPERSET_ADMIN_PASSWORD": config.superset_admin_password.get_secret_value(),
        "SUPERSET_VIEWER": config.superset_user,
        "SUPERSET_VIEWER_PASSWORD": config.superset_password.get_secret_value(),
        # It would tell a third party that it runs.
        "SCARF_ANALYTICS": "false",
        "PYTHONUNBUFFERED": "1",
    }


def command_environment() -> dict[str, str]:
    """The environment of a command that runs beside the server, on the same database."""
    return supervise.base_environment() | environment()


def _folder() -> Path:
    return settings().home / "data" / "superset"


def _prepare() -> None:
    """Make the database, and let Superset bring it, its users and its dashboards up to date.

    Raises:
        ServiceError: that failed; the last lines that it said are in the message.
    """
    orchestration.make_database("superset")
    mark = _folder() / "booted"
    state = _state()
    # It takes half a minute, and much more on a slow machine, so it is done only where something may have changed.
    if mark.is_file() and mark.read_text() == state:
        return
    command = (str(python()), str(SOURCES / "boot.py"))
    try:
        result = subprocess.run(
            command, env=command_environment(), check=False, capture_output=True, text=True, timeout=BOOT_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise ServiceError(f"Superset was not ready after {BOOT_SECONDS} s", "run `lake up bi` again") from error
    if result.returncode:
        tail = "\n".join(f"    {line}" for line in (result.stdout + result.stderr).splitlines()[-15:])
        raise ServiceError(f"Superset could not be made ready:\n{tail}", "look at `lake logs postgres`")
    mark.write_text(state)


def _state() -> str:
    """Hash of all that boot.py makes use of."""
    files = [file for file in sorted(SOURCES.rglob("*")) if file.is_file() and file.suffix in {".py", ".yaml", ".txt"}]
    told = [f"{name}={value}".encode() for name, value in environment().items()]
    told += [file.read_bytes() for file in files]
    return hashlib.sha256(b"\0".join(told)).hexdigest()
