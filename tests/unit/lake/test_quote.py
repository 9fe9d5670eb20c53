"""Names of the source in statements, as PyMySQL sends them."""

from __future__ import annotations

import pytest
from pymysql.connections import Connection

from lake.source.quoting import quote


@pytest.mark.parametrize("parameters", [(), (7,)])
@pytest.mark.parametrize("name", ["order", "a`b", "100%", "%s", "a;DROP TABLE x", "it's", 'a"b', "a.b", "a?b", "❤"])
def test_a_name_arrives_as_it_is(name: str, parameters: tuple[int, ...]) -> None:
    template = f"SELECT {quote(name)}" + (" + %s" if parameters else "")
    cursor = Connection(defer_connect=True).cursor()
    sent = cursor.mogrify(template, parameters)
    assert sent == "SELECT `" + name.replace("`", "``") + "`" + (" + 7" if parameters else "")
