"""``python -m lake.observe.lint``: prints what is refused, a line each; the exit code is 1 if anything is."""

from __future__ import annotations

import sys
from pathlib import Path

from lake.alerts.rules import load
from lake.metrics import definitions
from lake.mistakes import Mistake
from lake.observe.lint import of_business, of_reports, routes, rules, shop_rules
from lake.observe.lint.known import known
from lake.reports.definition import DEFINITIONS
from lake.settings import PROJECT, settings


def mistakes(project: Path = PROJECT) -> list[Mistake]:
    """All that is wrong in the rules, routes, reports and business figures of a checkout."""
    prometheus = project / "infra" / "prometheus"
    found = rules.check(rules.rule_files(prometheus), known(prometheus), project)
    told = found.alerts + routes.of_ours(load(settings().alert_rules))
    metrics = definitions.load()
    of_shop = [*shop_rules.check(settings().alert_rules, metrics), *of_reports.check(DEFINITIONS, metrics)]
    of_shop += of_business.check(prometheus / "business.yml", metrics)
    return sorted(
        found.mistakes + of_shop + routes.check(project / "infra" / "alertmanager" / "alertmanager.yml", told)
    )


def main(project: Path = PROJECT) -> int:
    """Print the mistakes; 1 if there are any."""
    found = mistakes(project)
    for each in found:
        print(str(each).replace(f"{project}/", ""), file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
