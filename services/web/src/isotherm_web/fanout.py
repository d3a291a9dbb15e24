"""Encoding shared by all clients: the same question is answered with the same bytes object."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from typing import TYPE_CHECKING

from isotherm_web.clients import Outgoing
from isotherm_web.encoding import encode_control, encode_delta, encode_snapshot, geometry_message
from isotherm_web.shapes import WHOLE, Views

if TYPE_CHECKING:
    from isotherm_web.encoding import Payload
    from isotherm_web.protocol import Format
    from isotherm_web.shapes import Shape, View
    from isotherm_web.state import GridState

_REMEMBERED_DELTAS = 1024


class SharedEncoder:
    """Encodes snapshots and deltas of one state, each once.

    A client may stand between two deltas (it came after a batch and before the delta that carries it). It gets the
    delta that everyone gets: a cell sent twice does no harm, since values are absolute.
    """

    def __init__(self, state: GridState) -> None:
        self._state = state
        self._revision = -1
        self._cache: dict[tuple[str, Format | None, Shape, int], Outgoing] = {}
        self._views = Views(state.geometry)
        self._sent_seqs: deque[int] = deque([state.seq], _REMEMBERED_DELTAS)
        self.encoded = 0

    def succeeded_by(self, state: GridState) -> SharedEncoder:
        """Return the encoder of a state whose clients go on from this one's."""
        successor = SharedEncoder(state)
        successor._sent_seqs = self._sent_seqs
        successor.publish()
        return successor

    @property
    def published_seq(self) -> int:
        """The seq of the last delta that went to everyone."""
        return self._sent_seqs[-1]

    def publish(self) -> None:
        """Say that the state as it is goes to everyone."""
        if self._state.seq > self.published_seq:
            self._sent_seqs.append(self._state.seq)

    def view(self, shape: Shape) -> View:
        """Return which places and layers a shape has now."""
        if self._views.geometry is not self._state.geometry:
            self._views = Views(self._state.geometry)
        return self._views.of(shape)

    def snapshot(self, wire: Format, shape: Shape = WHOLE) -> Outgoing:
        """Return all cells of a shape."""
        return self._once("snapshot", wire, shape, 0)

    def geometry(self, shape: Shape = WHOLE) -> Outgoing:
        """Return the message that describes the cells."""
        return self._once("geometry", None, shape, 0)

    def delta(self, wire: Format, seq: int, shape: Shape = WHOLE) -> Outgoing:
        """Return what a client that has `seq` is missing."""
        return self._once("delta", wire, shape, self._base(seq))

    def _base(self, seq: int) -> int:
        """Return the newest delta's seq that a client with `seq` has for certain, so that many share one delta."""
        if seq < self._sent_seqs[0]:
            return seq
        place = bisect_right(self._sent_seqs, seq)
        return self._sent_seqs[place - 1]

    def _once(self, kind: str, wire: Format | None, shape: Shape, from_seq: int) -> Outgoing:
        if self._revision != self._state.revision:
            self._cache.clear()
            self._revision = self._state.revision
        key = (kind, wire, shape, from_seq)
        message = self._cache.get(key)
        if message is None:
            self.encoded += 1
            view = self.view(shape)
            if wire is None:
                payload: Payload = encode_control(geometry_message(view.geometry))
            elif kind == "snapshot":
                payload = encode_snapshot(self._state, wire, view)
            else:
                payload = encode_delta(self._state, from_seq, wire, view)
            message = self._cache[key] = Outgoing(kind, payload)
        return message
