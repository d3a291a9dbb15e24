"""As much of an API server as a Lease needs, over HTTP: versions, conflicts, strict times."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path

_PATH = re.compile(r"/apis/coordination\.k8s\.io/v1/namespaces/([^/]+)/leases(?:/([^/?]+))?")
_MICRO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(?:Z|\+00:00)")


class FakeKubernetes:
    """Serves Leases on a free port; `status` makes it refuse everything."""

    def __init__(self) -> None:
        self.leases: dict[tuple[str, str], dict[str, Any]] = {}
        self.requests: list[str] = []
        self.status: int | None = None
        self._version = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def kubeconfig(self, folder: Path) -> Path:
        """Write a kubeconfig that leads here."""
        url = f"http://127.0.0.1:{self._server.server_address[1]}"
        path = folder / "kubeconfig"
        path.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "fake",
                    "clusters": [{"name": "fake", "cluster": {"server": url}}],
                    "users": [{"name": "fake", "user": {"token": "a-token"}}],
                    "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "fake"}}],
                }
            )
        )
        return path

    def spec(self, namespace: str, name: str) -> dict[str, Any]:
        """Return what a Lease says; empty when there is none."""
        with self._lock:
            return dict(self.leases.get((namespace, name), {}).get("spec", {}))

    def _answer(self, verb: str, namespace: str, name: str | None, body: dict[str, Any] | None) -> tuple[int, Any]:
        if self.status is not None:
            return self.status, {"kind": "Status", "code": self.status}
        key = namespace, name or (body or {})["metadata"]["name"]
        stored = self.leases.get(key)
        if verb == "GET":
            return (200, stored) if stored else (404, {"kind": "Status", "code": 404})
        assert body is not None
        for field in ("acquireTime", "renewTime"):
            if body["spec"].get(field) and not _MICRO_TIME.fullmatch(body["spec"][field]):
                return 400, {"kind": "Status", "code": 400, "message": f"{field} is no MicroTime"}
        wanted = body["metadata"].get("resourceVersion")
        current = stored["metadata"]["resourceVersion"] if stored else None
        if (verb == "POST") != (stored is None) or (verb == "PUT" and wanted != current):
            return 409, {"kind": "Status", "code": 409}
        self._version += 1
        body["metadata"].update(namespace=namespace, resourceVersion=str(self._version))
        self.leases[key] = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", **body}
        return (201 if verb == "POST" else 200), self.leases[key]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                match = _PATH.match(self.path)
                size = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(size)) if size else None
                with fake._lock:
                    fake.requests.append(f"{self.command} {self.path}")
                    if match is None or self.headers.get("Authorization") != "Bearer a-token":
                        status, answer = 403, {"kind": "Status", "code": 403}
                    else:
                        status, answer = fake._answer(self.command, match[1], match[2], body)
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def __getattr__(self, name: str) -> Any:
                """Serve `do_GET`, `do_POST` and `do_PUT` alike."""
                if name.startswith("do_"):
                    return self._serve
                raise AttributeError(name)

            def log_message(self, *_: Any) -> None:
                """Stay silent."""

        return Handler
