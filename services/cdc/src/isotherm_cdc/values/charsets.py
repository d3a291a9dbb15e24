"""Text in MySQL's character sets.

MySQL's names are not Python's, several of its sets are unknown to Python, and others differ in some characters. What
differs stands in charsets.json, which `ci/cdc/charsets.py` writes from what a server answers.

A few characters of a few Japanese sets and of armscii8 are written in two ways. The text is the same; in a key, where
rows must be told apart, the less usual way stays bytes (`as_key`).

Bytes that are no text of their column's set (old data, half a surrogate pair in ucs2, bytes without a meaning) are kept
as they are: as BSON binary data of the user-defined subtype, which no other value has.
"""

from __future__ import annotations

import codecs
import functools
import itertools
import json
import re
from importlib import resources
from typing import TYPE_CHECKING, Any

from bson.binary import USER_DEFINED_SUBTYPE, Binary

from isotherm_cdc.errors import UnsupportedEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Text = str | Binary

_CODECS = {
    "euckr": "cp949",
    "gb2312": "gb2312",
    "gbk": "gbk",
    "ucs2": "utf_16_be",
    "utf16": "utf_16_be",
    "utf16le": "utf_16_le",
    "utf32": "utf_32_be",
    "utf8": "utf_8",
    "utf8mb3": "utf_8",
    "utf8mb4": "utf_8",
}
_PATCHED = {
    "big5": ("big5", re.compile(rb"[\x00-\x7f]|[\x80-\xff].", re.DOTALL)),
    "cp932": ("cp932", re.compile(rb"[\x00-\x80\xa0-\xdf\xfd-\xff]|[\x81-\x9f\xe0-\xfc].", re.DOTALL)),
    "eucjpms": ("euc_jp", re.compile(rb"[\x00-\x7f]|\x8f..|[\x80-\x8e\x90-\xff].", re.DOTALL)),
    "gb18030": ("gb18030", re.compile(rb"[\x00-\x80\xff]|[\x81-\xfe][\x30-\x39]..|[\x81-\xfe][^\x30-\x39]", re.DOTALL)),
    "sjis": ("shift_jis", re.compile(rb"[\x00-\x80\xa0-\xdf\xfd-\xff]|[\x81-\x9f\xe0-\xfc].", re.DOTALL)),
    "ujis": ("euc_jp", re.compile(rb"[\x00-\x7f]|\x8f..|[\x80-\x8e\x90-\xff].", re.DOTALL)),
}
"""Python's codec, and how the bytes fall into characters."""
_BYTES, _FIRST_OF_SEVERAL, _THREE_BYTES = 256, 0x80, 0x8F


@functools.cache
def decoder(charset: str) -> Callable[[bytes], Text]:
    """Return the function that turns bytes in MySQL's `charset` into text, or into `Binary` when they are none.

    Raises:
        UnsupportedEvent: the character set is not known here.
    """
    if charset in _CODECS:
        return _by_codec(_CODECS[charset])
    if charset in _PATCHED:
        return _by_character(charset)
    table = _tables()["single"].get(charset)
    if table is None:
        message = f"Character set {charset!r} is not supported: convert the column to utf8mb4 or exclude its table."
        raise UnsupportedEvent(message)
    return _by_table(table, _duplicates(charset))


class Ambiguous(str):
    """Text that other bytes of its character set could mean too.

    Attributes:
        data: the bytes.
    """

    __slots__ = ("data",)
    data: bytes


def as_key(text: Text) -> Text:
    """Return what stands for text in a key, where nothing else may be the same."""
    return no_text(text.data) if isinstance(text, Ambiguous) else text


def label(data: bytes, charset: str) -> str:
    """Return a label of an ENUM or SET; bytes that are no text are written in hexadecimal digits."""
    text = decoder("utf8mb4" if charset == "binary" else charset)(data)
    return text if isinstance(text, str) else f"x'{data.hex()}'"


def encoded(text: str, charset: str) -> bytes | None:
    """Return the bytes in MySQL's `charset` that are read as a text and written in the usual way; None: there are none.

    MySQL's own conversion would not do: it writes some characters in the less usual way (sjis has the backslash twice).
    """
    decode = decoder(charset)
    try:
        data = text.encode(_CODECS[charset]) if charset in _CODECS else b"".join(map(_sequence_of(charset), text))
    except (UnicodeEncodeError, KeyError):
        return None
    again = decode(data)
    return data if again == text and not isinstance(again, Ambiguous) else None


def no_text(data: bytes) -> Binary:
    """Return what stands for bytes that are no text."""
    return Binary(data, USER_DEFINED_SUBTYPE)


@functools.cache
def _tables() -> dict[str, dict[str, Any]]:
    loaded: dict[str, dict[str, Any]] = json.loads((resources.files(__package__) / "charsets.json").read_text("ascii"))
    return loaded


def _by_codec(name: str) -> Callable[[bytes], Text]:
    decode = codecs.lookup(name).decode

    def decode_text(data: bytes) -> Text:
        try:
            return decode(data, "strict")[0]
        except UnicodeDecodeError:
            return no_text(data)

    return decode_text


def _by_table(table: str, duplicates: frozenset[bytes]) -> Callable[[bytes], Text]:
    unusual = bytes(sorted(sequence[0] for sequence in duplicates))

    def decode_text(data: bytes) -> Text:
        try:
            text = codecs.charmap_decode(data, "strict", table)[0]
        except UnicodeDecodeError:
            return no_text(data)
        return _ambiguous(text, data) if unusual and len(data.translate(None, unusual)) < len(data) else text

    return decode_text


def _ambiguous(text: str, data: bytes) -> Ambiguous:
    marked = Ambiguous(text)
    marked.data = data
    return marked


@functools.cache
def _duplicates(charset: str) -> frozenset[bytes]:
    return frozenset(map(bytes.fromhex, _tables()["duplicates"].get(charset, ())))


@functools.cache
def _differences(charset: str) -> dict[bytes, str]:
    """Return the characters of a set that Python's codec knows otherwise; "" for what has no meaning."""
    found: dict[bytes, str] = {}
    for first, characters in _tables()["several"][charset]:
        sequence = bytes.fromhex(first)
        for number, character in enumerate(characters or [""]):
            found[sequence[:-1] + bytes([sequence[-1] + number])] = character
    return found


@functools.cache
def _sequence_of(charset: str) -> Callable[[str], bytes]:
    """Return the function that writes a character of a set without a codec of its own."""
    if charset in _PATCHED and not _duplicates(charset):
        name, _ = _PATCHED[charset]
        differing = {character: data for data, character in _differences(charset).items()}
        return lambda character: differing.get(character) or character.encode(name)
    decode = decoder(charset)
    known: dict[str, bytes] = {}
    for data in _sequences(charset):
        text = decode(data)
        if isinstance(text, str) and not isinstance(text, Ambiguous):
            known[text] = data
    return known.__getitem__


def _sequences(charset: str) -> Iterator[bytes]:
    """Yield what may be a character of a set that has one byte for each, or some characters twice."""
    yield from (bytes([byte]) for byte in range(_BYTES))
    if charset in _PATCHED:
        several = range(_FIRST_OF_SEVERAL, _BYTES)
        yield from (bytes(pair) for pair in itertools.product(several, range(_BYTES)))
        if _PATCHED[charset][0] == "euc_jp":
            yield from (bytes([_THREE_BYTES, *pair]) for pair in itertools.product(several, several))


def _by_character(charset: str) -> Callable[[bytes], Text]:
    name, characters = _PATCHED[charset]
    decode = codecs.lookup(name).decode
    known: dict[bytes, str] = dict(_differences(charset))
    duplicates = _duplicates(charset)

    def meaning(sequence: bytes) -> str:
        text = known.get(sequence)
        if text is None:
            text = known[sequence] = decode(sequence, "strict")[0]
        if len(text) != 1:
            raise ValueError
        return text

    def decode_text(data: bytes) -> Text:
        if data.isascii():
            return data.decode("ascii")
        sequences = characters.findall(data)
        try:
            text = "".join(map(meaning, sequences))
        except ValueError:
            return no_text(data)
        if sum(map(len, sequences)) != len(data):
            return no_text(data)
        return text if duplicates.isdisjoint(sequences) else _ambiguous(text, data)

    return decode_text
