"""The form in which Superset's files are kept: without what changes from one Superset to the next, keys in order.

What is generated from ``boards.yml`` and what is exported from a Superset both go through `normal`, so that they differ
only where somebody has changed something. No other module of the project is needed, so that Superset's own
environment can use this one.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

OF_ONE_SUPERSET = {
    "chartsInScope", "dashboards", "datasource", "slice_id", "tabsInScope", "timestamp", "url_params",
    "chart_configuration", "global_chart_configuration", "datasource_name", "extra_form_data",
    "map_label_colors", "shared_label_colors", "color_scheme_domain", "label_colors", "last_modified_time",
    "default_filters", "filter_scopes",
}  # fmt: skip
"""Numbers of rows in its database, instants, and what its pages write by themselves."""


def normal(value: Any) -> Any:
    """A value without those, and without what is empty or as it is by itself."""
    if isinstance(value, dict):
        # A chart's place in a grid: its uuid tells which one it is, but there must be a number.
        if "chartId" in value:
            value = {**value, "chartId": 0}
        cleaned = {str(key): normal(each) for key, each in value.items() if key not in OF_ONE_SUPERSET}
        return {key: each for key, each in sorted(cleaned.items()) if not _says_nothing(each)}
    if isinstance(value, list):
        # Superset gives the columns of a dataset in any order.
        return sorted(map(normal, value), key=_column_name)
    return value


def _column_name(value: Any) -> str:
    return str(value.get("column_name", "")) if isinstance(value, dict) else ""


def _says_nothing(value: Any) -> bool:
    return value is None or value == "" or value == {}


class _Dumper(yaml.SafeDumper):
    """Text of several lines is written as such, so that SQL can be read in a diff."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text and not re.search(r"[ \t]+$", text, re.MULTILINE) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def written(value: Any) -> str:
    """The text of a file."""
    return yaml.dump(normal(value), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
