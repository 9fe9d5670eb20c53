"""The branch ``ops``, on which the lake keeps books about itself, a table for each.

It starts from nothing and is never merged: bookkeeping moves no commit of main, and holds none of main's tables. Trino
and Spark read it as any branch: ``lake sql --branch ops "select * from ops.parity"``.
"""

from __future__ import annotations

import logging

import pyarrow as pa
from pyiceberg.exceptions import (
    CommitFailedException,
    CommitStateUnknownException,
    NamespaceAlreadyExistsError,
    TableAlreadyExistsError,
    ValidationException,
)
from pyiceberg.table import Table
from tenacity import before_sleep_log, retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from lake.layers import raw
from lake.platform import catalog

log = logging.getLogger(__name__)

BRANCH = NAMESPACE = "ops"

beside_others = retry(
    # Somebody else's rows came first, or the answer was lost: who tries again looks first whether the rows are there.
    # PyIceberg would try by itself, and then looks for the snapshot that it began with, which Nessie no longer has.
    retry=retry_if_exception_type((CommitFailedException, CommitStateUnknownException, ValidationException)),
    stop=stop_after_attempt(5),
    wait=wait_random_exponential(max=10),
    before_sleep=before_sleep_log(log, logging.WARNING),
    reraise=True,
)
"""For functions that append to a table of the branch."""


def find(name: str, branch: str = "") -> Table | None:
    """A table of the branch, if it is there.

    Args:
        branch: another one that is kept in the same way; its namespace has its name.
    """
    branch, namespace = branch or BRANCH, branch or NAMESPACE
    return raw.find(branch, namespace, name) if catalog.exists(branch) else None


def table(name: str, schema: pa.Schema, branch: str = "") -> Table:
    """A table, on its branch; both are made where they are missing, and so are columns that came later.

    Args:
        branch: as for `find`.
    """
    branch, namespace = branch or BRANCH, branch or NAMESPACE
    if not catalog.exists(branch):
        catalog.create_empty_branch(branch)
    tables = raw.open_catalog(branch)
    found = raw.find(branch, namespace, name)
    if found is not None:
        if set(schema.names) - set(found.schema().column_names):
            with found.update_schema() as update:
                update.union_by_name(schema)
        return found
    try:
        tables.create_namespace(namespace)
    except NamespaceAlreadyExistsError:
        log.debug("somebody else has made the namespace")
    try:
        return tables.create_table((namespace, name), schema, properties=raw.MERGED_MANIFESTS)
    except TableAlreadyExistsError:
        return tables.load_table((namespace, name))
