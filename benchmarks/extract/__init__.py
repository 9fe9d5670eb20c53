"""How fast, how small and how exact rows come out of MySQL: ours, the floor and every peer. See docs/benchmarks.md."""
