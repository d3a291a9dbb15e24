"""The built page with the fake server that `npm run preview` has: it can be in every state."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from isotherm_local import ports
from web_support.web_process import reachable, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

FRONTEND = Path(__file__).parents[2] / "services/web/frontend"


@contextlib.contextmanager
def fake_server() -> Iterator[str]:
    """Serve the page as it was built last; yields its address."""
    port = ports.free()
    command = ["npx", "vite", "preview", "--host", "127.0.0.1", "--port", str(port), "--strictPort"]
    server = subprocess.Popen(command, cwd=FRONTEND, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_for(lambda: reachable(port), "the fake server")
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()
