"""Search in the shop's products, on an OpenSearch that is built from the published lake: docs/search.md.

From the lake to an answer: ``documents`` (rows of the lake as documents) -> ``index`` (how they are analysed and
kept) -> ``build`` (a new index, checked, put in place at once) -> ``ask`` (an answer, to one of ``query``'s questions).
``relevance`` measures the answers.
"""
