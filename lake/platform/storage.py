"""The object store: whole objects in and out, and a file system for Arrow.

Addresses are ``s3://bucket/key``. Any S3 does; nothing here is MinIO's alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store
from pyarrow import fs

from lake.errors import ServiceError
from lake.settings import settings

LANDING = "s3://landing"
REPORTS = "s3://reports"
AUDIT = "s3://audit"
RECEIPTS = "s3://receipts"
WAREHOUSE = "s3://warehouse"

LISTED_AT_ONCE = 1_000
"""What S3 gives at a time, and takes to be deleted at once."""


@dataclass(frozen=True)
class Stored:
    """An object as the store lists it."""

    uri: str
    bytes: int
    written_at: datetime


@lru_cache(maxsize=1)
def filesystem() -> fs.S3FileSystem:
    """The object store as an Arrow file system; its paths are addresses without the scheme (`path_of`)."""
    config = settings()
    return fs.S3FileSystem(
        access_key=config.s3_access_key,
        secret_key=config.s3_secret_key.get_secret_value(),
        region=config.s3_region,
        endpoint_override=f"{config.s3_host}:{config.s3_port}",
        scheme="http",
        connect_timeout=5,
        request_timeout=60,
    )


def path_of(uri: str) -> str:
    """The path within the file system of an ``s3://`` address.

    Raises:
        ValueError: for an address of another scheme.
    """
    scheme, _, path = uri.partition("://")
    if scheme != "s3":
        raise ValueError(f"{uri!r} is not an s3:// address")
    return path


def put(uri: str, data: bytes, content_type: str = "application/octet-stream") -> None:
    """Write one object whole; it appears when it is complete."""
    try:
        with filesystem().open_output_stream(path_of(uri), metadata={"Content-Type": content_type}) as stream:
            stream.write(data)
    except OSError as error:
        raise _unreachable(uri, error) from error


def put_new(uri: str, data: bytes, content_type: str = "application/octet-stream") -> bool:
    """Write one object whole, unless there is one of this name; whether it was written.

    The store itself decides (``If-None-Match``), so of several writers exactly one succeeds. Where an answer was lost
    and the write is tried again, the writer itself may be told that there is one already.
    """
    bucket, _, key = path_of(uri).partition("/")
    try:
        obstore.put(_bucket(bucket), key, data, mode="create", attributes={"Content-Type": content_type})
    except AlreadyExistsError:
        return False
    except BaseError as error:
        raise _unreachable(uri, error) from error
    return True


def has_bucket(name: str) -> bool:
    """Whether there is a bucket of this name."""
    try:
        return bool(filesystem().get_file_info(name).type == fs.FileType.Directory)
    except OSError as error:
        raise _unreachable(f"s3://{name}", error) from error


def put_version(uri: str, data: bytes) -> str | None:
    """Write one object whole; the version that it got, and nothing where its bucket keeps one version of each."""
    bucket, _, key = path_of(uri).partition("/")
    try:
        return obstore.put(_bucket(bucket), key, data)["version"]
    except BaseError as error:
        raise _unreachable(uri, error) from error


@cache
def _bucket(name: str) -> S3Store:
    config = settings()
    return S3Store(
        name,
        endpoint=config.s3_url,
        access_key_id=config.s3_access_key,
        secret_access_key=config.s3_secret_key.get_secret_value(),
        region=config.s3_region,
        virtual_hosted_style_request=False,
        client_options={"allow_http": True, "connect_timeout": "5s", "timeout": "60s"},
        retry_config={"max_retries": 4, "retry_timeout": timedelta(seconds=60)},
    )


@contextmanager
def errors(uri: str) -> Iterator[None]:
    """Turn what the store's file system raises while an object is read or written into an error that names both.

    Raises:
        ServiceError: the store is away, full, or takes no write.
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _unreachable(uri, error) from error


def exists(uri: str) -> bool:
    """Whether there is an object of this name."""
    try:
        return bool(filesystem().get_file_info(path_of(uri)).type == fs.FileType.File)
    except OSError as error:
        raise _unreachable(uri, error) from error


def get(uri: str) -> bytes:
    """Read one object whole.

    Raises:
        FileNotFoundError: there is no such object.
    """
    try:
        with filesystem().open_input_stream(path_of(uri)) as stream:
            data: bytes = stream.read()
            return data
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _unreachable(uri, error) from error


def list_keys(prefix: str) -> list[str]:
    """Addresses of all objects below ``prefix``, sorted; none when nothing is there."""
    return sorted(f"s3://{info.path}" for info in _files(prefix))


def listed(prefix: str) -> list[Stored]:
    """All objects below ``prefix`` with their sizes and ages; none when nothing is there."""
    bucket, _, key = path_of(prefix).partition("/")
    try:
        pages = obstore.list(_bucket(bucket), key or None, chunk_size=LISTED_AT_ONCE)
        return [
            Stored(f"s3://{bucket}/{each['path']}", each["size"], each["last_modified"])
            for page in pages
            for each in page
        ]
    except BaseError as error:
        raise _unreachable(prefix, error) from error


def written_at(uri: str) -> datetime | None:
    """When an object was last written; nothing for one that is not there."""
    bucket, _, key = path_of(uri).partition("/")
    try:
        return obstore.head(_bucket(bucket), key)["last_modified"]
    except FileNotFoundError:
        return None
    except BaseError as error:
        raise _unreachable(uri, error) from error


def list_newest(prefix: str) -> list[str]:
    """Addresses of all objects below ``prefix``, the last written first."""
    found = sorted(_files(prefix), key=lambda info: (info.mtime_ns, info.path), reverse=True)
    return [f"s3://{info.path}" for info in found]


def _files(prefix: str) -> list[fs.FileInfo]:
    try:
        found = filesystem().get_file_info(fs.FileSelector(path_of(prefix), recursive=True, allow_not_found=True))
    except OSError as error:
        raise _unreachable(prefix, error) from error
    return [info for info in found if info.type == fs.FileType.File]


def delete(uri: str) -> None:
    """Delete one object; one that is not there is no error."""
    try:
        filesystem().delete_file(path_of(uri))
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unreachable(uri, error) from error


def delete_all(uris: Iterable[str]) -> None:
    """Delete many objects, which may lie in several buckets, with as few requests as the store allows."""
    by_bucket: dict[str, list[str]] = {}
    for uri in uris:
        bucket, _, key = path_of(uri).partition("/")
        by_bucket.setdefault(bucket, []).append(key)
    for bucket, keys in by_bucket.items():
        for first in range(0, len(keys), LISTED_AT_ONCE):
            try:
                obstore.delete(_bucket(bucket), keys[first : first + LISTED_AT_ONCE])
            except BaseError as error:
                raise _unreachable(f"s3://{bucket}/{keys[first]}", error) from error


def delete_prefix(prefix: str) -> None:
    """Delete every object below ``prefix``."""
    for uri in list_keys(prefix):
        delete(uri)


def _unreachable(uri: str, error: Exception) -> ServiceError:
    return ServiceError(
        f"the object store at {settings().s3_url} failed on {uri}: {error}",
        "look at `lake status` and `lake logs minio`",
    )
