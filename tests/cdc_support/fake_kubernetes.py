"""As much of an API server as a Lease needs, over HTTPS: versions, conflicts, strict times, one service account."""

from __future__ import annotations

import ipaddress
import json
import re
import ssl
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path

_PATH = re.compile(r"/apis/coordination\.k8s\.io/v1/namespaces/([^/]+)/leases(?:/([^/?]+))?")
_MICRO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(?:Z|\+00:00)")


class FakeKubernetes:
    """Serves Leases on a free port; `status` makes it refuse everything.

    Attributes:
        account: the folder with the files of the service account that may ask.
        token: what it must show.
        leases: by namespace and name.
        status: with which all requests are refused; None: they are served.
    """

    def __init__(self, folder: Path) -> None:
        """Prepare; `folder` gets the service account's files.

        Args:
            folder: an existing folder.
        """
        self.account = folder
        self.token = "a-token"
        self.leases: dict[tuple[str, str], dict[str, Any]] = {}
        self.requests: list[str] = []
        self.status: int | None = None
        self._version = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.socket = self._encryption().wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def environment(self) -> dict[str, str]:
        """The settings of a reader in a pod."""
        return {
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": str(self._server.server_address[1]),
            "CDC_SERVICE_ACCOUNT_DIR": str(self.account),
        }

    def _encryption(self) -> ssl.SSLContext:
        """Write the service account's files; return what the server is encrypted with."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kube-apiserver")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
            .sign(key, hashes.SHA256())
            .public_bytes(serialization.Encoding.PEM)
        )
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (self.account / "ca.crt").write_bytes(certificate)
        (self.account / "token").write_text(self.token, encoding="ascii")
        (self.account / "namespace").write_text("weather\n", encoding="ascii")
        server = self.account / "server.pem"
        server.write_bytes(certificate + secret)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(server)
        return context

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
                    if match is None or self.headers.get("Authorization") != f"Bearer {fake.token}":
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
