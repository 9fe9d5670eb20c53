"""The metric layer: each metric is defined once, in ``dbt/models/metrics/``, and asked for by its name."""
