"""``python -m infra.opensearch_dashboards`` writes ``saved_objects.ndjson``; ``--check`` only says if it is stale."""

from __future__ import annotations

import sys

from infra.opensearch_dashboards.saved_objects import FILE, text


def main() -> int:
    """Write, or check; the number is the exit code."""
    if sys.argv[1:] not in ([], ["--check"]):
        print("usage: python -m infra.opensearch_dashboards [--check]", file=sys.stderr)
        return 2
    if not sys.argv[1:]:
        FILE.write_text(text())
        return 0
    if FILE.is_file() and FILE.read_text() == text():
        return 0
    print(f"{FILE} is stale: run `python -m infra.opensearch_dashboards`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
