"""Watching the platform: what is measured, and how it is shown."""
