"""Sets up logging for this process."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import TracebackType
from typing import Any, Literal, TextIO

import structlog
from structlog.stdlib import ProcessorFormatter

from lake.errors import LakeError
from lake.logs.context import FIELDS, trace_id
from lake.logs.safe import Line, bound, redact
from lake.settings import settings

HEAD = ("timestamp", "level", "logger", "event", *FIELDS)
CHATTY = ("httpx", "httpcore")
"""Loggers that tell of each request that it was made."""


@contextmanager
def of_service() -> Iterator[None]:
    """Log as a process that runs for long; what ends it is its last line.

    Raises:
        SystemExit: 1, in place of a `LakeError`, which has been logged.
    """
    configure(logging.INFO)
    try:
        yield
    except LakeError as error:
        logging.getLogger("lake").critical("%s", error)
        raise SystemExit(1) from None


def configure(level: int = logging.WARNING, stream: TextIO | None = None) -> None:
    """Let this process log in JSON, or in text where it writes to a terminal (``LAKE_LOG`` chooses).

    Args:
        level: of what is logged.
        stream: where to; stderr, if not given.
    """
    stream = stream or sys.stderr
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _of_trace,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    formatter = ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[ProcessorFormatter.remove_processors_meta, redact, bound, *_renderers(stream)],
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.captureWarnings(True)
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    sys.excepthook = _log_end
    threading.excepthook = _log_end_of_thread


def is_plain(stream: TextIO) -> bool:
    """Whether a person reads what is written there."""
    chosen = _chosen()
    return chosen == "plain" or (chosen != "json" and stream.isatty())


def _chosen() -> Literal["", "json", "plain"]:
    try:
        return settings().log
    except LakeError:  # which is then told in whatever form
        return ""


def _renderers(stream: TextIO) -> list[Any]:
    if is_plain(stream):
        return [structlog.dev.ConsoleRenderer(colors=stream.isatty(), pad_event_to=0)]
    return [_ordered, structlog.processors.JSONRenderer(serializer=partial(json.dumps, ensure_ascii=False))]


def _of_trace(logger: object, method: str, line: Line) -> Line:
    """Say which trace a line belongs to, if it was not said yet."""
    return line if line.get("trace_id") or not (found := trace_id()) else {**line, "trace_id": found}


def _ordered(logger: object, method: str, line: Line) -> Line:
    return {name: line[name] for name in (*HEAD, *line) if name in line}


def _log_end(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("lake").critical("ended by an error", exc_info=(kind, error, trace))


def _log_end_of_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value:
        _log_end(ended.exc_type, ended.exc_value, ended.exc_traceback)
