"""`python -m benchmarks`, which is what `make bench` calls."""

from benchmarks import command
from benchmarks.bench import bench

command.run(bench)
