"""The exporter of MySQL, as the user that the setup makes for it, says what the dashboard asks for, and sees no row."""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pymysql
import pytest
import yaml

from isotherm_local import ports
from isotherm_local.ports import HOST
from isotherm_local.process import ManagedProcess, ProcessSpec
from isotherm_setup import users

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isotherm_local.harness import Mysql

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts/isotherm"
DASHBOARD = CHART / "dashboards/isotherm-databases.json"


@pytest.fixture
def monitor(mysql: Mysql) -> Iterator[dict[str, str]]:
    """A user as the migrate Job makes it."""
    user, password = users.monitor(f"monitor_{secrets.token_hex(3)}"), secrets.token_hex(8)
    statements = [*users.password_statements(user, password), *users.grant_statements(user)]
    with contextlib.closing(mysql.connect()) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        yield {"user": user.name, "password": password}
        cursor.execute(f"DROP USER {user.account}")


def arguments_of_the_chart() -> list[str]:
    """Return what the chart tells the exporter to collect."""
    text = (CHART / "templates/mysql.yaml").read_text(encoding="utf-8")
    return re.findall(r'"(--(?:no-)?collect[^"]*)"', text)


def asked_for(prefix: str) -> set[str]:
    """Return the metrics of one exporter that the dashboard asks for."""
    return set(re.findall(rf"\b{prefix}_\w+(?=\{{)", json.dumps(json.loads(DASHBOARD.read_text(encoding="utf-8")))))


def test_the_exporter_says_what_the_dashboard_asks_for(
    mysqld_exporter: str, mysql: Mysql, monitor: dict[str, str], tmp_path: Path
) -> None:
    """With nothing more than the privileges that its user has."""
    options = tmp_path / "monitor.cnf"
    port = ports.free()
    options.write_text(
        f"[client]\nhost=127.0.0.1\nport={mysql.server.port}\nuser={monitor['user']}\npassword={monitor['password']}\n"
    )
    command = [mysqld_exporter, f"--config.my-cnf={options}", f"--web.listen-address={HOST}:{port}"]

    def metrics() -> str:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/metrics", timeout=10) as answer:
                return str(answer.read().decode())
        except OSError:
            return ""

    spec = ProcessSpec("exporter", [*command, *arguments_of_the_chart()], tmp_path, ready=lambda: metrics() != "")
    exporter = ManagedProcess(spec).start()
    try:
        exporter.wait_ready(30)
        found = metrics()
    finally:
        exporter.stop()
    assert len(arguments_of_the_chart()) == 4
    assert "\nmysql_up 1\n" in found
    assert not re.search(r"mysql_exporter_collector_success\{[^}]*\} 0", found)
    assert {name for name in asked_for("mysql") if f"\n{name}" not in found} == set()


def test_the_exporters_user_sees_no_row(mysql: Mysql, monitor: dict[str, str]) -> None:
    """Counters, and nothing that anybody has stored, done or may do."""
    with contextlib.closing(pymysql.connect(**{**mysql.parameters(), **monitor})) as connection:
        cursor = connection.cursor()
        cursor.execute("SHOW BINARY LOGS")
        cursor.execute("SHOW DATABASES")
        assert {name for (name,) in cursor.fetchall()} <= {"information_schema", "performance_schema"}
        for statement in ("SELECT * FROM mysql.user", "SELECT * FROM performance_schema.events_statements_history"):
            with pytest.raises(pymysql.MySQLError, match="denied"):
                cursor.execute(statement)


def test_the_exporters_are_off_unless_asked_for() -> None:
    """They cost a container each."""
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    assert [values[name]["exporter"]["enabled"] for name in ("mysql", "mongodb")] == [False, False]
