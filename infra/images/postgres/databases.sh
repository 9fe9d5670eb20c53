#!/bin/bash
# Run once by the image's entry point, on an empty data folder: a role and a database each for Airflow's metadata and
# for Nessie's versions. psql quotes the password, whatever it holds.

psql --username=postgres --set=ON_ERROR_STOP=1 --set=password="${POSTGRES_PASSWORD}" <<'SQL'
CREATE ROLE airflow LOGIN PASSWORD :'password';
CREATE DATABASE airflow OWNER airflow;
CREATE ROLE nessie LOGIN PASSWORD :'password';
CREATE DATABASE nessie OWNER nessie;
SQL
