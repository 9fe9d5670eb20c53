"""What tests of several rooms have in common."""

import pytest

from lake.metrics import definitions
from lake.metrics.definitions import Metrics


@pytest.fixture(scope="session")
def metrics() -> Metrics:
    """The metrics of this checkout; to read them takes seconds."""
    return definitions.load()
