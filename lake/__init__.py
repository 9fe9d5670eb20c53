"""Shoplake: a batch data platform whose numbers are complete, consistent and provable."""
