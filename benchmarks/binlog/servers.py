"""A server of the benchmark's own with a binlog, MariaDB or MySQL: in a scratch folder, on a free port, gone at the end."""

from __future__ import annotations

import secrets
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pymysql
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from lake.errors import ServiceError
from lake.runtime import mariadb, mysql
from lake.runtime.artifacts import artifacts
from lake.runtime.pair import Pair
from lake.runtime.service import own_by_unprivileged, unprivileged

DATABASE, USER = "bench", "bench"
