"""Apache Kafka on loopback for as long as it is needed: `make test-kafka`, which asks of it what
tests/test_topics.py asks of any transport, then kills it with producers and workers.

Its jars come by Maven, of the version in tests/kafka/pom.xml.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import BinaryIO

from benchmarks.servers import MissingError, free_port, jars, started

POM = Path("tests/kafka/pom.xml")
JARS = Path("build/kafka")
NAME = "Apache Kafka"
NEEDED = ("java", "mvn")
_CLUSTER = "bGFrZWhvdXNlLXRlc3QtMQ"
_PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{inner}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{inner}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={folder}/data
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.enable=false
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=400
group.min.session.timeout.ms=1000
"""


class Broker:
    """One broker that is its own controller, with its data in a folder."""

    def __init__(self, folder: Path) -> None:
        self.port, inner = free_port(), free_port()
        self._folder, self._jars = folder, jars(POM, JARS, NAME)
        self._process: subprocess.Popen[bytes] | None = None
        self._settings = folder / "server.properties"
        said = _PROPERTIES.format(port=self.port, inner=inner, folder=folder)
        self._settings.write_text(said, encoding="utf-8")
        tool = ["kafka.tools.StorageTool", "format", "-t", _CLUSTER, "-c", str(self._settings)]
        subprocess.run(self._java(*tool), check=True, cwd=folder, stdout=self._log())

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns once it answers."""
        main = self._java("kafka.Kafka", str(self._settings))
        log = self._folder / "broker.log"
        self._process = started(main, self._folder, log, self._answers)

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import AdminClient

        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            asked = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
            return bool(asked.list_topics(timeout=2).brokers)
        except (OSError, KafkaException):
            return False

    def _java(self, *arguments: str) -> list[str]:
        return ["java", "-Xmx512m", "-cp", self._jars, *arguments]

    def _log(self) -> BinaryIO:
        return (self._folder / "broker.log").open("ab")


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m benchmarks.faults.broker", description=__doc__)
    asked.add_argument(
        "--kills", type=int, default=200, help="at least so many; 0: the suite alone"
    )
    asked.add_argument("--seed", type=int, default=42)
    given = asked.parse_args()
    missing = [name for name in NEEDED if shutil.which(name) is None]
    try:
        if missing:
            raise MissingError(f"{' and '.join(missing)} of Java and Maven are not here")
        jars(POM, JARS, NAME)
    except MissingError as error:
        print(f"Apache Kafka was not tried: {error}")
        return 0
    from benchmarks.faults import stream

    with tempfile.TemporaryDirectory() as name:
        broker = Broker(Path(name))
        broker.start()
        print(f"Apache Kafka answers at {broker.address}", flush=True)
        try:
            suite = [sys.executable, "-m", "pytest", "-q", "tests/test_topics.py"]
            env = os.environ | {"LAKEHOUSE_TEST_KAFKA": broker.address}
            failed = subprocess.run([*suite, "tests/test_stream_kafka.py"], env=env).returncode
        finally:
            broker.kill()
    return failed or (stream.campaign(given.seed, given.kills, Broker) if given.kills else 0)


if __name__ == "__main__":
    sys.exit(main())
