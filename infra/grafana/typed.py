"""``python -m infra.grafana.typed`` holds the dashboards against `Grafana's own TypeScript types
<https://www.npmjs.com/package/@grafana/schema>`_; ``make lint-dashboards`` calls it.

The SDK that makes them has a model of its own, of the same schema; this is the word of Grafana's code. The types of a
whole dashboard leave open what is particular to a kind of panel, so these are held against that kind's types.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infra.grafana.write import made
from lake.runtime.artifacts import cache

PINNED = Path(__file__).parent / "schema"
INSTALL_SECONDS, CHECK_SECONDS = 300, 120

KINDS = {"stat": "Stat", "bargauge": "BarGauge", "table": "Table", "timeseries": "TimeSeries"}
"""Names of the types of each kind of panel."""

WITH_FIELDS = ("table", "timeseries")
"""Kinds that have settings of their own for their fields."""

OF_THE_SDK = ("auto", "auto_count", "auto_min")
"""Of an interval variable; the SDK writes them for every kind, and Grafana passes over them."""

# What JSON holds of a type: an enumeration is one of its words.
WIRE = """type Wire<T> = unknown extends T ? T : T extends string ? `${T}` : T extends (infer E)[] ? Wire<E>[]
  : T extends object ? { [K in keyof T]: Wire<T[K]> } : T;"""


def typescript(dashboards: dict[str, dict[str, Any]]) -> str:
    """A program that compiles where every dashboard fits Grafana's types."""
    return "\n".join([*_head(), *(line for dashboard in dashboards.values() for line in _constants(dashboard))]) + "\n"


def _head() -> Iterator[str]:
    yield 'import type { Dashboard } from "@grafana/schema";'
    for kind, name in KINDS.items():
        names = [f"Options as {name}", *([f"FieldConfig as {name}Fields"] if kind in WITH_FIELDS else [])]
        file = f"composable/{kind}/panelcfg/x/{name}PanelCfg_types.gen"
        yield f'import type {{ {", ".join(names)} }} from "./node_modules/@grafana/schema/dist/esm/raw/{file}";'
    yield WIRE


def _constants(dashboard: dict[str, Any]) -> Iterator[str]:
    for variable in dashboard.get("templating", {}).get("list", []):
        for name in OF_THE_SDK:
            variable.pop(name)
    uid = dashboard["uid"].replace("-", "_")
    yield f"export const {uid}: Wire<Dashboard> = {json.dumps(dashboard)};"
    for panel in dashboard["panels"]:
        if panel["type"] != "row":
            yield from _of_panel(f"{uid}_{panel['id']}", panel)


def _of_panel(name: str, panel: dict[str, Any]) -> Iterator[str]:
    kind = KINDS[panel["type"]]
    yield f"export const {name}: Partial<Wire<{kind}>> = {json.dumps(panel['options'])}; // {panel['title']}"
    if custom := panel["fieldConfig"]["defaults"].get("custom"):
        yield f"export const {name}_fields: Partial<Wire<{kind}Fields>> = {json.dumps(custom)};"


def problems(dashboards: dict[str, dict[str, Any]]) -> str:
    """What the compiler says; nothing where all is well.

    Raises:
        RuntimeError: it cannot be had.
    """
    folder = _compiler()
    program = folder / "dashboards.ts"
    program.write_text(typescript(dashboards))
    options = ("--noEmit", "--strict", "--skipLibCheck", "--module", "esnext", "--moduleResolution", "bundler")
    command = [f"{folder}/node_modules/.bin/tsc", *options, str(program)]
    said = subprocess.run(command, check=False, capture_output=True, text=True, timeout=CHECK_SECONDS, cwd=folder)
    return said.stdout + said.stderr


def _compiler() -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError("npm was not found, which brings Grafana's types -> install Node.js, or leave it to CI")
    folder = cache() / "build" / "grafana-schema"
    folder.mkdir(parents=True, exist_ok=True)
    lock = (PINNED / "package-lock.json").read_bytes()
    done = folder / "installed-lock.json"
    if not (done.is_file() and done.read_bytes() == lock):
        for name in ("package.json", "package-lock.json"):
            shutil.copy(PINNED / name, folder)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        said = subprocess.run(command, check=False, capture_output=True, text=True, timeout=INSTALL_SECONDS, cwd=folder)
        if said.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} failed in {folder}:\n{said.stderr[-800:]}")
        done.write_bytes(lock)
    return folder


if __name__ == "__main__":
    try:
        sys.exit(problems(made()) or None)
    except RuntimeError as error:
        sys.exit(str(error))
