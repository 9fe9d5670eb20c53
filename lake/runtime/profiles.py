"""Profiles: names for sets of services that are started together.

The core is what the pipeline needs, and always there. What is started beside it is remembered in the state folder, as
the other choices of `lake up` are: who watches the platform once wants it watched after the next start as well.
"""

from __future__ import annotations

from collections.abc import Sequence

from lake.errors import InstallError, ServiceError
from lake.runtime.artifacts import artifacts
from lake.runtime.install import ensure
from lake.runtime.service import CORE, Service
from lake.runtime.services import with_needs
from lake.runtime.state import remember
from lake.settings import settings


def chosen(known: dict[str, Service]) -> list[str]:
    """The profiles that the settings name beside the core.

    Raises:
        ServiceError: one of them does not exist.
    """
    names = [each.strip() for each in settings().profiles.split(",") if each.strip()]
    _check(names, known, f"LAKE_PROFILES={settings().profiles}: there")
    return names


def all_of(known: dict[str, Service]) -> list[str]:
    """Every profile beside the core."""
    return list(dict.fromkeys(service.profile for service in known.values() if service.profile != CORE))


def add(names: Sequence[str], known: dict[str, Service]) -> None:
    """Remember profiles, beside those that are."""
    _keep(list(dict.fromkeys([*chosen(known), *names])))


def forget(names: Sequence[str], known: dict[str, Service]) -> None:
    """Start these profiles no more.

    Raises:
        ServiceError: one of them does not exist.
    """
    _check(names, known, "there")
    _keep([each for each in chosen(known) if each not in names])


def wanted(names: Sequence[str], known: dict[str, Service]) -> dict[str, Service]:
    """The services that `lake up NAMES` starts, with what they need.

    A profile stands for its services and the core's, and no name at all for the core and the profiles that are
    remembered.

    Raises:
        ServiceError: there is neither a service nor a profile of a name.
    """
    profiles = (CORE, *all_of(known))
    for name in names:
        if name not in profiles and name not in known:
            there = f"the services are {', '.join(known)}; the profiles are {', '.join(profiles)}"
            raise ServiceError(f"there is no service or profile {name!r}", there)
    asked = [name for name in names if name in profiles] if names else [CORE, *chosen(known)]
    started = {CORE, *asked} if asked else set()
    of_profiles = [name for name, service in known.items() if service.profile in started]
    return with_needs([*of_profiles, *(name for name in names if name in known)], known)


def fetch(services: dict[str, Service]) -> dict[str, str]:
    """Install the parts of these services that `make setup` does not bring, and say of each that could not be had why.

    Returns:
        The reason by name of the service that has to be left out.
    """
    reasons: dict[str, str] = {}
    for part in dict.fromkeys(part for service in services.values() for part in service.parts):
        try:
            ensure(part)
        except InstallError as error:
            reasons[part] = error.what.splitlines()[0]
    lacking = {name: [part for part in service.parts if part in reasons] for name, service in services.items()}
    return {name: reasons[parts[0]] for name, parts in lacking.items() if parts}


def lacks(service: Service) -> bool:
    """Whether this machine does not have, or not yet, what the service runs."""
    return not all(artifacts()[part].is_installed for part in service.parts)


def _check(names: Sequence[str], known: dict[str, Service], said: str) -> None:
    for name in names:
        if name not in all_of(known):
            raise ServiceError(f"{said} is no profile {name!r}", f"the profiles are {', '.join(all_of(known))}")


def _keep(names: Sequence[str]) -> None:
    remember("LAKE_PROFILES", ",".join(names))
