"""``python -m infra.grafana`` writes the dashboards; with ``--check`` it only tells what is wrong with them."""

from __future__ import annotations

import sys

from infra.grafana.check import problems
from infra.grafana.write import write


def main() -> int:
    """Write, or check; the number is the exit code."""
    if sys.argv[1:] not in ([], ["--check"]):
        print("usage: python -m infra.grafana [--check]", file=sys.stderr)
        return 2
    if not sys.argv[1:]:
        write()
        return 0
    found = problems()
    for problem in found:
        print(problem, file=sys.stderr)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
