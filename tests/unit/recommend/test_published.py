"""The evaluation itself, proven on Ta-Feng: the published baselines come out as others have them.

The file is not ours to give; where it is, say so by ``LAKE_TAFENG_BASKETS``.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lake.recommend.baskets import hold_out, read_json
from lake.recommend.evaluate import MODELS, evaluate

FILE = os.environ.get("LAKE_TAFENG_BASKETS", "")

PUBLISHED = {
    "g_topfreq": (0.0803, 0.0875),
    "p_topfreq": (0.1086, 0.1047),
    "gp_topfreq": (0.1351, 0.1236),
    "tifu_knn": (0.1304, 0.1147),
}


@pytest.mark.thorough
@pytest.mark.skipif(not FILE, reason="LAKE_TAFENG_BASKETS names no file of baskets")
def test_baselines_come_out_as_published() -> None:
    split = hold_out(read_json(Path(FILE)))
    assert len(split.tested) == 13_858
    told = evaluate(split, {name: MODELS[name] for name in PUBLISHED}).to_json()
    for name, (recall, ndcg) in PUBLISHED.items():
        assert told[name]["recall@10"] == pytest.approx(recall, abs=0.002), name
        assert told[name]["ndcg@10"] == pytest.approx(ndcg, abs=0.002), name
