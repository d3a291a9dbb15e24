"""The map as a client has it: the pure core of a client of the websocket."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from isotherm_web.errors import ProtocolError
from isotherm_web.protocol import Delta, GeometryMessage, Hello, Resume, ServerMessage, Snapshot
from isotherm_web.rows import LAYERS, NULL
from isotherm_web.shapes import layer_choice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isotherm_web.shapes import LayerChoice, TileName

    Columns = Snapshot | Delta


@dataclass(frozen=True, slots=True)
class Cell:
    """What a client knows of a location; times and source are 0 and values -32768 without data."""

    valid_at: int
    fetched_at: int
    source: int
    values: tuple[int, ...]


@dataclass
class Mirror:
    """Applies what the server sends.

    Attributes:
        stream: the history that `seq` counts in; None before the first snapshot.
        seq: what the map stands at.
        geometry: the name of `ids`' geometry.
        ids: the locations, in the order of the cells.
        cells: what is known of each.
        hello: the last hello.
        layers: the layers that the map is of; the values of others stay -32768.
    """

    stream: str | None = None
    seq: int = 0
    geometry: str | None = None
    ids: list[int] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    hello: Hello | None = None
    layers: LayerChoice = "all"
    _announced: GeometryMessage | None = None

    def resume(self, layers: LayerChoice = "all", tile: TileName = "world") -> Resume:
        """Return what to say after connecting.

        With other layers than before there is nothing to add changes to: without a geometry everything comes anew, but nothing that is
        older than what is here.
        """
        geometry = self.geometry if self.layers == layers else None
        return Resume(stream=self.stream, seq=self.seq, geometry=geometry, layers=layers, tile=tile)

    @property
    def layer_names(self) -> list[str]:
        """The layers that binary messages hold."""
        return list(LAYERS) if self.hello is None else self.hello.layers

    def apply(self, message: ServerMessage) -> bool:
        """Take in one message; answer whether the map has changed.

        Raises:
            ProtocolError: it does not fit what came before; connect again.
        """
        match message:
            case Hello():
                self.hello = message
            case GeometryMessage():
                self._announced = message
            case Snapshot():
                self._snapshot(message)
                return True
            case Delta():
                return self._delta(message)
            case _:
                pass
        return False

    def by_id(self) -> dict[int, Cell]:
        """Return what is known of each location."""
        return dict(zip(self.ids, self.cells, strict=True))

    def _snapshot(self, message: Snapshot) -> None:
        announced = self._announced
        if announced is None or announced.geometry != message.geometry or len(announced.ids) != len(message.valid_at):
            error = f"a snapshot of geometry {message.geometry} came without that geometry"
            raise ProtocolError(error)
        self.stream, self.seq, self.geometry = message.stream, message.seq, message.geometry
        self.layers = layer_choice(self.layer_names)
        self.ids = announced.ids
        self.cells = list(_cells(message))

    def _delta(self, message: Delta) -> bool:
        if message.stream != self.stream or message.geometry != self.geometry:
            error = "a delta of another stream or geometry came without a snapshot"
            raise ProtocolError(error)
        if message.seq <= self.seq:
            return False
        if message.from_seq > self.seq:
            error = f"a delta from seq {message.from_seq} came, but the map stands at {self.seq}"
            raise ProtocolError(error)
        for cell, value in zip(message.cells, _cells(message), strict=True):
            self.cells[cell] = value
        self.seq = message.seq
        return bool(message.cells)


def _cells(columns: Columns) -> Iterator[Cell]:
    nothing = [NULL] * len(columns.valid_at)
    layers = zip(*(columns.layers.get(name, nothing) for name in LAYERS), strict=True)
    times = zip(columns.valid_at, columns.fetched_at, columns.source, layers, strict=True)
    return (Cell(*column) for column in times)
