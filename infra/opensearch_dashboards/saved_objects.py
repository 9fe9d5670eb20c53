"""Saved objects of OpenSearch Dashboards, made of ``infra/opensearch/searches.toml``.

Its saved-objects API takes them as NDJSON, one object a line, in which what is nested stands as JSON in a text:
https://docs.opensearch.org/latest/dashboards/management/saved-objects/. A search is a filter in OpenSearch's own query
language, the very one that `lake logs --saved` asks, so that both find the same lines.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lake.observe.search import Asked
from lake.observe.searches import Search, searches

FILE = Path(__file__).parent / "saved_objects.ndjson"
VERSION = "3.5.0"
"""Of OpenSearch Dashboards, as compose has it."""

PATTERN = "logs"
OF_SOURCE = "kibanaSavedObjectMeta.searchSourceJSON.index"
OF_FILTER = "kibanaSavedObjectMeta.searchSourceJSON.filter[0].meta.index"
WIDTH, HALF, HEIGHT = 48, 24, 15
"""Of the dashboard's grid, and of a panel."""


def text() -> str:
    """What stands in the file."""
    return "".join(json.dumps(each, sort_keys=True, ensure_ascii=False) + "\n" for each in made())


def made() -> Iterator[dict[str, Any]]:
    """The objects, each after those that it refers to."""
    yield _object("index-pattern", PATTERN, {"title": "logs-*", "timeFieldName": "timestamp"}, [])
    for each in searches().values():
        yield _search(each)
    yield _histogram("lines-by-level", "Lines by level", "level")
    yield _histogram("lines-by-service", "Lines by service", "service")
    yield _dashboard(
        "shoplake-logs",
        "Logs",
        "What all services have logged: how much of it, and what is wrong.",
        [
            ("visualization", "lines-by-level", HALF),
            ("visualization", "lines-by-service", HALF),
            ("search", "errors", WIDTH),
            ("search", "held", WIDTH),
            ("search", "slow", WIDTH),
        ],
    )


def _search(search: Search) -> dict[str, Any]:
    condition = search.narrowed(Asked()).query()["query"]
    meta = {"alias": search.title, "type": "custom", "disabled": False, "negate": False, "key": "query"}
    source = {
        "query": {"query": "", "language": "kuery"},
        "filter": [
            {"$state": {"store": "appState"}, "meta": {**meta, "indexRefName": OF_FILTER}, "query": condition},
        ],
        "indexRefName": OF_SOURCE,
    }
    shown = {"columns": ["level", "service", "event"], "sort": [["timestamp", "desc"]], "version": 1}
    said = {"title": search.title, "description": search.about}
    return _object(
        "search", search.name, {**said, **shown, **_source(source)}, [_pattern(OF_SOURCE), _pattern(OF_FILTER)]
    )


def _histogram(name: str, title: str, field: str) -> dict[str, Any]:
    state = {
        "title": title,
        "type": "histogram",
        "aggs": [
            {"id": "1", "enabled": True, "type": "count", "schema": "metric", "params": {}},
            {
                "id": "2",
                "enabled": True,
                "type": "date_histogram",
                "schema": "segment",
                "params": {"field": "timestamp", "interval": "auto", "min_doc_count": 1},
            },
            {
                "id": "3",
                "enabled": True,
                "type": "terms",
                "schema": "group",
                "params": {"field": field, "size": 30, "order": "desc", "orderBy": "1"},
            },
        ],
        "params": {"type": "histogram", "addTooltip": True, "addLegend": True, "legendPosition": "right"},
    }
    source = {"query": {"query": "", "language": "kuery"}, "filter": [], "indexRefName": OF_SOURCE}
    attributes = {"title": title, "visState": json.dumps(state), "uiStateJSON": "{}", **_source(source)}
    return _object("visualization", name, attributes, [_pattern(OF_SOURCE)])


def _dashboard(name: str, title: str, about: str, panels: list[tuple[str, str, int]]) -> dict[str, Any]:
    placed, references = [], []
    x = y = 0
    for number, (kind, panel, width) in enumerate(panels):
        if x + width > WIDTH:
            x, y = 0, y + HEIGHT
        index = str(number)
        placed.append(
            {
                "version": VERSION,
                "panelIndex": index,
                "gridData": {"x": x, "y": y, "w": width, "h": HEIGHT, "i": index},
                "embeddableConfig": {},
                "panelRefName": f"panel_{number}",
            }
        )
        references.append({"name": f"panel_{number}", "type": kind, "id": panel})
        x += width
    attributes = {
        "title": title,
        "description": about,
        "panelsJSON": json.dumps(placed),
        "optionsJSON": json.dumps({"useMargins": True, "hidePanelTitles": False}),
        "timeRestore": True,
        "timeFrom": "now-24h",
        "timeTo": "now",
        **_source({"query": {"query": "", "language": "kuery"}, "filter": []}),
    }
    return _object("dashboard", name, attributes, references)


def _source(source: dict[str, Any]) -> dict[str, Any]:
    return {"kibanaSavedObjectMeta": {"searchSourceJSON": json.dumps(source)}}


def _pattern(name: str) -> dict[str, str]:
    return {"name": name, "type": "index-pattern", "id": PATTERN}


def _object(kind: str, name: str, attributes: dict[str, Any], references: list[dict[str, str]]) -> dict[str, Any]:
    return {"type": kind, "id": name, "attributes": attributes, "references": references}
