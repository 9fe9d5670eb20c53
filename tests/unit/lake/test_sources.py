"""Sources: addresses, what is remembered and where, and which of them a run reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from lake import secret_file
from lake.errors import ContractError, SourceError
from lake.settings import settings
from lake.source import sources
from lake.source.sources import Source
from lake.steps import scope

NASTY = 'p@ss:w/ö\'rd\\ "x" ${HOME} #%\n end\\'


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state directory and a folder of contracts of our own."""
    (tmp_path / "secrets.env").write_text("LAKE_SHOP_PASSWORD=generated-_1\n")
    monkeypatch.setenv("LAKE_HOME", str(tmp_path))
    monkeypatch.setenv("LAKE_CONTRACTS", str(tmp_path / "contracts"))
    settings.cache_clear()
    yield tmp_path
    monkeypatch.undo()
    settings.cache_clear()


def test_an_address_is_taken_apart() -> None:
    source = sources.from_url("mysql://re%40der:p%3Aw@db.example.com/My-Shop")
    assert (source.name, source.host, source.port, source.user) == ("my_shop", "db.example.com", 3306, "re@der")
    assert (source.database, source.password.get_secret_value()) == ("My-Shop", "p:w")
    assert (source.where, source.prefix) == ("re@der@db.example.com:3306/My-Shop", "my_shop_")
    assert sources.from_url("mariadb://r@[::1]:33/x", "crm").host == "::1"
    assert "p:w" not in repr(source)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgres://u:secret@h/d", "begins with mysql://, not postgres://"),
        ("h/d", "begins with mysql://, not nothing://"),
        ("mysql://h/d", "names no user"),
        ("mysql://u:secret@/d", "names no host"),
        ("mysql://u:secret@h", "names no database"),
        ("mysql://u:secret@h:port/d", "cannot be read"),
        ("mysql://u:secret@h/d?ssl=true", "options behind it are not understood"),
        ("mysql://u:secret@h/2024", "'2024' is no name for a source"),
    ],
)
def test_a_wrong_address_is_refused_without_its_password(url: str, message: str) -> None:
    with pytest.raises(SourceError, match=message) as refused:
        sources.from_url(url)
    assert "secret" not in str(refused.value)


def test_a_source_is_remembered_its_password_apart(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crm = Source("crm", "h", 1, "u", "d", SecretStr(NASTY))
    sources.add(crm)
    assert list(sources.known()) == ["shop", "crm"]
    found = sources.named("crm")
    assert (found.host, found.port, found.user, found.database) == ("h", 1, "u", "d")
    assert found.password.get_secret_value() == NASTY
    assert "p@ss" not in (home / "sources.json").read_text()
    assert (home / "secrets.env").stat().st_mode & 0o777 == 0o600
    assert settings().shop_password.get_secret_value() == "generated-_1"

    with pytest.raises(SourceError, match="there is a source 'crm' already"):
        sources.add(crm)
    with pytest.raises(SourceError, match="'shop' is the name of the demo shop's source"):
        sources.add(Source("shop", "h", 1, "u", "d", SecretStr("")))
    sources.add(Source("crm", "other", 1, "u", "d", SecretStr("new")), replace=True)
    assert (sources.named("crm").host, sources.named("crm").password.get_secret_value()) == ("other", "new")
    monkeypatch.setenv("LAKE_SOURCE_CRM_PASSWORD", "of the environment")
    assert sources.named("crm").password.get_secret_value() == "of the environment"

    sources.remove("crm")
    assert list(sources.known()) == ["shop"]
    assert secret_file.read(home) == {"LAKE_SHOP_PASSWORD": "generated-_1"}
    with pytest.raises(SourceError, match="no source 'crm' was added; there are: none"):
        sources.remove("crm")
    with pytest.raises(SourceError, match="there is no source 'crm'; there are: shop"):
        sources.named("crm")


@pytest.mark.parametrize(
    ("contracts", "is_filled", "published", "expected"),
    [
        (["shop", "crm"], True, [], (["shop", "crm"], True)),
        (["shop", "crm"], False, [], (["crm"], False)),
        (["shop", "crm"], False, ["raw.shop_table"], (["shop", "crm"], True)),
        (["crm"], True, ["raw.crm_table"], (["crm"], False)),
        (["shop"], True, [], (["shop"], True)),
        (["shop"], False, [], "there is nothing to read"),
        ([], True, [], "there is nothing to read"),
        (["crm"], True, ["marts.daily_revenue"], "the lake has marts.daily_revenue"),
    ],
)
def test_a_run_reads_what_has_contracts_and_of_the_shop_what_is_there(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    contracts: list[str],
    is_filled: bool,
    published: list[str],
    expected: tuple[list[str], bool] | str,
) -> None:
    sources.add(Source("crm", "h", 1, "u", "d", SecretStr("")))
    for name in contracts:
        (home / "contracts" / name).mkdir(parents=True)
        (home / "contracts" / name / f"{name}_table.yml").touch()
    monkeypatch.setattr("lake.platform.catalog.tables", lambda: published)
    monkeypatch.setattr(scope, "_has_tables", lambda origin: is_filled)
    if isinstance(expected, str):
        with pytest.raises(ContractError, match=expected):
            scope.to_read()
    else:
        assert scope.to_read() == expected
