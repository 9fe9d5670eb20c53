"""What of a run's marts the peer builds as well, and what only we build, from what dbt told of the run."""

from __future__ import annotations

import gzip
import json
from typing import Any

from lake.layers import dbt_artifacts
from lake.platform import storage

SHARED, OTHERS = "marts as the peer's", "other marts"


def seconds_apart(run_id: str, shared: tuple[str, ...]) -> dict[str, float]:
    """Seconds of Trino's work on the marts that both sides build, with all that these are made of and their tests; and
    on the others. Several are at work at once, so that they add up to more than the task took. Empty where none was
    built.

    Args:
        shared: names of the marts that the peer builds too.
    """
    addresses = [dbt_artifacts.address(run_id, name) for name in dbt_artifacts.KEPT]
    if not all(storage.exists(address) for address in addresses):
        return {}
    manifest, results = (json.loads(gzip.decompress(storage.get(address))) for address in addresses)
    ours = _with_parents(manifest, shared)
    found = {SHARED: 0.0, OTHERS: 0.0}
    for result in results["results"]:
        unique_id = result["unique_id"]
        tested = set(manifest["nodes"][unique_id]["depends_on"]["nodes"]) & manifest["nodes"].keys()
        subjects = {unique_id} if unique_id.startswith("model.") else tested
        found[SHARED if subjects <= ours else OTHERS] += result["execution_time"]
    return {name: round(seconds, 1) for name, seconds in found.items()}


def _with_parents(manifest: dict[str, Any], names: tuple[str, ...]) -> set[str]:
    """Unique ids of models and of all models that these are made of."""
    nodes = manifest["nodes"]
    wanted = [
        unique_id for unique_id, node in nodes.items() if unique_id.startswith("model.") and node["name"] in names
    ]
    found: set[str] = set()
    while wanted:
        unique_id = wanted.pop()
        if unique_id in nodes and unique_id not in found:
            found.add(unique_id)
            wanted.extend(nodes[unique_id]["depends_on"]["nodes"])
    return found
