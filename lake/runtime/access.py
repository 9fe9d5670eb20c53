"""Who may ask Trino, and for what: its users' passwords, and the rules that it judges every statement by.

https://trino.io/docs/current/security/password-file.html
https://trino.io/docs/current/security/file-system-access-control.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bcrypt

from lake.errors import ServiceError
from lake.runtime import certificate
from lake.settings import settings

PLATFORM, METRICS, API = "lake", "prometheus", "api"
READERS = ("dashboards", "people")
"""Who sees what is published for people, without what is personal in it."""

PASSWORDS = {
    PLATFORM: "trino_password",
    "dashboards": "trino_dashboards_password",
    "people": "trino_people_password",
    API: "trino_api_password",
    METRICS: "trino_metrics_password",
}
"""The setting that holds the password of each user."""

API_CATALOG = "api_"
"""What the names of the catalogs begin with that the serving API makes, each of one commit of the lake."""

SHOWN = ("curated", "marts")
"""Layers of the published lake that readers see."""

COUNTS = ("audit", "check_results")
"""What the audit of each published run has found. Readers see which checks passed, and how many rows there are in
``cleaned`` and ``quarantine``: counts alone."""

COUNTED = "CASE WHEN check_name = 'expect_table_row_count_to_equal' THEN observed END"
"""What readers see of what a check observed. Other checks may tell of values, and of what a person wrote."""

USERS, RULES, METRICS_PASSWORD = "users.txt", "rules.json", "metrics_password"
"""Files beside the certificates."""

PRIVATE = (certificate.AUTHORITY_KEY, certificate.SERVER, USERS, METRICS_PASSWORD)
"""Those of all of them that hold keys or passwords."""

LONGEST_PASSWORD = 72
"""Bytes of a password that bcrypt looks at."""

_ROUNDS = 10
_PRIVILEGES = ["SELECT", "INSERT", "DELETE", "UPDATE", "OWNERSHIP", "GRANT_SELECT"]


def folder() -> Path:
    """Where all of it is."""
    return settings().home / "trino"


def prepare(starts: bool = False) -> None:
    """Give Trino what it reads at its start, and again when it changes: certificate, passwords and rules.

    Args:
        starts: whether it does not run yet.

    Raises:
        ServiceError: a password is too long, or a certificate is none.
    """
    config = settings()
    certificate.ensure(folder(), ("localhost", "127.0.0.1", "trino", config.trino_host), renews_authority=starts)
    _write_users(folder() / USERS)
    password = config.trino_metrics_password.get_secret_value().encode()
    _write_changed(folder() / METRICS_PASSWORD, password)
    if not (folder() / RULES).exists():
        grant(None)


def grant(masks: Mapping[str, str] | None) -> None:
    """Write the rules. Trino reads them anew within seconds.

    Args:
        masks: what readers see in place of each personal column, by its name, as SQL; None: it is not known which
            columns are personal, so that readers see no table at all.
    """
    folder().mkdir(parents=True, exist_ok=True)
    _write_changed(folder() / RULES, (json.dumps(rules(masks), indent=1) + "\n").encode())


def rules(masks: Mapping[str, str] | None) -> dict[str, Any]:
    """What each user may do. The first rule that fits counts, and what none fits is refused.

    A list that is left out would let everybody do what it is about, so each is there.
    """
    platform, metrics, readers = {"user": PLATFORM}, {"user": METRICS}, {"user": "|".join(READERS)}
    lake = {"catalog": "lake", "schema": "|".join(SHOWN)}
    # The API reads the lake as it was at a commit, from catalogs that it makes itself: these it owns, and none else.
    api, commits = {"user": API}, {"catalog": f"{API_CATALOG}[0-9a-f]+"}
    # Iceberg's tables about a table, such as "dim_customer$files", tell lowest and highest values of columns. When a
    # table was written, and how many rows it has, is no secret.
    shown: dict[str, Any] = {**readers, **lake, "table": r"[^$]*(\$snapshots)?", "privileges": ["SELECT"]}
    served: dict[str, Any] = {**api, **commits, "schema": lake["schema"], "table": r"[^$]*", "privileges": ["SELECT"]}
    if masks:
        shown["columns"] = [{"name": name, "mask": masks[name]} for name in sorted(masks)]
        served["columns"] = shown["columns"]
    schema, table = COUNTS
    counts: dict[str, Any] = {**readers, "catalog": "lake", "schema": schema, "table": table, "privileges": ["SELECT"]}
    counts["columns"] = [{"name": "observed", "mask": COUNTED}, {"name": "notes", "mask": "CAST(NULL AS varchar)"}]
    # What clients ask for the names of tables and columns; Trino leaves out what the user may not see.
    names = [
        {**readers, "catalog": "system", "schema": "jdbc", "privileges": ["SELECT"]},
        {**readers, "catalog": "system", "schema": "metadata", "table": "table_comments", "privileges": ["SELECT"]},
    ]
    return {
        "catalogs": [
            {**platform, "allow": "owner"},
            {**readers, "catalog": "lake|system", "allow": "read-only"},
            {**api, **commits, "allow": "owner"},
        ],
        "schemas": [{**platform, "owner": True}],
        "tables": [
            {**platform, "privileges": _PRIVILEGES},
            *([] if masks is None else [shown, counts, served]),
            *names,
        ],
        "functions": [{**platform, "privileges": ["EXECUTE", "GRANT_EXECUTE", "OWNERSHIP"]}],
        "procedures": [{**platform, "privileges": ["EXECUTE", "GRANT_EXECUTE"]}],
        # Everybody's own queries are theirs to see and to end.
        "queries": [
            {**platform, "allow": ["execute", "kill", "view"]},
            {"user": "|".join((*READERS, API)), "allow": ["execute"]},
        ],
        "impersonation": [{"original_user": ".*", "new_user": ".*", "allow": False}],
        "system_information": [{**platform, "allow": ["read", "write"]}, {**metrics, "allow": ["read"]}],
        "system_session_properties": [{"user": "|".join((PLATFORM, *READERS, API)), "allow": True}],
        "catalog_session_properties": [{**platform, "allow": True}],
        "authorization": [],
    }


def _write_users(file: Path) -> None:
    """Hash the passwords, unless the file has them already."""
    wanted = {user: getattr(settings(), name).get_secret_value().encode() for user, name in PASSWORDS.items()}
    for user, password in wanted.items():
        if not 0 < len(password) <= LONGEST_PASSWORD:
            raise ServiceError(
                f"LAKE_{PASSWORDS[user].upper()} has {len(password)} bytes; Trino takes 1 to {LONGEST_PASSWORD}",
                "choose another one, or remove it and let `lake up` make one",
            )
    if file.exists():
        lines = [line.split(":", 1) for line in file.read_text().splitlines()]
        found = {user: hashed.encode() for user, hashed in lines}
        if set(found) == set(wanted) and all(bcrypt.checkpw(wanted[user], found[user]) for user in wanted):
            return
    hashed = {user: bcrypt.hashpw(password, bcrypt.gensalt(_ROUNDS)).decode() for user, password in wanted.items()}
    # $2y$ is $2b$ by another name, and the only one that Trino knows.
    text = "".join(f"{user}:{each.replace('$2b$', '$2y$', 1)}\n" for user, each in hashed.items())
    certificate.write_private(file, text.encode())


def _write_changed(file: Path, data: bytes) -> None:
    if not (file.exists() and file.read_bytes() == data):
        certificate.write_private(file, data)
