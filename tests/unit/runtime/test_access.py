"""Whom Trino lets in, and for what: passwords, rules and the certificate, as `lake up` writes them."""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import bcrypt
import pytest
import requests
from cryptography import x509

from lake.contracts import personal
from lake.errors import LakeError, ServiceError
from lake.platform import sql
from lake.quality.audit import RESULTS
from lake.runtime import access, certificate, engines
from lake.settings import settings

PASSWORDS = {user: f"of-{user}" for user in access.PASSWORDS}
NAMES = ["localhost", "127.0.0.1"]
MASKS = {"email": "'***'", "birth_date": "NULL"}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("LAKE_HOME", str(tmp_path))
    for user, field in access.PASSWORDS.items():
        monkeypatch.setenv(f"LAKE_{field.upper()}", PASSWORDS[user])
    settings.cache_clear()
    yield tmp_path
    monkeypatch.undo()
    settings.cache_clear()


# -- the rules, as Trino reads them: the first that fits counts, and what none fits is refused
def first(rules: list[dict[str, Any]], **asked: str) -> dict[str, Any]:
    fits = (rule for rule in rules if all(re.fullmatch(rule.get(key, ".*"), value) for key, value in asked.items()))
    return next(fits, {})


def table(user: str, name: str, masks: dict[str, str] | None = MASKS) -> dict[str, Any]:
    catalog, schema, table = name.split(".")
    rules = access.rules(masks)
    if first(rules["catalogs"], user=user, catalog=catalog).get("allow", "none") == "none":
        return {}
    return first(rules["tables"], user=user, catalog=catalog, schema=schema, table=table)


@pytest.mark.parametrize("user", access.READERS)
def test_readers_see_marts_and_curated_with_what_is_personal_masked(user: str) -> None:
    for name in ("lake.marts.daily_revenue", "lake.curated.dim_customer"):
        rule = table(user, name)
        assert rule["privileges"] == ["SELECT"]
        assert {column["name"]: column["mask"] for column in rule["columns"]} == MASKS


@pytest.mark.parametrize("user", access.READERS)
def test_readers_see_counts_of_the_audit_and_nothing_of_what_it_read(user: str) -> None:
    rule = table(user, "lake.audit.check_results")
    assert rule["privileges"] == ["SELECT"]
    masks = {column["name"]: column["mask"] for column in rule["columns"]}
    # What a check observed is text; of row counts alone it is known to be a number.
    assert masks == {
        "observed": "CASE WHEN check_name = 'expect_table_row_count_to_equal' THEN observed END",
        "notes": "CAST(NULL AS varchar)",
    }
    assert {name for name, kind in zip(RESULTS.names, RESULTS.types, strict=True) if kind == "string"} == {
        "run_id", "layer", "table_name", "check_name", "column_name", "severity", *masks,
    }  # fmt: skip
    assert table(user, "lake.audit.check_results", None).get("privileges", []) == []


COMMIT = f"{access.API_CATALOG}0123456789abcdef"


def test_the_api_reads_commits_alone_and_makes_their_catalogs_itself() -> None:
    for name in (f"{COMMIT}.marts.daily_revenue", f"{COMMIT}.curated.dim_product"):
        rule = table(access.API, name)
        assert rule["privileges"] == ["SELECT"]
        assert {column["name"]: column["mask"] for column in rule["columns"]} == MASKS
    catalogs = access.rules(MASKS)["catalogs"]
    assert first(catalogs, user=access.API, catalog=COMMIT)["allow"] == "owner"
    for other in ("lake", "run_1", "system", "api_", "api_x", f"x{COMMIT}"):
        assert first(catalogs, user=access.API, catalog=other) == {}, other
    for other in access.READERS:
        assert first(catalogs, user=other, catalog=COMMIT) == {}
    for name in (f"{COMMIT}.cleaned.customers", f"{COMMIT}.curated.dim_customer$files", "lake.marts.daily_revenue"):
        assert table(access.API, name).get("privileges", []) == []
    assert table(access.API, f"{COMMIT}.marts.daily_revenue", None).get("privileges", []) == []


@pytest.mark.parametrize("user", [*access.READERS, access.METRICS, "nobody"])
@pytest.mark.parametrize(
    "name",
    [
        "lake.raw.customers", "lake.cleaned.customers", "lake.history.customers", "lake.quarantine.customers",
        "lake.ops.runs", "lake.audit.other", "lake.audit.check_results$files", "run_1.audit.check_results",
        "run_1.marts.daily_revenue", "lake.marts_of_others.t", "system.runtime.queries",
        "system.metadata.table_properties", "lake.curated.dim_customer$files", "lake.curated.dim_customer$partitions",
    ],
)  # fmt: skip
def test_what_is_not_for_readers_is_refused(user: str, name: str) -> None:
    assert table(user, name).get("privileges", []) == []


def test_the_platform_may_do_everything_and_sees_it_plain() -> None:
    for name in ("lake.cleaned.customers", "run_1.marts.daily_revenue", "system.runtime.queries"):
        rule = table("lake", name)
        assert {"SELECT", "INSERT", "OWNERSHIP"} <= set(rule["privileges"]) and "columns" not in rule
    assert first(access.rules(MASKS)["catalogs"], user="lake", catalog="run_1")["allow"] == "owner"


def test_where_it_is_not_known_what_is_personal_readers_see_no_table() -> None:
    assert table("dashboards", "lake.marts.daily_revenue", None).get("privileges", []) == []
    access.prepare()
    assert json.loads((access.folder() / access.RULES).read_text()) == access.rules(None)


def test_nobody_speaks_for_another_or_looks_at_what_others_ask() -> None:
    rules = access.rules(MASKS)
    assert first(rules["impersonation"], original_user="dashboards", new_user="lake") == {
        "original_user": ".*", "new_user": ".*", "allow": False,
    }  # fmt: skip
    assert first(rules["queries"], user="dashboards")["allow"] == ["execute"]
    assert first(rules["queries"], user=access.METRICS) == {}
    assert first(rules["system_information"], user="dashboards") == {}
    assert first(rules["system_information"], user=access.METRICS)["allow"] == ["read"]


# -- what is personal
def test_what_the_contracts_call_personal_is_masked(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = home / "contracts" / "shop"
    folder.mkdir(parents=True)
    head = "description: d\nowner: o\ngrain: g\nkey: [a_id]\ndeletes: none\n"
    head += "columns:\n  a_id: {type: int, nullable: false}\n"
    (folder / "a.yml").write_text(
        f"table: a\n{head}  email: {{type: varchar(9), personal: true}}\n  born_on: {{type: date, personal: true}}\n"
    )
    (folder / "b.yml").write_text(f"table: b\n{head}  email: {{type: varchar(9)}}\n  city: {{type: varchar(9)}}\n")
    monkeypatch.setenv("LAKE_CONTRACTS", str(folder.parent))
    settings.cache_clear()
    assert personal.masks() == {"email": "'***'", "born_on": "NULL"}
    (folder / "b.yml").write_text("table: b\n")
    with pytest.raises(LakeError, match=r"b\.yml"):
        personal.masks()


# -- passwords
def users() -> dict[str, str]:
    lines = (access.folder() / access.USERS).read_text().splitlines()
    return {user: hashed for user, hashed in (line.split(":", 1) for line in lines)}


def test_passwords_are_kept_as_trino_reads_them_and_for_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    access.prepare()
    found = users()
    assert set(found) == set(PASSWORDS)
    for user, hashed in found.items():
        assert re.fullmatch(r"\$2y\$1\d\$[./A-Za-z0-9]{53}", hashed), "Trino takes this form and at least cost 8"
        assert bcrypt.checkpw(PASSWORDS[user].encode(), hashed.encode())
        assert PASSWORDS[user] not in hashed
    for name in access.PRIVATE:
        assert (access.folder() / name).stat().st_mode & 0o777 == 0o600, name
    access.prepare()
    assert users() == found, "what fits is left as it is"
    monkeypatch.setenv("LAKE_TRINO_PEOPLE_PASSWORD", "another")
    settings.cache_clear()
    access.prepare()
    assert bcrypt.checkpw(b"another", users()["people"].encode())


@pytest.mark.parametrize("wrong", ["", "x" * 73])
def test_a_password_that_trino_would_not_take_is_refused(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_TRINO_PASSWORD", wrong)
    settings.cache_clear()
    with pytest.raises(ServiceError, match=f"LAKE_TRINO_PASSWORD has {len(wrong)} bytes"):
        access.prepare()


# -- the certificate
@pytest.fixture
def server(home: Path) -> Iterator[int]:
    """A server on loopback with the certificate, which answers every GET with nothing."""
    access.prepare()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(access.folder() / certificate.SERVER)
    listening.socket = context.wrap_socket(listening.socket, server_side=True)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    yield listening.server_port
    listening.shutdown()
    listening.server_close()


def test_clients_trust_it_by_its_authority_alone(server: int, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    certificate.ensure(home / "other", ["127.0.0.1"])
    other = home / "other" / certificate.AUTHORITY
    # A bundle that the environment names, as companies do, must not come in between.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))
    for host in ("127.0.0.1", "localhost"):
        url = f"https://{host}:{server}/"
        assert engines.http_ping(url, settings().trino_ca).status_code == 200
        assert sql.connect()._http_session.get(url, timeout=5).status_code == 200
        with sql.trusted():
            assert requests.get(url, timeout=5).status_code == 200
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(url, timeout=5)
        with pytest.raises(Exception, match="CERTIFICATE_VERIFY_FAILED"):
            engines.http_ping(url, other)


def served(folder: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / certificate.SERVER).read_bytes())


def test_a_certificate_is_renewed_when_it_nears_its_end_or_is_of_other_names(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate.ensure(home, NAMES)
    made, authority = served(home), (home / certificate.AUTHORITY).read_bytes()
    certificate.ensure(home, NAMES[::-1])
    assert served(home) == made

    certificate.ensure(home, [*NAMES, "trino.example.com"])
    named = served(home).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "trino.example.com" in named.get_values_for_type(x509.DNSName)

    later = lambda days: monkeypatch.setattr(certificate, "datetime", _in(days))  # noqa: E731
    before = served(home)
    later(397 - 61)
    certificate.ensure(home, [*NAMES, "trino.example.com"])
    assert served(home) == before
    later(397 - 59)
    certificate.ensure(home, [*NAMES, "trino.example.com"])
    assert served(home) != before
    later(3650 - 397 - 1)
    certificate.ensure(home, NAMES)
    assert (home / certificate.AUTHORITY).read_bytes() == authority
    later(3650 - 397 + 1)
    certificate.ensure(home, NAMES, renews_authority=False)
    assert (home / certificate.AUTHORITY).read_bytes() == authority, "one that runs trusts this one"
    certificate.ensure(home, NAMES)
    assert (home / certificate.AUTHORITY).read_bytes() != authority
    served(home).verify_directly_issued_by(x509.load_pem_x509_certificate((home / certificate.AUTHORITY).read_bytes()))


def _in(days: int) -> type[datetime]:
    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return datetime.now(UTC) + timedelta(days=days)

    return Later


def test_a_file_that_is_no_certificate_is_told(home: Path) -> None:
    certificate.ensure(home, ["localhost"])
    (home / certificate.AUTHORITY).write_text("nothing")
    with pytest.raises(ServiceError, match="cannot be read"):
        certificate.ensure(home, ["localhost"])
