"""PyIceberg's catalog, in the words that Nessie understands, and without endless patience."""

from __future__ import annotations

import json
from typing import Any

from pyiceberg.catalog.rest import RestCatalog
from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter

from lake.platform.catalog import REPLY_SECONDS


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


class _Adapter(HTTPAdapter):
    """Says with every new schema the highest id of its columns. Our tables are flat and keep the columns they had.

    It also limits how long an answer may take: PyIceberg does not, and would wait on a half-open connection for ever.
    """

    def send(self, request: PreparedRequest, **options: Any) -> Response:  # type: ignore[override]
        options["timeout"] = options.get("timeout") or REPLY_SECONDS
        if isinstance(request.body, bytes) and b'"add-schema"' in request.body:
            document = json.loads(request.body)
            for update in document["updates"]:
                if update["action"] == "add-schema":
                    update["last-column-id"] = max(column["id"] for column in update["schema"]["fields"])
            request.prepare_body(json.dumps(document).encode(), None)
        return super().send(request, **options)
