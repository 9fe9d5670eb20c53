"""The object store dies in the middle of a write, is full, takes no write, or has lost a bit."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.case import Case
from tests.faults.data import change, fill
from tests.faults.proxy import Proxy, Rule
from tests.faults.test_network import COMPLETE, MANIFEST, PART
from tests.faults.world import World

pytestmark = pytest.mark.slow
Tell = Callable[[str], None]


@pytest.mark.fault("store_killed")
@pytest.mark.parametrize(
    ("when", "of"),
    [
        pytest.param(PART, "request", id="in a PUT"),
        pytest.param(COMPLETE, "request", id="before CompleteMultipart"),
        pytest.param(COMPLETE, "reply", id="after CompleteMultipart"),
        pytest.param(MANIFEST, "request", id="before the manifest"),
        pytest.param(MANIFEST, "reply", id="after the manifest"),
    ],
)
def test_store_killed(case: Case, when: bytes, of: str, request: pytest.FixtureRequest, tell: Tell) -> None:
    fill(case)
    run = case.new_run()
    rule = Rule("reset", when=when, of=of, then=case.world.minio.kill)  # type: ignore[arg-type]
    with Proxy(case.port("S3"), rule) as proxy:
        attempt = case.launch(run, LAKE_S3_PORT=str(proxy.port))
        code = attempt.wait()
    assert rule.hits == 1
    assert code == 1, attempt.tail
    case.world.revive()
    case.run(run)
    tell(f"{request.node.callspec.id}: {case.settle()}")


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """Leave no byte free on the store's disk."""
    ballast = folder / ".ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(1 << 20)):
                pass
        except OSError:
            pass
    try:
        yield
    finally:
        ballast.unlink()


@contextmanager
def read_only_disk(folder: Path) -> Iterator[None]:
    """Let the store's disk take no write."""
    # Files that are open for writing would forbid it: a store that starts on such a disk is what is left.
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.parametrize(
    "disk",
    [
        pytest.param(full_disk, marks=pytest.mark.fault("disk_full")),
        pytest.param(read_only_disk, marks=pytest.mark.fault("read_only")),
    ],
)
def test_the_store_takes_no_write(
    case: Case,
    world: World,
    disk: Callable[[Path], contextmanager[None]],
    tell: Tell,
) -> None:
    if not world.store_is_mounted:
        pytest.skip("only root may mount the small disk that this needs")
    fill(case)
    case.run()
    before = case.prove()
    change(case)
    run = case.new_run()
    folder = world.minio.service.folder
    with disk(folder):
        attempt = case.launch(run)
        assert attempt.wait() == 1, attempt.tail
        assert "Traceback" not in attempt.log or "lake.errors." in attempt.log, attempt.tail
    with case.active():
        case.world.minio.service.ping()
    case.run(run)
    assert case.prove() != before
    tell(f"the task failed, and the lake stayed as it was; with room again: {case.settle()}")


@pytest.mark.fault("byte_flipped")
def test_one_byte_of_a_landed_file_is_flipped(case: Case, world: World, tell: Tell) -> None:
    fill(case)
    run = case.new_run()
    attempt = case.launch(run, pause_at="extract.committed")
    attempt.wait_until_paused()
    victim = _flip_a_byte(world.minio.service.folder / "landing" / case.name)
    attempt.go_on()
    assert attempt.wait() == 1, f"a file with a wrong byte was taken in\n{attempt.tail}"
    case.run(run, from_the_start=True)
    tell(f"in the middle of {victim}: the task failed before anything was published; read anew: {case.settle()}")


def _flip_a_byte(folder: Path) -> str:
    """In the largest file that the store keeps of a part."""
    files = [file for file in folder.rglob("*") if file.is_file() and "part-" in str(file)]
    victim = max(files, key=lambda file: file.stat().st_size)
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 0x10
    victim.write_bytes(data)
    return victim.name
