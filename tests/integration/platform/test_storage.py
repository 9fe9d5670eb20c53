"""The object store, as its clients in the lake see it."""

from __future__ import annotations

import time
import uuid

from lake.platform import storage


def test_the_last_written_comes_first_whatever_its_name(servers: None) -> None:
    folder = f"{storage.AUDIT}/test_{uuid.uuid4().hex}"
    assert storage.list_newest(folder) == []
    try:
        for name in ("b", "c/a", "a", "b"):
            storage.put(f"{folder}/{name}", b"x")
            time.sleep(0.01)
        assert storage.list_newest(folder) == [f"{folder}/{name}" for name in ("b", "a", "c/a")]
        assert storage.list_keys(folder) == [f"{folder}/{name}" for name in ("a", "b", "c/a")]
    finally:
        storage.delete_prefix(folder)
