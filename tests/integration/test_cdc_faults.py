"""The CDC while everything around it fails: in the end both sides are equal, and nothing was written twice or lost."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pymysql
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cdc_support.capture import Capture
from cdc_support.workload import changing, more
from isotherm_local.process import ManagedProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from isotherm_local.harness import Pipeline

ROWS = 400


@pytest.fixture
def capture(stack: Pipeline) -> Iterator[Capture]:
    """Two tables with rows, all captured in small batches and chunks."""
    settings = {"CDC_MAX_BATCH_SIZE": "50", "CDC_SNAPSHOT_CHUNK_ROWS": "20", "CDC_HEARTBEAT_INTERVAL_MS": "1000"}
    with Capture.of(stack, **settings) as made:
        values = ", ".join(f"({number}, 100)" for number in range(ROWS))
        for table in ("t", "u"):
            made.sql(
                f"CREATE TABLE {table} (a INT PRIMARY KEY, b INT NOT NULL)", f"INSERT INTO {table} VALUES {values}"
            )
        yield made


@contextlib.contextmanager
def workload(capture: Capture, seed: int) -> Iterator[Callable[[], int]]:
    """Change both tables all the while; yields a function that tells how many transactions there were."""
    chance = random.Random(seed)

    def transaction(cursor: Any) -> None:
        source, target = chance.randrange(ROWS), chance.randrange(ROWS)
        cursor.execute("BEGIN")
        cursor.execute(f"UPDATE t SET b = b - 1 WHERE a = {source}")
        cursor.execute(f"UPDATE u SET b = b + 1 WHERE a = {target}")
        kind = chance.randrange(4)
        if kind == 0:
            cursor.execute(f"DELETE FROM t WHERE a >= {ROWS} LIMIT 1")
        elif kind == 1:
            cursor.execute(f"REPLACE INTO t VALUES ({ROWS + chance.randrange(50)}, 0)")
        elif kind == 2:
            cursor.execute(f"UPDATE IGNORE u SET a = a + {ROWS} WHERE a = {target} AND a < {ROWS}")
        cursor.execute("COMMIT")

    with changing(capture.stack, transaction, pause_seconds=0.01, through_faults=True) as count:
        yield count


def rows_in_mongodb(capture: Capture) -> int:
    """Return how many documents there are."""
    return int(capture.collection("t").count_documents({}) + capture.collection("u").count_documents({}))


@pytest.mark.contract("K9")
def test_killed_in_a_snapshot_and_in_the_stream(capture: Capture) -> None:
    """A reader that is killed again and again goes on where its checkpoint is, in a snapshot too."""
    with workload(capture, 1) as count:
        for wanted in (40, 160, 600):
            process = capture.start(ready=False)
            capture.stack.until(lambda n=wanted: rows_in_mongodb(capture) >= n, 60, f"{wanted} rows")
            process.kill()
        chunks = capture.checkpoint()["snapshot"]
        assert chunks is not None
        for _ in range(4):
            process = capture.start()
            more(capture.stack, count, 30)
            process.kill()
        capture.start()
        more(capture.stack, count, 30)
    capture.wait()
    assert capture.differences("t", "u") == []


@pytest.mark.contract("E5")
def test_mysql_and_mongodb_restart(capture: Capture) -> None:
    """Both databases may go away; the reader waits, goes on, and ends with 0 when asked to."""
    process = capture.start()
    capture.wait()
    with workload(capture, 2) as count:
        more(capture.stack, count, 30)
        capture.stack.servers.mongodb.kill()
        more(capture.stack, count, 30)
        capture.stack.servers.mongodb.start().wait_ready()
        more(capture.stack, count, 30)
        capture.stack.servers.mysql.kill()
        capture.stack.servers.mysql.start().wait_ready()
        more(capture.stack, count, 30)
    capture.reconnect()
    capture.wait()
    assert process.running
    assert capture.differences("t", "u") == []
    process.stop()
    assert process.exit_code == 0


@pytest.mark.contract("K3")
def test_a_second_reader_fences_the_first(capture: Capture) -> None:
    """A reader that another one has taken over from writes nothing more and ends with 75; the stream stays."""
    first = capture.start()
    capture.wait()
    before = capture.checkpoint()
    second = ManagedProcess(capture.stack.spec("cdc", {**capture.settings, "METRICS_PORT": "0"})).start()
    try:
        assert first.wait(30) == 75
        after = capture.checkpoint()
        assert after["term"] == before["term"] + 1
        assert after["stream"] == before["stream"]
        capture.sql("UPDATE t SET b = 5 WHERE a = 1")
        capture.wait()
        assert capture.differences("t", "u") == []
    finally:
        second.kill()


@pytest.mark.contract("K2")
@pytest.mark.parametrize(
    "failure",
    [
        {"failCommands": ["commitTransaction"], "closeConnection": True},
        {"failCommands": ["commitTransaction"], "errorCode": 91, "errorLabels": ["UnknownTransactionCommitResult"]},
        {"failCommands": ["update", "bulkWrite"], "errorCode": 112, "errorLabels": ["TransientTransactionError"]},
        {"failCommands": ["update", "bulkWrite"], "closeConnection": True},
    ],
    ids=["commit answer lost", "commit unknown", "write conflict", "connection closed"],
)
def test_an_answer_is_lost(capture: Capture, failure: dict[str, Any]) -> None:
    """A batch whose outcome is unknown is in exactly once: each batch takes one `seq`."""
    process = capture.start()
    capture.wait()
    fail = {"configureFailPoint": "failCommand", "mode": {"times": 3}, "data": failure}
    capture.client.admin.command(fail)
    try:
        for number in range(10):
            capture.sql(f"UPDATE t SET b = {number} WHERE a = {number}")
        capture.wait()
    finally:
        capture.client.admin.command({"configureFailPoint": "failCommand", "mode": "off"})
    assert process.running
    assert capture.differences("t", "u") == []


STEPPED_DOWN = {"errorCode": 10107, "errorLabels": ["TransientTransactionError", "RetryableWriteError"]}
WRITES = {"failCommands": ["update", "delete"]}
COMMIT = {"failCommands": ["commitTransaction"]}
UNKNOWN = {"errorLabels": ["UnknownTransactionCommitResult"]}
PASSING: dict[str, tuple[dict[str, Any], int]] = {
    "stepped down": ({**WRITES, **STEPPED_DOWN}, 2),
    "stepped down in the commit": ({**COMMIT, "errorCode": 189, **UNKNOWN}, 2),
    "write concern": ({**COMMIT, "writeConcernError": {"code": 64, "errmsg": "waiting timed out"}}, 2),
    "disk full": ({**WRITES, "errorCode": 14031}, 2),
    "disk full in the commit": ({**COMMIT, "errorCode": 14031}, 2),
    "connections cut": (
        {"failCommands": ["update", "find", "commitTransaction", "abortTransaction"], "closeConnection": True}, 3,
    ),
    "credentials expired": ({**WRITES, "errorCode": 18}, 2),
    "roles gone": ({**WRITES, "errorCode": 13}, 2),
    "credentials to be renewed": ({"failCommands": ["find"], "errorCode": 391}, 2),
    "shutting down": ({**WRITES, "errorCode": 11600}, 2),
    "no such transaction": ({**WRITES, "errorCode": 251, "errorLabels": ["TransientTransactionError"]}, 2),
}  # fmt: skip


def test_mongodb_cannot_for_a_while(capture: Capture) -> None:
    """Whatever passes by itself is waited out, in the stream, while clearing and reading; no row is set aside for it."""
    capture.sql("CREATE TABLE v (a INT PRIMARY KEY, b INT)")
    process = capture.start()
    capture.wait()
    admin = capture.client.admin
    for number, (name, (failure, times)) in enumerate(PASSING.items()):
        capture.sql("INSERT INTO v SELECT a, b FROM t WHERE a < 100")
        capture.wait()
        data = {"appName": "isotherm-cdc", **failure}
        admin.command({"configureFailPoint": "failCommand", "mode": {"times": times}, "data": data})
        try:
            capture.sql(
                f"UPDATE t SET b = {number} WHERE a < 60",
                "TRUNCATE v",
                f"ALTER TABLE u ADD COLUMN c{number} INT DEFAULT 3",
            )
            capture.wait(90)
        finally:
            admin.command({"configureFailPoint": "failCommand", "mode": "off"})
        assert process.running, name
        assert capture.differences("t", "u", "v") == [], name
    assert capture.collection("_cdc_dead_letters").count_documents({}) == 0


def test_mongodb_is_away_for_long(capture: Capture) -> None:
    """The reader holds what fits its queue and no more, and ends equal when MongoDB is back; SIGTERM ends it meanwhile."""
    process = capture.start(CDC_MAX_QUEUE_BYTES="300000", CDC_MAX_BATCH_BYTES="100000")
    capture.wait()
    before = resident_bytes(process)
    capture.stack.servers.mongodb.kill()
    values = ", ".join(f"({number}, 0)" for number in range(10_000, 12_000))
    capture.sql(
        f"INSERT INTO t VALUES {values}", *(f"UPDATE t SET b = {number} WHERE a >= 10000" for number in range(3))
    )
    port = capture.stack.metrics_ports["cdc"]
    capture.stack.until(lambda: capture.stack.get("/status", port)["queued_bytes"] > 150_000, 60, "the queue to fill")
    for number in range(10):
        capture.sql(f"UPDATE u SET b = {number}")
    assert capture.stack.get("/status", port)["queued_bytes"] < 900_000
    assert resident_bytes(process) - before < 40 << 20
    capture.stack.servers.mongodb.start().wait_ready()
    capture.wait(120)
    assert process.running
    assert capture.differences("t", "u") == []


def resident_bytes(process: ManagedProcess) -> int:
    """Return how much memory a process has."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) << 10


def test_mysql_has_no_connection_left(capture: Capture) -> None:
    """The reader waits for one, in the snapshot and in the stream."""
    with contextlib.ExitStack() as others:
        limit = int(capture.scalar("SELECT @@GLOBAL.max_connections"))
        user, password = reader_user(capture)
        with contextlib.suppress(pymysql.err.OperationalError):
            for _ in range(limit):
                other = capture.stack.servers.mysql.connect(user=user, password=password)
                others.callback(other.close)
        process = capture.start(ready=False)
        capture.stack.until(lambda: "Too many connections" in process.tail(20), 30, "a refusal")
    capture.wait()
    assert process.running
    assert capture.differences("t", "u") == []


def reader_user(capture: Capture) -> tuple[str, str]:
    """Return the user and password of the reader."""
    environment = capture.stack.spec("cdc").environment or {}
    password = (
        environment.get("MYSQL_PASSWORD")
        or Path(environment["MYSQL_PASSWORD_FILE"]).read_text(encoding="utf-8").strip()
    )
    return environment["MYSQL_USER"], password


@contextlib.contextmanager
def own_user(capture: Capture, privileges: str, options: str = "") -> Iterator[dict[str, str]]:
    """A user of the test's own; yields the settings that make the reader use it."""
    name = f"u_{capture.stack.database}"[:32]
    capture.sql(f"CREATE USER {name} IDENTIFIED BY 'first' {options}", f"GRANT SELECT ON *.* TO {name}")
    if privileges:
        capture.sql(f"GRANT {privileges} ON *.* TO {name}")
    try:
        yield {"MYSQL_USER": name, "MYSQL_PASSWORD": "first", "MYSQL_PASSWORD_FILE": ""}
    finally:
        capture.sql(f"DROP USER {name}")


def test_a_privilege_is_missing(capture: Capture) -> None:
    """One sentence says which, and the process ends instead of trying for ever."""
    with own_user(capture, "") as settings:
        process = capture.start(ready=False, **settings)
        assert process.wait(30) == 64
        assert "REPLICATION SLAVE" in process.tail(1)
        assert "Traceback" not in process.tail(50)


def test_the_password_is_rotated(capture: Capture) -> None:
    """Refused for a moment it tries again; connections that it has stay."""
    with own_user(capture, "REPLICATION SLAVE, REPLICATION CLIENT") as settings:
        process = capture.start(**settings)
        capture.wait()
        capture.sql(f"ALTER USER {settings['MYSQL_USER']} IDENTIFIED BY 'second'")
        end_connections(capture, settings["MYSQL_USER"])
        capture.stack.until(lambda: "Access denied" in process.tail(20), 30, "a refusal")
        capture.sql("UPDATE t SET b = 5", f"ALTER USER {settings['MYSQL_USER']} IDENTIFIED BY 'first'")
        capture.wait()
        assert process.running
        assert capture.differences("t", "u") == []
        process.stop()


def end_connections(capture: Capture, user: str) -> None:
    """End every connection of a user."""
    with capture.connection.cursor() as cursor:
        cursor.execute(f"SELECT ID FROM performance_schema.processlist WHERE USER = '{user}'")
        for (number,) in cursor.fetchall():
            with contextlib.suppress(pymysql.err.Error):
                cursor.execute(f"KILL {number}")


def test_everything_is_encrypted_if_asked_for(capture: Capture, tmp_path: Path) -> None:
    """With MYSQL_SSL_CA the binary log comes over TLS too; a certificate of somebody else is refused."""
    authority = certificates(tmp_path)
    names = ("ssl_ca", "ssl_cert", "ssl_key")
    before = {name: capture.scalar(f"SELECT @@GLOBAL.{name}") for name in names}
    files = {"ssl_ca": authority, "ssl_cert": tmp_path / "server.pem", "ssl_key": tmp_path / "server.key"}
    try:
        capture.sql(*(f"SET GLOBAL {name} = '{files[name]}'" for name in names), "ALTER INSTANCE RELOAD TLS")
        with own_user(capture, "REPLICATION SLAVE, REPLICATION CLIENT", "REQUIRE SSL") as settings:
            settings["MYSQL_SSL_CA"] = str(authority)
            process = capture.start(**settings)
            capture.wait()
            capture.sql("UPDATE t SET b = 5")
            capture.wait()
            cipher = capture.scalar(
                "SELECT VARIABLE_VALUE FROM performance_schema.status_by_thread JOIN performance_schema.threads USING "
                f"(THREAD_ID) WHERE VARIABLE_NAME = 'Ssl_cipher' AND PROCESSLIST_USER = '{settings['MYSQL_USER']}' AND "
                "PROCESSLIST_COMMAND LIKE 'Binlog Dump%'"
            )
            assert cipher
            assert capture.differences("t", "u") == []
            process.stop()
            (tmp_path / "other").mkdir()
            settings["MYSQL_SSL_CA"] = str(certificates(tmp_path / "other"))
            process = capture.start(ready=False, **settings)
            fetcher = ManagedProcess(capture.stack.spec("fetcher", settings)).start()
            for one in (process, fetcher):
                assert one.wait(30) == 64
                assert "MySQL's certificate is not accepted" in one.tail(1)
                assert "MYSQL_SSL_CA" in one.tail(1)
                assert "Traceback" not in one.tail(50)
    finally:
        capture.sql(*(f"SET GLOBAL {name} = '{value}'" for name, value in before.items()), "ALTER INSTANCE RELOAD TLS")


def certificates(folder: Path) -> Path:
    """Write a server's certificate and key for 127.0.0.1; return the certificate of their authority."""
    now = dt.datetime.now(dt.UTC)

    def make(
        name: str, issuer: str, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey, *, ca: bool
    ) -> bytes:
        subject, by = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in (name, issuer))
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(by).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(days=1))
        builder = builder.not_valid_after(now + dt.timedelta(days=1))
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        builder = builder.add_extension(identifier, critical=False)
        if ca:
            usage = x509.KeyUsage(
                digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
                key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
            )  # fmt: skip
            builder = builder.add_extension(usage, critical=True)
        else:
            names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    authority_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = folder / "ca.pem"
    authority.write_bytes(make("authority", "authority", authority_key, authority_key, ca=True))
    (folder / "server.pem").write_bytes(make("server", "authority", server_key, authority_key, ca=False))
    form = serialization.PrivateFormat.TraditionalOpenSSL
    key = server_key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    (folder / "server.key").write_bytes(key)
    return authority


def test_too_many_rows_fail(capture: Capture) -> None:
    """Past the rate the reader stops before it writes them; with a higher one they all become dead letters."""
    capture.sql("CREATE TABLE j (a INT PRIMARY KEY, d JSON)")
    process = capture.start(CDC_EVENT_FAILURE_LIMIT="5")
    capture.wait()
    before = capture.checkpoint()["seq"]
    bad = ", ".join(f"""({number}, '{{"x\\\\u0000y": 1}}')""" for number in range(6))
    capture.sql("BEGIN", f"INSERT INTO j VALUES {bad}", "INSERT INTO j VALUES (100, '[]')", "COMMIT")
    assert process.wait(30) == 70
    assert "_cdc_dead_letters" in process.tail(5)
    assert "CDC_EVENT_FAILURE_LIMIT" in process.tail(5)
    assert capture.collection("_cdc_dead_letters").count_documents({}) == 0
    assert capture.checkpoint()["seq"] >= before
    process = capture.start(CDC_EVENT_FAILURE_LIMIT="6")
    capture.wait()
    assert process.running
    assert capture.collection("_cdc_dead_letters").count_documents({}) == 6
    assert [document["_id"] for document in capture.collection("j").find()] == [100]
