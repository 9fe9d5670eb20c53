"""Superset's configuration, read through ``SUPERSET_CONFIG_PATH``. Addresses and secrets come from the environment.

``lake/runtime/bi.py`` and docker-compose.yml set the variables; what stands here is the same on every machine.
"""

import os
from datetime import timedelta
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

FOLDER = Path(os.environ["SUPERSET_FOLDER"])

SECRET_KEY = os.environ["SUPERSET_SECRET_KEY"]
SQLALCHEMY_DATABASE_URI = os.environ["SUPERSET_DATABASE_URI"]

APP_NAME = "Shoplake"
# What a person sees first.
LOGO_TARGET_PATH = "/dashboard/list/"
FEATURE_FLAGS = {
    # A dashboard is shown to the roles that it names, whatever else they may do; see boot.py.
    "DASHBOARD_RBAC": True,
    "ALERT_REPORTS": False,
}

# -- guides beside the dashboards, which their headers lead to. This file is loaded by its path, so pages.py is too.
_SPEC = spec_from_file_location("shoplake_pages", Path(__file__).with_name("pages.py"))
assert _SPEC and _SPEC.loader
_PAGES = module_from_spec(_SPEC)
_SPEC.loader.exec_module(_PAGES)
BLUEPRINTS = [_PAGES.blueprint]

# -- sign-in: on loopback there is no TLS, so the cookie must go without; behind a proxy with TLS, set the variable.
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = os.environ.get("SUPERSET_BEHIND_TLS", "") == "1"
PERMANENT_SESSION_LIFETIME = timedelta(hours=12)
AUTH_RATE_LIMITED = True
AUTH_RATE_LIMIT = "10 per 20 second"
RATELIMIT_STORAGE_URI = "memory://"  # one process serves
PUBLIC_ROLE_LIKE = None

# -- what a page may load: its own server's things only. Superset's default would let it tell a third party of itself.
TALISMAN_ENABLED = True
TALISMAN_CONFIG = {
    "content_security_policy": {
        "base-uri": ["'self'"],
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "worker-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "object-src": "'none'",
        "style-src": ["'self'", "'unsafe-inline'"],
        "script-src": ["'self'", "'strict-dynamic'"],
        "frame-ancestors": ["'self'"],
    },
    "content_security_policy_nonce_in": ["script-src"],
    "force_https": False,
    "session_cookie_secure": SESSION_COOKIE_SECURE,
}

# -- what is kept of answers: long enough for a room of people, short enough for an hourly publish.
_FILES = {"CACHE_TYPE": "FileSystemCache", "CACHE_THRESHOLD": 2000}
CACHE_CONFIG = {**_FILES, "CACHE_DIR": str(FOLDER / "cache"), "CACHE_DEFAULT_TIMEOUT": 24 * 3600}
DATA_CACHE_CONFIG = {**_FILES, "CACHE_DIR": str(FOLDER / "answers"), "CACHE_DEFAULT_TIMEOUT": 300}
FILTER_STATE_CACHE_CONFIG = {
    **_FILES,
    "CACHE_DIR": str(FOLDER / "filters"),
    "CACHE_DEFAULT_TIMEOUT": 90 * 24 * 3600,
    "REFRESH_TIMEOUT_ON_RETRIEVAL": True,
}
EXPLORE_FORM_DATA_CACHE_CONFIG = {
    **_FILES,
    "CACHE_DIR": str(FOLDER / "charts"),
    "CACHE_DEFAULT_TIMEOUT": 7 * 24 * 3600,
    "REFRESH_TIMEOUT_ON_RETRIEVAL": True,
}

# -- bounds: no question of a dashboard may hold Trino or the page for ever.
SUPERSET_WEBSERVER_TIMEOUT = 120
SQLLAB_TIMEOUT = 120
ROW_LIMIT = 10_000
SQL_MAX_ROW = 100_000
# A name in SQL is never looked up elsewhere: no templates from people, no files from them.
ALLOWED_EXTRA_AUTHENTICATIONS: dict[str, dict[str, object]] = {}
CSV_UPLOAD = False

# -- one palette for all dashboards, legible by people who confuse red and green, and in grey.
EXTRA_CATEGORICAL_COLOR_SCHEMES = [
    {
        "id": "shoplake",
        "description": "Shoplake",
        "label": "Shoplake",
        "isDefault": True,
        "colors": [
            "#2563A8", "#E08A1E", "#2B9C8A", "#B5487A", "#6C7A89",
            "#8FB8DE", "#F2C078", "#93CFC4", "#DDA0BF", "#3B4754",
        ],
    }
]  # fmt: skip

EXTRA_SEQUENTIAL_COLOR_SCHEMES = [
    {
        "id": "shoplake_blues",
        "description": "Shoplake, from little to much",
        "label": "Shoplake blues",
        "isDiverging": False,
        "colors": ["#F2F6FB", "#C9DDF0", "#8FB8DE", "#4F8AC4"],
    }
]

# Nobody is told that this Superset runs.
SCARF_ANALYTICS = False
