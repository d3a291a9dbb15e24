"""The cluster, a release in it, and what tests do with them: kubectl, helm, port-forwards, SQL, browsers."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import re
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pymongo
import pymysql
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Origin, Subprotocol

from isotherm_web.client import Client
from isotherm_web.mirror import Mirror
from isotherm_web.protocol import CloseCode, Format
from oracle.compare import differences

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts/isotherm"
INGRESS = os.environ.get("E2E_INGRESS", "127.0.0.1:8080")
INGRESS_TLS = os.environ.get("E2E_INGRESS_TLS", "127.0.0.1:8443")
INGRESS_SERVICE = os.environ.get("E2E_INGRESS_SERVICE", "traefik.traefik")
TABLES = ("locations", "weather_data", "weather_forecast", "weather_history")


class CommandError(Exception):
    """A command failed; the message is what it said."""


def run(*command: str, stdin: str | None = None, timeout_seconds: float = 600) -> str:
    """Run a command and return its output."""
    result = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=timeout_seconds)
    if result.returncode:
        message = f"{' '.join(command)[:300]}: {result.stdout[-1500:]}{result.stderr[-3000:]}"
        raise CommandError(message)
    return result.stdout


def eventually(check: Callable[[], Any], *, within_seconds: float, what: str, every_seconds: float = 1.0) -> Any:
    """Return what `check` returns once it is true."""
    deadline = time.monotonic() + within_seconds
    last: object = None
    while time.monotonic() < deadline:
        try:
            if last := check():
                return last
        except (CommandError, pymysql.MySQLError, pymongo.errors.PyMongoError, OSError) as error:
            last = error
        time.sleep(every_seconds)
    message = f"{what}: not within {within_seconds:.0f} s; last: {last}"
    raise TimeoutError(message)


async def until(check: Callable[[], Any], *, within_seconds: float, what: str) -> None:
    """Wait until `check` is true, while the browsers go on."""
    await asyncio.to_thread(eventually, check, within_seconds=within_seconds, what=what, every_seconds=0.2)


@dataclass
class Release:
    """A release of the chart in a namespace of its own."""

    namespace: str
    values: list[str]
    name: str = "isotherm"
    settings: list[str] = field(default_factory=list)
    chart: Path = CHART

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl in the namespace."""
        return run("kubectl", "--namespace", self.namespace, *arguments, stdin=stdin)

    def helm(self, command: str, *arguments: str) -> str:
        """Run a helm command that takes the chart's values."""
        files = [part for file in self.values for part in ("--values", file)]
        base = ["helm", command, self.name, str(self.chart), "--namespace", self.namespace]
        return run(*base, *files, *self.settings, *arguments)

    def install(self, timeout: str = "5m") -> None:
        """Install, and wait until everything stands and the weather has been fetched once."""
        self.helm("install", "--wait", "--timeout", timeout)
        self.wait_until_ready()
        fetching = "--selector=app.kubernetes.io/component=fetcher"
        # The first run, and one of the schedule that has met it and waits for its end.
        self.kubectl("wait", "--for=condition=complete", "job", fetching, "--timeout=180s")

    def upgrade(self, *arguments: str) -> None:
        """Upgrade, and wait until everything stands."""
        self.helm("upgrade", "--wait", "--timeout", "5m", *arguments)
        self.wait_until_ready()

    def uninstall(self) -> None:
        """Uninstall, and wait until every pod is gone."""
        run("helm", "uninstall", self.name, "--namespace", self.namespace, "--wait", "--timeout", "3m")
        eventually(
            # The pod of `helm test` stays: its logs are what one wants afterwards.
            lambda: (
                not self.kubectl("get", "pods", "--field-selector=status.phase!=Succeeded", "--output", "name").strip()
            ),
            within_seconds=120,
            what="all pods are gone",
        )

    def wait_until_ready(self) -> None:
        """Wait for the Jobs and every pod that lasts."""
        self.kubectl(
            "wait",
            "--for=condition=complete",
            "job",
            "--selector=app.kubernetes.io/component in (migrate,mongo-init)",
            "--timeout=300s",
        )
        for name in self.kubectl("get", "statefulsets,deployments", "--output", "name").split():
            self.kubectl("rollout", "status", name, "--timeout=300s")

    def stand_in(self, name: str, image: str, labels: dict[str, str]) -> str:
        """Make a pod that does nothing but wait to be asked, and return what to call it.

        Args:
            name: its name.
            image: an image with Python in it.
            labels: what policies know it by.
        """
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": labels},
            "spec": {
                "automountServiceAccountToken": False,
                "terminationGracePeriodSeconds": 0,
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": 10001,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "containers": [
                    {
                        "name": "probe",
                        "image": image,
                        "command": ["sleep", "3600"],
                        "securityContext": {
                            "allowPrivilegeEscalation": False,
                            "readOnlyRootFilesystem": True,
                            "capabilities": {"drop": ["ALL"]},
                        },
                    }
                ],
            },
        }
        self.kubectl("apply", "--filename=-", stdin=json.dumps(pod))
        return f"pod/{name}"

    def image(self, component: str) -> str:
        """Return the image of a Deployment."""
        return self.kubectl(
            "get",
            "deployment",
            f"{self.name}-{component}",
            "--output=jsonpath={.spec.template.spec.containers[0].image}",
        )

    def password(self, key: str) -> str:
        """Return a key of the generated Secret."""
        data = json.loads(self.kubectl("get", "secret", f"{self.name}-credentials", "--output", "json"))["data"]
        return base64.b64decode(data[key]).decode()

    def pods(self, component: str) -> list[str]:
        """Return the names of a component's running pods."""
        selector = f"--selector=app.kubernetes.io/component={component}"
        found = self.kubectl("get", "pods", selector, "--field-selector=status.phase=Running", "--output", "name")
        return found.split()

    def kill(self, *components: str) -> None:
        """Kill all pods of the components at once, without a chance to end in order."""
        selector = f"--selector=app.kubernetes.io/component in ({','.join(components)})"
        self.kubectl("delete", "pods", selector, "--grace-period=0", "--force", "--wait=false")

    @contextlib.contextmanager
    def forwarded(self, target: str, port: int) -> Iterator[int]:
        """Carry a port of a pod to this machine; gives the local port."""
        command = ["kubectl", "--namespace", self.namespace, "port-forward", target, f":{port}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            try:
                assert process.stdout is not None
                line = process.stdout.readline()
                match = re.search(r"127\.0\.0\.1:(\d+)", line)
                if match is None:
                    message = f"port-forward to {target}: {line}"
                    raise CommandError(message)
                yield int(match[1])
            finally:
                process.terminate()

    @contextlib.contextmanager
    def mysql(self) -> Iterator[pymysql.Connection[Any]]:
        """A connection as root to the weather's schema."""
        with (
            self.forwarded(f"pod/{self.name}-mysql-0", 3306) as port,
            pymysql.connect(
                host="127.0.0.1",
                port=port,
                user="root",
                password=self.password("mysql-admin-password"),
                database="weather",
                autocommit=True,
                connect_timeout=5,
                read_timeout=20,
            ) as connection,
        ):
            yield connection

    @contextlib.contextmanager
    def mongodb(self) -> Iterator[pymongo.MongoClient[Any]]:
        """A client as root of the first member."""
        with (
            self.forwarded(f"pod/{self.name}-mongodb-0", 27017) as port,
            pymongo.MongoClient[Any](
                host="127.0.0.1",
                port=port,
                username="root",
                password=self.password("mongodb-admin-password"),
                directConnection=True,
                serverSelectionTimeoutMS=5000,
            ) as client,
        ):
            yield client

    def query(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Run a statement as MySQL's root."""
        with self.mysql() as connection, connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())

    def metrics(self, component: str, port: int) -> str:
        """Return a component's metrics."""
        with self.forwarded(self.pods(component)[0], port) as local:
            return run("curl", "--silent", "--fail", "--max-time", "10", f"http://127.0.0.1:{local}/metrics")

    @contextlib.contextmanager
    def fetching_stopped(self) -> Iterator[None]:
        """Keep the CronJob from writing, and wait for a run that is under way."""
        cronjob = f"cronjob/{self.name}-fetcher"
        self.kubectl("patch", cronjob, "--patch", '{"spec": {"suspend": true}}')
        selector = "--selector=app.kubernetes.io/component=fetcher"
        unfinished = "--field-selector=status.phase!=Succeeded,status.phase!=Failed"
        try:
            eventually(
                lambda: not self.kubectl("get", "pods", selector, unfinished, "--output", "name").strip(),
                within_seconds=120,
                what="the fetcher's runs have ended",
            )
            yield
        finally:
            self.kubectl("patch", cronjob, "--patch", '{"spec": {"suspend": false}}')

    def wait_until_equal(self, *, within_seconds: float = 120) -> None:
        """Wait until the independent reader finds MySQL and MongoDB equal row for row."""
        found: list[str] = ["never compared"]

        def equal() -> bool:
            with self.mysql() as mysql, self.mongodb() as mongodb:
                found[:] = differences(mysql, mongodb, "weather", TABLES)
            return not found

        try:
            eventually(equal, within_seconds=within_seconds, what="MySQL and MongoDB are equal", every_seconds=2)
        except TimeoutError as error:
            message = f"{error}; {len(found)} differences: {found[:5]}"
            raise AssertionError(message) from error


@contextlib.asynccontextmanager
async def browser(mirror: Mirror | None = None, *, host: str | None = None) -> AsyncIterator[Client]:
    """Connect through the ingress as a browser does.

    Args:
        mirror: what an earlier connection has left.
        host: the host name of the page; the ingress's own address when None.
    """
    address, _, port = INGRESS.partition(":")
    page = host or INGRESS
    async with open_websocket(
        f"ws://{page}/ws",
        host=address,
        port=int(port or 80),
        subprotocols=[Subprotocol(Format.BINARY.value)],
        origin=Origin(f"http://{page}"),
        compression=None,
        ping_interval=None,
        open_timeout=10,
        close_timeout=2,
        proxy=None,
    ) as socket:
        client = Client(socket, mirror or Mirror())
        await client.send(client.mirror.resume())
        yield client


def ask(path: str, *, host: str = INGRESS) -> tuple[int, dict[str, str], str]:
    """Return status, headers and body of a page behind the ingress."""
    text = run(
        "curl", "--silent", "--include", "--max-time", "15", "--header", f"Host: {host}", f"http://{INGRESS}{path}"
    )
    head, _, body = text.replace("\r\n", "\n").partition("\n\n")
    first, *lines = head.splitlines()
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(first.split()[1]), headers, body


@dataclass
class Watcher:
    """A browser that is there all the while: it connects again whenever it is disconnected.

    Attributes:
        host: the host name of the page; the ingress's own address when None.
        mirror: the map as it shows it.
        modes: how each connection began: `snapshot` or `resumed`.
        codes: how each connection ended.
        failures: attempts to connect that led to nothing, those aside that a pod about to end sent on to another.
    """

    host: str | None = None
    mirror: Mirror = field(default_factory=Mirror)
    modes: list[str] = field(default_factory=list)
    codes: list[int | None] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            self.mirror.hello = None
            begun = len(self.modes)
            try:
                async with browser(self.mirror, host=self.host) as client:
                    await self._watch(client)
            except ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd else None
                self.codes.append(code)
                # A pod that is about to end says "connect again" until the ingress knows that it is.
                if len(self.modes) == begun and code != CloseCode.RESTARTING:
                    self.failures.append(str(closed))
            except (OSError, TimeoutError, WebSocketException) as error:
                self.failures.append(repr(error))
                await asyncio.sleep(0.5)

    async def _watch(self, client: Client) -> None:
        noted = False
        while True:
            async with asyncio.timeout(60):
                await client.receive()
            if not noted and self.mirror.hello is not None:
                self.modes.append(self.mirror.hello.mode)
                noted = True


@contextlib.asynccontextmanager
async def watchers(number: int, *, host: str | None = None) -> AsyncIterator[list[Watcher]]:
    """Some browsers that show the whole map, and stay."""
    found = [Watcher(host) for _ in range(number)]
    tasks = [asyncio.create_task(watcher.run()) for watcher in found]
    try:
        await until(lambda: all(watcher.mirror.seq for watcher in found), within_seconds=60, what="all see the map")
        yield found
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Writer:
    """Changes one temperature after the other until told to stop, whatever happens to MySQL meanwhile.

    Attributes:
        acknowledged: the last value of each location that MySQL acknowledged.
        in_doubt: values whose acknowledgement never came, by location.
    """

    def __init__(self, release: Release, locations: list[int]) -> None:
        self.acknowledged: dict[int, float] = {}
        self.in_doubt: dict[int, set[float]] = {}
        self._release = release
        self._locations = locations
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="writer")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        number = 0
        while not self._stop.is_set():
            try:
                with self._release.mysql() as connection, connection.cursor() as cursor:
                    while not self._stop.wait(0.01):
                        location = self._locations[number % len(self._locations)]
                        value = (number % 1200) / 10 - 60
                        number += 1
                        self.in_doubt.setdefault(location, set()).add(value)
                        cursor.execute(
                            "UPDATE weather_data SET temperature_2m = %s WHERE location_id = %s", (value, location)
                        )
                        self.acknowledged[location] = value
                        self.in_doubt[location].clear()
            except (CommandError, pymysql.MySQLError, OSError):
                self._stop.wait(0.5)

    def possible(self, location: int) -> set[float]:
        """Return the values that a location may have now."""
        return {self.acknowledged[location], *self.in_doubt.get(location, set())}
