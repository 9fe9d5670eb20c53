"""Contracts: one YAML file per source table, from which everything that is specific to a table comes."""

from lake.contracts.load import load, load_all
from lake.contracts.model import EXTRACTED_AT, OPERATION, PROBLEMS, RUN_ID, Column, Contract

__all__ = ["EXTRACTED_AT", "OPERATION", "PROBLEMS", "RUN_ID", "Column", "Contract", "load", "load_all"]
