"""The command behind `make bench-search`: how long search takes to answer, and how long a build takes.

    python -m benchmarks.search --rounds 3

Needs a search that is up (`lake up search`) and has an index (`lake search build`). With ``--demo FRACTION`` it builds
one of the demo shop's products first, without a lake, and times that, and a build in which one product in a hundred
has changed. It asks every judged query, one after another as one customer does, with facets and boosts; and for
suggestions every beginning of each query, as it is typed. Times are those of the caller: Python, HTTP and OpenSearch.
Writes ``benchmarks/out/search.json``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from statistics import quantiles
from time import perf_counter
from typing import Annotated, Any

import typer
from rich.console import Console

from benchmarks import command
from lake.search import ask, build
from lake.search.query import Asked
from lake.search.relevance import judged

OUT = Path(__file__).resolve().parent / "out" / "search.json"
RECEIPT = ("2026-03-01T00:00:00+00:00",)


def search(
    rounds: Annotated[int, typer.Option(help="How often all queries are asked.")] = 3,
    demo: Annotated[float, typer.Option(help="Build an index of a demo shop with this share of the customers.")] = 0,
) -> None:
    """Measure, print and write down."""
    texts = [query.text for query in judged.queries()]
    told: dict[str, Any] = _builds(demo) if demo else {}
    typed = [text[:end] for text in texts for end in range(2, len(text) + 1)]
    # The first round fills caches, as the first customers of a day do, and is told apart.
    told["first_search_ms"] = _times(lambda text: ask.search(Asked(text)), texts)
    told["search_ms"] = _times(lambda text: ask.search(Asked(text)), texts * rounds)
    told["suggest_ms"] = _times(ask.suggest, typed)
    Console().print_json(json.dumps(told))
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(told, indent=1) + "\n")


def _times(act: Callable[[str], object], texts: Iterable[str]) -> dict[str, float]:
    """Percentiles in ms."""
    took = []
    for text in texts:
        begun = perf_counter()
        act(text)
        took.append((perf_counter() - begun) * 1000)
    of = quantiles(took, n=100, method="inclusive")
    return {"asked": len(took), "p50": round(of[49], 1), "p95": round(of[94], 1), "p99": round(of[98], 1)}


def _builds(fraction: float) -> dict[str, Any]:
    from tests.integration.search.conftest import demo_products

    products = demo_products(fraction)
    anew = build.index(products, "run_bench_1", "be4c1", *RECEIPT, whole=True)
    changed = [
        replace(each, orders=each.orders + 1) if not place % 100 else each for place, each in enumerate(products)
    ]
    again = build.index(changed, "run_bench_2", "be4c2", *RECEIPT)
    ask.forget()
    return {
        "products": len(products),
        "build_seconds": round(anew.seconds, 1),
        "changed": again.written,
        "how": again.how,
        "changed_seconds": round(again.seconds, 1),
    }


if __name__ == "__main__":
    command.run(search)
