"""Read contracts from their YAML files; every mistake is reported with file, line and the expected shape."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from lake.contracts.model import Contract
from lake.errors import ContractError
from lake.settings import settings

_SHAPE = "see docs/contracts.md for the shape of a contract, or write a fresh one with `lake add-table TABLE`"


def files(source: str, folder: Path | None = None) -> list[Path]:
    """The contract files of one source, in the order of their tables' names; none where it has none."""
    return sorted(((folder or settings().contracts) / source).glob("*.yml"))


def load_all(sources: Iterable[str], folder: Path | None = None) -> dict[str, Contract]:
    """All contracts of some sources, by table name, in the order of their names.

    Raises:
        ContractError: naming every mistake in every file, or a source without contracts.
    """
    directory = folder or settings().contracts
    contracts: dict[str, Contract] = {}
    mistakes: list[str] = []
    for source in sources:
        found = files(source, folder)
        if not found:
            raise ContractError(f"no contract in {directory / source}", "write one with `lake add-table TABLE`")
        for file in found:
            if file.stem in contracts:
                other = contracts[file.stem].source
                mistakes.append(f"{file}:1: table: {other} has a table of this name too; give one of them another")
                continue
            try:
                contracts[file.stem] = load(file)
            except ContractError as error:
                mistakes.append(error.what)
    if not mistakes:
        mistakes = _dangling_references(directory, contracts)
    if mistakes:
        raise ContractError("\n".join(mistakes), _SHAPE)
    return contracts


def load(file: Path) -> Contract:
    """One contract.

    Raises:
        ContractError: each mistake as ``file:line: where: what``.
    """
    text = file.read_text(encoding="utf-8")
    if (right := _right(text, file)) is not None:
        return right
    try:
        document: Any = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ContractError(f"{file}:{line}: not YAML: {error.problem}", _SHAPE) from error
    if not isinstance(document, dict):
        raise ContractError(f"{file}:1: expected a mapping with table, key, columns", _SHAPE)
    if "source" in document:
        raise ContractError(f"{file}:{_line(document, ('source',))}: source: is said by the folder, not here", _SHAPE)
    try:
        contract = Contract.model_validate({**document, "source": file.parent.name})
    except ValidationError as error:
        mistakes = [
            f"{file}:{_line(document, detail['loc'])}: {'.'.join(map(str, detail['loc'])) or 'contract'}: "
            f"{detail['msg'].removeprefix('Value error, ')}{_given(detail)}"
            for detail in error.errors()
        ]
        raise ContractError("\n".join(mistakes), _SHAPE) from error
    if contract.table != file.stem:
        raise ContractError(
            f"{file}:1: table: is {contract.table!r}, expected {file.stem!r} as the file's name", _SHAPE
        )
    return contract


class _Loader(yaml.CSafeLoader):
    """Reads YAML 1.2 as `YAML` does, twenty times as fast, and knows no lines."""

    yaml_implicit_resolvers: dict[str | None, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - the base reads it

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """A mapping, of which no key stands there twice."""
        mapping = super().construct_mapping(node, deep)
        if len(mapping) < len(node.value):
            raise yaml.constructor.ConstructorError(None, None, "a key stands there twice", node.start_mark)
        return mapping


for _kind, _form, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)", "-+0123456789."),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
):
    # https://yaml.org/spec/1.2.2/#1032-tag-resolution. PyYAML's own are those of YAML 1.1, where `no` is false.
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(rf"^(?:{_form})$"), list(_first))


def _right(text: str, file: Path) -> Contract | None:
    """A contract in which nothing is wrong; of another nothing, for the slower reader knows the line of a mistake."""
    try:
        document = yaml.load(text, Loader=_Loader)
        if not isinstance(document, dict) or "source" in document:
            return None
        contract = Contract.model_validate({**document, "source": file.parent.name})
    except (yaml.YAMLError, ValueError):
        return None
    return contract if contract.table == file.stem else None


def _given(detail: Any) -> str:
    value = detail["input"]
    return f" (given: {value!r})" if isinstance(value, str | int | float | bool) else ""


def line_of(file: Path, *path: str) -> int:
    """Line (from 1) of an entry of a contract file, for errors that are found later, such as by the source.

    A run's contracts may outlive their files: of one that is gone it is the first line.
    """
    if not file.is_file():
        return 1
    return _line(YAML(typ="rt").load(file.read_text(encoding="utf-8")), path)


def _line(document: Any, location: tuple[Any, ...] | tuple[str, ...]) -> int:
    """Line of the deepest part of ``location`` that the document has."""
    line, node = 1, document
    for part in location:
        if not (isinstance(node, dict) and part in node) and not (isinstance(node, list) and isinstance(part, int)):
            break
        position = node.lc.data.get(part)  # type: ignore[union-attr]
        line = position[0] + 1 if position else line
        node = node[part]  # type: ignore[index]
    return line


def _dangling_references(directory: Path, contracts: dict[str, Contract]) -> list[str]:
    mistakes = []
    for name, contract in contracts.items():
        for column, (parent, parent_column) in contract.references.items():
            if parent not in contracts:
                problem = f"there is no contract for table {parent!r}"
            elif contracts[parent].key != (parent_column,):
                problem = f"{parent}.{parent_column} is not the key of {parent}, which is {contracts[parent].key}"
            else:
                continue
            file = directory / contract.source / f"{name}.yml"
            line = line_of(file, "columns", column, "references")
            mistakes.append(f"{file}:{line}: columns.{column}.references: {problem}")
    graph = {name: {parent for parent, _ in contract.references.values()} for name, contract in contracts.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        mistakes.append(f"{directory}: references go in a circle: {circle}; leave one of them out")
    return mistakes
