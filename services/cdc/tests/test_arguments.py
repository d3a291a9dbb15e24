"""The command line takes only what the reader can act on; the rest is one sentence and exit code 64."""

from __future__ import annotations

import pytest

from isotherm_cdc.admin.arguments import parser


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["requeue", "--table", ""], "argument --table: must not be empty"),
        (["requeue", "--id", ""], "argument --id: must not be empty"),
        (["snapshot", ""], "argument table: must not be empty"),
        (["verify", ""], "argument table: must not be empty"),
        (["snapshot", "s.\udcff"], "argument table: must be UTF-8, not 's.\\udcff'"),
        (["requeue", "--id", "\udcff"], "argument --id: must be UTF-8, not '\\udcff'"),
        (["snapshot", "s.t", "--where", "a = '\udcff'"], "argument --where: must be UTF-8, not \"a = '\\udcff'\""),
        (["verify", "--limit", "9" * 5000], "argument --limit: must have at most 9 digits"),
        (["verify", "--limit", "0"], "argument --limit: must be a whole number of at least 1, not '0'"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty name must not stand for all tables, and bytes that are no text cannot be sent to MongoDB."""
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(arguments)
    assert ended.value.code == 64
    assert sentence in capsys.readouterr().err.splitlines()[-1]


def test_names_of_any_script_are_taken() -> None:
    """What MySQL takes for a name arrives as it is."""
    assert parser().parse_args(["verify", "s.ü x", "s.😀"]).table == ["s.ü x", "s.😀"]
    assert parser().parse_args(["verify"]).table == []
    assert parser().parse_args(["snapshot", "s.t", "--where", ""]).where == ""
