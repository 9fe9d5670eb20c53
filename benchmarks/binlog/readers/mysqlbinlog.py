"""MySQL's own program: it fetches events as they are (`raw`), or prints every row (`rows`). Both go nowhere."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from common import Job, timed

LONGEST_SECONDS = 1800


def main(program: str, what: str) -> None:
    """Read from the start's file on, passing over what was before."""
    job = Job.given()
    command = [
        program, "--no-defaults", "--read-from-remote-server", f"--host={job.host}", f"--port={job.port}",
        f"--user={job.user}", "--protocol=tcp", f"--start-position={job.start[1]}", "--to-last-log",
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        if what == "raw":
            command += ["--raw", f"--result-file={folder}/"]
        else:
            command += ["--verbose", "--base64-output=DECODE-ROWS", "--result-file=/dev/null"]
        with timed(job.rows):
            subprocess.run(
                [*command, job.start[0]],
                check=True,
                env={**os.environ, "MYSQL_PWD": job.password},
                stdout=subprocess.DEVNULL,
                timeout=LONGEST_SECONDS,
            )


main(*sys.argv[1:])
