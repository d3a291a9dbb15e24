"""Encoding shared by all clients: the same question is answered with the same bytes object."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from typing import TYPE_CHECKING

from isotherm_web.clients import Outgoing
from isotherm_web.encoding import encode_control, encode_delta, encode_snapshot, geometry_message
from isotherm_web.shapes import WHOLE, Views

if TYPE_CHECKING:
    from isotherm_web.protocol import Format
    from isotherm_web.shapes import Shape, View
    from isotherm_web.state import GridState

_REMEMBERED_DELTAS = 1024
_MOST_BYTES = 16 * 1024 * 1024
"""What is encoded and kept: clients may come with any seq, and many with one that nobody else has."""
_ENTRY_BYTES = 256


class SharedEncoder:
    """Encodes snapshots and deltas of one state, each once.

    A client may stand between two deltas (it came after a batch and before the delta that carries it). It gets the
    delta that everyone gets: a cell sent twice does no harm, since values are absolute.

    Attributes:
        published_seq: the seq of the last delta that went to everyone.
        encoded: how many messages were encoded.
        most_bytes: what deltas may take; beyond it they are forgotten.
        remembered_bytes: what they take.
    """

    def __init__(self, state: GridState, most_bytes: int = _MOST_BYTES) -> None:
        self._state = state
        self.most_bytes = most_bytes
        self.remembered_bytes = 0
        self._revision = -1
        self._snapshots: dict[tuple[Format, Shape], Outgoing] = {}
        self._deltas: dict[tuple[Format, Shape, int], Outgoing] = {}
        self._geometries: dict[Shape, Outgoing] = {}
        self._views = Views(state.geometry)
        self._sent_seqs: deque[int] = deque([state.seq], _REMEMBERED_DELTAS)
        self.published_seq = state.seq
        self.encoded = 0

    def succeeded_by(self, state: GridState) -> SharedEncoder:
        """Return the encoder of a state whose clients go on from this one's."""
        successor = SharedEncoder(state, self.most_bytes)
        successor._sent_seqs, successor.published_seq = self._sent_seqs, self.published_seq
        successor.publish()
        return successor

    def publish(self) -> None:
        """Say that the state as it is goes to everyone."""
        if self._state.seq > self.published_seq:
            self.published_seq = self._state.seq
            self._sent_seqs.append(self.published_seq)

    def view(self, shape: Shape) -> View:
        """Return which places and layers a shape has now."""
        if self._views.geometry is not self._state.geometry:
            self._views = Views(self._state.geometry)
            self._geometries.clear()
        return self._views.of(shape)

    def snapshot(self, wire: Format, shape: Shape = WHOLE) -> Outgoing:
        """Return all cells of a shape."""
        self._begin_revision()
        message = self._snapshots.get((wire, shape))
        if message is None:
            self.encoded += 1
            message = Outgoing("snapshot", encode_snapshot(self._state, wire, self.view(shape)))
            self._snapshots[wire, shape] = message
        return message

    def geometry(self, shape: Shape = WHOLE) -> Outgoing:
        """Return the message that describes the cells."""
        view = self.view(shape)
        message = self._geometries.get(shape)
        if message is None:
            self.encoded += 1
            message = self._geometries[shape] = Outgoing("geometry", encode_control(geometry_message(view.geometry)))
        return message

    def delta(self, wire: Format, seq: int, shape: Shape = WHOLE) -> Outgoing:
        """Return what a client that has `seq` is missing."""
        if self._revision == self._state.revision:
            message = self._deltas.get((wire, shape, seq))
            if message is not None:
                return message
        self._begin_revision()
        base = self._base(seq)
        message = self._deltas.get((wire, shape, base))
        if message is None:
            self.encoded += 1
            message = Outgoing("delta", encode_delta(self._state, base, wire, self.view(shape)))
            self._remember((wire, shape, base), message, len(message.payload))
        if seq != base:
            self._remember((wire, shape, seq), message)
        return message

    def _remember(self, key: tuple[Format, Shape, int], message: Outgoing, size: int = 0) -> None:
        size += _ENTRY_BYTES
        if self.remembered_bytes + size > self.most_bytes:
            self._deltas.clear()
            self.remembered_bytes = 0
        self._deltas[key] = message
        self.remembered_bytes += size

    def _begin_revision(self) -> None:
        """Forget what was encoded of an older map."""
        if self._revision != self._state.revision:
            self._revision = self._state.revision
            self._snapshots.clear()
            self._deltas.clear()
            self.remembered_bytes = 0

    def _base(self, seq: int) -> int:
        """Return the newest delta's seq that a client with `seq` has for certain, so that many share one delta."""
        sent = self._sent_seqs
        return seq if seq < sent[0] else sent[bisect_right(sent, seq) - 1]
