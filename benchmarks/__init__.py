"""Shoplake beside what a user would pick instead, over the same shop. See docs/benchmarks.md."""
