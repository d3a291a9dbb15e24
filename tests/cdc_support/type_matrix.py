"""Every MySQL type at its boundaries, with the BSON value that docs/contracts.md promises, written by hand.

An entry is a column's definition and pairs of an SQL expression and the expected value. Nothing here is computed by the
services; the well-known binary of geometry is put together from its specification.
"""

from __future__ import annotations

import datetime as dt
import struct
from typing import Any

from bson import Binary, Decimal128, Int64

Values = list[tuple[str, Any]]


def moment(*parts: int) -> dt.datetime:
    """A BSON date as it is read back: without a zone."""
    return dt.datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001


def wkb(kind: int, body: bytes) -> bytes:
    """Well-known binary, little-endian."""
    return b"\x01" + struct.pack("<I", kind) + body


def points(*coordinates: tuple[float, float]) -> bytes:
    """A counted list of points."""
    return struct.pack("<I", len(coordinates)) + b"".join(struct.pack("<2d", x, y) for x, y in coordinates)


def counted(*parts: bytes) -> bytes:
    """A counted list of parts."""
    return struct.pack("<I", len(parts)) + b"".join(parts)


def vector(*numbers: float) -> Binary:
    """A BSON vector of float32."""
    return Binary(b"\x27\x00" + struct.pack(f"<{len(numbers)}f", *numbers), 9)


def no_text(digits: str) -> Binary:
    """Bytes that are no text of their column's character set."""
    return Binary(bytes.fromhex(digits), 128)


def nested(depth: int) -> list[Any]:
    """An empty array in arrays, `depth` in all."""
    result: list[Any] = []
    for _ in range(depth - 1):
        result = [result]
    return result


INTEGERS: list[tuple[str, Values]] = [
    ("TINYINT", [("-128", -128), ("127", 127), ("0", 0)]),
    ("TINYINT UNSIGNED", [("255", 255), ("0", 0)]),
    ("TINYINT(3) UNSIGNED ZEROFILL", [("7", 7)]),
    ("BOOL", [("TRUE", 1), ("FALSE", 0)]),
    ("SMALLINT", [("-32768", -32768), ("32767", 32767)]),
    ("SMALLINT UNSIGNED", [("65535", 65535)]),
    ("MEDIUMINT", [("-8388608", -8388608), ("8388607", 8388607), ("-1", -1)]),
    ("MEDIUMINT UNSIGNED", [("16777215", 16777215)]),
    ("INT", [("-2147483648", -2147483648), ("2147483647", 2147483647)]),
    ("INT UNSIGNED", [("4294967295", Int64(4294967295)), ("0", Int64(0))]),
    ("BIGINT", [("-9223372036854775808", Int64(-(2**63))), ("9223372036854775807", Int64(2**63 - 1))]),
    (
        "BIGINT UNSIGNED",
        [
            ("18446744073709551615", Decimal128("18446744073709551615")),
            ("9223372036854775808", Decimal128("9223372036854775808")),
            ("9223372036854775807", Int64(9223372036854775807)),
        ],
    ),
    ("BIT(1)", [("b'1'", Int64(1)), ("b'0'", Int64(0))]),
    ("BIT(9)", [("b'101010101'", Int64(341)), ("b'1'", Int64(1))]),
    (
        "BIT(64)",
        [
            ("~0", Decimal128("18446744073709551615")),
            ("1 << 63", Decimal128("9223372036854775808")),
            ("9007199254740993", Int64(9007199254740993)),
        ],
    ),
    ("YEAR", [("1901", 1901), ("2155", 2155), ("'0000'", 0), ("'69'", 2069), ("'70'", 1970)]),
    ("INT UNSIGNED INVISIBLE", [("5", Int64(5))]),
]

NUMBERS: list[tuple[str, Values]] = [
    (
        "FLOAT",
        [
            ("0.1", 0.10000000149011612),
            ("-3.402823466e38", -3.4028234663852886e38),
            ("16777217", 16777216.0),
            ("1e-45", 1.401298464324817e-45),
            ("-0.0e0", -0.0),
            ("-1.17549435e-38", -1.1754943508222875e-38),
        ],
    ),
    ("FLOAT(7,2)", [("123.456", 123.45999908447266)]),
    ("FLOAT UNSIGNED", [("1.5", 1.5)]),
    (
        "DOUBLE",
        [
            ("0.1", 0.1),
            ("1.7976931348623157e308", 1.7976931348623157e308),
            ("-5e-324", -5e-324),
            ("-2.2250738585072014e-308", -2.2250738585072014e-308),
            ("-0.0e0", -0.0),
            ("2.2250738585072014e-308", 2.2250738585072014e-308),
            ("123456789012345680", 123456789012345680.0),
        ],
    ),
    ("DOUBLE PRECISION", [("0.25", 0.25)]),
    ("FLOAT(53)", [("0.1", 0.1)]),
    ("FIXED(5,1)", [("1.25", Decimal128("1.3"))]),
    ("DECIMAL(6,2) ZEROFILL", [("1.5", Decimal128("1.50"))]),
    ("FLOAT ZEROFILL", [("0.1", 0.10000000149011612)]),
    ("DOUBLE(10,3)", [("1234.5678", 1234.568)]),
    ("DOUBLE(30,10)", [("-0.1", -0.09999999999999998)]),
    (
        "DECIMAL(10,2)",
        [("-12345678.91", Decimal128("-12345678.91")), ("0", Decimal128("0.00")), ("-0.001", Decimal128("0.00"))],
    ),
    ("DECIMAL(1,1)", [("-0.9", Decimal128("-0.9"))]),
    ("DECIMAL(9,0)", [("-5", Decimal128("-5")), ("999999999", Decimal128("999999999"))]),
    ("DECIMAL(10,9)", [("-9.999999999", Decimal128("-9.999999999"))]),
    ("DECIMAL(18,9) UNSIGNED", [("123456789.000000001", Decimal128("123456789.000000001"))]),
    ("DECIMAL(30,30)", [("-1e-30", Decimal128("-0.000000000000000000000000000001"))]),
    (
        "DECIMAL(34,4)",
        [
            ("-999999999999999999999999999999.9999", Decimal128("-999999999999999999999999999999.9999")),
            ("0.0001", Decimal128("0.0001")),
        ],
    ),
    ("DECIMAL(35,0)", [("99999999999999999999999999999999999", "99999999999999999999999999999999999"), ("-7", "-7")]),
    (
        "DECIMAL(65,30)",
        [
            (
                "99999999999999999999999999999999999.999999999999999999999999999999",
                "99999999999999999999999999999999999.999999999999999999999999999999",
            ),
            ("-1e-30", "-0.000000000000000000000000000001"),
            ("0", "0.000000000000000000000000000000"),
        ],
    ),
    ("DECIMAL(65,0)", [("-" + "9" * 65, "-" + "9" * 65)]),
]

TIMES: list[tuple[str, Values]] = [
    (
        "DATE",
        [
            ("'1000-01-01'", moment(1000, 1, 1)),
            ("'9999-12-31'", moment(9999, 12, 31)),
            ("'0000-00-00'", "0000-00-00"),
            ("'2024-00-00'", "2024-00-00"),
            ("'2024-02-00'", "2024-02-00"),
            ("'0000-01-01'", "0000-01-01"),
            ("'0001-01-01'", moment(1, 1, 1)),
            ("'1969-12-31'", moment(1969, 12, 31)),
            ("'2023-02-29'", "2023-02-29"),
            ("'2024-02-29'", moment(2024, 2, 29)),
        ],
    ),
    (
        "DATETIME",
        [
            ("'1000-01-01 00:00:00'", moment(1000, 1, 1)),
            ("'9999-12-31 23:59:59'", moment(9999, 12, 31, 23, 59, 59)),
            ("'0000-00-00'", "0000-00-00 00:00:00"),
            ("'2024-00-10 01:02:03'", "2024-00-10 01:02:03"),
            ("'0000-05-10 01:02:03'", "0000-05-10 01:02:03"),
        ],
    ),
    (
        "DATETIME(1)",
        [("'1969-12-31 23:59:59.9'", moment(1969, 12, 31, 23, 59, 59, 900000)), ("0", "0000-00-00 00:00:00.0")],
    ),
    (
        "DATETIME(3)",
        [
            ("'1969-12-31 23:59:59.999'", moment(1969, 12, 31, 23, 59, 59, 999000)),
            ("'2024-02-29 00:00:00.001'", moment(2024, 2, 29, 0, 0, 0, 1000)),
            ("'2023-02-29 00:00:00.001'", "2023-02-29 00:00:00.001"),
        ],
    ),
    ("DATETIME(4)", [("'1969-12-31 23:59:59.9999'", Int64(-100)), ("'1970-01-01'", Int64(0))]),
    (
        "DATETIME(6)",
        [
            ("'1000-01-01 00:00:00.000001'", Int64(-30610224000000000 + 1)),
            ("'9999-12-31 23:59:59.999999'", Int64(253402300799999999)),
            ("'1970-01-01 00:00:00.000001'", Int64(1)),
            ("'0000-00-00'", "0000-00-00 00:00:00.000000"),
            ("'2024-00-00 00:00:00.5'", "2024-00-00 00:00:00.500000"),
        ],
    ),
    (
        "TIMESTAMP",
        [
            ("'1970-01-01 00:00:01'", moment(1970, 1, 1, 0, 0, 1)),
            ("'2038-01-19 03:14:07'", moment(2038, 1, 19, 3, 14, 7)),
            ("'0000-00-00'", "0000-00-00 00:00:00"),
        ],
    ),
    (
        "TIMESTAMP(2)",
        [("'2000-01-01 00:00:00.25'", moment(2000, 1, 1, 0, 0, 0, 250000)), ("0", "0000-00-00 00:00:00.00")],
    ),
    (
        "TIMESTAMP(6)",
        [
            ("'1970-01-01 00:00:01.000001'", Int64(1000001)),
            ("'2038-01-19 03:14:07.499999'", Int64(2147483647499999)),
            ("'0000-00-00'", "0000-00-00 00:00:00.000000"),
        ],
    ),
    (
        "TIME",
        [
            ("'-838:59:59'", Int64(-3020399000000)),
            ("'838:59:59'", Int64(3020399000000)),
            ("'-00:00:01'", Int64(-1000000)),
            ("'00:00:00'", Int64(0)),
        ],
    ),
    ("TIME(1)", [("'-00:00:00.1'", Int64(-100000)), ("'-00:00:01.0'", Int64(-1000000))]),
    ("TIME(2)", [("'-00:00:01.10'", Int64(-1100000)), ("'-838:59:58.99'", Int64(-3020398990000))]),
    ("TIME(3)", [("'00:00:00.999'", Int64(999000)), ("'-00:00:59.001'", Int64(-59001000))]),
    ("TIME(4)", [("'-01:02:03.0405'", Int64(-3723040500))]),
    (
        "TIME(6)",
        [
            ("'-838:59:58.000001'", Int64(-3020398000001)),
            ("'838:59:58.999999'", Int64(3020398999999)),
            ("'-00:00:00.000001'", Int64(-1)),
        ],
    ),
]

TEXTS: list[tuple[str, Values]] = [
    ("CHAR(10)", [("'a  '", "a"), ("''", ""), ("'é€😀'", "é€😀"), ("'  b'", "  b")]),
    ("CHAR(0)", [("''", "")]),
    ("VARCHAR(0)", [("''", "")]),
    ("BINARY(0)", [("''", b"")]),
    ("VARBINARY(0)", [("''", b"")]),
    ("NATIONAL VARCHAR(5)", [("'é '", "é ")]),
    ("LONG VARCHAR", [("'é'", "é")]),
    ("LONG VARBINARY", [("X'FF'", b"\xff")]),
    ("CHAR(255)", [("REPEAT('😀', 255)", "😀" * 255)]),
    ("VARCHAR(10)", [("'a  '", "a  "), ("'\\0x'", "\0x"), ("''", "")]),
    ("VARCHAR(300)", [("REPEAT('é', 300)", "é" * 300)]),
    ("VARCHAR(63) CHARACTER SET utf8mb4", [("REPEAT('€', 63)", "€" * 63)]),
    ("VARCHAR(64) CHARACTER SET utf8mb4", [("REPEAT('€', 64)", "€" * 64)]),
    ("TINYTEXT", [("'tt '", "tt ")]),
    ("TEXT", [("REPEAT('t', 65535)", "t" * 65535), ("''", "")]),
    ("MEDIUMTEXT", [("REPEAT('m', 70000)", "m" * 70000)]),
    ("LONGTEXT CHARACTER SET latin1", [("_latin1 X'E980'", "é€")]),
    (
        "BINARY(5)",
        [("X'0100'", b"\1\0\0\0\0"), ("''", bytes(5)), ("X'0102030405'", b"\1\2\3\4\5"), ("'a '", b"a \0\0\0")],
    ),
    ("BINARY(255)", [("X'00'", bytes(255)), ("REPEAT(X'FF', 255)", b"\xff" * 255)]),
    ("VARBINARY(300)", [("X'0100'", b"\1\0"), ("''", b""), ("REPEAT(X'FF', 300)", b"\xff" * 300)]),
    ("TINYBLOB", [("X'00FF'", b"\0\xff")]),
    ("BLOB", [("X'00FF'", b"\0\xff")]),
    ("MEDIUMBLOB", [("''", b"")]),
    ("LONGBLOB", [("REPEAT(X'00', 70000)", bytes(70000))]),
    ("LONGTEXT CHARACTER SET binary", [("X'FF00'", b"\xff\0")]),
    ("CHAR(5) CHARACTER SET binary", [("X'FF00'", b"\xff\0\0\0\0")]),
    ("CHAR(5) BYTE", [("'x'", b"x\0\0\0\0")]),
    ("ENUM('a', 'b', 'é''x')", [("'a'", "a"), ("'é''x'", "é'x"), ("0", "")]),
    ("ENUM('', 'a')", [("''", ""), ("0", 0), ("'a'", "a")]),
    (
        "ENUM('a\\\\b', 'c\\nd', 'q\"', 'x,y', '\\r')",
        [("1", "a\\b"), ("2", "c\nd"), ("3", 'q"'), ("4", "x,y"), ("5", "\r")],
    ),
    ("ENUM('?', '😀', 'x?') CHARACTER SET utf16", [("'?'", "?"), ("'😀'", "😀"), ("'x?'", "x?"), ("0", "")]),
    (
        "SET('a', '', '😀', '?')",
        [("1", ["a"]), ("2", [""]), ("6", ["", "😀"]), ("15", ["a", "", "😀", "?"]), ("0", [])],
    ),
    ("ENUM('é', 'b') CHARACTER SET latin1", [("'é'", "é")]),
    ("ENUM('é', 'b') CHARACTER SET ucs2", [("'é'", "é"), ("2", "b")]),
    ("ENUM('a', 'é') CHARACTER SET binary", [("2", "é")]),
    (
        "ENUM(" + ", ".join(f"'n{number}'" for number in range(300)) + ")",
        [("'n0'", "n0"), ("'n299'", "n299"), ("0", "")],
    ),
    ("SET('a', 'b', 'c')", [("''", []), ("'a,c'", ["a", "c"]), ("'c,b'", ["b", "c"]), ("'c,c'", ["c"])]),
    ("SET('é', 'x y') CHARACTER SET latin1", [("3", ["é", "x y"])]),
    (
        "SET(" + ", ".join(f"'m{number}'" for number in range(64)) + ")",
        [
            ("'m0,m63'", ["m0", "m63"]),
            ("~0", [f"m{number}" for number in range(64)]),
            ("(1 << 53) + 1", ["m0", "m53"]),
        ],
    ),
]

CHARSETS: list[tuple[str, Values]] = [
    ("VARCHAR(20) CHARACTER SET armscii8", [("X'B2B3FD'", "Աաֆ")]),
    ("VARCHAR(20) CHARACTER SET ascii", [("'~'", "~")]),
    ("VARCHAR(20) CHARACTER SET big5", [("X'A4A4A4E5'", "中文"), ("X'F9D6'", "碁")]),
    ("VARCHAR(20) CHARACTER SET cp1250", [("X'8AE8'", "Šč")]),
    ("VARCHAR(20) CHARACTER SET cp1251", [("X'CFF0E8'", "При")]),
    ("VARCHAR(20) CHARACTER SET cp1256", [("X'D3E1C7E3'", "سلام")]),
    ("VARCHAR(20) CHARACTER SET cp1257", [("X'E0'", "ą")]),
    ("VARCHAR(20) CHARACTER SET cp850", [("X'8482C9'", "äé╔")]),
    ("VARCHAR(20) CHARACTER SET cp852", [("X'A5'", "ą")]),
    ("VARCHAR(20) CHARACTER SET cp866", [("X'8FE0A8'", "При")]),
    ("VARCHAR(20) CHARACTER SET cp932", [("X'834187408160'", "ア①\uff5e"), ("X'5C7E'", "\\~"), ("X'B1'", "ｱ")]),
    ("VARCHAR(20) CHARACTER SET dec8", [("X'E5D7'", "åŒ"), ("X'E5A4'", no_text("E5A4"))]),
    (
        "VARCHAR(20) CHARACTER SET eucjpms",
        [("X'A5A2ADA1A1C1'", "ア①\uff5e"), ("X'8EB1'", "ｱ"), ("X'8FF3F3'", "\u2170")],
    ),
    ("VARCHAR(20) CHARACTER SET euckr", [("X'C7D1B1DB'", "한글")]),
    ("VARCHAR(20) CHARACTER SET gb18030", [("X'D6D0'", "中"), ("X'9439FC36'", "😀"), ("X'A8BC'", "ḿ")]),
    ("VARCHAR(20) CHARACTER SET gb2312", [("X'D6D0'", "中")]),
    ("VARCHAR(20) CHARACTER SET gbk", [("X'D6D08140'", "中丂")]),
    ("VARCHAR(20) CHARACTER SET geostd8", [("X'C0C1'", "აბ")]),
    ("VARCHAR(20) CHARACTER SET greek", [("X'E1E2'", "αβ")]),
    ("VARCHAR(20) CHARACTER SET hebrew", [("X'F9ECE5ED'", "שלום")]),
    ("VARCHAR(20) CHARACTER SET hp8", [("X'A1C8'", "Àà")]),
    ("VARCHAR(20) CHARACTER SET keybcs2", [("X'8091'", "Čž")]),
    ("VARCHAR(20) CHARACTER SET koi8r", [("X'F0D2C9'", "При")]),
    ("VARCHAR(20) CHARACTER SET koi8u", [("X'A4A6'", "єі")]),
    ("VARCHAR(20) CHARACTER SET latin1", [("X'808D9FE981'", "€\x8dŸé\x81")]),
    ("VARCHAR(20) CHARACTER SET latin2", [("X'A1B1'", "Ąą")]),
    ("VARCHAR(20) CHARACTER SET latin5", [("X'F0FD'", "ğı")]),
    ("VARCHAR(20) CHARACTER SET latin7", [("X'E0'", "ą")]),
    ("VARCHAR(20) CHARACTER SET macce", [("X'8991'", "ČĎ")]),
    ("VARCHAR(20) CHARACTER SET macroman", [("X'8E'", "é")]),
    ("VARCHAR(20) CHARACTER SET sjis", [("X'83418160'", "ア〜"), ("X'5C'", "\\")]),
    ("VARCHAR(20) CHARACTER SET swe7", [("X'5B5C5D7B7C7D'", "ÄÖÅäöå")]),
    ("VARCHAR(20) CHARACTER SET tis620", [("X'A1A2'", "กข"), ("X'A0'", no_text("A0"))]),
    ("VARCHAR(20) CHARACTER SET ucs2", [("'é€'", "é€"), ("X'D800'", no_text("D800"))]),
    ("CHAR(20) CHARACTER SET ucs2", [("'é '", "é"), ("'x'", "x")]),
    (
        "VARCHAR(20) CHARACTER SET ujis",
        [("X'A5A2'", "ア"), ("X'8EB1'", "ｱ"), ("X'8FB0A1'", "丂"), ("X'F5A1'", "\ue000")],
    ),
    ("VARCHAR(20) CHARACTER SET utf16", [("'é😀'", "é😀")]),
    ("CHAR(20) CHARACTER SET utf16le", [("'é😀 '", "é😀")]),
    ("CHAR(20) CHARACTER SET utf32", [("'é😀 '", "é😀")]),
    ("VARCHAR(20) CHARACTER SET utf8mb3", [("'é€'", "é€")]),
    ("VARCHAR(20) CHARACTER SET utf8mb4", [("'é😀￿'", "é😀\uffff")]),
]

JSON: list[tuple[str, Values]] = [
    (
        "JSON",
        [
            ("'{}'", {}),
            ("'[]'", []),
            ("'null'", None),
            ("'1'", Int64(1)),
            ("'18446744073709551615'", Decimal128("18446744073709551615")),
            ("'9223372036854775808'", Decimal128("9223372036854775808")),
            ("'-9223372036854775808'", Int64(-(2**63))),
            ("'[65535, 65536, -32769, 4294967296]'", [Int64(n) for n in (65535, 65536, -32769, 4294967296)]),
            ("'1.5'", 1.5),
            ("'-0.0'", -0.0),
            ("'1e300'", 1e300),
            ("'1.0'", 1.0),
            ("'123456789012345678901234567890'", 1.2345678901234568e29),
            ("'true'", True),
            ("'[false, null]'", [False, None]),
            ("'\"s\"'", "s"),
            ("'\"\\\\u00e9\\\\u0000\\\\ud83d\\\\ude00\"'", "é\0😀"),
            (
                '\'{"b": 1, "aa": [1, 2.5, {"$x": {"a.b": null}}], "": false, "$set": 2, "_id": 3}\'',
                {
                    "": False,
                    "b": Int64(1),
                    "aa": [Int64(1), 2.5, {"$x": {"a.b": None}}],
                    "_id": Int64(3),
                    "$set": Int64(2),
                },
            ),
            ('\'{"a": 1, "a": 2}\'', {"a": Int64(2)}),
            (
                "JSON_OBJECT('d', 1.50, 'e', 1.5e0, 'n', CAST(5 AS DECIMAL(5,0)), 'm', CAST(-1 AS DECIMAL(30,0)))",
                {"d": Decimal128("1.50"), "e": 1.5, "m": Int64(-1), "n": Int64(5)},
            ),
            ("JSON_ARRAY(CAST(12345678901234567890123 AS DECIMAL(40,0)))", [Decimal128("12345678901234567890123")]),
            (
                "JSON_ARRAY(CAST('" + "9" * 36 + ".5' AS DECIMAL(40,1)), CAST('0.10' AS DECIMAL(5,2)))",
                ["9" * 36 + ".5", Decimal128("0.10")],
            ),
            (
                "JSON_ARRAY(CAST('" + "9" * 65 + "' AS DECIMAL(65,0)), CAST('-" + "9" * 35 + ".5' AS DECIMAL(65,30)))",
                ["9" * 65, "-" + "9" * 35 + ".5" + "0" * 29],
            ),
            ("CAST(CAST('-1.50' AS DECIMAL(5,2)) AS JSON)", Decimal128("-1.50")),
            (
                """JSON_ARRAY(CAST('2024-01-02' AS DATE), CAST('2024-01-02 03:04:05.6' AS DATETIME(6)),
                CAST('-01:02:03.4' AS TIME(6)), CAST('-838:59:59' AS TIME), TIMESTAMP'2024-01-02 03:04:05')""",
                [
                    "2024-01-02",
                    "2024-01-02 03:04:05.600000",
                    "-01:02:03.400000",
                    "-838:59:59.000000",
                    "2024-01-02 03:04:05.000000",
                ],
            ),
            ("JSON_ARRAY(CAST(X'00FF' AS BINARY))", ["base64:type15:AP8="]),
            ("JSON_OBJECT('bit', b'101')", {"bit": "base64:type15:BQ=="}),
            ("JSON_ARRAY(REPEAT('q', 127), REPEAT('q', 128), REPEAT('q', 16384))", ["q" * 127, "q" * 128, "q" * 16384]),
            (
                "JSON_OBJECT('long', REPEAT('y', 70000), 'n', 70000, 'm', -70000, 'k', 3000000000)",
                {"k": Int64(3000000000), "m": Int64(-70000), "n": Int64(70000), "long": "y" * 70000},
            ),
            ("CONCAT('[', REPEAT('1,', 40000), '1.5]')", [*[Int64(1)] * 40000, 1.5]),
        ],
    ),
    ("JSON", [("CONCAT(REPEAT('[', 100), REPEAT(']', 100))", nested(100))]),
]

_POINT = wkb(1, struct.pack("<2d", 2, 1))
_RING = [(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0), (0.0, 0.0)]
_HOLE = [(1.0, 1.0), (1.0, 2.0), (2.0, 2.0), (2.0, 1.0), (1.0, 1.0)]
_LISTS = ([list(point) for point in _RING], [list(point) for point in _HOLE])
_RINGS = "(0 0, 0 4, 4 4, 4 0, 0 0), (1 1, 2 1, 2 2, 1 2, 1 1)"
"""In SRID 4326 the text has latitude first."""


def geometry(srid: int, stored: bytes, geojson: dict[str, Any] | None = None) -> dict[str, Any]:
    """The document of a geometry."""
    return {"srid": srid, "wkb": stored, **({"geojson": geojson} if geojson else {})}


SPACE: list[tuple[str, Values]] = [
    (
        "GEOMETRY",
        [
            (
                "ST_GeomFromText('POINT(1 2)', 4326)",
                geometry(4326, _POINT, {"type": "Point", "coordinates": [2.0, 1.0]}),
            ),
            ("ST_GeomFromText('POINT(2 1)')", geometry(0, _POINT)),
            ("ST_GeomFromText('POINT(2 1)', 3857)", geometry(3857, _POINT)),
            ("ST_GeomFromText('GEOMETRYCOLLECTION EMPTY', 4326)", geometry(4326, wkb(7, counted()))),
            (
                "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2), LINESTRING(0 0, 1 2))', 4326)",
                geometry(
                    4326,
                    wkb(7, counted(_POINT, wkb(2, points((0, 0), (2, 1))))),
                    {
                        "type": "GeometryCollection",
                        "geometries": [
                            {"type": "Point", "coordinates": [2.0, 1.0]},
                            {"type": "LineString", "coordinates": [[0.0, 0.0], [2.0, 1.0]]},
                        ],
                    },
                ),
            ),
            (
                "ST_GeomFromText('GEOMETRYCOLLECTION(GEOMETRYCOLLECTION(POINT(1 2)))', 4326)",
                geometry(4326, wkb(7, counted(wkb(7, counted(_POINT))))),
            ),
        ],
    ),
    (
        "POINT SRID 4326",
        [
            (
                "ST_SRID(POINT(-180 + 1e-9, -90), 4326)",
                geometry(
                    4326,
                    wkb(1, struct.pack("<2d", -179.999999999, -90)),
                    {"type": "Point", "coordinates": [-179.999999999, -90.0]},
                ),
            )
        ],
    ),
    (
        "LINESTRING",
        [
            (
                "ST_GeomFromText('LINESTRING(0 0, 1 2)', 4326)",
                geometry(
                    4326,
                    wkb(2, points((0, 0), (2, 1))),
                    {"type": "LineString", "coordinates": [[0.0, 0.0], [2.0, 1.0]]},
                ),
            ),
            ("ST_GeomFromText('LINESTRING(1 2, 1 2)', 4326)", geometry(4326, wkb(2, points((2, 1), (2, 1))))),
        ],
    ),
    (
        "POLYGON",
        [
            (
                f"ST_GeomFromText('POLYGON({_RINGS})', 4326)",
                geometry(
                    4326,
                    wkb(3, counted(points(*_RING), points(*_HOLE))),
                    {"type": "Polygon", "coordinates": list(_LISTS)},
                ),
            )
        ],
    ),
    (
        "MULTIPOINT",
        [
            (
                "ST_GeomFromText('MULTIPOINT(1 2, 1 2)', 4326)",
                geometry(
                    4326, wkb(4, counted(_POINT, _POINT)), {"type": "MultiPoint", "coordinates": [[2.0, 1.0]] * 2}
                ),
            )
        ],
    ),
    (
        "MULTILINESTRING",
        [
            (
                "ST_GeomFromText('MULTILINESTRING((0 0, 1 2))', 4326)",
                geometry(
                    4326,
                    wkb(5, counted(wkb(2, points((0, 0), (2, 1))))),
                    {"type": "MultiLineString", "coordinates": [[[0.0, 0.0], [2.0, 1.0]]]},
                ),
            )
        ],
    ),
    (
        "MULTIPOLYGON",
        [
            (
                f"ST_GeomFromText('MULTIPOLYGON(({_RINGS}))', 4326)",
                geometry(
                    4326,
                    wkb(6, counted(wkb(3, counted(points(*_RING), points(*_HOLE))))),
                    {"type": "MultiPolygon", "coordinates": [list(_LISTS)]},
                ),
            )
        ],
    ),
    ("VECTOR(3)", [("TO_VECTOR('[1, -2.5, 3e38]')", vector(1, -2.5, 3e38)), ("TO_VECTOR('[-0.0]')", vector(-0.0))]),
    ("VECTOR(16383)", [("TO_VECTOR(CONCAT('[', REPEAT('0.5,', 16382), '1]'))", vector(*[0.5] * 16382, 1))]),
]

FAMILIES: dict[str, list[tuple[str, Values]]] = {
    "integers": INTEGERS,
    "numbers": NUMBERS,
    "times": TIMES,
    "texts": TEXTS,
    "charsets": CHARSETS,
    "json": JSON,
    "space": SPACE,
}
