"""What is known of a table's columns, whichever way it was learnt: from a TABLE_MAP event or from information_schema."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from isotherm_cdc.values.names import field_name


class Kind(enum.Enum):
    """The families of types that are decoded alike; `mapping.RULES` has one rule for each."""

    INTEGER = enum.auto()
    FLOAT = enum.auto()
    DOUBLE = enum.auto()
    DECIMAL = enum.auto()
    DATE = enum.auto()
    DATETIME = enum.auto()
    TIMESTAMP = enum.auto()
    TIME = enum.auto()
    YEAR = enum.auto()
    STRING = enum.auto()
    BINARY = enum.auto()
    BYTES = enum.auto()
    ENUM = enum.auto()
    SET = enum.auto()
    BIT = enum.auto()
    JSON = enum.auto()
    GEOMETRY = enum.auto()
    VECTOR = enum.auto()
    OVERRIDDEN = enum.auto()
    """A column that a setting wants in another form; `Column.source` is the column as it is."""
    EXCLUDED = enum.auto()
    """A column that a setting keeps out of the documents; `Column.source` is the column as it is."""


@dataclass(frozen=True, slots=True)
class Action:
    """What a setting does to a column (`values.overrides`).

    Attributes:
        name: exclude, hash, mask, truncate, string, double, date, bool, hex or base64.
        length: for mask and truncate.
        salt: for hash.
    """

    name: str
    length: int = 0
    salt: bytes = b""


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: its name.
        kind: how it is decoded.
        size_bytes: bytes of the value (INTEGER, ENUM, SET, BIT) or of the length before it (STRING, BINARY, BYTES, JSON,
            GEOMETRY, VECTOR) in a row event. Unknown (0) to information_schema where only row events need it.
        unsigned: for INTEGER.
        precision: for DECIMAL, all digits.
        scale: for DECIMAL, digits after the point.
        fraction_digits: for TIME, DATETIME and TIMESTAMP.
        length_bytes: for BINARY, the length that it is padded to.
        charset: for STRING, ENUM and SET, MySQL's name of it.
        labels: for ENUM and SET.
        source: for OVERRIDDEN and EXCLUDED, the column as the table has it.
        action: for OVERRIDDEN and EXCLUDED, what is done to it.
    """

    name: str
    kind: Kind
    size_bytes: int = 0
    unsigned: bool = False
    precision: int = 0
    scale: int = 0
    fraction_digits: int = 0
    length_bytes: int = 0
    charset: str = ""
    labels: tuple[str, ...] = ()
    source: Column | None = None
    action: Action | None = None

    @property
    def plain(self) -> Column:
        """The column as the table has it, whatever a setting does to it."""
        return self.source or self

    @property
    def field(self) -> str:
        """Its name in documents."""
        return field_name(self.name)


@dataclass(frozen=True, slots=True)
class Table:
    """One table.

    Attributes:
        schema: the database that it is in.
        name: its name.
        columns: in the table's order.
        key: positions of the key's columns, in key order; empty when there is no key.
        counted: whether it has no key and all columns stand for one: equal rows are one document that counts them.
    """

    schema: str
    name: str
    columns: tuple[Column, ...]
    key: tuple[int, ...]
    counted: bool = False

    @property
    def full_name(self) -> str:
        """`schema.table`, as it is named everywhere."""
        return f"{self.schema}.{self.name}"

    @property
    def fields(self) -> tuple[str | None, ...]:
        """The columns' names in documents; None for one that is kept out of them."""
        return tuple(None if column.kind is Kind.EXCLUDED else column.field for column in self.columns)
