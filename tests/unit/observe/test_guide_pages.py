"""Guides and runbooks as pages, asked as a browser asks for them."""

from __future__ import annotations

import re

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from lake.observe.guide_pages import rendered, routes
from lake.settings import PROJECT

GUIDES = sorted(str(file.relative_to(PROJECT)) for file in (PROJECT / "docs").rglob("*.md"))


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=routes()))


def test_a_runbook_is_read_with_its_links_and_commands(client: TestClient) -> None:
    page = client.get("/docs/runbooks/ReplicaDiverged.md").text
    assert "<title>ReplicaDiverged · Shoplake</title>" in page
    assert '<h2 id="do">Do</h2>' in page
    assert '<a href="TableDrifted.md">TableDrifted</a>' in page
    assert '<code class="language-sh">lake down' in page


@pytest.mark.parametrize("guide", ["README.md", *GUIDES])
def test_every_link_of_a_guide_leads_to_another(client: TestClient, guide: str) -> None:
    page = client.get(f"/{guide}")
    assert page.status_code == 200
    for link in re.findall(r'(?:href|src)="([^"]+)"', page.text.partition("<article>")[2].partition("</article>")[0]):
        address, _, heading = link.partition("#")
        if re.match("https?:", link) or not re.search(r"\.(md|png)$|^$", address):
            continue  # elsewhere, or code of the project
        found = client.get(str(page.url.join(address)) if address else str(page.url))
        assert found.status_code == 200, link
        assert not heading or f'id="{heading}"' in found.text, link


@pytest.mark.parametrize("path", ["docs/runbooks/Nothing.md", "docs/%2e%2e/pyproject.toml", "docs/", "docs/../.git/x"])
def test_nothing_else_is_read(client: TestClient, path: str) -> None:
    found = client.get(f"/{path}")
    assert found.status_code == 404
    assert found.text == "Not Found" or found.text.startswith("there is no ")


def test_a_heading_has_the_id_that_github_gives_it() -> None:
    title, text = rendered("# What `lake up` does: *all*\n\n<!-- written by hand -->\n\n| a |\n|---|\n| b |\n")
    assert title == "What lake up does: all"
    assert 'id="what-lake-up-does-all"' in text
    assert "<td>b</td>" in text
