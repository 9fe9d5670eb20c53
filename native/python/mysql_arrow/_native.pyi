from collections.abc import Callable, Iterable, Iterator, Mapping
from os import PathLike
from typing import Any

from mysql_arrow.stats import Stats

class Batch:
    num_rows: int
    schema: Schema
    def __len__(self) -> int: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]: ...

class Schema:
    def __arrow_c_schema__(self) -> object: ...

class Decoder:
    def __init__(
        self,
        *,
        protocol: str = "binary",
        schema: Any = None,
        rows_per_batch: int = 65_536,
        bytes_per_batch: int = 16 << 20,
        max_packet: int = 1 << 30,
        dates: str = "error",
        text: str = "error",
        range: str = "error",
        columns: Mapping[str, str] | None = None,
        problems: str | None = None,
        hashes: bool = False,
        discard: bool = False,
    ) -> None: ...
    def feed(self, data: bytes) -> None: ...
    def batches(self) -> list[Batch]: ...
    @property
    def schema(self) -> Schema | None: ...
    @property
    def finished(self) -> bool: ...
    @property
    def stats(self) -> Stats: ...
    @property
    def hash_sum(self) -> int: ...

class Stream:
    def __init__(
        self,
        decoder: Decoder,
        *,
        fd: int | None = None,
        timeout: float | None = None,
        file: Any = None,
        on_end: Callable[[bool], None] | None = None,
    ) -> None: ...
    def __iter__(self) -> Iterator[Batch]: ...
    def __next__(self) -> Batch: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...
    @property
    def schema(self) -> Schema: ...
    @property
    def stats(self) -> Stats: ...
    @property
    def hash_sum(self) -> int: ...
    def close(self) -> None: ...
    def write_parquet(
        self,
        target: str | PathLike[str] | Any,
        *,
        row_group_rows: int = 1 << 20,
        row_group_bytes: int = 32 << 20,
        level: int = 1,
        dictionary: bool | Iterable[str] | None = None,
        delta: bool = True,
        constants: dict[str, Any] | None = None,
    ) -> int: ...
