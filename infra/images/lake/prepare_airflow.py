#!/usr/bin/env python
"""Write the password of Airflow's page, then bring Airflow's database to this version's schema."""

from __future__ import annotations

import json
import os
from pathlib import Path

from lake.settings import settings


def main() -> None:
    """Write the file and become ``airflow db migrate``."""
    config = settings()
    passwords = Path(os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
    passwords.parent.mkdir(parents=True, exist_ok=True)
    passwords.touch(mode=0o600)
    passwords.write_text(json.dumps({config.airflow_user: config.airflow_password.get_secret_value()}))
    os.execvp("airflow", ["airflow", "db", "migrate"])


if __name__ == "__main__":
    main()
