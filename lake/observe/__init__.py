"""Watching the platform: what is measured, how it is shown, and whether an installation is sound (`doctor/`)."""
