"""Watching the lake run: `lake exporter` serves its metrics to Prometheus, and says of itself how it is."""
