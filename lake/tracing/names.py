"""Names of attributes. OpenTelemetry's where its conventions have one, else ours, which begin with ``shoplake``.

https://opentelemetry.io/docs/specs/semconv/database/database-spans/ and .../general/attributes/
"""

RUN = "shoplake.run"
SOURCE = "shoplake.source"
TABLE = "shoplake.table"
TABLES = "shoplake.tables"
WAY = "shoplake.way"
ROWS = "shoplake.rows"
DELETED = "shoplake.deleted"
BYTES = "shoplake.bytes"
BUSY_SECONDS = "shoplake.busy_seconds"
"""Of all threads together, where several work on one thing; its span is as long as from the first to the last."""

LEFT_OUT = "shoplake.left_out"
"""How many spans would stand below one, and do not, because there would be too many."""

LEFT_OUT_SECONDS = "shoplake.left_out_seconds"

SERVICE = "peer.service"
"""Who does the work that a span waits for; where it has none, its own process does."""

ERROR = "error.type"
DB_SYSTEM = "db.system.name"
DB_NAMESPACE = "db.namespace"
DB_SUMMARY = "db.query.summary"
DB_TEXT = "db.query.text"
DB_ROWS = "db.response.returned_rows"
TRINO_QUERY = "trino.query_id"
DBT_NODE = "dbt.node"
DBT_STATUS = "dbt.status"
