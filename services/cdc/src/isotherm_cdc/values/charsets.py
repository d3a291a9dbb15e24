"""Text in MySQL's character sets.

MySQL's names are not Python's, and some sets differ: its latin1 is Windows-1252 with the five unassigned bytes mapped to
the control characters of the same number, and its ucs2 and utf16 are big-endian.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from isotherm_cdc.errors import DataError, UnsupportedEvent

if TYPE_CHECKING:
    from collections.abc import Callable

_CODECS = {
    "ascii": "ascii",
    "big5": "big5",
    "cp1250": "cp1250",
    "cp1251": "cp1251",
    "cp1256": "cp1256",
    "cp1257": "cp1257",
    "cp850": "cp850",
    "cp852": "cp852",
    "cp866": "cp866",
    "cp932": "cp932",
    "eucjpms": "euc_jp",
    "euckr": "cp949",
    "gb18030": "gb18030",
    "gb2312": "gb2312",
    "gbk": "gbk",
    "greek": "iso8859_7",
    "hebrew": "iso8859_8",
    "koi8r": "koi8_r",
    "koi8u": "koi8_u",
    "latin2": "iso8859_2",
    "latin5": "iso8859_9",
    "latin7": "iso8859_13",
    "macce": "mac_latin2",
    "macroman": "mac_roman",
    "sjis": "shift_jis",
    "tis620": "tis_620",
    "ucs2": "utf_16_be",
    "ujis": "euc_jp",
    "utf16": "utf_16_be",
    "utf16le": "utf_16_le",
    "utf32": "utf_32_be",
    "utf8": "utf_8",
    "utf8mb3": "utf_8",
    "utf8mb4": "utf_8",
}
_LATIN1 = "".join(
    chr(byte) if byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else bytes([byte]).decode("cp1252") for byte in range(256)
)


def decoder(charset: str) -> Callable[[bytes], str]:
    """Return the function that turns bytes in MySQL's `charset` into text.

    Raises:
        UnsupportedEvent: the character set is not known here.
    """
    if charset == "latin1":
        return lambda data: codecs.charmap_decode(data, "strict", _LATIN1)[0]
    name = _CODECS.get(charset)
    if name is None:
        message = f"Character set {charset!r} is not supported: convert the column to utf8mb4 or exclude its table."
        raise UnsupportedEvent(message)
    decode = codecs.lookup(name).decode

    def decode_text(data: bytes) -> str:
        try:
            return decode(data, "strict")[0]
        except UnicodeDecodeError as error:
            message = f"the bytes {data[:64].hex()} are no {charset} text: {error.reason}"
            raise DataError(message) from None

    return decode_text
