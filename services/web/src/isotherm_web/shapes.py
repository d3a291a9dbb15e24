"""What a client subscribes to: some of the layers, on one of a fixed set of tiles (contract W13). Pure.

There are few shapes, so that whatever clients look at, each change is encoded a few times at most. A client whose view
lies on several tiles takes the smallest one that holds all of them: half of the world, or the world.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from isotherm_web.geometry import Geometry, make_geometry
from isotherm_web.rows import LAYERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from isotherm_web.geometry import Location

LayerChoice = Literal["all", "temperature", "wind"]
TileName = Literal[
    "world", "west", "east",
    "n0", "n1", "n2", "n3", "n4", "n5",
    "m0", "m1", "m2", "m3", "m4", "m5",
    "s0", "s1", "s2", "s3", "s4", "s5",
]  # fmt: skip
"""The world, its halves, and tiles of 60 degrees: north, middle and south, from 180° west eastward."""

_LAYERS: dict[LayerChoice, tuple[int, ...]] = {"all": (0, 1, 2), "temperature": (0,), "wind": (1, 2)}
_TILE_DEGREES = 60
_ROWS = {"n": 30.0, "m": -30.0, "s": -90.0}


class Box(NamedTuple):
    """A part of the world: south and west are in it, north and east only at the pole and with the whole width."""

    south: float
    north: float
    west: float
    east: float


class Shape(NamedTuple):
    """A subscription."""

    layers: LayerChoice = "all"
    tile: TileName = "world"


WHOLE = Shape()
SHAPES = tuple(Shape(layers, tile) for layers in get_args(LayerChoice) for tile in get_args(TileName))


@dataclass(frozen=True)
class View:
    """A shape of one geometry: the places on its tile are cells of their own.

    Attributes:
        geometry: the places.
        layers: which of `LAYERS`.
    """

    geometry: Geometry
    layers: tuple[int, ...] = tuple(range(len(LAYERS)))

    @property
    def layer_names(self) -> list[str]:
        """The layers by name."""
        return [LAYERS[layer] for layer in self.layers]


class Views:
    """The shapes of one geometry, each made once."""

    def __init__(self, geometry: Geometry) -> None:
        self.geometry = geometry
        self._views: dict[Shape, View] = {}

    def of(self, shape: Shape) -> View:
        """Return the view of a shape."""
        view = self._views.get(shape)
        if view is None:
            geometry = self.geometry
            if shape.tile != "world":
                geometry = make_geometry(place for place in geometry.locations if on_tile(place, shape.tile))
            view = self._views[shape] = View(geometry, _LAYERS[shape.layers])
        return view


def layer_choice(names: Sequence[str]) -> LayerChoice:
    """Return which layers messages hold that hold these."""
    choices = (choice for choice, layers in _LAYERS.items() if [LAYERS[layer] for layer in layers] == list(names))
    return next(choices, "all")


def box(tile: TileName) -> Box:
    """Return what a tile covers."""
    if tile == "world":
        return Box(-90, 90, -180, 180)
    if tile in {"west", "east"}:
        return Box(-90, 90, -180, 0) if tile == "west" else Box(-90, 90, 0, 180)
    south, west = _ROWS[tile[0]], -180.0 + _TILE_DEGREES * int(tile[1])
    return Box(south, south + _TILE_DEGREES, west, west + _TILE_DEGREES)


def on_tile(place: Location, tile: TileName) -> bool:
    """Answer whether a place lies on a tile; each lies on exactly one tile of every size."""
    south, north, west, east = box(tile)
    longitude = (place.longitude + 180) % 360 - 180
    return south <= place.latitude < north + (north == 90) and west <= longitude < east  # noqa: PLR2004 - the pole
