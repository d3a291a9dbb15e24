"""MongoDB's certificate is not accepted: one sentence, and no trying for ever."""

from __future__ import annotations

import contextlib
import datetime as dt
import ssl
import threading
from socket import create_server
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pymongo.errors import AutoReconnect, ServerSelectionTimeoutError

from isotherm_cdc import mongo
from isotherm_cdc.sink.target import Target
from isotherm_common import certificates
from isotherm_common.process import ExitCode
from isotherm_common.settings import MongodbSettings, Secret
from isotherm_common.shutdown import Shutdown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A server with a certificate that nobody knows."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody")])
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + dt.timedelta(days=1))
    form = serialization.PrivateFormat.TraditionalOpenSSL
    pem = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    pem += key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    (tmp_path / "server.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    with create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True):
                        pass

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(2)


def test_the_sentence(port: int) -> None:
    """The first call that needs MongoDB ends with what to do, and the exit code for settings."""
    uri = f"mongodb://127.0.0.1:{port}/?tls=true&directConnection=true"
    client = mongo.connect(MongodbSettings(uri=Secret(uri), database="d"))
    target = Target(client, "d", "p", Shutdown(), lambda _: None)
    with (
        client,
        pytest.raises(certificates.CertificateRefused, match="MongoDB's certificate is not accepted") as raised,
    ):
        target.read_checkpoint()
    assert "tlsCAFile" in str(raised.value)
    assert raised.value.exit_code == ExitCode.CONFIGURATION


def test_one_member_of_several() -> None:
    """While another member may be reached yet, waiting is right."""
    refused = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1016)"
    described = f"a:1: {refused}, Topology Description: <TopologyDescription servers: ["
    both = f"{described}<ServerDescription error=({refused})>, <ServerDescription error=({refused})>]>"
    one = f"{described}<ServerDescription error=({refused})>, <ServerDescription error=('refused')>]>"
    assert not mongo.is_transient(ServerSelectionTimeoutError(both))
    assert mongo.is_transient(ServerSelectionTimeoutError(one))
    assert mongo.is_transient(AutoReconnect("b:1: connection closed"))
    assert mongo.certificate_refused(AutoReconnect("b:1: connection closed")) is None
    assert "(certificate has expired)" in str(mongo.certificate_refused(ServerSelectionTimeoutError(both)))
