"""A decoder and where its bytes come from."""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from mysql_arrow._fallback.decoder import Decoder
from mysql_arrow.errors import ConnectionLost, SchemaMismatch, ServerError
from mysql_arrow.stats import Stats

_READ = 256 << 10
_CLOSED = "the connection is lost: the server closed it in the middle of a result"


class Stream:
    """The batches of a query. The arguments are those of the extension's class."""

    def __init__(
        self,
        decoder: Decoder,
        *,
        fd: int | None = None,
        timeout: float | None = None,
        file: Any = None,
        on_end: Callable[[bool], None] | None = None,
    ):
        self._decoder, self._file, self._timeout = decoder, file, timeout
        self._fd = None if fd is None else os.dup(fd)
        self._on_end = on_end
        self._ended = False
        try:
            while decoder.schema is None and not decoder.finished:
                if not decoder.step():
                    decoder.feed(self._read())
            if decoder.schema is None:
                raise SchemaMismatch("the schema does not fit the result: the statement has no result")
        except BaseException as error:
            self._end(isinstance(error, ServerError))
            raise

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return self

    def __next__(self) -> pa.RecordBatch:
        if self._ended:
            raise StopIteration
        try:
            while (batch := self._decoder.next_batch()) is None and not self._decoder.finished:
                self._decoder.feed(self._read())
        except BaseException as error:
            self._end(isinstance(error, ServerError))
            raise
        if batch is None:
            self._end(True)
            raise StopIteration
        return batch

    def __del__(self) -> None:
        self.close()

    @property
    def schema(self) -> pa.Schema:
        """The schema of the batches."""
        return self._decoder.schema

    @property
    def stats(self) -> Stats:
        """What was read; complete once the stream is read to its end."""
        return self._decoder.stats

    @property
    def hash_sum(self) -> int:
        """The sum of the hashes of the rows of the batches so far."""
        return self._decoder.hash_sum

    def close(self) -> None:
        """Leave the rest of the result, which closes the connection; nothing happens after the end."""
        self._end(False)

    def __arrow_c_schema__(self) -> Any:
        return self.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return pa.RecordBatchReader.from_batches(self.schema, self).__arrow_c_stream__(requested_schema)

    def write_parquet(
        self,
        target: Any,
        *,
        row_group_rows: int = 1 << 20,
        row_group_bytes: int = 32 << 20,
        level: int = 1,
        dictionary: bool | Iterable[str] | None = None,
        delta: bool = True,
        constants: dict[str, pa.Array] | None = None,
    ) -> int:
        """Write the rest of the rows to a path or an object with `write`. Returns the number of rows.

        The row groups are one batch each here, without a choice every column gets a dictionary, and nothing is packed
        as differences.
        """
        import pyarrow.parquet as pq

        if not row_group_rows or not row_group_bytes:
            raise ValueError("a row group has at least one row and one byte")
        schema = self.schema
        for name, array in (constants or {}).items():
            if len(array) != 1:
                raise ValueError(f"the constant {name} is not one value")
            schema = schema.append(pa.field(name, array.type, nullable=bool(array.null_count)))
        part = None if hasattr(target, "write") else Path(f"{os.fspath(target)}.part")
        rows = 0
        options: dict[str, Any] = {
            "compression": "zstd" if level else "none",
            "compression_level": level or None,
            "use_dictionary": True
            if dictionary is None
            else dictionary
            if isinstance(dictionary, bool)
            else [*dictionary],
        }
        try:
            with pq.ParquetWriter(_Sink(target) if part is None else part, schema, **options) as writer:
                for batch in self:
                    fixed = [pa.repeat(array[0], len(batch)) for array in (constants or {}).values()]
                    writer.write_batch(
                        pa.RecordBatch.from_arrays([*batch.columns, *fixed], schema=schema), row_group_rows
                    )
                    rows += len(batch)
            if part:
                part.replace(target)
        except BaseException:
            self.close()
            if part:
                part.unlink(missing_ok=True)
            raise
        return rows

    def _read(self) -> bytes:
        try:
            if self._fd is None:
                data = self._file.read1(_READ)
            else:
                poll = select.poll()
                poll.register(self._fd, select.POLLIN)
                if not poll.poll(None if self._timeout is None else self._timeout * 1000):
                    raise ConnectionLost(f"the connection is lost: the server sent nothing for {self._timeout} s")
                data = os.read(self._fd, _READ)
        except OSError as error:
            raise ConnectionLost(f"the connection is lost: {error}") from error
        if not data:
            raise ConnectionLost(_CLOSED)
        return bytes(data)

    def _end(self, clean: bool) -> None:
        if self._ended:
            return
        self._ended = True
        if self._fd is not None:
            os.close(self._fd)
        if self._on_end is not None:
            self._on_end(clean)


class _Sink:
    """A file for pyarrow out of an object that has only `write`."""

    closed = False

    def __init__(self, target: Any):
        self._target = target

    def write(self, data: bytes) -> int:
        self._target.write(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """The caller's object stays open."""
        self.closed = True
