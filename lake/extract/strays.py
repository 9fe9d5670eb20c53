"""What tries of runs have left in the landing zone and no manifest names."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Callable, Container, Iterable
from concurrent.futures import ThreadPoolExecutor

from lake.extract import manifest
from lake.extract.manifest import Manifest
from lake.platform import storage

log = logging.getLogger(__name__)

LISTED_AT_ONCE = 8
_RUN = re.compile(r"/run=([^/]+?)(?:\.json$|/)")


def remove(source: str, run_id: str, manifests: Iterable[Manifest]) -> list[str]:
    """Delete files of other tries of a run, broken-off files and checkpoints; the addresses of what was deleted.

    Only after the run's manifest is written, which decides what counts.
    """
    entries = list(manifests)
    kept = {part.uri for entry in entries for part in (*entry.parts, *entry.deletes)}
    folders = [manifest.folder(source, entry.table, run_id) for entry in entries]
    with ThreadPoolExecutor(LISTED_AT_ONCE) as pool:
        listed = pool.map(storage.list_keys, folders)
        return delete([uri for uris in listed for uri in uris if uri not in kept])


def find(source: str, living: Callable[[], set[str]], referred: Callable[[], Container[str]]) -> list[str]:
    """Files of all runs over a source that do not count: those that other tries left, and what was landed by runs that
    will never be published, or whose receipts are forgotten.

    A try that was thought dead may write after the files of its run were removed, and a run that was begun anew under
    another name leaves all that it had landed.

    Args:
        living: ids of the runs that are published or may yet be. Asked after the files are listed, so that a run which
            begins meanwhile is either among them or has no file in the list.
        referred: addresses that tables refer to, which are kept whatever the rest says. Asked where there is a file.
    """
    of_run = defaultdict(list)
    for uri in storage.list_keys(f"{storage.LANDING}/{source}"):
        if found := _RUN.search(uri):
            of_run[found[1]].append(uri)
    if not of_run:
        return []
    alive, kept = living(), referred()
    strays = []
    for run_id, uris in of_run.items():
        left = [uri for uri in uris if uri not in kept and not manifest.is_one(uri)]
        if run_id not in alive:
            strays += [*left, *(uri for uri in uris if manifest.is_one(uri))]
        elif left and manifest.is_committed(source, run_id):
            named = {part.uri for entry in manifest.read_all(source, run_id) for part in (*entry.parts, *entry.deletes)}
            strays += [uri for uri in left if uri not in named]
    return strays


def delete(uris: list[str]) -> list[str]:
    """Delete files that do not count; their addresses."""
    storage.delete_all(uris)
    if uris:
        log.info("removed %s files that nothing refers to, the first of them %s", len(uris), uris[0])
    return uris
