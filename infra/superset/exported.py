"""The dashboards of the Superset that runs, back into the files: no difference, unless somebody made one there."""

from __future__ import annotations

import io
import subprocess
import zipfile
from pathlib import Path

import yaml

from infra.superset.declared import HERE
from infra.superset.files import written
from infra.superset.generate import TRINO
from lake.errors import ServiceError
from lake.runtime import bi

EXPORT_SECONDS = 300


def export(folder: Path) -> None:
    """Write what the running Superset has over the files; those that it does not have are removed.

    Raises:
        ServiceError: it could not be asked.
    """
    command = (bi.python(), str(HERE / "give_out.py"))
    try:
        result = subprocess.run(
            command, check=False, capture_output=True, timeout=EXPORT_SECONDS, env=bi.command_environment()
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ServiceError(f"Superset's files could not be had: {error}", "look at `lake status`") from error
    if result.returncode:
        tail = "\n".join(result.stderr.decode(errors="replace").splitlines()[-8:])
        raise ServiceError(f"Superset's files could not be had:\n{tail}", "run `lake up bi` first")
    found = named(result.stdout)
    for file in folder.rglob("*.yaml"):
        if str(file.relative_to(folder)) not in found:
            file.unlink()
    for name, text in found.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")


def named(archive: bytes) -> dict[str, str]:
    """Text of each file by the path that it has here: named after what it is, not after its number in Superset."""
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        documents = {name: yaml.safe_load(files.read(name)) for name in files.namelist()}
    charts = {}
    found = {}
    for name, document in documents.items():
        if name.startswith("dashboards/"):
            found[f"dashboards/{document['slug']}.yaml"] = document
            for key, child in document["position"].items():
                if key.startswith("CHART-"):
                    charts[child["meta"]["uuid"]] = key.removeprefix("CHART-")
    for name, document in documents.items():
        if name.startswith("databases/"):
            found[f"databases/{document['database_name']}.yaml"] = {**document, "sqlalchemy_uri": TRINO}
        elif name.startswith("datasets/"):
            found[f"datasets/{name.split('/')[1]}/{document['table_name']}.yaml"] = document
        elif name.startswith("charts/"):
            found[f"charts/{charts.get(document['uuid'], Path(name).stem)}.yaml"] = document
        elif name == "metadata.yaml":
            found[name] = document
    return {name: written(document) for name, document in sorted(found.items())}
