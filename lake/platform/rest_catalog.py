"""PyIceberg's catalog, in the words that Nessie understands, and without endless patience."""

from __future__ import annotations

import json
import logging
from typing import Any

from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.exceptions import CommitFailedException, CommitStateUnknownException
from pyiceberg.table import (
    CommitTableRequest,
    CommitTableResponse,
    CreateTableTransaction,
    Table,
    TableIdentifier,
)
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.update import SetPropertiesUpdate, TableRequirement, TableUpdate, update_table_metadata
from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter

from lake.platform.catalog import REPLY_SECONDS

CONFLICT = 409

# It says of every table which library reads its files.
logging.getLogger("pyiceberg.io").setLevel(logging.WARNING)


class NessieCatalog(RestCatalog):  # type: ignore[misc]
    """An Iceberg REST catalog whose tables can change their columns.

    Nessie 0.99 refuses a new schema that comes without ``last-column-id`` (HTTP 500, "Cannot build AddSchema"). The
    Iceberg specification has deprecated that field, and PyIceberg 0.12 does not send it.
    """

    def _create_session(self) -> Session:
        session: Session = super()._create_session()
        for scheme in ("http://", "https://"):
            session.mount(scheme, _Adapter())
        return session


class TogetherCatalog(NessieCatalog):
    """A catalog in which the commits of many tables wait until all are made in one.

    What PyIceberg believes to be committed is gathered, and a table stays as it was until `commit` sends it. Nobody
    ever sees a part of it without the rest.
    """

    def __init__(self, name: str, **properties: str) -> None:
        super().__init__(name, **properties)
        self._gathered: list[CommitTableRequest] = []

    def create_table_transaction(self, *arguments: Any, **options: Any) -> CreateTableTransaction:
        """Begin a table that comes to be with its first rows."""
        return _NewTable(super().create_table_transaction(*arguments, **options)._table)

    def commit_table(
        self, table: Table, requirements: tuple[TableRequirement, ...], updates: tuple[TableUpdate, ...]
    ) -> CommitTableResponse:
        """Gather the commit of one table."""
        *namespace, name = table.name()
        identifier = TableIdentifier(namespace=namespace, name=name)
        self._gathered.append(
            CommitTableRequest(identifier=identifier, requirements=requirements, updates=_with_properties_once(updates))
        )
        return CommitTableResponse.model_construct(
            metadata=table.metadata, metadata_location=table.metadata_location or ""
        )

    def forget(self) -> None:
        """Throw away what was gathered."""
        self._gathered = []

    def commit(self) -> None:
        """Make the gathered commits, all of them or none.

        The request is the specification's `POST /v1/{prefix}/transactions/commit`:
        https://github.com/apache/iceberg/blob/main/open-api/rest-catalog-open-api.yaml

        Raises:
            CommitFailedException: a table is not as it was; none is changed.
            CommitStateUnknownException: it is not known whether they were made.
        """
        gathered, self._gathered = self._gathered, []
        if not gathered:
            return
        changes = [json.loads(request.model_dump_json()) for request in gathered]
        body = json.dumps({"table-changes": changes}).encode()
        response = self._session.post(self.url("transactions/commit"), data=body)
        said = " ".join(response.text.split())[:500]
        if response.status_code == CONFLICT:
            raise CommitFailedException(f"{len(changes)} tables were not committed: {said}")
        if not response.ok:
            raise CommitStateUnknownException(f"{len(changes)} tables: {response.status_code} {said}")


def _with_properties_once(updates: tuple[TableUpdate, ...]) -> tuple[TableUpdate, ...]:
    """The updates of a table, its properties in one of them, as Nessie demands."""
    properties: dict[str, str] = {}
    for update in updates:
        if isinstance(update, SetPropertiesUpdate):
            properties |= update.updates
    others = tuple(update for update in updates if not isinstance(update, SetPropertiesUpdate))
    return (*others, SetPropertiesUpdate(updates=properties)) if properties else others


class _NewTable(CreateTableTransaction):  # type: ignore[misc]
    """Remembers what the table will be. PyIceberg works it out anew from all changes whenever it looks, some fifteen
    times a table, which took a third of the time that a small table costs."""

    _known: tuple[tuple[TableUpdate, ...], TableMetadata] | None = None

    @property
    def table_metadata(self) -> TableMetadata:
        """The table as it will be with the changes so far."""
        if self._known is None or self._known[0] is not self._updates:
            self._known = (self._updates, update_table_metadata(self._table.metadata, self._updates))
        return self._known[1]


class _Adapter(HTTPAdapter):
    """Says with every new schema the highest id of its columns, those inside of lists included. Ours keep the ids that
    they had.

    It also limits how long an answer may take: PyIceberg does not, and would wait on a half-open connection for ever.
    """

    def send(self, request: PreparedRequest, **options: Any) -> Response:  # type: ignore[override]
        options["timeout"] = options.get("timeout") or REPLY_SECONDS
        if isinstance(request.body, bytes) and b'"add-schema"' in request.body:
            document = json.loads(request.body)
            for change in document.get("table-changes", [document]):
                for update in change["updates"]:
                    if update["action"] == "add-schema":
                        update["last-column-id"] = max(_ids(update["schema"]["fields"]))
            request.prepare_body(json.dumps(document).encode(), None)
        return super().send(request, **options)


def _ids(columns: list[dict[str, Any]]) -> list[int]:
    """Ids of some columns, and of the elements of those that are lists."""
    lists = [column["type"] for column in columns if isinstance(column["type"], dict)]
    return [column["id"] for column in columns] + [kind["element-id"] for kind in lists]
