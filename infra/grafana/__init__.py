"""The dashboards as code; ``python -m infra.grafana`` writes them."""
