from __future__ import annotations

from isotherm_common.settings import load
from isotherm_setup.migrations import read, split
from isotherm_setup.script import render
from isotherm_setup.settings import SchemaSettings

SETTINGS = load(SchemaSettings, {"MIGRATE_CDC_PASSWORD": "a'b;c\\"})


def test_the_script_makes_tables_before_it_grants_on_them() -> None:
    """Database, schema_version, migrations with their rows, users with their grants, in this order."""
    statements = split(render(SETTINGS, read()))
    beginnings = [" ".join(statement.split()[:3]) for statement in statements]
    order = [
        beginnings.index("CREATE DATABASE IF"),
        beginnings.index("USE `weather`"),
        beginnings.index("CREATE TABLE IF"),
        beginnings.index("INSERT IGNORE INTO"),
        beginnings.index("CREATE USER IF"),
        beginnings.index("GRANT SELECT, INSERT,"),
    ]
    assert order == sorted(order)
    assert sum("`schema_version`" in statement and "INSERT" in statement for statement in statements) == len(read())


def test_given_passwords_are_quoted_and_others_are_placeholders() -> None:
    """The script says which to replace."""
    text = render(SETTINGS, read())
    assert r"BY 'a''b;c\\'" in text
    assert "BY '<password of isotherm_fetcher>'" in text
    assert text.count("Replace the placeholder") == 2
