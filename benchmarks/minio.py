"""MinIO on loopback for as long as it is needed: an object store as others run it.

The program `minio`, or what Go builds of the version that VERSION names, in build/minio.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.servers import BOUND, MissingError, free_port, started

MODULE = "github.com/minio/minio"
VERSION = "v0.0.0-20260212201848-7aac2a2c5b7c"
BUILT = Path("build/minio")


def program() -> str:
    """Its path. Raises MissingError."""
    found = shutil.which("minio") or shutil.which("minio", path=str(BUILT))
    if found:
        return str(Path(found).absolute())
    if shutil.which("go") is None:
        raise MissingError("neither minio nor Go, to build it, is here")
    print("building MinIO: some minutes", flush=True)
    built = os.environ | {"GOBIN": str(BUILT.absolute())}
    if subprocess.run(["go", "install", f"{MODULE}@{VERSION}"], env=built).returncode:
        raise MissingError("Go did not build MinIO")
    return str((BUILT / "minio").absolute())


@contextmanager
def minio() -> Iterator[tuple[Path, Minio]]:
    """A folder for as long as it is needed, and a server in it. Raises MissingError."""
    with tempfile.TemporaryDirectory() as name:
        store = Minio(Path(name))
        try:
            yield Path(name), store
        finally:
            store.kill()


class Minio:
    """One server, with its data in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._program = folder, program()
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def bucket(self, name: str) -> str:
        """Makes it; its address."""
        (self._folder / "data" / name).mkdir(parents=True, exist_ok=True)
        return f"s3://{name}"

    def options(self, port: int | None = None) -> dict[str, str]:
        """Of lakes in it, which ask it by another port where one is given."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port or self.port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "loopback",
            "AWS_SECRET_ACCESS_KEY": "loopback-alone",
        }

    def start(self) -> None:
        """Returns once it answers."""
        user = {"MINIO_ROOT_USER": "loopback", "MINIO_ROOT_PASSWORD": "loopback-alone"}
        self._process = started(
            [self._program, "server", "data", "--address", f"127.0.0.1:{self.port}"],
            self._folder,
            self._folder / "minio.log",
            self._answers,
            os.environ | user | {"MINIO_BROWSER": "off", "MINIO_UPDATE": "off"},
        )

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        try:
            asked = f"http://127.0.0.1:{self.port}/minio/health/live"
            with urllib.request.urlopen(asked, timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


class Proxy:
    """Passes requests on to a port, counts them, and lets each answer wait for `delay` seconds, as
    one from far away would. Not for lakes of this process: Delta's library keeps Python's lock
    while it asks for a log."""

    def __init__(self, port: int) -> None:
        self.requests, self.delay, self.port, self._to = 0, 0.0, free_port(), port
        ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._serve(ready)), daemon=True).start()
        ready.wait(BOUND)

    async def _serve(self, ready: threading.Event) -> None:
        server = await asyncio.start_server(self._pass_on, "127.0.0.1", self.port)
        ready.set()
        await server.serve_forever()

    async def _pass_on(self, asker: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        try:
            answers, on = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            back.close()
            return
        asked = asyncio.Event()

        async def ask() -> None:
            while chunk := await asker.read(65_536):
                self.requests += not asked.is_set()
                asked.set()
                on.write(chunk)
                await on.drain()
            on.close()

        async def answer() -> None:
            while chunk := await answers.read(65_536):
                if asked.is_set():
                    asked.clear()
                    await asyncio.sleep(self.delay)
                back.write(chunk)
                await back.drain()
            back.close()

        await asyncio.gather(ask(), answer(), return_exceptions=True)
