"""What the steps of a run found, for the steps after them: a small JSON object a step, in the object store.

What a step needs of an earlier one it reads here or from the manifest, so that steps pass nothing on but the run. A
step that is tried again writes its entry anew.
"""

from __future__ import annotations

import json
from typing import Any

from lake.errors import LakeError
from lake.platform import storage


def write(run_id: str, step: str, entry: Any, part: str = "") -> None:
    """Keep what a step found.

    Args:
        entry: anything that JSON holds.
        part: which part of the work it was, for a step whose work is dealt out.
    """
    storage.put(_uri(run_id, step, part), json.dumps(entry, indent=1).encode(), "application/json")


def read(run_id: str, step: str) -> Any:
    """What a step found.

    Raises:
        LakeError: the step has not come to its end.
    """
    found = find(run_id, step)
    if found is None:
        raise LakeError(
            f"run {run_id} has no entry of its step {step!r} at {_uri(run_id, step)}",
            f"clear the task {step!r} of this run, so that it is done again, or run anew",
        )
    return found


def find(run_id: str, step: str) -> Any:
    """What a step found; None where it has not come to its end."""
    try:
        return json.loads(storage.get(_uri(run_id, step)))
    except FileNotFoundError:
        return None


def read_parts(run_id: str, step: str) -> list[Any]:
    """What each part of a step found, of those that have come to their end."""
    return [json.loads(storage.get(uri)) for uri in sorted(storage.list_keys(_folder(run_id, step)))]


def forget_parts(run_id: str, step: str) -> None:
    """Throw away what parts of a step found, before its work is dealt out anew."""
    for uri in storage.list_keys(_folder(run_id, step)):
        storage.delete(uri)


def _folder(run_id: str, step: str) -> str:
    return f"{storage.AUDIT}/{run_id}/steps/{step}"


def _uri(run_id: str, step: str, part: str = "") -> str:
    return _folder(run_id, step) + (f"/{part}" if part else "") + ".json"
