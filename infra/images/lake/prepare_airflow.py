#!/usr/bin/env python
"""Write the password of Airflow's page, bring Airflow's database to this version's schema, and make the pools."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from lake.runtime import pools
from lake.settings import settings

MIGRATION_SECONDS = 1800


def main() -> None:
    """Write the file, migrate, and make the pools as the settings size them."""
    config = settings()
    passwords = Path(os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
    passwords.parent.mkdir(parents=True, exist_ok=True)
    passwords.touch(mode=0o600)
    passwords.write_text(json.dumps({config.airflow_user: config.airflow_password.get_secret_value()}))
    subprocess.run(["airflow", "db", "migrate"], check=True, timeout=MIGRATION_SECONDS)
    # Imported at every start: a volume of the database may have gone where this folder has not.
    imported = passwords.with_name("pools.json")
    imported.unlink(missing_ok=True)
    pools.ensure(imported, ["airflow"], os.environ)


if __name__ == "__main__":
    main()
