#!/bin/bash
# Run once by the image's entry point, on an empty data folder: point the replica at the primary. The server that starts
# afterwards replicates by itself, then and after every restart.

MYSQL_PWD="${MYSQL_ROOT_PASSWORD}" mysql --protocol=socket --user=root <<SQL
CHANGE REPLICATION SOURCE TO
  SOURCE_HOST = '${LAKE_SHOP_HOST}',
  SOURCE_PORT = ${LAKE_SHOP_PORT},
  SOURCE_USER = 'replica',
  SOURCE_PASSWORD = '${LAKE_REPLICATION_PASSWORD}',
  SOURCE_AUTO_POSITION = 1,
  SOURCE_CONNECT_RETRY = 1,
  SOURCE_RETRY_COUNT = 86400,
  -- caching_sha2_password over a connection without TLS asks for the server's key.
  GET_SOURCE_PUBLIC_KEY = 1;
SQL
