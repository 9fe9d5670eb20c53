"""What happens in the year: each event is a function of a few lines, and the tables say on which day it comes and what
must follow."""

from __future__ import annotations

from dataclasses import replace

from tenacity import Retrying, stop_after_delay, wait_fixed
from typer.testing import CliRunner

from lake.commands.main import app
from tests.year.shop import TABLES
from tests.year.year import Event, Year


# -- what loses nothing, and is followed
def a_column_is_added(year: Year) -> None:
    year.shop.do("ALTER TABLE customers ADD newsletter TINYINT(1) NOT NULL DEFAULT 1 AFTER country")


def another_column_is_added(year: Year) -> None:
    year.shop.do("ALTER TABLE reviews ADD helpful INT")


def orders_get_a_column(year: Year) -> None:
    year.shop.do("ALTER TABLE orders ADD channel VARCHAR(20) DEFAULT 'web'")


def an_enum_gets_a_label(year: Year) -> set[str]:
    """A row has it on the same day."""
    year.shop.statuses = (*year.shop.statuses, f"status {len(year.shop.statuses)}")
    labels = ", ".join(f"'{label}'" for label in year.shop.statuses)
    new = f"UPDATE orders SET status = '{year.shop.statuses[-1]}' ORDER BY id LIMIT 1"
    year.shop.do(f"ALTER TABLE orders MODIFY status ENUM({labels}) NOT NULL", new)
    return {"orders"}


def an_int_becomes_a_bigint(year: Year) -> set[str]:
    """A row needs it on the same day."""
    year.shop.most_stock = 9_000_000_000
    year.shop.do(
        "ALTER TABLE products MODIFY stock BIGINT NOT NULL", "UPDATE products SET stock = 5000000000 WHERE id = 1"
    )
    return {"products"}


def a_decimal_gets_more_digits(year: Year) -> None:
    year.shop.do("ALTER TABLE coupons MODIFY percent DECIMAL(9,2) NOT NULL")


def a_column_goes_that_the_contract_lets_go(year: Year) -> None:
    year.settle("reviews", lambda contract: contract.update(gone_columns="keep"))
    year.shop.do("ALTER TABLE reviews DROP helpful")
    year.tables["reviews"] = replace(year.tables["reviews"], dropped=frozenset({"helpful"}))


def contracts_are_brought_up_to_date(year: Year) -> None:
    said = CliRunner().invoke(app, ["follow", "--write"])
    assert said.exit_code == 0 and "wrote" in said.output, said.output


# -- what a person has to settle
def a_column_is_dropped(year: Year) -> None:
    year.shop.do("ALTER TABLE payments DROP reference")


def it_is_taken_out_of_the_contract(year: Year) -> None:
    year.settle("payments", lambda contract: contract["columns"].pop("reference"))
    year.tables["payments"] = replace(year.tables["payments"], dropped=frozenset({"reference"}))


def a_table_with_history_loses_a_column(year: Year) -> None:
    year.shop.do("ALTER TABLE customers DROP newsletter")


def it_is_taken_out_of_that_contract_too(year: Year) -> None:
    year.settle("customers", lambda contract: contract["columns"].pop("newsletter"))
    year.tables["customers"] = replace(year.tables["customers"], dropped=frozenset({"newsletter"}))


def a_column_is_renamed(year: Year) -> None:
    year.shop.do("ALTER TABLE products RENAME COLUMN note TO remark")
    year.shop.note = "remark"


def its_new_name_is_told(year: Year) -> None:
    year.settle("products", lambda contract: contract["columns"]["note"].update(source_name="remark"))
    year.tables["products"] = replace(year.tables["products"], columns={"remark": "note"})


def it_is_renamed_back(year: Year) -> None:
    year.shop.do("ALTER TABLE products RENAME COLUMN remark TO note")
    year.shop.note = "note"


def its_old_name_is_told(year: Year) -> None:
    year.settle("products", lambda contract: contract["columns"]["note"].pop("source_name"))
    year.tables["products"] = replace(year.tables["products"], columns={})


def a_table_is_renamed(year: Year) -> None:
    year.shop.do("RENAME TABLE suppliers TO vendors")
    year.shop.names["suppliers"] = "vendors"


def the_tables_new_name_is_told(year: Year) -> None:
    year.settle("suppliers", lambda contract: contract.update(source_table="vendors"))


def the_table_is_renamed_back(year: Year) -> None:
    year.shop.do("RENAME TABLE vendors TO suppliers")
    year.shop.names["suppliers"] = "suppliers"


def the_tables_old_name_is_told(year: Year) -> None:
    year.settle("suppliers", lambda contract: contract.update(source_table="suppliers"))


def a_table_is_dropped(year: Year) -> None:
    year.shop.do("DROP TABLE visits")
    del year.shop.names["visits"]


def its_contract_is_removed(year: Year) -> None:
    year.contract("visits").unlink()
    del year.tables["visits"]


def a_table_is_new(year: Year) -> set[str]:
    year.shop.do(
        "CREATE TABLE wishes (id INT AUTO_INCREMENT PRIMARY KEY, product_id INT UNSIGNED, text VARCHAR(80))",
        "INSERT INTO wishes (product_id, text) VALUES (1, 'more of it'), (2, '')",
    )
    year.shop.names["wishes"] = "wishes"
    year.add("wishes")
    return {"wishes"}


def the_new_table_is_dropped(year: Year) -> None:
    year.shop.do("DROP TABLE wishes")
    del year.shop.names["wishes"]


def that_contract_is_removed(year: Year) -> None:
    year.contract("wishes").unlink()
    del year.tables["wishes"]


# -- what happens to rows and to the binlog
def a_table_is_swapped(year: Year) -> None:
    """As tools for online schema changes do it."""
    year.shop.do(
        "CREATE TABLE _reviews_new LIKE reviews",
        "ALTER TABLE _reviews_new ADD INDEX (written_at)",
        "INSERT INTO _reviews_new SELECT * FROM reviews",
        "UPDATE _reviews_new SET stars = 3 ORDER BY id LIMIT 5",
        "RENAME TABLE reviews TO _reviews_old, _reviews_new TO reviews",
        "ALTER TABLE reviews DROP INDEX written_at",
        "DROP TABLE _reviews_old",
    )


def a_restore_writes_behind_the_log(year: Year) -> None:
    """As many rows in as out, and one with another content."""
    year.shop.behind_the_log(
        "DELETE FROM coupons ORDER BY code LIMIT 2",
        f"INSERT INTO coupons VALUES ('restored-{year.day}-1', 5, 0, NULL), ('restored-{year.day}-2', 5, 0, NULL)",
        "UPDATE coupons SET uses = uses + 1000 WHERE code NOT LIKE 'restored%' ORDER BY code DESC LIMIT 1",
    )
    year.drifted.add("coupons")


def binlogs_are_purged(year: Year) -> set[str]:
    """Of the server that is read, with what was written since the last run."""
    touched = year.shop.be_busy(year.day + 0.5)
    year.shop.do("UPDATE products SET stock = stock + 1")
    year.shop.settle()
    with year.shop.connected(year.shop.is_replica_read) as connection, connection.cursor() as cursor:

        def newest() -> str:
            cursor.execute("SHOW BINARY LOGS")
            return str(cursor.fetchall()[-1][0])

        needed = newest()
        # The server keeps a file that it would need for its own recovery a moment longer.
        for attempt in Retrying(stop=stop_after_delay(60), wait=wait_fixed(0.1), reraise=True):
            with attempt:
                cursor.execute("FLUSH BINARY LOGS")
                cursor.execute(f"PURGE BINARY LOGS TO '{newest()}'")
                cursor.execute("SHOW BINARY LOGS")
                assert needed not in [name for name, *_ in cursor.fetchall()], f"{needed} is kept"
    return {*touched, "products"}


def the_server_is_replaced(year: Year) -> set[str]:
    """The replica takes the primary's place for the lake."""
    touched = year.shop.be_busy(year.day + 0.5)
    year.shop.settle()
    year.shop.is_replica_read = True
    year.read_from(year.shop.read_port, replace=True)
    return touched


def the_server_is_replaced_again(year: Year) -> set[str]:
    """The lake reads the primary as at first."""
    touched = year.shop.be_busy(year.day + 0.5)
    year.shop.is_replica_read = False
    year.read_from(year.shop.read_port, replace=True)
    return touched


def a_date_is_none(year: Year) -> set[str]:
    year.shop.do("UPDATE payments SET due = '0000-00-00' ORDER BY id DESC LIMIT 1")
    return {"payments"}


def such_dates_are_declared_to_be_null(year: Year) -> None:
    year.settle("payments", lambda contract: contract["columns"]["due"].update(unreadable="null"))
    year.tables["payments"] = replace(year.tables["payments"], zero_is_null=True)


# -- what happens to runs
def the_run_dies_after_extraction(year: Year) -> None:
    year.dies_after = "extract"


def the_run_dies_after_cleaning(year: Year) -> set[str]:
    year.dies_after = "clean"
    return year.shop.be_busy(year.day + 0.5)


def the_run_dies_after_the_merge(year: Year) -> set[str]:
    """Begun anew it finds the receipt missing, and nothing else to do."""
    year.dies_after = "merge"
    return year.shop.be_busy(year.day + 0.5)


YEAR = (
    Event(8, a_column_is_added, follows="customers", publishes=True, whole=("customers",)),
    Event(11, contracts_are_brought_up_to_date, publishes=True),
    Event(15, an_enum_gets_a_label, follows="orders", whole=("orders",)),
    Event(19, an_int_becomes_a_bigint, follows="products", whole=("products",)),
    Event(20, contracts_are_brought_up_to_date, publishes=True),
    Event(24, the_run_dies_after_extraction),
    Event(33, a_column_is_dropped, holds="payments"),
    Event(38, it_is_taken_out_of_the_contract, frees="payments", publishes=True, whole=("payments",)),
    Event(44, a_column_is_renamed, holds="products"),
    Event(49, its_new_name_is_told, frees="products", publishes=True, whole=("products",)),
    Event(54, the_run_dies_after_cleaning),
    Event(63, a_table_is_renamed, holds="suppliers"),
    Event(70, the_tables_new_name_is_told, frees="suppliers", publishes=True),
    Event(77, a_table_is_swapped, publishes=True, whole=("reviews",)),
    Event(86, a_table_is_dropped, holds="visits"),  # and is held over a night of parity
    Event(95, its_contract_is_removed, frees="visits", publishes=True),
    Event(104, binlogs_are_purged, whole=("products", "coupons", "customers")),
    Event(112, the_run_dies_after_the_merge),
    Event(118, a_restore_writes_behind_the_log),
    Event(131, a_date_is_none),
    Event(139, such_dates_are_declared_to_be_null, publishes=True, whole=("payments",)),
    Event(152, the_server_is_replaced),
    Event(160, the_run_dies_after_extraction),
    Event(170, another_column_is_added, follows="reviews", publishes=True, whole=("reviews",)),
    Event(177, an_enum_gets_a_label, follows="orders", whole=("orders",)),
    Event(180, contracts_are_brought_up_to_date, publishes=True),
    Event(184, a_table_is_swapped, publishes=True, whole=("reviews",)),
    Event(193, it_is_renamed_back, holds="products"),
    Event(198, its_old_name_is_told, frees="products", publishes=True, whole=("products",)),
    Event(208, a_restore_writes_behind_the_log),
    Event(215, binlogs_are_purged, whole=("products", "coupons", "customers")),
    Event(224, the_run_dies_after_cleaning),
    Event(233, a_table_with_history_loses_a_column, holds="customers"),
    Event(238, it_is_taken_out_of_that_contract_too, frees="customers", publishes=True, whole=("customers",)),
    Event(243, a_column_goes_that_the_contract_lets_go, follows="reviews", publishes=True, whole=("reviews",)),
    Event(247, a_decimal_gets_more_digits, follows="coupons", publishes=True, whole=("coupons",)),
    Event(255, a_table_is_new),
    Event(262, a_table_is_swapped, publishes=True, whole=("reviews",)),
    Event(266, a_date_is_none),
    Event(270, the_new_table_is_dropped, holds="wishes", is_quiet=True),  # on a night of parity, by a run without news
    Event(276, that_contract_is_removed, frees="wishes", publishes=True),
    Event(281, orders_get_a_column, follows="orders", publishes=True, whole=("orders",)),
    Event(281, the_run_dies_after_extraction),
    Event(289, the_table_is_renamed_back, holds="suppliers"),
    Event(294, the_tables_old_name_is_told, frees="suppliers", publishes=True),
    Event(298, a_restore_writes_behind_the_log),
    Event(309, the_server_is_replaced_again),
    Event(318, binlogs_are_purged, whole=("products", "coupons", "customers")),
    Event(327, the_run_dies_after_the_merge),
    Event(335, an_enum_gets_a_label, follows="orders", whole=("orders",)),
    Event(344, a_table_is_swapped, publishes=True, whole=("reviews",)),
    Event(352, contracts_are_brought_up_to_date, publishes=True),
    Event(358, a_restore_writes_behind_the_log),
)
"""The server is replaced on day 152, and again on day 309: what comes between happens on a replica."""

TEN_DAYS = (
    Event(1, a_column_is_added, follows="customers", publishes=True, whole=("customers",)),
    Event(2, a_column_is_dropped, holds="payments"),
    Event(3, the_run_dies_after_extraction),
    Event(4, it_is_taken_out_of_the_contract, frees="payments", publishes=True, whole=("payments",)),
    Event(5, a_table_is_dropped, holds="visits"),
    Event(6, its_contract_is_removed, frees="visits", publishes=True),
    Event(7, a_table_is_swapped, publishes=True, whole=("reviews",)),
    Event(8, the_server_is_replaced),
    Event(10, a_restore_writes_behind_the_log, is_quiet=True),
)
"""Some of it in little time."""

FIVE_DAYS = (
    Event(1, a_column_is_added, follows="customers", publishes=True, whole=("customers",)),
    Event(1, an_enum_gets_a_label, follows="orders", whole=("orders",)),
    Event(1, an_int_becomes_a_bigint, follows="products", whole=("products",)),
    Event(1, a_column_is_dropped, holds="payments"),
    Event(1, a_table_is_renamed, holds="suppliers"),
    Event(1, a_table_is_dropped, holds="visits"),
    Event(2, it_is_taken_out_of_the_contract, frees="payments", publishes=True, whole=("payments",)),
    Event(2, the_tables_new_name_is_told, frees="suppliers", publishes=True),
    Event(2, its_contract_is_removed, frees="visits", publishes=True),
    Event(2, a_table_is_swapped, publishes=True, whole=("reviews",)),
    Event(2, contracts_are_brought_up_to_date, publishes=True),
    Event(3, the_run_dies_after_the_merge),
    Event(3, a_date_is_none),
    Event(4, such_dates_are_declared_to_be_null, publishes=True, whole=("payments",)),
    Event(4, a_table_is_new),
    Event(4, the_server_is_replaced),
    Event(4, binlogs_are_purged, whole=("products", "coupons", "customers")),
    Event(5, the_new_table_is_dropped, holds="wishes", is_quiet=True),
    Event(5, a_restore_writes_behind_the_log),
)
"""Nearly all of it in six runs."""

assert all(event.day > 0 for event in (*YEAR, *TEN_DAYS, *FIVE_DAYS))
assert set(TABLES) >= {event.holds for event in YEAR} - {"", "wishes"}
