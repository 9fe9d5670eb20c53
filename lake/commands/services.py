"""``lake install``, ``up``, ``down`` and ``status``."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, TypedDict

import psutil
import typer
from filelock import FileLock
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from lake.alerts import alertmanager, beat
from lake.contracts import personal
from lake.errors import ContractError, InstallError, LakeError, ServiceError
from lake.runtime import access, profiles, receivers, supervise
from lake.runtime import start as starting
from lake.runtime.install import ensure, install, install_what_can_be_had
from lake.runtime.native import SLOW, install_reader, is_plain
from lake.runtime.secrets import ensure_secrets
from lake.runtime.service import CORE, Service
from lake.runtime.services import services
from lake.runtime.state import remember, state_folder
from lake.settings import settings

console = Console()

SHOWN_ALERTS = 5
COLOURS = {"healthy": "green", "starting": "yellow", "waiting": "dim", "stopped": "dim", "left out": "yellow"}


class Status(TypedDict):
    """One service as ``lake status --json`` prints it.

    ``state`` is healthy, starting (it runs and does not answer yet), failed, stopped or left out (this machine cannot
    have it, or has not fetched it); ``memory_bytes`` counts the process and its children, shared pages once (PSS).
    Services of a profile that is not started are not among them.
    """

    name: str
    profile: str
    address: str
    state: str
    pid: int | None
    memory_bytes: int


def install_parts() -> None:
    """Fetch, check, unpack and build what is missing; does nothing when all is there."""
    install(console)
    install_what_can_be_had(console)
    install_reader(console)


def up(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...",
            help="A profile (observe), which is started beside the core from now on; or services, for these alone and "
            "what they need.",
        ),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every profile.")] = False,
    port_offset: Annotated[
        int | None, typer.Option(min=0, max=40000, help="Shift every port; remembered in .lake/settings.env.")
    ] = None,
) -> None:
    """Install what is missing and start the core and the chosen profiles; does nothing to what runs."""
    if port_offset is not None:
        remember("LAKE_PORT_OFFSET", str(port_offset))
    install(console)
    for kind in (settings().shop_server, settings().second_server):
        if kind:
            ensure(kind)
    install_reader(console)
    with FileLock(state_folder() / ".lock"):
        known = services()
        names = [*(names or []), *(profiles.all_of(known) if all_ else [])]
        wanted = profiles.wanted(names, known)
        left_out = _fetch(wanted, names)
        profiles.add([name for name in names if name in profiles.all_of(known)], known)
        ensure_secrets()
        known = services()  # as the secrets and the parts make them
        # What the services are started with, later commands must know, whatever their environment.
        for name in ("port_offset", "shop_server", "second_server"):
            remember(f"LAKE_{name.upper()}", str(getattr(settings(), name)))
        receivers.keep()
        _grant()
        access.prepare()  # also for a Trino that runs: its certificate may near its end, and a password be another
        states = {name: "waiting" for name in wanted if name not in left_out}

        with Live(_progress(known, states), console=console, refresh_per_second=4, transient=True) as live:

            def report(name: str, state: str) -> None:
                states[name] = state
                live.update(_progress(known, states))

            starting.start_all(known, report, set(states))
    print_status(statuses())
    for name, reason in left_out.items():
        console.print(f"{name} is left out: {reason}", style="yellow", highlight=False, markup=False, soft_wrap=True)


def _grant() -> None:
    """Let readers of the lake see what is not personal, as the contracts say now."""
    try:
        access.grant(personal.masks())
    except ContractError as error:
        access.grant(None)
        what = f"on Trino {' and '.join(access.READERS)} see no table until the contracts are well-formed: {error}"
        console.print(what, style="yellow", highlight=False, markup=False, soft_wrap=True)


def _fetch(wanted: dict[str, Service], named: list[str]) -> dict[str, str]:
    """Fetch what the services run, and say which have to be left out, and why.

    Raises:
        InstallError: one of them was asked for by its name.
    """
    left_out = profiles.fetch(wanted)
    for name in left_out:
        if name in named:
            raise InstallError(f"{name} cannot be started: {left_out[name]}", "do without it: the rest needs it not")
    return left_out


def down(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PROFILE]...", help="Only these, which `lake up` then starts no more."),
    ] = None,
) -> None:
    """Stop every service; their data stays."""
    if names:
        known = services()
        profiles.forget(names, known)
        running = supervise.processes()
        for each in known.values():
            if each.profile in names and each.name in running:
                supervise.stop_process(each.name)
        console.print(f"{', '.join(names)}: all services are stopped")
        return
    if not supervise.is_running():
        left = supervise.end_leftovers()
        console.print(f"ended {left} processes that a killed supervisor left behind" if left else "nothing is running")
        return
    with console.status("stopping"):
        supervise.stop()
    console.print("all services are stopped")


def status(json_: Annotated[bool, typer.Option("--json", help="As a list of objects.")] = False) -> None:
    """Show each service's address, health and memory."""
    found = statuses()
    if json_:
        typer.echo(json.dumps(found, indent=2))
    else:
        print_status(found)
        for remark in _remarks():
            console.print(f"\n{escape(remark)}", style="yellow", highlight=False, soft_wrap=True)


def _remarks() -> list[str]:
    """What the newest receipt says of tables that are not as they should be."""
    from lake.ledger import receipts

    try:
        return receipts.latest().remarks()
    except LakeError:
        return []  # nothing was published, or the object store is away, as the table above says


def statuses() -> list[Status]:
    """Every service of the core, of the chosen profiles and what else runs, with its health, asked of all at once."""
    processes = supervise.processes()
    known = services()
    started = {CORE, *profiles.chosen(known)}
    alive = {name for name, process in processes.items() if process.state in supervise.ALIVE}
    shown = [service for name, service in known.items() if service.profile in started or name in alive]
    with ThreadPoolExecutor(max_workers=len(shown)) as pool:
        return list(pool.map(lambda service: _status(service, processes.get(service.name)), shown))


def _status(service: Service, process: supervise.Process | None) -> Status:
    state = "left out" if profiles.lacks(service) else "stopped"
    if process and process.state in supervise.ALIVE:
        try:
            service.ping()
            state = "healthy"
        except Exception:  # pings fail as their libraries please, and every failure means the same here
            state = "starting"
    elif process and process.state in ("FATAL", "EXITED", "BACKOFF"):
        state = "failed"
    pid = process.pid if process else None
    return Status(
        name=service.name,
        profile=service.profile,
        address=service.address,
        state=state,
        pid=pid,
        memory_bytes=memory_bytes(pid) if pid else 0,
    )


def memory_bytes(pid: int) -> int:
    """Memory of a process and its children; a page that several share counts once."""
    total = 0
    try:
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            try:
                total += process.memory_full_info().pss
            except (psutil.AccessDenied, PermissionError):
                total += process.memory_info().rss
    except psutil.NoSuchProcess:
        return total
    return total


def print_status(found: list[Status]) -> None:
    """The table for people, with what they need to log in."""
    table = Table("service", "address", "state", "pid", "memory", box=None, header_style="bold")
    for profile in dict.fromkeys(row["profile"] for row in found):
        rows = [row for row in found if row["profile"] == profile]
        for row in rows:
            colour = COLOURS.get(row["state"], "red")
            memory = f"{row['memory_bytes'] / 1024**2:,.0f} MiB" if row["memory_bytes"] else ""
            table.add_row(row["name"], row["address"], f"[{colour}]{row['state']}", str(row["pid"] or ""), memory)
        total = sum(row["memory_bytes"] for row in rows)
        table.add_row(f"[bold]{profile}[/]", "", "", "", f"[bold]{total / 1024**3:.1f} GiB[/]")
        table.add_row()
    table.columns[4].justify = "right"
    console.print(table)
    others = [name for name in profiles.all_of(services()) if not any(row["profile"] == name for row in found)]
    for name in others:
        console.print(f"{name} is not started: `lake up {name}`", highlight=False)
    config = settings()
    password = config.airflow_password.get_secret_value()
    if password:
        login = f"\nAirflow: {config.airflow_url}   user {config.airflow_user}   password {password}"
        console.print(login, highlight=False, soft_wrap=True)
    if any(row["name"] == "superset" for row in found):
        for line in _dashboards_login():
            console.print(line, highlight=False, soft_wrap=True, markup=False)
    if any(row["name"] == "api" and row["state"] != "stopped" for row in found):
        console.print(
            f"\nAPI: {config.api_url}   a key for it: `lake keys add web-shop --scope search` (docs/api.md)",
            highlight=False,
            soft_wrap=True,
        )
    if any(row["state"] != "stopped" for row in found):
        console.print("\n" + "\n".join(alerts()), highlight=False, soft_wrap=True, markup=False)
    if is_plain():
        console.print(f"\nmysql-arrow was set up without Rust: {SLOW}", highlight=False, soft_wrap=True)


def _dashboards_login() -> list[str]:
    """Where the people of the shop find their dashboards, and as whom."""
    config = settings()
    password = config.superset_password.get_secret_value()
    if not password:
        return []
    return [
        f"Dashboards: {config.superset_url}/superset/dashboard/overview/   user {config.superset_user}   "
        f"password {password}",
        f"  user {config.superset_admin}, who may change everything: LAKE_SUPERSET_ADMIN_PASSWORD in "
        f"{config.home / 'secrets.env'}",
    ]


def alerts() -> list[str]:
    """Who hears of alerts, and which are up."""
    try:
        hearers, up = alertmanager.hearers(), beat.heard(alertmanager.up())
    except ServiceError as error:
        return [f"Alerts: nobody hears of one: {error}"]
    heard = (
        f"Alerts go to {', '.join(hearers)}"
        if hearers
        else "Alerts: nobody will hear of one: there is no receiver -> set LAKE_ALERT_EMAIL_TO and LAKE_ALERT_SMTP, "
        "LAKE_ALERT_SLACK_URL or LAKE_ALERT_WEBHOOK_URL, and run `lake up` (docs/alerts.md)"
    )
    shown = [f"  {each.labels['alertname']}: {each.annotations.get('summary', '')}" for each in up[:SHOWN_ALERTS]]
    more = [f"  and {len(up) - SHOWN_ALERTS} more: {settings().alertmanager_url}"] if len(up) > SHOWN_ALERTS else []
    return [f"{heard}; {len(up) or 'none'} up{':' if up else ''}", *shown, *more]


def _progress(known: dict[str, Service], states: dict[str, str]) -> Table:
    table = Table("service", "address", "state", box=None, header_style="bold")
    for name, state in states.items():
        table.add_row(name, known[name].address, f"[{COLOURS.get(state, 'red')}]{state}")
    return table
