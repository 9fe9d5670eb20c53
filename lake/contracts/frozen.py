"""The contracts as a run found them when it began: a file that is edited later concerns the next run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from lake.contracts.model import Contract
from lake.errors import ContractError
from lake.platform import storage


def freeze(run_id: str, contracts: Mapping[str, Contract]) -> str:
    """Keep the contracts of a run, and give their SHA-256, which the run and its receipt carry."""
    data = _document(contracts)
    storage.put(_uri(run_id), data, "application/json")
    return _sha256(data)


def read(run_id: str, sha256: str) -> dict[str, Contract]:
    """The contracts of a run, by table name.

    Raises:
        ContractError: they are not there, or are not those that the run began with.
    """
    try:
        data = storage.get(_uri(run_id))
    except FileNotFoundError as error:
        raise ContractError(f"the contracts of run {run_id} are gone from {_uri(run_id)}", "run again") from error
    if _sha256(data) != sha256:
        raise ContractError(f"{_uri(run_id)} is not what run {run_id} began with ({sha256})", "run again")
    return {name: Contract.model_validate(entry) for name, entry in json.loads(data).items()}


def _document(contracts: Mapping[str, Contract]) -> bytes:
    """The same bytes for the same contracts; columns keep their order, which the tables have too."""
    plain = {
        name: contracts[name].model_dump(mode="json", by_alias=True, exclude_defaults=True)
        | {"source": contracts[name].source}
        for name in sorted(contracts)
    }
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _uri(run_id: str) -> str:
    return f"{storage.AUDIT}/{run_id}/contracts.json"
