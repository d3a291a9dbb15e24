"""Many clients, a map that changes all the time, and web processes that are killed at random: no client may end wrong.

    make soak-web [KILLS=40] [CLIENTS=1000]

Each client is checked after every message: it holds exactly the map as it was at its seq, and never goes backwards. At the end
all of them stand at the last seq and hold what MongoDB holds.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import resource
import secrets
import signal
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pymongo import MongoClient
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from isotherm_web.client import connect
from isotherm_web.mirror import Mirror
from isotherm_web.protocol import Format
from isotherm_web.rows import NULL
from web_support.fake_cdc import FakeCdc, location, weather
from web_support.live_map import mongodb
from web_support.web_process import WebProcess

if TYPE_CHECKING:
    from collections.abc import Callable

_CHANGE_SECONDS = 0.2
_FLOOR_EVERY, _FLOOR_BEHIND = 25, 12
_BACKOFF_SECONDS = 2.0
_OPEN_SECONDS = 60.0
_SETTLE_SECONDS = 180.0
_DELETED_SHARE = 0.1

Model = dict[int, int]
"""Temperatures scaled by ten, by location; null where there is no row."""


@dataclass(frozen=True)
class Plan:
    """How hard it is.

    Attributes:
        clients: that follow the map.
        processes: web processes that serve it.
        kills: how often one of them is ended, by SIGKILL or SIGTERM.
        cells: of the map.
        seed: of everything random.
    """

    clients: int
    processes: int
    kills: int
    cells: int = 40
    seed: int = 0


@dataclass
class Soak:
    """One run.

    Attributes:
        wrong: what was found wrong; empty when all is well.
        seen: counts of messages, reconnections and kills.
    """

    plan: Plan
    cdc: FakeCdc
    webs: list[WebProcess]
    wrong: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    _models: dict[int, Model] = field(default_factory=dict)
    _mirrors: list[Mirror] = field(default_factory=list)
    _changing: bool = True
    _following: bool = True

    def __post_init__(self) -> None:
        self._random = random.Random(self.plan.seed)

    async def run(self, say: Callable[[str], None] = lambda _: None) -> None:
        """Run it all; afterwards `wrong` says what was wrong."""
        self._seed()
        for web in self.webs:
            await asyncio.to_thread(web.start)
        changing = asyncio.create_task(self._change())
        self._mirrors = [Mirror() for _ in range(self.plan.clients)]
        clients = [asyncio.create_task(self._follow(number)) for number in range(self.plan.clients)]
        try:
            await self._all_at(self.cdc.seq)
            for number in range(self.plan.kills):
                await self._kill()
                await self._all_at(self.cdc.seq)
                say(f"kill {number + 1} of {self.plan.kills}: all {self.plan.clients} clients at seq {self.cdc.seq}")
            self._changing = False
            await changing
            await self._all_at(self.cdc.seq)
            self._compare()
        finally:
            self._changing = self._following = False
            for task in (changing, *clients):
                task.cancel()
            ended = await asyncio.gather(changing, *clients, return_exceptions=True)
            self.wrong += [repr(end) for end in ended if isinstance(end, Exception)]
            await asyncio.gather(*(asyncio.to_thread(web.stop) for web in self.webs))

    # The map

    def _seed(self) -> None:
        cells = range(1, self.plan.cells + 1)
        self.cdc.commit({"locations": [location(cell, 10.0, cell) for cell in cells]}, snapshot=True)
        self._models[self.cdc.seq] = dict.fromkeys(cells, NULL)
        self._models[self.cdc.commit({"weather_data": [weather(cell, 1.0) for cell in cells]})] = dict.fromkeys(
            cells, 10
        )

    async def _change(self) -> None:
        while self._changing:
            await asyncio.sleep(_CHANGE_SECONDS)
            model = dict(self._models[self.cdc.seq])
            touched = self._random.sample(sorted(model), self._random.randint(1, 5))
            values = {cell: self._random.randint(-400, 400) for cell in touched}
            deleted = [cell for cell in touched if self._random.random() < _DELETED_SHARE and model[cell] != NULL]
            changed = [weather(cell, value / 10) for cell, value in values.items() if cell not in deleted]
            seq = self.cdc.seq + 1
            self._models[seq] = model | values | dict.fromkeys(deleted, NULL)
            floor = seq - _FLOOR_BEHIND if seq % _FLOOR_EVERY == 0 else None
            await asyncio.to_thread(
                self.cdc.commit, {"weather_data": changed}, {"weather_data": deleted}, resume_floor=floor
            )

    # The servers

    async def _kill(self) -> None:
        web = self._random.choice(self.webs)
        how = self._random.choice((signal.SIGKILL, signal.SIGTERM))
        self.seen[how.name] += 1
        await asyncio.sleep(self._random.uniform(0, 2 * _CHANGE_SECONDS))
        web.signal(how)
        await asyncio.to_thread(web.wait, 60)
        await asyncio.to_thread(web.start)

    # The clients

    async def _follow(self, number: int) -> None:
        mirror, wire = self._mirrors[number], Format.JSON if number % 4 == 0 else Format.BINARY
        chance = random.Random(self.plan.seed * 100_003 + number)
        while self._following:
            with contextlib.suppress(OSError, ConnectionClosed, InvalidHandshake, InvalidMessage, TimeoutError):
                web = chance.choice(self.webs)
                async with connect(web.websocket, mirror=mirror, wire=wire, open_seconds=_OPEN_SECONDS) as client:
                    while True:
                        before = mirror.stream, mirror.seq
                        message = await client.receive()
                        self.seen[str(message.__struct_config__.tag)] += 1
                        self._check(number, before, mirror)
            self.seen["reconnections"] += 1
            await asyncio.sleep(chance.uniform(0, _BACKOFF_SECONDS))

    def _check(self, number: int, before: tuple[str | None, int], mirror: Mirror) -> None:
        if mirror.stream is None:
            return
        if mirror.stream == before[0] and mirror.seq < before[1]:
            self.wrong.append(f"client {number} went back from {before[1]} to {mirror.seq}")
        if (mirror.stream, mirror.seq) != before and _shown(mirror) != self._models[mirror.seq]:
            self.wrong.append(f"client {number} is wrong at seq {mirror.seq}")

    async def _all_at(self, seq: int) -> None:
        async with asyncio.timeout(_SETTLE_SECONDS):
            while any(mirror.seq < seq for mirror in self._mirrors):  # noqa: ASYNC110 - each has a seq, none an event
                await asyncio.sleep(0.1)

    def _compare(self) -> None:
        rows = {row["location_id"]: round(10 * row["temperature_2m"]) for row in self.cdc.db["weather_data"].find()}
        truth = dict.fromkeys(range(1, self.plan.cells + 1), NULL) | rows
        if truth != self._models[self.cdc.seq]:
            self.wrong.append("the database does not hold what was written to it")
        self.wrong += [
            f"client {number} ended wrong" for number, mirror in enumerate(self._mirrors) if _shown(mirror) != truth
        ]


def _shown(mirror: Mirror) -> Model:
    return {identity: cell.values[0] for identity, cell in zip(mirror.ids, mirror.cells, strict=True)}


async def soak(uri: str, plan: Plan, say: Callable[[str], None] = lambda _: None) -> Soak:
    """Run a plan over a database of its own, and return what was seen."""
    database = f"soak_{secrets.token_hex(4)}"
    with MongoClient[dict[str, Any]](uri) as client:
        settings = {"WEB_MAX_CONNECTIONS_PER_ADDRESS": "100000", "LOG_LEVEL": "error"}
        webs = [WebProcess(uri, database, **settings) for _ in range(plan.processes)]
        run = Soak(plan, FakeCdc(client, database).create(), webs)
        try:
            await run.run(say)
        finally:
            client.drop_database(database)
    return run


def main() -> int:
    """Run the long form."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clients", type=int, default=1_000)
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10_000))
    parser.add_argument("--mongodb", help="a replica set; a database of its own is made in it and dropped")
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    plan = Plan(options.clients, options.processes, options.kills, seed=options.seed)

    def say(text: str) -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    say(f"seed {plan.seed}")
    with mongodb(options.mongodb) as uri:
        done = asyncio.run(soak(uri, plan, say))
    say(json.dumps({"clients": plan.clients, "wrong": len(done.wrong), "examples": done.wrong[:10], **done.seen}))
    return 1 if done.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
