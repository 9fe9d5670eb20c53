"""What the API says of itself (OpenAPI), and that it does what it says: schemathesis makes requests of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from schemathesis import Case, GenerationMode
from schemathesis.python import asgi
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from lake.api import application, page
from tests.unit.api.conftest import World

EXAMPLES = 8 if os.environ.get("LAKE_TEST_REDUCED") else 60
OPERATIONS = [
    "/v1/metrics", "/v1/metrics/{name}", "/v1/products", "/v1/products/{product_id}", "/v1/search", "/v1/suggest",
    "/v1/recommendations/customers/{customer_id}", "/v1/recommendations/products/{product_id}",
    "/v1/recommendations/baskets", "/v1/receipts", "/v1/receipts/{id}", "/healthz", "/readyz", "/metrics",
]  # fmt: skip


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return application.document(application.described())


def test_every_route_is_described_with_an_example_and_its_problems(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1")
    assert list(described["paths"]) == OPERATIONS
    for path, methods in described["paths"].items():
        (operation,) = methods.values()
        assert operation["summary"] and operation["description"], path
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert [*response["content"]] == ["application/problem+json"], (path, status)
        if path.startswith("/v1/"):
            assert operation["security"] == [{"key": []}]
            assert {"200", "304", "401", "403", "422", "429", "503"} <= set(operation["responses"])
            name = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
            assert described["components"]["schemas"][name]["examples"], path
    assert "HTTPValidationError" not in described["components"]["schemas"]


def test_the_examples_are_what_would_be_answered(described: dict[str, Any]) -> None:
    from jsonschema import Draft202012Validator
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012

    registry = Registry().with_resource("urn:api", DRAFT202012.create_resource(described))
    seen = 0
    for name, schema in described["components"]["schemas"].items():
        for example in schema.get("examples", ()):
            Draft202012Validator({"$ref": f"urn:api#/components/schemas/{name}"}, registry=registry).validate(example)
            seen += 1
    assert seen == 10


@pytest.fixture
def session(world: World) -> Iterator[tuple[BaseSchema, Any]]:
    """What the API says of itself, and a client that schemathesis takes."""
    app = world.process()
    described = schemathesis.openapi.from_asgi("/openapi.json", app)
    with asgi.get_client(app) as client:
        yield described, client


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
@pytest.mark.parametrize("path", [path for path in OPERATIONS if path.startswith("/v1/")])
def test_it_does_what_it_says(session: tuple[BaseSchema, Any], world: World, path: str, mode: GenerationMode) -> None:
    described, client = session
    operation = described[path]["GET"]
    seen: set[int] = set()

    @seeded(20261127)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(mode))
    def ask(case: Case) -> None:
        # Those without a key are in test_keys.py. Nobody can make up a cursor; what a metric takes depends on it; and
        # parameters of a search have to go together.
        is_known_later = "cursor" in (case.query or {}) or path in ("/v1/metrics/{name}", "/v1/search")
        left = [ignored_auth, *([positive_data_acceptance] if is_known_later else [])]
        seen.add(case.call_and_validate(session=client, headers=world.bearer, excluded_checks=left).status_code)

    ask()
    assert seen and (mode is GenerationMode.NEGATIVE or 200 in seen or "{" in path)


# -- the page
def test_the_page_has_every_route_and_is_refused_when_it_is_stale(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert page.main(["--check"]) == 0, "run `python -m lake.api.page`"
    text = page.PAGE.read_text("utf-8")
    for path in OPERATIONS:
        assert f"### `GET {path}`" in text
    stale = tmp_path / "api.md"
    stale.write_text(text.replace("| `limit` |", "| `most` |"), "utf-8")
    assert page.main(["--check"], stale) == 1
    assert "is stale" in capsys.readouterr().err
    page.main([], stale)
    assert stale.read_text("utf-8") == text
