"""The dashboards of Superset as code; ``python -m infra.superset`` writes its files from ``boards.yml``."""
