"""Watching the lake from outside: its metrics for Prometheus, and whether an installation is sound (`doctor/`)."""
