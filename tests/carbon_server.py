"""A real carbon server in a folder, which can be stopped, killed and started again."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import whisper

from lakehouse.serve.publish.graphite.options import GraphiteSettings

CONF = Path(__file__).parents[1] / "examples/grafana/carbon"
SECONDS = 60


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


class Carbon:
    """carbon-cache with the configuration of the examples, on ports of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {name: free_port() for name in ("plaintext", "pickle", "query")}
        conf = folder / "conf"
        shutil.copytree(CONF, conf)
        text = (conf / "carbon.conf").read_text()
        for given, name in (("2003", "plaintext"), ("2004", "pickle"), ("7002", "query")):
            text = text.replace(f"_PORT = {given}", f"_PORT = {self.ports[name]}")
        text = text.replace("0.0.0.0", "127.0.0.1")
        (conf / "carbon.conf").write_text(text)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        storage = self.folder / "storage"
        for name in ("log", "run", "lists"):
            (storage / name).mkdir(parents=True, exist_ok=True)
        env = os.environ | {
            "GRAPHITE_ROOT": str(self.folder),
            "GRAPHITE_CONF_DIR": str(self.folder / "conf"),
            "GRAPHITE_STORAGE_DIR": str(storage),
            # Its third protocol, which nobody speaks here, is of an older protobuf.
            "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python",
        }
        script = Path(sys.executable).with_name("carbon-cache.py")
        with (self.folder / "said").open("ab") as said:
            command = [sys.executable, str(script), "--nodaemon", "start"]
            self._process = subprocess.Popen(command, env=env, stdout=said, stderr=said)
        end = time.monotonic() + SECONDS
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "said").read_text()
            assert time.monotonic() < end, (self.folder / "said").read_text()
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            for port in self.ports.values():
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return False
        return True

    def stop(self, by: int = signal.SIGTERM) -> None:
        """What it holds and has not written is gone, however it is stopped."""
        if self._process is not None:
            self._process.send_signal(by)
            self._process.send_signal(signal.SIGCONT)  # a test may have stopped it
            self._process.wait(SECONDS)
            self._process = None
            for left in (self.folder / "storage").glob("*.pid"):
                left.unlink()

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def options(self, protocol: str = "plaintext", **more: str) -> GraphiteSettings:
        server = f"127.0.0.1:{self.ports[protocol]}"
        return GraphiteSettings(server=server, protocol=protocol, **more)

    def file(self, name: str) -> Path:
        return self.folder / "storage" / "whisper" / f"{name.replace('.', '/')}.wsp"

    def names(self, below: str) -> list[str]:
        """Series that have a file."""
        root = self.folder / "storage" / "whisper"
        found = root.joinpath(*below.split(".")).rglob("*.wsp")
        return sorted(str(f.relative_to(root).with_suffix("")).replace("/", ".") for f in found)

    def points(self, name: str, first: int, end: int) -> dict[int, float]:
        """What a series holds from the moment `first` until `end`, without it."""
        found = whisper.fetch(str(self.file(name)), first - 1, end)
        (start, _, step), values = found
        at = range(start, start + step * len(values), step)
        return {t: v for t, v in zip(at, values, strict=True) if v is not None and t < end}

    def written(self, name: str, first: int, end: int, least: int) -> dict[int, float]:
        """The same, once there are as many as that: carbon writes when it comes to it."""
        until = time.monotonic() + SECONDS
        while True:
            found = self.points(name, first, end) if self.file(name).exists() else {}
            if len(found) >= least or time.monotonic() > until:
                return found
            time.sleep(0.05)
