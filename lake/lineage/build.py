"""Puts the lineage of a whole lake together, from its contracts and the code as they are now. No service is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lake.contracts import Contract, load_all
from lake.contracts.load import files
from lake.layers import built
from lake.ledger import code
from lake.lineage import landed, marts, readers, remembered, star
from lake.lineage.graph import Graph
from lake.lineage.model import Made, Table
from lake.reports import definition
from lake.settings import settings
from lake.source import sources

_ROOTS = ("lake/lineage", "lake/contracts", "lake/layers", "spark_jobs", "dbt", "requirements.txt")


def of_checkout() -> Graph:
    """The lineage of the lake that this checkout makes of its sources.

    Raises:
        ContractError: a contract is malformed.
        LakeError: a model, a builder or a query cannot be read.
    """
    names = [name for name in sources.known() if files(name)]
    contracts, has_marts = load_all(names), settings().source_name in names
    return Graph(read(contracts, has_marts))


def read(contracts: Mapping[str, Contract], has_marts: bool) -> list[Made]:
    """What `made` says, remembered in the state folder until code, contracts, reports or rules are others."""
    return remembered.made(fingerprint(contracts, has_marts), lambda: made(contracts, has_marts))


def fingerprint(contracts: Mapping[str, Contract], has_marts: bool) -> str:
    """Of everything that a lineage is read from."""
    reports = [file.read_text() for file in sorted(definition.DEFINITIONS.glob("*.yml"))]
    agreed = [contracts[name].model_dump_json() for name in sorted(contracts)]
    return built.fingerprint(code.of(_ROOTS), str(has_marts), settings().alert_rules.read_text(), *reports, *agreed)


def made(contracts: Mapping[str, Contract], has_marts: bool) -> list[Made]:
    """How every table comes about: those of the sources first, what people see last.

    Args:
        contracts: of all tables of the lake, by name.
        has_marts: whether the star schema and the marts are made of them, which are the shop's.
    """
    found: list[Made] = []
    known: dict[Table, tuple[str, ...]] = {}

    def take(some: Iterable[Made]) -> None:
        for one in some:
            found.append(one)
            known[one.table] = tuple(one.columns)

    for contract in contracts.values():
        take(landed.made(contract))
    if has_marts:
        take(star.made(contracts, known))
        take(marts.made(known))
    take(readers.made(known))
    return found
