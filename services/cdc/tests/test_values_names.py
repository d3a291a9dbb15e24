"""Names that MySQL allows and documents do not."""

from __future__ import annotations

import re

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isotherm_cdc.values.columns import Column, Kind, Table
from isotherm_cdc.values.documents import encode_elements, encode_key
from isotherm_cdc.values.names import differing_only_in_case, field_name, refusal


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("_id", "__id"),
        ("__id", "___id"),
        ("_cdc", "__cdc"),
        ("$price", "_$price"),
        ("_$price", "__$price"),
        ("$", "_$"),
        ("id", "id"),
        ("_ID", "_ID"),
        ("a.b", "a.b"),
        ("a$", "a$"),
        ("_id2", "_id2"),
        ("é 😀", "é 😀"),
    ],
)
@pytest.mark.contract("D3")
def test_reserved_names_are_moved_away(column: str, field: str) -> None:
    """A document's own names and those that MongoDB does not replace get an underscore; others stay."""
    assert field_name(column) == field


@given(st.sets(st.text("_$idcx.", min_size=1, max_size=7), max_size=30))
def test_no_two_columns_become_one_field(columns: set[str]) -> None:
    """The rule keeps names apart and makes none that a document has already."""
    fields = {field_name(column) for column in columns}
    assert len(fields) == len(columns)
    assert not any(re.match(r"_id$|_cdc$|\$", field) for field in fields)


@pytest.mark.contract("D2", "D3")
def test_documents_have_the_moved_names() -> None:
    """Also in an `_id` of several columns."""
    table = Table("s", "t", (Column("_id", Kind.INTEGER, 4), Column("$k", Kind.INTEGER, 4)), (1, 0))
    key = encode_key(table, [2, 1])
    elements = encode_elements(key, table.fields, [1, 2])
    body = (len(elements) + 5).to_bytes(4, "little") + elements + b"\0"
    assert bson.decode(body) == {"_id": {"_$k": 2, "__id": 1}, "__id": 1, "_$k": 2}


@pytest.mark.parametrize(
    ("schema", "table"),
    [
        ("a.b", "t"), ("a b", "t"), ("a$", "t"), ("admin", "t"), ("s" * 64, "t"), ("s", "a$b"), ("s", "system.x"),
        ("s", "_cdc_checkpoints"), ("s", "a."), ("s" * 50, "é" * 64 + "€" * 50),
    ],
)  # fmt: skip
def test_tables_without_a_possible_collection_are_refused(schema: str, table: str) -> None:
    """One sentence names the table and the reason."""
    message = refusal(schema, table)
    assert message is not None
    assert f"{schema}.{table}" in message
    assert message.endswith("rename it, or exclude it.")


@pytest.mark.parametrize(
    ("schema", "table"), [("s", "t"), ("my-db", "été"), ("s", "a.b"), ("s", "_t_gho"), ("S", "T 1")]
)
def test_other_tables_are_not(schema: str, table: str) -> None:
    """Whatever MongoDB takes is captured."""
    assert refusal(schema, table) is None


def test_databases_that_differ_only_in_case_are_refused_together() -> None:
    """MongoDB has one of them; letters beyond ASCII it tells apart."""
    (message,) = differing_only_in_case(["shop", "Shop", "été", "Été", "other", "SHOP", "shop"])
    assert message.startswith("MongoDB cannot have the databases SHOP, Shop and shop, whose names differ only in case:")
    assert differing_only_in_case(["shop", "shop2", "shop"]) == []
