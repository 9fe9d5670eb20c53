"""``python -m infra.superset`` writes Superset's files from ``boards.yml``.

With ``--check`` it only tells what is wrong or stale; ``export`` brings the files back from the Superset that runs.
"""

from __future__ import annotations

import sys

from infra.superset import generate
from lake.errors import LakeError


def main() -> int:
    """Write, check or export; the number is the exit code."""
    match sys.argv[1:]:
        case []:
            generate.write()
        case ["--check"]:
            found = generate.problems()
            for problem in found:
                print(problem, file=sys.stderr)
            return int(bool(found))
        case ["export"]:
            from infra.superset.exported import export

            export(generate.ASSETS)
        case _:
            print("usage: python -m infra.superset [--check | export]", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LakeError as error:
        sys.exit(str(error))
