"""Every service of the local runtime."""

from __future__ import annotations

from collections.abc import Iterable

from dotenv import dotenv_values

from lake.errors import ServiceError
from lake.runtime import bi, engines, observe, orchestration, serve
from lake.runtime.mariadb import MariaDB
from lake.runtime.mysql import MySQL
from lake.runtime.pair import Pair
from lake.runtime.service import Service
from lake.settings import settings

KINDS: dict[str, type[Pair]] = {"mariadb": MariaDB, "mysql": MySQL}


def services() -> dict[str, Service]:
    """All services by name, as the present settings make them.

    Raises:
        ServiceError: the settings ask for another server than the shop's data were made with.
    """
    servers = pairs()
    databases = [service for pair in servers for service in pair.services()]
    core = (*databases, *engines.services(), *orchestration.services())
    beside = (*observe.services(servers), *bi.services(), *serve.services())
    return {service.name: service for service in (*core, *beside)}


def pairs() -> list[Pair]:
    """The shop's primary and replica, and those of the second server where the settings ask for one.

    Raises:
        ServiceError: the settings ask for another server than the shop's data were made with, or twice for the same.
    """
    config = settings()
    _check_shop_server()
    shop = KINDS[config.shop_server](
        config.shop_port, config.source_port, config.shop_memory_mib, config.source_memory_mib
    )
    if not config.second_server:
        return [shop]
    if config.second_server == config.shop_server:
        raise ServiceError(
            f"LAKE_SECOND_SERVER={config.second_server} is the kind that the shop runs on already",
            "name the other kind, or unset it",
        )
    memory = config.second_memory_mib
    return [shop, KINDS[config.second_server](config.second_port, config.second_replica_port, memory, memory)]


def _check_shop_server() -> None:
    home, wanted = settings().home, settings().shop_server
    chosen = dotenv_values(home / "settings.env").get("LAKE_SHOP_SERVER")
    if chosen is None and (home / "data" / "mariadb-primary").exists():
        chosen = "mariadb"  # from before there was a choice
    if chosen and chosen != wanted:
        raise ServiceError(
            f"the shop in {home} was made with {chosen}, and LAKE_SHOP_SERVER={wanted} asks for another server",
            f"unset LAKE_SHOP_SERVER to go on with {chosen}; or start anew with `make clean`, which removes the lake "
            "as well; or keep both, with another state folder in LAKE_HOME and other ports by LAKE_PORT_OFFSET",
        )


def service(name: str) -> Service:
    """One service.

    Raises:
        ServiceError: there is none of this name.
    """
    known = services()
    if name not in known:
        raise ServiceError(f"there is no service {name!r}", f"the services are {', '.join(known)}")
    return known[name]


def with_needs(names: Iterable[str], known: dict[str, Service]) -> dict[str, Service]:
    """These services and all that they need, in the order of ``known``.

    Raises:
        ServiceError: there is none of a name.
    """
    wanted: set[str] = set()
    left = list(names)
    while left:
        name = left.pop()
        if name not in known:
            raise ServiceError(f"there is no service {name!r}", f"the services are {', '.join(known)}")
        if name not in wanted:
            wanted.add(name)
            left += known[name].needs
    return {name: service for name, service in known.items() if name in wanted}
