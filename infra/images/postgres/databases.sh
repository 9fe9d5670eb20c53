#!/bin/bash
# Run once by the image's entry point, on an empty data folder: a role and a database each for Airflow's metadata,
# for Nessie's versions and for Superset's metadata, and a role that may only watch. psql quotes the passwords, whatever they hold.

psql --username=postgres --set=ON_ERROR_STOP=1 --set=password="${POSTGRES_PASSWORD}" \
  --set=exporter="${LAKE_EXPORTER_PASSWORD}" <<'SQL'
CREATE ROLE airflow LOGIN PASSWORD :'password';
CREATE DATABASE airflow OWNER airflow;
CREATE ROLE nessie LOGIN PASSWORD :'password';
CREATE DATABASE nessie OWNER nessie;
CREATE ROLE superset LOGIN PASSWORD :'password';
CREATE DATABASE superset OWNER superset;
CREATE ROLE exporter LOGIN IN ROLE pg_monitor CONNECTION LIMIT 5 PASSWORD :'exporter';
SQL
