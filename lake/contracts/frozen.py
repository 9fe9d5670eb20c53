"""The contracts as a run found them when it began: a file that is edited later concerns the next run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from lake.contracts.model import Contract
from lake.errors import ContractError
from lake.platform import storage


def freeze(contracts: Mapping[str, Contract]) -> str:
    """Keep the contracts of a run, and give their SHA-256, which the run and its receipt carry.

    They are kept by it, so that the many runs which begin with the same contracts share one copy.
    """
    data = _document(contracts)
    sha256 = _sha256(data)
    storage.put_new(_uri(sha256), data, "application/json")
    return sha256


def read(sha256: str) -> dict[str, Contract]:
    """The contracts with a SHA-256, by table name.

    Raises:
        ContractError: they are not there, or are not what they were.
    """
    try:
        data = storage.get(_uri(sha256))
    except FileNotFoundError as error:
        raise ContractError(f"the contracts of this run are gone from {_uri(sha256)}", "run again") from error
    if _sha256(data) != sha256:
        raise ContractError(f"{_uri(sha256)} is not what the run began with", "delete it, and run again")
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


def _uri(sha256: str) -> str:
    return f"{storage.AUDIT}/contracts/{sha256}.json"
