"""Keys: what is kept of them, whom they let in, and how often."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from lake.api import keys
from lake.commands.main import app as command
from lake.errors import LakeError
from tests.unit.api.conftest import World


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


# -- the command
def test_a_key_is_shown_once_and_kept_as_its_hash(home: Path) -> None:
    run = CliRunner().invoke(command, ["keys", "add", "web-shop", "--scope", "metrics", "--scope", "products"])
    secret = run.stdout.strip()
    assert keys.KEY.fullmatch(secret)
    assert keys.file().stat().st_mode & 0o777 == 0o600
    kept = keys.file().read_text()
    assert secret not in kept and secret.split("_")[2] not in kept
    (one,) = json.loads(kept)
    assert (one["name"], one["scopes"], one["per_minute"]) == ("web-shop", ["metrics", "products"], 600)
    listed = CliRunner().invoke(command, ["keys", "list"]).stdout
    assert one["id"] in listed and "valid" in listed and one["sha256"] not in listed


def test_a_key_that_is_revoked_stays_listed(home: Path) -> None:
    key, _ = keys.add("one", ["metrics"], 1, 60)
    assert CliRunner().invoke(command, ["keys", "revoke", key.id]).exit_code == 0
    first = keys.load(keys.file())[key.id]
    assert first.state(datetime.now(UTC)) == "revoked"
    assert keys.revoke(key.id) == first
    with pytest.raises(LakeError, match="there is no key 'nix'"):
        keys.revoke("nix")


@pytest.mark.parametrize(
    ("name", "scopes", "days", "per_minute", "said"),
    [
        ("a", ["metric"], 1, 1, "there is no scope 'metric'\n  -> did you mean metrics?"),
        ("a", [], 1, 1, "a key without a scope"),
        (" ", ["metrics"], 1, 1, "' ' is no name"),
        ("a\nb", ["metrics"], 1, 1, "is no name"),
        ("a", ["metrics"], 0, 1, "valid for 0 days"),
        ("a", ["metrics"], 9999, 1, "valid for 9999 days"),
        ("a", ["metrics"], 1, 0, "cannot make 0 requests"),
    ],
)
def test_what_is_wrong_with_a_new_key_is_told(
    home: Path, name: str, scopes: list[str], days: int, per_minute: int, said: str
) -> None:
    with pytest.raises(LakeError) as caught:
        keys.add(name, scopes, days, per_minute)
    assert said in str(caught.value) and not keys.file().exists()


# -- the gate
@pytest.fixture
def anybody(world: World) -> TestClient:
    """A client without a key."""
    with TestClient(world.process()) as client:
        yield client  # type: ignore[misc]


def test_without_a_key_nobody_gets_in(anybody: TestClient) -> None:
    for path in (
        "/v1/metrics", "/v1/metrics/revenue", "/v1/products", "/v1/products/1", "/v1/receipts", "/v1/search",
        "/v1/suggest?q=m", "/v1/recommendations/customers/1", "/v1/recommendations/products/1",
        "/v1/recommendations/baskets?product=1",
    ):  # fmt: skip
        refused = anybody.get(path)
        assert (refused.status_code, refused.json()["type"]) == (401, "urn:shoplake:problem:no-key"), path
        assert refused.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/openapi.json"])
def test_who_runs_it_needs_no_key(anybody: TestClient, path: str) -> None:
    assert anybody.get(path).status_code == 200


def test_a_wrong_key_is_refused_and_not_repeated(anybody: TestClient, world: World) -> None:
    almost = world.secret[:-1] + ("A" if world.secret[-1] != "A" else "B")
    for secret in (almost, "x", "shoplake_000000000000_" + "a" * 43, "💥", "'; DROP TABLE keys; --", "x" * 9000):
        refused = anybody.get("/v1/products/1", headers={"Authorization": f"Bearer {secret}".encode()})
        assert (refused.status_code, refused.json()["type"]) == (401, "urn:shoplake:problem:invalid-key")
        assert secret not in refused.text or secret == "x"
    basic = anybody.get("/v1/products/1", headers={"Authorization": "Basic YTpi"})
    assert basic.json()["type"] == "urn:shoplake:problem:no-key"


def test_a_key_may_do_what_its_scopes_say(anybody: TestClient) -> None:
    key, secret = keys.add("metrics only", ["metrics"], 1, 60)
    assert anybody.get("/v1/metrics", headers=bearer(secret)).status_code == 200
    refused = anybody.get("/v1/products/1", headers=bearer(secret))
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:shoplake:problem:missing-scope")
    assert refused.json()["detail"] == f"this needs the scope products; key {key.id} has metrics"
    for path, scope in [
        ("/v1/search", "search"), ("/v1/suggest?q=m", "search"), ("/v1/recommendations/customers/1", "recommendations"),
        ("/v1/recommendations/products/1", "recommendations"),
        ("/v1/recommendations/baskets?product=1", "recommendations"),
    ]:  # fmt: skip
        detail = f"this needs the scope {scope}; key {key.id} has metrics"
        assert anybody.get(path, headers=bearer(secret)).json()["detail"] == detail


def test_a_revoked_key_is_refused_with_the_next_request(anybody: TestClient) -> None:
    key, secret = keys.add("one", ["metrics"], 1, 60)
    assert anybody.get("/v1/metrics", headers=bearer(secret)).status_code == 200
    keys.revoke(key.id)
    refused = anybody.get("/v1/metrics", headers=bearer(secret))
    assert (refused.status_code, refused.json()["detail"]) == (401, f"key {key.id} is revoked")


def test_an_expired_key_is_refused(anybody: TestClient) -> None:
    key, secret = keys.add("one", ["metrics"], 1, 60)
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    keys.file().write_text(json.dumps([asdict(replace(key, expires_at=past))]))
    assert anybody.get("/v1/metrics", headers=bearer(secret)).json()["detail"] == f"key {key.id} is expired"


def test_who_asks_too_often_waits(anybody: TestClient) -> None:
    _, secret = keys.add("slow", ["metrics"], 1, 3)
    _, other = keys.add("other", ["metrics"], 1, 3)
    found = [anybody.get("/v1/metrics", headers=bearer(secret)) for _ in range(5)]
    assert [each.status_code for each in found] == [200, 200, 200, 429, 429]
    assert found[-1].json()["type"] == "urn:shoplake:problem:too-many-requests"
    assert 1 <= int(found[-1].headers["Retry-After"]) <= 60
    assert anybody.get("/v1/metrics", headers=bearer(other)).status_code == 200


def test_a_broken_file_of_keys_lets_nobody_in(anybody: TestClient, world: World) -> None:
    keys.file().write_text("{")
    refused = anybody.get("/v1/metrics", headers=world.bearer)
    assert (refused.status_code, refused.json()["type"]) == (500, "urn:shoplake:problem:internal")
