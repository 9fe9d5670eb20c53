"""Passwords and keys: generated on first start into ``secrets.env`` of the state directory, mode 0600, never in git."""

from __future__ import annotations

import base64
import secrets

from pydantic import SecretStr

from lake import secret_file
from lake.errors import ServiceError
from lake.settings import Settings, settings


def ensure_secrets() -> None:
    """Give every secret of the settings that is still empty a value of its own, and read the settings again.

    What the environment sets is left alone.

    Raises:
        ServiceError: the services have data already, whose passwords nobody could guess.
    """
    config = settings()
    names = [name for name, field in Settings.model_fields.items() if field.annotation is SecretStr]
    empty = [name for name in names if not getattr(config, name).get_secret_value()]
    if not empty:
        return
    file = config.home / secret_file.NAME
    data = config.home / "data"
    if not file.exists() and data.is_dir() and any(data.iterdir()):
        raise ServiceError(
            f"{file} is gone, and the services' data under {data} was made with the passwords in it",
            "put the file back, or start anew with `make clean`",
        )
    secret_file.update(config.home, {f"LAKE_{name.upper()}": _generate(name) for name in empty})
    settings.cache_clear()


def _generate(name: str) -> str:
    if "fernet" in name:
        return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    # Airflow signs with SHA-512, which asks for 64 bytes; MinIO takes at most 40.
    return secrets.token_urlsafe(48 if name.endswith("_secret") else 24)
