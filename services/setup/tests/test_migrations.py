from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isotherm_setup.errors import MigrationError
from isotherm_setup.migrations import Applied, Migration, pending, read, restartable, split


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("", []),
        (" ;; \n;", []),
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT 1; SELECT 2;", ["SELECT 1", "SELECT 2"]),
        ("SELECT ';'; SELECT 2", ["SELECT ';'", "SELECT 2"]),
        ("SELECT 'it''s;', 'a\\';b'; SELECT 2", ["SELECT 'it''s;', 'a\\';b'", "SELECT 2"]),
        ('SELECT ";"; SELECT `a;b`', ['SELECT ";"', "SELECT `a;b`"]),
        ("-- one; two\nSELECT 1; # three;\nSELECT 2 /* four;\nfive */;", ["SELECT 1", "SELECT 2"]),
        ("SELECT 5--3; SELECT 1/2", ["SELECT 5--3", "SELECT 1/2"]),
        ("SELECT '-- no comment'; SELECT '/*'", ["SELECT '-- no comment'", "SELECT '/*'"]),
        ("SELECT 1 --", ["SELECT 1"]),
    ],
)
def test_statements_end_at_semicolons_outside_of_quotes_and_comments(text: str, statements: list[str]) -> None:
    """What a quote holds belongs to its statement; what a comment holds belongs to none."""
    assert split(text) == statements


@pytest.mark.parametrize("text", ["SELECT 'a;", 'SELECT "a', "SELECT `a", "SELECT 1 /* a;"])
def test_an_open_quote_or_comment_is_an_error(text: str) -> None:
    """Half a statement must not be run."""
    with pytest.raises(MigrationError, match="without its end"):
        split(text)


@given(st.lists(st.text(), max_size=5))
def test_quoted_text_never_splits(texts: list[str]) -> None:
    """Whatever a string holds, the statements come back as they were."""
    statements = ["SELECT '" + text.replace("\\", "\\\\").replace("'", "''") + "'" for text in texts]
    assert split(";".join(statements)) == statements


@pytest.mark.parametrize(
    ("statement", "fits"),
    [
        ("CREATE TABLE IF NOT EXISTS a (b INT, c INT)", True),
        ("create table\n if not exists a (b INT)", True),
        ("DROP TABLE IF EXISTS a", True),
        ("ALTER TABLE a ADD COLUMN b INT", True),
        ("ALTER TABLE a ADD KEY k (b, c)", True),
        ("ALTER TABLE a ADD COLUMN b DECIMAL(3,1) DEFAULT (IF(1, 2, 3)) COMMENT 'x, y'", True),
        ("INSERT IGNORE INTO a VALUES (1), (2)", True),
        ("UPDATE a SET b = 1", True),
        ("CREATE TABLE a (b INT)", False),
        ("DROP TABLE a", False),
        ("ALTER TABLE a ADD COLUMN b INT, ADD COLUMN c INT", False),
        ("INSERT INTO a VALUES (1)", False),
        ("UPDATES a", False),
    ],
)
def test_a_statement_must_be_one_that_can_run_twice(statement: str, fits: bool) -> None:
    """DDL is not transactional: whatever was interrupted runs again."""
    assert restartable(statement) is fits


@pytest.mark.contract("S1")
def test_the_packages_own_migrations_are_sound() -> None:
    """They are numbered from 1, can run twice, and number 1 is what the services of this release need."""
    steps = read()
    assert [step.version for step in steps] == list(range(1, len(steps) + 1))
    assert all(len(step.checksum) == 64 for step in steps)
    assert len(steps[0].statements) == 5


def test_no_migration_cascades_deletes() -> None:
    """A cascaded delete would be missing from the binary log."""
    assert not [one for step in read() for one in step.statements if "CASCADE" in one.upper()]


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"1_a.sql": ""}, "no name of a migration"),
        ({"0001_A.sql": ""}, "no name of a migration"),
        ({"0002_a.sql": ""}, "without gaps"),
        ({"0001_a.sql": "", "0003_b.sql": ""}, "without gaps"),
        ({"0001_a.sql": "", "0001_b.sql": ""}, "without gaps"),
        ({"0001_a.sql": "DROP TABLE a"}, "cannot run twice"),
    ],
)
def test_unsound_migrations_are_refused(files: dict[str, str], sentence: str) -> None:
    """A gap, a double number, a strange name or a statement that is not restartable stops everything."""
    with pytest.raises(MigrationError, match=sentence):
        read(files)


STEPS = [Migration(number, f"step_{number}", f"UPDATE a SET b = {number}") for number in (1, 2, 3)]
ROWS = [Applied(step.version, step.name, step.checksum) for step in STEPS]


@pytest.mark.parametrize("done", [0, 1, 2, 3])
def test_what_is_applied_is_not_applied_again(done: int) -> None:
    """The rest follows in order, whatever order the rows come in."""
    assert pending(STEPS, reversed(ROWS[:done])) == STEPS[done:]


def test_a_newer_schema_is_left_alone() -> None:
    """An older release that runs again during an upgrade has nothing to do."""
    assert pending(STEPS[:2], ROWS) == []


def test_a_changed_migration_is_a_loud_error() -> None:
    """The database no longer is what the file says."""
    changed = [STEPS[0], Migration(2, "step_2", "UPDATE a SET b = 20"), STEPS[2]]
    with pytest.raises(MigrationError, match=r"Migration 2 .* must never be changed"):
        pending(changed, ROWS[:2])


def test_a_gap_in_what_was_applied_is_a_loud_error() -> None:
    """Somebody has been at the table by hand."""
    with pytest.raises(MigrationError, match=r"without gaps, not \[1, 3\]"):
        pending(STEPS, [ROWS[0], ROWS[2]])
