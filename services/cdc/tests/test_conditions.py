"""Conditions of ad hoc snapshots: nothing reaches beyond the parentheses that they are put into."""

from __future__ import annotations

import pytest

from isotherm_cdc.snapshot.conditions import problem_of


@pytest.mark.parametrize(
    "where",
    [
        "id > 5", "name = 'it''s (ok'", "a IN (1, (2))", "`odd)name` = 1", 'x = "-- no comment"', "a = 'b\\') #'", "a - -1 > 2",
        "d >= '2026-01-01' AND (s = ';' OR s IS NULL)", "a--1 = 2",
    ],
)  # fmt: skip
def test_conditions_that_stay_within(where: str) -> None:
    """Quotes, quoted parentheses and nested ones are what they are to MySQL."""
    assert problem_of(where) is None


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        ("1) OR (1", "closes a parenthesis"),
        ("(a = 1", "does not close every parenthesis"),
        ("a = 1; DELETE FROM t", "semicolon"),
        ("a = 1 -- the rest", "comment"),
        ("a = 1 # the rest", "comment"),
        ("a = /* 1", "comment"),
        ("a = 'open", "does not close a quote"),
        ("a = `open", "does not close a quote"),
        ("a = 'x\\'", "does not close a quote"),
        ("  ", "empty"),
    ],
)
def test_conditions_that_would_reach_further(where: str, sentence: str) -> None:
    """They are refused with what is wrong."""
    problem = problem_of(where)
    assert problem is not None
    assert sentence in problem
