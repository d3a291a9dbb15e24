"""Random tables of random column types with random values near their boundaries, reproducible by a seed."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

CHARSETS = [
    "armscii8", "ascii", "big5", "cp1250", "cp1251", "cp1256", "cp1257", "cp850", "cp852", "cp866", "cp932", "dec8",
    "eucjpms", "euckr", "gb18030", "gb2312", "gbk", "geostd8", "greek", "hebrew", "hp8", "keybcs2", "koi8r", "koi8u",
    "latin1", "latin2", "latin5", "latin7", "macce", "macroman", "sjis", "swe7", "tis620", "ucs2", "ujis", "utf16",
    "utf16le", "utf32", "utf8mb3", "utf8mb4",
]  # fmt: skip
CHARACTERS = "aZ0 '\"\\%_\0\t\n~éßøŁçЖжαωאשกขアｱ中文碁한글€№…😀𝄞\uffff\ue000\u0301"

Value = str
"""An SQL expression."""


@dataclass(frozen=True)
class RandomColumn:
    """A column.

    Attributes:
        definition: its type, in SQL.
        value: makes a random value.
        key: whether a primary key may have it, and with which prefix.
    """

    definition: str
    value: Callable[[], Value]
    key: str | None = ""


class Maker:
    """Makes tables and statements from one source of randomness."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def column(self) -> RandomColumn:
        """Return a random column."""
        makers = [
            self._integer, self._decimal, self._real, self._date, self._moment, self._time, self._year, self._text,
            self._text, self._bytes, self._enum, self._set, self._bit, self._json, self._geometry, self._vector,
        ]  # fmt: skip
        return self.random.choice(makers)()

    def table(self, name: str) -> tuple[str, list[RandomColumn]]:
        """Return the CREATE TABLE of a random table and its columns; column 0 keeps the rows apart."""
        columns = [RandomColumn("BIGINT UNSIGNED", lambda: "0")]
        columns += [self.column() for _ in range(self.random.randint(1, 14))]
        order = list(range(len(columns)))
        self.random.shuffle(order)
        keys = [number for number in order if columns[number].key is not None and self.random.random() < 0.2 and number]
        keys = [*keys[:3], 0]
        self.random.shuffle(keys)
        parts = ", ".join(f"c{number}{columns[number].key}" for number in keys)
        body = ", ".join(
            f"c{number} {columns[number].definition}" + (" NOT NULL" if number in keys else " NULL") for number in order
        )
        row_format = self.random.choice(["DYNAMIC", "COMPACT", "REDUNDANT"])
        return f"CREATE TABLE {name} ({body}, PRIMARY KEY ({parts})) ROW_FORMAT = {row_format}", columns

    def values(self, columns: list[RandomColumn], identity: int, nullable: set[int]) -> list[Value]:
        """Return a row's values; `identity` is column 0's."""
        return [
            str(identity)
            if not number
            else "NULL"
            if number in nullable and self.random.random() < 0.15
            else column.value()
            for number, column in enumerate(columns)
        ]

    def _one(self, *choices: Any) -> Any:
        return self.random.choice(choices)

    def _integer(self) -> RandomColumn:
        name, bits = self._one(("TINYINT", 8), ("SMALLINT", 16), ("MEDIUMINT", 24), ("INT", 32), ("BIGINT", 64))
        unsigned = self._one(True, False)
        low, high = (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        return RandomColumn(
            f"{name}{' UNSIGNED' if unsigned else ''}{self._one('', ' ZEROFILL') if unsigned else ''}",
            lambda: str(self._one(low, high, 0, 1, high // 2, high // 2 + 1, self.random.randint(low, high))),
        )

    def _decimal(self) -> RandomColumn:
        precision = self._one(1, 9, 10, 18, 34, 35, 65, self.random.randint(1, 65))
        scale = self._one(0, min(30, precision), self.random.randint(0, min(30, precision)))

        def value() -> Value:
            digits = self._one(
                "9" * precision, "0" * precision, "".join(self._one(*"0123456789") for _ in range(precision))
            )
            return f"{self._one('', '-')}{digits[: precision - scale] or '0'}.{digits[precision - scale :] or '0'}"

        return RandomColumn(f"DECIMAL({precision},{scale})", value)

    def _real(self) -> RandomColumn:
        if self._one(True, False):
            return RandomColumn(
                "FLOAT",
                lambda: self._one("0", "-0.0e0", "1e-45", "-3.402823466e38", repr(self.random.uniform(-1e6, 1e6))),
                None,
            )
        return RandomColumn(
            "DOUBLE",
            lambda: self._one(
                "0", "-0.0e0", "5e-324", "1.7976931348623157e308", repr(self.random.uniform(-1e15, 1e15))
            ),
            None,
        )

    def _day(self) -> str:
        year, month, day = (
            self._one(0, 1, 1000, 1969, 1970, 2024, 9999),
            self.random.randint(0, 12),
            self.random.randint(0, 31),
        )
        return f"{year:04}-{month:02}-{day:02}"

    def _clock(self, hours: int, digits: int) -> str:
        whole = f"{self.random.randint(0, hours):02}:{self._one(0, 59):02}:{self._one(0, 1, 58, 59):02}"
        fraction = "".join(self._one(*"0099123") for _ in range(digits))
        return f"{whole}.{fraction}" if digits else whole

    def _date(self) -> RandomColumn:
        return RandomColumn("DATE", lambda: f"'{self._day()}'")

    def _moment(self) -> RandomColumn:
        digits = self.random.randint(0, 6)
        if self._one(True, False):
            return RandomColumn(f"DATETIME({digits})", lambda: f"'{self._day()} {self._clock(23, digits)}'")
        return RandomColumn(
            f"TIMESTAMP({digits})",
            lambda: f"'{self._one('1970-01-02', '2000-02-29', '2038-01-18')} {self._clock(23, digits)}'",
        )

    def _time(self) -> RandomColumn:
        digits = self.random.randint(0, 6)
        return RandomColumn(
            f"TIME({digits})", lambda: f"'{self._one('', '-')}{self._clock(self._one(0, 837), digits)}'"
        )

    def _year(self) -> RandomColumn:
        return RandomColumn("YEAR", lambda: self._one("'0000'", "1901", "2155", "2000"))

    def _text(self) -> RandomColumn:
        charset = self.random.choice(CHARSETS)
        name = self._one("VARCHAR(20)", "CHAR(20)", "TINYTEXT", "TEXT", "LONGTEXT", "VARCHAR(200)")

        def value() -> Value:
            text = "".join(self.random.choice(CHARACTERS) for _ in range(self.random.randint(0, 12)))
            return f"CONVERT(X'{text.encode().hex()}' USING utf8mb4)"

        return RandomColumn(f"{name} CHARACTER SET {charset}", value, "(5)" if "TEXT" in name else "")

    def _bytes(self) -> RandomColumn:
        name = self._one("BINARY(7)", "VARBINARY(30)", "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB", "BINARY(255)")

        def value() -> Value:
            return f"X'{self._one(bytes(3), b' ', self.random.randbytes(self.random.randint(0, 7))).hex()}'"

        return RandomColumn(name, value, "(5)" if "BLOB" in name else "")

    def _labels(self, count: int) -> list[str]:
        return [f"{self._one('a', 'é', 'B ', ' c', 'x-')}{number}".strip() for number in range(count)]

    def _enum(self) -> RandomColumn:
        count = self._one(1, 2, 255, 256, 300)
        labels = ", ".join(f"'{label}'" for label in self._labels(count))
        return RandomColumn(
            f"ENUM({labels}) CHARACTER SET {self._one('utf8mb4', 'latin1', 'ucs2')}",
            lambda: str(self._one(0, 1, count, self.random.randint(0, count))),
        )

    def _set(self) -> RandomColumn:
        count = self._one(1, 8, 9, 24, 33, 64)
        labels = ", ".join(f"'{label}'" for label in self._labels(count))
        return RandomColumn(f"SET({labels})", lambda: str(self.random.getrandbits(count)))

    def _bit(self) -> RandomColumn:
        count = self._one(1, 7, 8, 9, 63, 64)
        return RandomColumn(f"BIT({count})", lambda: str(self._one(0, 2**count - 1, self.random.getrandbits(count))))

    def _json(self) -> RandomColumn:
        return RandomColumn("JSON", self._document, None)

    def _document(self) -> Value:
        choice = self.random.randint(0, 4)
        if choice == 0:
            return f"JSON_OBJECT('d', {self._one('1.50', '-0.001', '99999999999999999999.5', '7.')}, 'e', 1.5e0)"
        if choice == 1:
            return "JSON_ARRAY(CAST('2024-01-02' AS DATE), TIME'-01:02:03.5', CAST(X'00FF' AS BINARY), 1e100, NULL)"
        return f"CAST(CONVERT(X'{json.dumps(self._json_value(0)).encode().hex()}' USING utf8mb4) AS JSON)"

    def _json_value(self, depth: int) -> Any:
        kind = self.random.randint(0, 7 if depth < 4 else 5)
        if kind == 6:
            return [self._json_value(depth + 1) for _ in range(self.random.randint(0, 4))]
        if kind == 7:
            names = [
                self._one("a", "", "$x", "a.b", "é😀", "_id", "b" * 300) + str(n % 3) for n in range(self._one(0, 1, 5))
            ]
            return {name: self._json_value(depth + 1) for name in names}
        return self._one(
            None, True, False, 0, -1, 2**15, 2**16, 2**31, 2**32, 2**63 - 1, 2**64 - 1, -(2**63), 0.5, -1.25e-7, 1e300,
            "", "x\0é😀", "y" * self._one(127, 128, 20000),
        )  # fmt: skip

    def _geometry(self) -> RandomColumn:
        srid = self._one(0, 4326, 3857)

        def point() -> str:
            return f"{self._one(-90, 0, 89.5, round(self.random.uniform(-90, 90), 7))} {self.random.randint(-179, 180)}"

        def value() -> Value:
            start, first, second = point(), point(), point()
            text = self._one(
                f"POINT({start})", f"LINESTRING({start}, {first})", f"MULTIPOINT({start}, {first})",
                f"POLYGON(({start}, {first}, {second}, {start}))", "GEOMETRYCOLLECTION EMPTY",
                f"MULTILINESTRING(({start}, {first}), ({second}, {start}))", f"GEOMETRYCOLLECTION(POINT({start}))",
                f"MULTIPOLYGON((({start}, {first}, {second}, {start})))",
            )  # fmt: skip
            return f"ST_GeomFromText('{text}', {srid})"

        return RandomColumn("GEOMETRY", value, None)

    def _vector(self) -> RandomColumn:
        size = self.random.randint(1, 5)
        numbers = [0, -0.0, 1.5, 3e38, 1e-45]
        return RandomColumn(
            f"VECTOR({size})",
            lambda: f"TO_VECTOR('{[self.random.choice(numbers) for _ in range(self.random.randint(1, size))]}')",
            None,
        )
