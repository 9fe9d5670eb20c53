-- Spark over JDBC, four partitions of the key. The scheme is mysql's, because Spark's dialect for it is the one that
-- quotes names as the server does; the driver is MariaDB's. It reads a result in pieces only if it is told to.
CREATE OR REPLACE TEMPORARY VIEW source USING jdbc OPTIONS (
  url "jdbc:mysql://${place}?permitMysqlScheme&useServerPrepStmts=false&connectionTimeZone=UTC",
  driver "org.mariadb.jdbc.Driver",
  dbtable "${table}",
  user "${user}",
  password "${password}",
  partitionColumn "id",
  lowerBound "1",
  upperBound "${rows}",
  numPartitions "4",
  fetchsize "10000"
);
INSERT OVERWRITE DIRECTORY "${target}" USING parquet OPTIONS (compression "zstd") SELECT * FROM source;
