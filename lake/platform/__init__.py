"""Clients of the platform's services: the catalog and its branches, the object store, Trino, Airflow."""
