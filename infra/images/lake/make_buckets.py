#!/usr/bin/env python
"""Make the lake's buckets where they are missing. Any S3 does; the list is the local runtime's."""

from __future__ import annotations

from pyarrow import fs

from lake.runtime.engines import BUCKETS
from lake.settings import settings


def main() -> None:
    """Make each bucket; one that exists is left as it is."""
    config = settings()
    store = fs.S3FileSystem(
        access_key=config.s3_access_key,
        secret_key=config.s3_secret_key.get_secret_value(),
        region=config.s3_region,
        endpoint_override=f"{config.s3_host}:{config.s3_port}",
        scheme="http",
        allow_bucket_creation=True,
    )
    for bucket in BUCKETS:
        store.create_dir(bucket)
        print(f"bucket {bucket}")


if __name__ == "__main__":
    main()
