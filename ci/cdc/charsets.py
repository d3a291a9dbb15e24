#!/usr/bin/env python3
"""Ask a MySQL server what the bytes of its character sets mean, and write what Python's codecs do not know.

    ci/cdc/charsets.py HOST PORT USER [PASSWORD]

For sets of one byte a character the whole table is written; of the others only what differs from Python's codec.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pymysql

if TYPE_CHECKING:
    from collections.abc import Iterable

TARGET = Path(__file__).parents[2] / "services/cdc/src/isotherm_cdc/values/charsets.json"
CODECS = {
    "big5": "big5",
    "cp932": "cp932",
    "eucjpms": "euc_jp",
    "gb18030": "gb18030",
    "sjis": "shift_jis",
    "ujis": "euc_jp",
}
UNMAPPED, REPLACEMENT = "\ufffe", "\ufffd"
AT_ONCE, LARGEST_BYTE = 4000, 0xFF


def meanings(cursor: Any, charset: str, sequences: Iterable[bytes]) -> dict[bytes, str | None]:
    """Return what MySQL converts each sequence to; None when it has no meaning."""
    result: dict[bytes, str | None] = {}
    everything = list(sequences)
    for start in range(0, len(everything), AT_ONCE):
        rows = ", ".join(f"ROW(X'{sequence.hex()}')" for sequence in everything[start : start + AT_ONCE])
        cursor.execute(  # the character set is one of the server's own
            f"SELECT HEX(given.column_0), HEX(CONVERT(CAST(given.column_0 AS CHAR CHARACTER SET {charset}) "  # noqa: S608
            f"USING utf8mb4)) FROM (VALUES {rows}) AS given"
        )
        for given, converted in cursor.fetchall():
            sequence = bytes.fromhex(given)
            text = bytes.fromhex(converted or "").decode()
            unknown = (
                not text or (text != "?" and "?" in text) or (text == "?" and sequence != b"?") or REPLACEMENT in text
            )
            result[sequence] = None if unknown else text
    return result


def candidates(charset: str) -> Iterable[bytes]:
    """Yield every sequence that could be one character."""
    yield from (bytes([first]) for first in range(256))
    yield from (bytes([first, second]) for first in range(128, 256) for second in range(256))
    if charset in ("eucjpms", "ujis"):
        yield from (bytes([0x8F, second, third]) for second in range(128, 256) for third in range(128, 256))
    if charset == "gb18030":
        yield from (
            bytes([a, b, c, d])
            for a in range(0x81, 0xFF)
            for b in range(0x30, 0x3A)
            for c in range(0x81, 0xFF)
            for d in range(0x30, 0x3A)
        )


def decoded(codec: str, sequence: bytes) -> str | None:
    """Return what Python's codec makes of a sequence."""
    try:
        return sequence.decode(codec)
    except UnicodeDecodeError:
        return None


def duplicates(cursor: Any, charset: str, found: dict[bytes, str | None]) -> list[str]:
    """Return the sequences with the meaning of another one: of ASCII, or else of the one that MySQL writes for it."""
    known = sorted((sequence, text) for sequence, text in found.items() if text is not None and len(text) == 1)
    result: list[str] = []
    for start in range(0, len(known), AT_ONCE):
        some = known[start : start + AT_ONCE]
        rows = ", ".join(f"ROW(CONVERT(X'{text.encode().hex()}' USING utf8mb4))" for _, text in some)
        cursor.execute(f"SELECT HEX(CONVERT(given.column_0 USING {charset})) FROM (VALUES {rows}) AS given")  # noqa: S608
        written = [bytes.fromhex(digits) for (digits,) in cursor.fetchall()]
        for (sequence, text), back in zip(some, written, strict=True):
            usual = text.encode() if text.isascii() and found.get(text.encode()) == text else back
            if sequence != usual:
                result.append(sequence.hex())
    return result


def differences(charset: str, meant: dict[bytes, str | None]) -> dict[bytes, str]:
    """Return the characters that Python's codec knows otherwise or not at all, or that only it knows."""
    found: dict[bytes, str] = {}
    for sequence, text in meant.items():
        known = decoded(CODECS[charset], sequence)
        if text != known and len(text or known or "") == 1 and known != REPLACEMENT:
            found[sequence] = text or ""
    return found


def runs(table: dict[bytes, str]) -> list[list[str]]:
    """Write consecutive sequences as the first of them and the characters of all; "" where one has no meaning."""
    result: list[list[str]] = []
    following = b""
    for sequence, text in sorted(table.items(), key=lambda item: (len(item[0]), item[0])):
        if sequence == following and text and result[-1][1]:
            result[-1][1] += text
        else:
            result.append([sequence.hex(), text])
        following = sequence[:-1] + bytes([sequence[-1] + 1]) if sequence[-1] < LARGEST_BYTE else b""
    return result


def main(host: str, port: str, user: str, password: str = "") -> None:
    """Write the tables."""
    with pymysql.connect(host=host, port=int(port), user=user, password=password) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT CHARACTER_SET_NAME FROM information_schema.CHARACTER_SETS WHERE MAXLEN = 1 ORDER BY 1")
        names = [name for (name,) in cursor.fetchall() if name != "binary"]
        meant = {name: meanings(cursor, name, (bytes([byte]) for byte in range(256))) for name in names}
        single = {name: "".join(text or UNMAPPED for text in meant[name].values()) for name in names}
        meant |= {name: meanings(cursor, name, candidates(name)) for name in CODECS}
        several = {name: runs(differences(name, meant[name])) for name in CODECS}
        twice = {name: found for name in meant if (found := duplicates(cursor, name, meant[name]))}
    tables = {"single": single, "several": several, "duplicates": twice}
    TARGET.write_text(json.dumps(tables, indent=1) + "\n", encoding="ascii")


if __name__ == "__main__":
    main(*sys.argv[1:])
