"""Everything that is measured: a name, and the command that reads tables of the source into a folder."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pyspark

from benchmarks.extract import environments
from benchmarks.extract.environments import PEERS
from lake.errors import InstallError
from lake.runtime import install
from lake.runtime.artifacts import PypiArtifact, artifacts
from lake.settings import PROJECT

Group = Literal["floor", "ours", "peers"]
DRIVER = "mariadb-jdbc"


@dataclass(frozen=True)
class Job:
    """What a command is made for: the tables to read, and where their output goes, as ``TABLE.parquet``."""

    url: str
    folder: Path
    tables: tuple[str, ...]
    rows: int


@dataclass(frozen=True)
class Way:
    """One way of reading.

    Attributes:
        command: program and arguments for a job; files that it needs are written into the job's folder.
        ready: makes what it runs in; raises when that cannot be had.
        env: beyond ``EXTRACT_SOURCE``.
        is_checked: whether it writes an output that is compared with the source.
        reads_many: whether one process takes several tables; else it is called once a table.
        what: for people, what it stands for.
    """

    name: str
    group: Group
    command: Callable[[Job], list[str]]
    what: str
    ready: Callable[[], None] = lambda: None
    env: Mapping[str, str] = field(default_factory=dict)
    is_checked: bool = True
    reads_many: bool = True


# -- ours
def _ours(name: str, what: str, group: Group = "ours", is_checked: bool = True) -> Way:
    def command(job: Job) -> list[str]:
        return [sys.executable, "-m", "benchmarks.extract.reader", name, str(job.folder), *job.tables]

    return Way(name, group, command, what, is_checked=is_checked)


OURS = (
    _ours("floor binary", "packets of the binary protocol, read and thrown away", "floor", False),
    _ours("floor text", "packets of the text protocol, read and thrown away", "floor", False),
    _ours("decode", "Arrow batches, thrown away", is_checked=False),
    _ours("parquet", "zstd Parquet on disk"),
    _ours("parquet, hashes", "the same, with the sum of the rows' hashes"),
    _ours("parquet, contract types", "the same in Iceberg's types: BIGINT UNSIGNED as decimal(20,0)"),
    _ours("parquet, MinIO", "the same, into the object store", is_checked=False),
)


# -- peers that are Python
def _script(name: str, script: str, environment: str, what: str, **env: str) -> Way:
    def command(job: Job) -> list[str]:
        return [environments.python(environment), str(PEERS / script), str(job.folder), *job.tables]

    return Way(name, "peers", command, what, lambda: environments.ensure(environment), env)


# -- rivet and sling: programs with a file or a line of settings
def _rivet(job: Job) -> list[str]:
    (table,) = job.tables
    config = job.folder / f"{table}.yaml"
    config.write_text(
        f"""source: {{type: mysql, url_env: EXTRACT_SOURCE}}
exports:
  - name: {table}
    query: "SELECT * FROM {table}"
    mode: full
    format: parquet
    compression: zstd
    destination: {{type: local, path: "{job.folder}/{table}.parquet"}}
"""
    )
    return [str(environments.folder("rivet") / "bin" / "rivet"), "run", "--config", str(config)]


def _sling(job: Job) -> list[str]:
    (table,) = job.tables
    (program,) = environments.folder("sling").glob("lib/*/site-packages/sling_*/bin/sling*")
    target = f"file://{job.folder}/{table}.parquet"
    source = ("--src-conn", "EXTRACT_SOURCE", "--src-stream", f"bench.{table}")
    return [str(program), "run", *source, "--tgt-object", target, "--tgt-options", "{format: parquet}"]


# -- Spark
def _spark(job: Job) -> list[str]:
    parts, template = urlsplit(job.url), (PEERS / "spark_jdbc.sql").read_text()
    script = job.folder / "spark.sql"
    script.touch(mode=0o600)
    with script.open("w") as out:
        for table in job.tables:
            values = {
                "place": f"{parts.hostname}:{parts.port}{parts.path}",
                "user": parts.username or "",
                "password": parts.password or "",
                "table": table,
                "rows": str(job.rows),
                "target": f"{job.folder}/{table}.parquet",
            }
            out.write(re.sub(r"\$\{(\w+)\}", lambda found, known=values: known[found[1]], template))  # type: ignore[misc]
    java = artifacts()["jdk21"]
    assert isinstance(java, PypiArtifact)
    jars = Path(pyspark.__file__).parent / "jars"
    (driver,) = artifacts()[DRIVER].folder.glob("*.jar")
    conf = {
        "spark.master": "local[2]",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.warehouse.dir": f"{job.folder}/warehouse",
        "spark.local.dir": f"{job.folder}/scratch",
    }
    return [
        str(java.folder / java.program),
        f"@{PROJECT}/infra/spark/jvm.config",
        "-Xmx2g",
        "-Duser.timezone=UTC",
        "-cp",
        f"{driver}:{jars}/*",
        "org.apache.spark.deploy.SparkSubmit",
        *(part for item in conf.items() for part in ("--conf", "=".join(item))),
        "--class",
        "org.apache.spark.sql.hive.thriftserver.SparkSQLCLIDriver",
        "spark-internal",
        # Where several tables are asked for, one that fails is not the end.
        *(("--hiveconf", "hive.cli.errors.ignore=true") if len(job.tables) > 1 else ()),
        "-f",
        str(script),
    ]


def _driver() -> None:
    for name in (DRIVER, "jdk21"):
        install.ensure(name)


def _client() -> str:
    client = artifacts()["mariadb"].folder / "bin" / "mariadb"
    if not client.is_file():
        raise InstallError("the MariaDB archive has no client", "look at infra/artifacts.toml")
    return str(client)


PEERS_WAYS = (
    _script("connectorx, stream", "connectorx_stream.py", "connectorx", "batches of 65,536 rows into one file"),
    _script("connectorx, 2 partitions", "connectorx_partitions.py", "connectorx", "two connections, whole in memory"),
    _script("connectorx, decimals as text", "connectorx_text.py", "connectorx", "cast to text and back"),
    Way(
        "rivet",
        "peers",
        _rivet,
        "rivet-cli, mode full",
        lambda: environments.ensure("rivet"),
        reads_many=False,
    ),
    _script("polars", "polars_uri.py", "polars", "read_database_uri, connectorx inside"),
    _script(
        "mariadb client, pyarrow.csv",
        "mariadb_tsv.py",
        "connectorx",
        "tab-separated through a pipe",
        EXTRACT_CLIENT=_client(),
    ),
    _script("mysqlclient, cast in Arrow", "mysqlclient_bytes.py", "mysqlclient", "no converters, streaming"),
    _script("dlt, connectorx", "dlt_filesystem.py", "dlt", "sql_table to Parquet", EXTRACT_BACKEND="connectorx"),
    _script("dlt, pyarrow", "dlt_filesystem.py", "dlt", "sql_table to Parquet", EXTRACT_BACKEND="pyarrow"),
    Way("Spark JDBC, 4 partitions", "peers", _spark, "MariaDB's driver, local[2]", _driver),
    Way(
        "sling",
        "peers",
        _sling,
        "to a Parquet file",
        lambda: environments.ensure("sling"),
        {"SLING_DISABLE_TELEMETRY": "true"},
        reads_many=False,
    ),
)

ALL = (*OURS, *PEERS_WAYS)
