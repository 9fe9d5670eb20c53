"""The world of servers that the fault tests use serves here too."""

from tests.faults.conftest import world as world
