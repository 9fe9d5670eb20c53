"""Faults of an installation, each put into one that is sound: `lake doctor` finds it, and had not found it before."""

from __future__ import annotations

import pytest

from tests.integration.doctor import of_installation, of_source  # noqa: F401 - they enter their faults
from tests.integration.doctor.conftest import Followed, Lake
from tests.integration.doctor.fault import MACHINE, SERVER, found

pytestmark = pytest.mark.thorough


@pytest.mark.parametrize("name", MACHINE)
def test_a_fault_of_the_installation_is_found(name: str, lake: Lake) -> None:
    assert found(MACHINE[name]) == []
    with MACHINE[name].seeded(lake):
        assert len(found(MACHINE[name])) == 1


@pytest.mark.parametrize("name", SERVER)
def test_a_fault_of_a_source_is_found(name: str, followed: Followed) -> None:
    assert found(SERVER[name]) == []
    with SERVER[name].seeded(followed):
        assert len(found(SERVER[name])) == 1


def test_there_are_enough_of_them() -> None:
    assert len(MACHINE) + len(SERVER) >= 15
