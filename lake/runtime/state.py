"""The state directory of one lake: who may open it, and what a person chose once."""

from __future__ import annotations

from pathlib import Path

from dotenv import set_key

from lake.settings import settings


def remember(name: str, value: str) -> None:
    """Keep a choice in ``settings.env`` of the state directory, and read the settings again."""
    file = state_folder() / "settings.env"
    file.touch()
    set_key(file, name, value, quote_mode="never")
    settings.cache_clear()


def state_folder() -> Path:
    """The state directory, made where it is missing and open to nobody else."""
    home = settings().home
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)
    return home
