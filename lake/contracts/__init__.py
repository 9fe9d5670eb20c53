"""Contracts: one YAML file per source table, from which everything that is specific to a table comes."""

from lake.contracts.load import load, load_all
from lake.contracts.model import DELETE, EXTRACTED_AT, OPERATION, PROBLEMS, READ, RUN_ID, Column, Contract

__all__ = [
    "DELETE",
    "EXTRACTED_AT",
    "OPERATION",
    "PROBLEMS",
    "READ",
    "RUN_ID",
    "Column",
    "Contract",
    "load",
    "load_all",
]
