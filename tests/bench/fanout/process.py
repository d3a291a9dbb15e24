"""A measured server as a process of its own, seen from outside: its CPU time and its memory."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).parent
_TICKS = os.sysconf("SC_CLK_TCK")
_LINE_BYTES = 1024 * 1024


@dataclass(frozen=True)
class CpuTime:
    """CPU time in seconds: of the program, and of the kernel for it."""

    user: float
    kernel: float

    @property
    def total(self) -> float:
        """Both."""
        return self.user + self.kernel

    def __sub__(self, other: CpuTime) -> CpuTime:
        """Return what was used since."""
        return CpuTime(self.user - other.user, self.kernel - other.kernel)


class ServerProcess:
    """One server.

    Attributes:
        about: what it said when it began: its port, and what a client has to say to resume.
    """

    def __init__(self, process: asyncio.subprocess.Process, about: dict[str, Any]) -> None:
        self._process = process
        self._proc = Path(f"/proc/{process.pid}")
        self.about = about

    @classmethod
    async def start(cls, command: Sequence[str], python: str = sys.executable) -> ServerProcess:
        """Start `command`, a script beside this file and its arguments."""
        script, *arguments = command
        process = await asyncio.create_subprocess_exec(
            python,
            str(HERE / script),
            *arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            limit=_LINE_BYTES,
        )
        return cls(process, await _line(process))

    async def change(self, changes: int, every_ms: int, cells: int) -> dict[str, Any]:
        """Let it make changes; return when it made each, and the pauses of its garbage collector."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"go {changes} {every_ms} {cells}\n".encode())
        return await _line(self._process)

    async def stop(self) -> None:
        """Let it end."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(10):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    def cpu(self) -> CpuTime:
        """Return what it has used."""
        fields = (self._proc / "stat").read_text().rpartition(")")[2].split()
        return CpuTime(int(fields[11]) / _TICKS, int(fields[12]) / _TICKS)

    def memory_kb(self) -> int:
        """Return its resident memory."""
        for line in (self._proc / "status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1])
        return 0


async def _line(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None
    line = await process.stdout.readline()
    if not line:
        message = "the server has ended"
        raise RuntimeError(message)
    found: dict[str, Any] = json.loads(line)
    return found
