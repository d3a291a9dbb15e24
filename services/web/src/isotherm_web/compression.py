"""Answers made as they are asked for, compressed by what the client takes: brotli before gzip."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import brotli  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Encoding = Literal["br", "gzip"]

ENCODINGS: Final[tuple[Encoding, ...]] = ("br", "gzip")
"""In the order of what is better."""

_BROTLI_QUALITY = 5
_GZIP_LEVEL = 5
_ETAG_DIGITS = 20


def _brotli(body: bytes) -> bytes:
    compressed: bytes = brotli.compress(body, quality=_BROTLI_QUALITY)
    return compressed


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, _GZIP_LEVEL, mtime=0)


_COMPRESS: Mapping[Encoding, Callable[[bytes], bytes]] = {"br": _brotli, "gzip": _gzip}


def choose_encoding(quality: Callable[[str], float]) -> Encoding | None:
    """Return how an answer is to be compressed; None when the client takes neither.

    Args:
        quality: tells how much the client likes an encoding, 0 for what it does not take.
    """
    best = max(ENCODINGS, key=quality)
    return best if quality(best) > 0 else None


def compress(body: bytes, encoding: Encoding) -> bytes:
    """Return the body in an encoding."""
    return _COMPRESS[encoding](body)


@dataclass(frozen=True)
class Document:
    """An encoded answer.

    Attributes:
        etag: stands for what it says.
        body: the answer.
    """

    etag: str
    body: Compressible

    @classmethod
    def of(cls, plain: bytes) -> Document:
        """Return a document whose tag stands for its bytes."""
        return cls(hashlib.sha256(plain).hexdigest()[:_ETAG_DIGITS], Compressible(plain))


class Compressible:
    """A body that many ask for: compressed at most once in each way.

    Attributes:
        plain: the body as it is.
    """

    def __init__(self, plain: bytes) -> None:
        self.plain = plain
        self._compressed: dict[Encoding, bytes] = {}

    @property
    def size(self) -> int:
        """How many bytes it takes in all the ways that it was asked for."""
        return len(self.plain) + sum(map(len, self._compressed.values()))

    def encoded(self, encoding: Encoding | None) -> bytes:
        """Return the body as an encoding has it."""
        if encoding is None:
            return self.plain
        if encoding not in self._compressed:
            self._compressed[encoding] = compress(self.plain, encoding)
        return self._compressed[encoding]

    def compress_all(self) -> None:
        """Compress it in each way, for who has the time for it now."""
        for encoding in ENCODINGS:
            self.encoded(encoding)
