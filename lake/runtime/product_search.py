"""Product search, of the profile ``serve``: an OpenSearch of its own, so that no flood of logs and no full disk of
theirs takes anything from those who shop. docs/search.md.
"""

from __future__ import annotations

from lake.runtime import opensearch
from lake.runtime.service import Service
from lake.settings import settings

PROFILE = "serve"
NAME = "search"


def services() -> list[Service]:
    """The node that holds the index."""
    config = settings()
    return [opensearch.node(NAME, config.search_port, config.search_memory_mib, PROFILE)]
