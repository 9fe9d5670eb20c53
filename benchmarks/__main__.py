"""`python -m benchmarks`, which is what `make bench` calls."""

from benchmarks.bench import main

main()
