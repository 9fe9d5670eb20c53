#!/bin/bash
# Run once by the image's entry point, on an empty data folder: the empty database, its owner, the lake's reader and the
# replica's user, with the rights that lake/runtime/mariadb.py gives. The replica gets all of it by replication.
# The passwords come from the environment; they must hold neither a quote nor a backslash.

MYSQL_PWD="${MYSQL_ROOT_PASSWORD}" mysql --protocol=socket --user=root <<SQL
CREATE DATABASE IF NOT EXISTS \`${LAKE_SOURCE_DATABASE}\`;

CREATE USER lake_reader IDENTIFIED BY '${LAKE_SOURCE_PASSWORD}';
GRANT SELECT, SHOW VIEW ON \`${LAKE_SOURCE_DATABASE}\`.* TO lake_reader;
-- To see how far the replica is and where its binlog stands (MariaDB's REPLICA MONITOR and BINLOG MONITOR in one), and
-- to read the binlog.
GRANT REPLICATION CLIENT, REPLICATION SLAVE ON *.* TO lake_reader;

CREATE USER replica IDENTIFIED BY '${LAKE_REPLICATION_PASSWORD}';
GRANT REPLICATION SLAVE ON *.* TO replica;

-- For mysqld_exporter, which sees who is connected and how far the replica is, and no data.
CREATE USER exporter IDENTIFIED BY '${LAKE_EXPORTER_PASSWORD}' WITH MAX_USER_CONNECTIONS 3;
GRANT PROCESS, REPLICATION CLIENT ON *.* TO exporter;
GRANT SELECT ON performance_schema.* TO exporter;

CREATE USER shop IDENTIFIED BY '${LAKE_SHOP_PASSWORD}';
GRANT ALL ON \`${LAKE_SOURCE_DATABASE}\`.* TO shop;
SQL
