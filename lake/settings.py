"""One typed object for everything that can be set, read from the environment (prefix ``LAKE_``).

Beside the environment two files of the state directory are read: ``settings.env`` (what a person chose once, such as
a port offset) and ``secrets.env`` (generated on first start, mode 0600). The environment wins over both.
"""

from __future__ import annotations

import os
import re
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from lake.errors import LakeError

PROJECT = Path(__file__).resolve().parent.parent
"""The checkout: the folder that holds ``dags/``, ``dbt/``, ``infra/`` and this package."""

WEB_ADDRESS = r"https?://[^/\s]+\S*"


class Settings(BaseSettings):
    """Addresses, ports, folders and secrets of one lake.

    Every service is addressed by host and port, so that the same code runs against plain processes on loopback,
    against compose's service names and against a cluster's.
    """

    model_config = SettingsConfigDict(env_prefix="LAKE_", extra="ignore")

    # -- folders
    home: Path = PROJECT / ".lake"
    contracts: Path = PROJECT / "lake" / "contracts"
    dags: Path = Field(default=PROJECT / "dags", description="what Airflow reads; beside ours there may be others")
    alert_rules: Path = PROJECT / "lake" / "alerts" / "rules.yml"
    report_subscriptions: Path = PROJECT / "lake" / "reports" / "subscriptions.yml"

    # -- installation: an Ivy settings file, for a company's own Maven mirror
    ivy_settings: Path | None = None

    # -- ports: each is the default plus the offset, so that two checkouts run side by side
    port_offset: int = Field(default=0, ge=0, le=40000)

    # -- the shop: the primary that takes writes, the replica that the lake reads
    shop_server: Literal["mariadb", "mysql"] = Field(default="mariadb", description="what `lake up` starts for it")
    shop_host: str = "127.0.0.1"
    shop_port: int = 23306
    shop_user: str = "shop"
    shop_password: SecretStr = SecretStr("")
    source_name: str = "shop"
    source_database: str = "shop"
    source_required: bool = Field(
        default=True, description="whether a run fails when the shop is away, instead of holding its tables back"
    )
    source_host: str = Field(default="127.0.0.1", description="empty: there is no shop, only added sources")
    source_port: int = 23307
    source_user: str = "lake_reader"
    source_password: SecretStr = SecretStr("")
    source_timeout_seconds: int = Field(default=600, ge=1, description="how long the source may be silent in a reply")
    source_connections: int = Field(default=2, ge=1, le=64, description="connections that read, at most")
    source_max_lag_seconds: float = Field(default=300, description="a replica further behind is read by one only")
    source_max_threads_running: int = Field(default=32, description="a server with more is read by one connection only")
    source_max_mib_per_second: int | None = Field(default=None, ge=1, description="of what the source sends; unlimited")
    parity_max_rows_per_second: int | None = Field(default=None, ge=1, description="that a sweep sums; unlimited")
    source_may_hold_replication: bool = Field(
        default=False, description="whether a replica's applier may be held for the moment in which views are opened"
    )
    mysql_root_password: SecretStr = SecretStr("")
    replication_password: SecretStr = SecretStr("")

    # -- a primary and a replica of the other kind, with the same users and nothing in them, for tests
    second_server: Literal["", "mariadb", "mysql"] = Field(default="", description="empty: there is none")
    second_port: int = 23308
    second_replica_port: int = 23309
    second_memory_mib: int = 128

    # -- object store
    s3_host: str = "127.0.0.1"
    s3_port: int = 29000
    s3_console_port: int = 29001
    s3_access_key: str = "lake"
    s3_secret_key: SecretStr = SecretStr("")
    s3_region: str = "us-east-1"

    # -- catalog and engines
    nessie_host: str = "127.0.0.1"
    nessie_port: int = 29120
    nessie_management_port: int = 29121
    spark_host: str = "127.0.0.1"
    spark_port: int = 25002
    spark_ui_port: int = 24040
    spark_timeout_seconds: int = Field(default=3600, ge=1, description="how long one task may keep Spark at work")
    trino_timeout_seconds: int = Field(default=1800, ge=1, description="how long one statement on Trino may take")
    trino_host: str = "127.0.0.1"
    trino_port: int = Field(default=28080, description="with TLS, and none without")
    trino_ca_file: Path | None = Field(
        default=None, description="the authority that Trino's certificate is of; unset: our own, in the state folder"
    )
    trino_password: SecretStr = Field(default=SecretStr(""), description="of the user `lake`, the platform itself")
    trino_dashboards_password: SecretStr = Field(default=SecretStr(""), description="of the user `dashboards`")
    trino_people_password: SecretStr = Field(default=SecretStr(""), description="of `people`: other SQL clients")
    trino_api_password: SecretStr = Field(default=SecretStr(""), description="of `api`, as whom the serving API asks")
    trino_metrics_password: SecretStr = Field(default=SecretStr(""), description="of `prometheus`, who reads metrics")
    trino_internal_secret: SecretStr = Field(default=SecretStr(""), description="by which Trino knows its own nodes")

    # -- orchestration
    task_timeout_minutes: int = Field(default=60, ge=1, description="how long one try of a task of Airflow may take")
    source_slots: int = Field(default=4, ge=1, description="tasks of Airflow that read a source at once")
    spark_slots: int = Field(default=2, ge=1, description="tasks of Airflow that keep Spark at work at once")
    trino_slots: int = Field(default=4, ge=1, description="tasks of Airflow that ask Trino at once")
    pipeline_schedule: str = Field(default="0 * * * *", description="cron of the pipeline, UTC; empty: by hand only")
    postgres_host: str = "127.0.0.1"
    postgres_port: int = 25432
    postgres_password: SecretStr = SecretStr("")
    airflow_host: str = "127.0.0.1"
    airflow_port: int = 28081
    airflow_user: str = "admin"
    airflow_password: SecretStr = SecretStr("")
    airflow_fernet_key: SecretStr = SecretStr("")
    airflow_jwt_secret: SecretStr = SecretStr("")
    airflow_api_secret: SecretStr = SecretStr("")
    alertmanager_host: str = "127.0.0.1"
    alertmanager_port: int = 29093
    statsd_port: int = Field(default=29125, description="where Airflow tells its metrics, by UDP; nobody need listen")
    airflow_pauses_new_dags: bool = True
    traces: Literal["files", "otlp", "off"] = Field(
        default="files",
        description="where spans go: into files, which the profile `observe` reads; or as the variables OTEL_* say",
    )

    # -- the profiles that `lake up` starts beside the core, and what watches the platform (profile `observe`)
    profiles: str = Field(default="", description="names, with commas between them")
    prometheus_host: str = "127.0.0.1"
    prometheus_port: int = 29090
    dashboards_host: str = Field(default="127.0.0.1", description="where the dashboards' page listens, and is reached")
    dashboards_port: int = 29140
    docs_port: int = Field(default=29150, description="where `lake docs --serve` shows the pages of the marts")
    node_exporter_port: int = 29110
    mysqld_exporter_port: int = 29104
    postgres_exporter_port: int = 29187
    statsd_exporter_port: int = 29102
    exporter_password: SecretStr = Field(
        default=SecretStr(""), description="of the user `exporter` in MySQL and PostgreSQL, who may only watch"
    )
    opensearch_host: str = "127.0.0.1"
    opensearch_port: int = 29200
    shipper_host: str = Field(default="127.0.0.1", description="where what puts logs into OpenSearch listens")
    shipper_port: int = 29318
    collector_port: int = Field(default=29888, description="where the collector of logs has its metrics")
    kept_logs_days: int = Field(default=14, ge=1, description="for which OpenSearch keeps logs ...")
    kept_logs_mib: int = Field(default=4096, ge=256, description="... and what they may take of the disk")
    metrics_days: int = Field(default=15, ge=1, description="for which Prometheus keeps what it has seen ...")
    metrics_mib: int = Field(default=1024, ge=64, description="... and what it may take of the disk for that")

    # -- dashboards for the people of the shop (profile `bi`)
    superset_host: str = Field(default="127.0.0.1", description="where Superset listens, and is reached")
    superset_port: int = 29188
    superset_user: str = Field(default="viewer", description="who looks at dashboards ...")
    superset_password: SecretStr = SecretStr("")
    superset_admin: str = Field(default="admin", description="... and who makes users, and may change everything")
    superset_admin_password: SecretStr = SecretStr("")
    superset_secret: SecretStr = Field(default=SecretStr(""), description="signs sessions; never change it")

    # -- search in the shop's products (profile `serve`)
    search_host: str = "127.0.0.1"
    search_port: int = 29201
    search_timeout_seconds: float = Field(default=10, gt=0, description="how long an answer to a person may take")

    # -- the serving API, which the shop itself calls, and its cache (profile `serve`)
    api_host: str = Field(default="127.0.0.1", description="where the API listens, and is reached")
    api_port: int = 29180
    api_timeout_seconds: int = Field(default=20, ge=1, description="how long a request to the API may take")
    api_requests_per_minute: int = Field(default=600, ge=1, description="of one key, unless it was made with another")
    api_questions: int = Field(default=4, ge=1, le=64, description="questions of the API that Trino works on at once")
    api_cursor_secret: SecretStr = Field(default=SecretStr(""), description="signs the cursors of the API's pages")
    cache_host: str = "127.0.0.1"
    cache_port: int = 29379
    cache_memory_mib: int = Field(default=64, ge=8, description="what answers may take in Valkey")
    cache_password: SecretStr = SecretStr("")

    # -- what is kept, and for how long
    receipts_all_days: int = Field(default=31, ge=1, description="for which every receipt is kept")
    receipts_daily_days: int = Field(default=366, ge=1, description="for which the last one of each day is kept")
    landing_days: int = Field(default=31, ge=1, description="for which raw stays in the files that were landed")
    branch_days: int = Field(default=7, ge=1, description="for which the branch of a run that failed is kept")
    log_days: int = Field(default=31, ge=1, description="for which Airflow's history and the logs of tasks are kept")
    grace_hours: int = Field(default=24, ge=1, description="age of a file that nothing refers to before it is removed")

    # -- how our own processes log
    log: Literal["", "json", "plain"] = Field(default="", description="in text to a terminal, else in JSON, if empty")

    # -- what the lake is watched for
    watch_schedule: str = Field(default="*/10 * * * *", description="cron of the watch, UTC; empty: by hand only")
    stale_after_minutes: int | None = Field(
        default=None, ge=1, description="age of a table that is too old; unset: what three scheduled runs did not renew"
    )

    # -- what `lake doctor` asks of the machine
    free_disk_gib: float = Field(default=5, ge=0, description="that the disk of the state folder should have free")

    # -- the metrics of the lake, for Prometheus
    exporter_host: str = Field(default="127.0.0.1", description="where `lake exporter` listens, and is reached")
    exporter_port: int = 29108

    # -- who hears of an alert; nobody, until one of these is set. `team=` before an address: that team's alone
    alert_webhook_url: SecretStr | None = Field(default=None, description="services that take Alertmanager's webhook")
    alert_slack_url: SecretStr | None = Field(default=None, description="incoming webhooks of Slack, or in its form")
    alert_heartbeat_url: SecretStr | None = Field(
        default=None, description="a service that raises the alarm when nothing is heard for more than five minutes"
    )
    alert_email_to: str = Field(default="", description="addresses, with commas between them")
    alert_email_from: str = Field(default="", description="the first of those it goes to, if not set")
    alert_smtp: str = Field(default="", description="mail server as host:port")
    alert_smtp_user: str = ""
    alert_smtp_password: SecretStr | None = None
    alert_smtp_tls: bool = Field(default=True, description="whether the mail server must take STARTTLS")

    # -- local runtime: how long a service may take to become healthy on a busy machine
    start_patience_seconds: int = 300

    # -- memory of the local runtime, in MiB: Java heaps and InnoDB's buffer pools
    spark_memory_mib: int = 2048
    spark_cores: int = 2
    trino_memory_mib: int = 2560
    nessie_memory_mib: int = 384
    opensearch_memory_mib: int = 512
    search_memory_mib: int = 512
    shop_memory_mib: int = 512
    source_memory_mib: int = 256

    @field_validator("home", "dags")
    @classmethod
    def _absolute(cls, folder: Path) -> Path:
        """Services run in folders of their own, where a relative path would lead elsewhere."""
        return folder.resolve()

    @field_validator("alert_webhook_url", "alert_slack_url")
    @classmethod
    def _web_addresses(cls, urls: SecretStr | None) -> SecretStr | None:
        for url in urls.get_secret_value().split() if urls else ():
            if not re.fullmatch(rf"(\w+=)?{WEB_ADDRESS}", url):
                raise ValueError("expected http://… or https://…, several with spaces between them")
        return urls

    @field_validator("alert_heartbeat_url")
    @classmethod
    def _web_address(cls, url: SecretStr | None) -> SecretStr | None:
        if url and url.get_secret_value() and not re.fullmatch(WEB_ADDRESS, url.get_secret_value()):
            raise ValueError("expected http://… or https://…")
        return url

    @field_validator("alert_email_to", "alert_email_from")
    @classmethod
    def _mail_addresses(cls, addresses: str) -> str:
        wrong = [
            each for each in addresses.split(",") if each and not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", each.strip())
        ]
        if wrong:
            raise ValueError(f"expected addresses such as data@example.com, not {', '.join(map(repr, wrong))}")
        return addresses

    @field_validator("alert_smtp")
    @classmethod
    def _mail_server(cls, address: str) -> str:
        if address and not re.fullmatch(r"[\w.-]+:\d{1,5}", address):
            raise ValueError("expected host:port, such as mail.example.com:587")
        return address

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the files of the state directory that ``LAKE_HOME`` names, below the environment."""
        from pydantic_settings import DotEnvSettingsSource

        home = Path(os.environ.get("LAKE_HOME", PROJECT / ".lake"))
        files = DotEnvSettingsSource(settings_cls, env_file=(home / "settings.env", home / "secrets.env"))
        return init_settings, env_settings, files

    def model_post_init(self, context: object) -> None:
        """Shift the ports that nobody set by the offset."""
        for name in type(self).model_fields:
            if name.endswith("_port") and name not in self.model_fields_set:
                object.__setattr__(self, name, getattr(self, name) + self.port_offset)

    @cached_property
    def s3_url(self) -> str:
        """Address of the object store, for S3 clients."""
        return f"http://{self.s3_host}:{self.s3_port}"

    @cached_property
    def nessie_url(self) -> str:
        """Root of Nessie: ``/api/v2`` is its own interface, ``/iceberg/REF`` the Iceberg REST one."""
        return f"http://{self.nessie_host}:{self.nessie_port}"

    @cached_property
    def spark_remote(self) -> str:
        """Address of the Spark Connect server."""
        return f"sc://{self.spark_host}:{self.spark_port}"

    @cached_property
    def trino_url(self) -> str:
        """Trino's page and client interface."""
        return f"https://{self.trino_host}:{self.trino_port}"

    @cached_property
    def trino_ca(self) -> Path:
        """Certificate of the authority that Trino's is of (PEM); there is none before Trino's first start."""
        return self.trino_ca_file or self.home / "trino" / "ca.pem"

    @cached_property
    def airflow_url(self) -> str:
        """Airflow's page; its API is below ``/api/v2``."""
        return f"http://{self.airflow_host}:{self.airflow_port}"

    @cached_property
    def alertmanager_url(self) -> str:
        """Alertmanager's page; its API is below ``/api/v2``."""
        return f"http://{self.alertmanager_host}:{self.alertmanager_port}"

    @cached_property
    def prometheus_url(self) -> str:
        """Prometheus' page; its API is below ``/api/v1``."""
        return f"http://{self.prometheus_host}:{self.prometheus_port}"

    @cached_property
    def superset_url(self) -> str:
        """Superset's page: the dashboards for the people of the shop."""
        return f"http://{self.superset_host}:{self.superset_port}"

    @cached_property
    def opensearch_url(self) -> str:
        """OpenSearch, which keeps the logs."""
        return f"http://{self.opensearch_host}:{self.opensearch_port}"

    @cached_property
    def search_url(self) -> str:
        """The OpenSearch that holds the shop's products."""
        return f"http://{self.search_host}:{self.search_port}"

    @cached_property
    def api_url(self) -> str:
        """The serving API."""
        return f"http://{self.api_host}:{self.api_port}"

    @cached_property
    def dashboards_url(self) -> str:
        """The page that draws the dashboards."""
        return f"http://{self.dashboards_host}:{self.dashboards_port}"


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read once.

    Raises:
        LakeError: a value is not one that its setting takes.
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = [f"LAKE_{str(each['loc'][0]).upper()}={each['input']}: {each['msg']}" for each in error.errors()]
        where = "correct it in the environment or in settings.env of the state folder"
        raise LakeError("\n".join(wrong), where) from None
