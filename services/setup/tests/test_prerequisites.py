from __future__ import annotations

from isotherm_setup.prerequisites import VARIABLES, described, problems

GOOD = {
    "version": "9.7.4",
    "version_comment": "MySQL Community Server - GPL",
    "log_bin": "ON",
    "binlog_format": "ROW",
    "binlog_row_image": "FULL",
    "binlog_row_metadata": "FULL",
    "binlog_row_value_options": "",
    "gtid_mode": "ON",
    "partial_revokes": "OFF",
}


def test_a_fitting_server_has_no_problems() -> None:
    """Every variable that is looked at is also read."""
    assert problems(GOOD) == []
    assert set(GOOD) == set(VARIABLES)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    """One sentence each, with what to do."""
    wrong = {
        "version": "5.7.44-log",
        "log_bin": "OFF",
        "binlog_format": "MIXED",
        "binlog_row_image": "MINIMAL",
        "binlog_row_metadata": "MINIMAL",
        "binlog_row_value_options": "PARTIAL_JSON",
        "gtid_mode": "OFF_PERMISSIVE",
    }
    found = problems(GOOD | wrong)
    assert len(found) == 7
    assert found[0] == "The server is MySQL 5.7.44-log: 8.0 or newer is needed."
    assert found[1] == "log_bin is OFF: there is no binary log to read changes from; start the server with --log-bin."


def test_mariadb_is_refused_with_one_sentence() -> None:
    """Its other settings would only confuse."""
    assert len(problems({"version": "11.4.2-MariaDB", "version_comment": "mariadb.org binary distribution"})) == 1
    assert "MariaDB" in problems({"version": "8.0.0", "version_comment": "MariaDB Server"})[0]


def test_a_variable_that_newer_servers_dropped_is_no_problem() -> None:
    """Without binlog_format the format is ROW always; without gtid_mode there are no GTIDs."""
    assert problems({name: value for name, value in GOOD.items() if name != "binlog_format"}) == []
    assert len(problems({name: value for name, value in GOOD.items() if name != "gtid_mode"})) == 1


def test_the_prerequisites_are_described_for_people() -> None:
    """The printed script begins with them."""
    assert "gtid_mode=ON" in described()
    assert "binlog_row_value_options=''" in described()
