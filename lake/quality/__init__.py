"""The audit: everything that must hold before a run is published."""
