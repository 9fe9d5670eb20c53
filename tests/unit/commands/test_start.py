"""How much a command loads before it knows what it is asked for."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {"airflow", "airflow_client", "dbt", "great_expectations", "matplotlib", "metricflow", "pandas", "pyspark"}


def test_a_command_loads_nothing_that_only_another_one_needs() -> None:
    script = "import sys, lake.commands.main; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    assert HEAVY & {*done.stdout.split()} == set()
