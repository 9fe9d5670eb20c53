"""Removes what tries of runs have left in the landing zone and no manifest names."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
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
        return _delete([uri for uris in listed for uri in uris if uri not in kept])


def sweep(source: str, living: Callable[[], set[str]], referred: Callable[[], set[str]]) -> list[str]:
    """Do so for all runs over a source, and delete what runs landed that will never count; what was deleted.

    A try that was thought dead may write after the files of its run were removed, and a run that was begun anew under
    another name leaves all that it had landed.

    Args:
        living: ids of the runs that are published or may yet be. Asked after the files are listed, so that a run which
            begins meanwhile is either among them or has no file in the list.
        referred: addresses that the lake's tables refer to, which are kept whatever the rest says. Asked only where
            a run has to go.
    """
    of_run = defaultdict(list)
    for uri in storage.list_keys(f"{storage.LANDING}/{source}"):
        if found := _RUN.search(uri):
            of_run[found[1]].append(uri)
    alive = living() if of_run else set()
    removed = []
    for run_id in alive & of_run.keys():
        if manifest.is_committed(source, run_id):
            removed += remove(source, run_id, manifest.read_all(source, run_id))
    if doomed := [uri for run_id in of_run.keys() - alive for uri in of_run[run_id]]:
        kept = referred()
        removed += _delete([uri for uri in doomed if uri not in kept])
    return removed


def _delete(uris: list[str]) -> list[str]:
    for uri in uris:
        storage.delete(uri)
    if uris:
        log.info("removed %s files that nothing refers to, the first of them %s", len(uris), uris[0])
    return uris
