"""Which file is which: known again by how it begins, wherever it was moved, copied or compressed to.

A log that is rotated goes by another name, or in a copy of its own; inode numbers are given to new files again. How a file
begins, after decompression, stays; the first events of two logs differ at least in their times. A partition's name is the
path where its file was first seen with the length and hash of how it began then: ``access.log#1024-9f86d081884c7d65``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Self

HEAD_BYTES = 1024
"""How much of a file's beginning is looked at."""

_NAME = re.compile(r"(?P<path>.*)#(?P<length>[0-9]+)-(?P<digest>[0-9a-f]{16})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Identity:
    """How a file began when it was first seen."""

    path: str
    length: int
    digest: str

    @classmethod
    def of(cls, path: str, head: bytes) -> Self:
        return cls(path, len(head), _digest(head))

    @classmethod
    def parse(cls, partition: str) -> Self | None:
        """The identity that a partition's name says; None where it says none."""
        match = _NAME.fullmatch(partition)
        return None if match is None else cls(match["path"], int(match["length"]), match["digest"])

    @property
    def partition(self) -> str:
        return f"{self.path}#{self.length}-{self.digest}"


class Unclaimed:
    """Positions of files that are not open: which file goes on from which."""

    def __init__(self, positions: Mapping[str, int]) -> None:
        self._positions: dict[int, dict[str, dict[str, int]]] = {}  # by length, digest and path
        for partition, position in positions.items():
            identity = Identity.parse(partition)
            if identity is not None:
                self.give_back(identity, position)

    def claim(self, head: bytes, path: str | None) -> tuple[Identity, int] | None:
        """Takes the position of a file that begins so; where `path` is given, only that of a file first seen there."""
        for length in sorted(self._positions, reverse=True):  # the longer, the surer
            digest = _digest(head[:length])
            alike = self._positions[length].get(digest, {})
            if length <= len(head) and alike and path in (None, *alike):
                found = path or max(alike, key=lambda path: alike[path])
                return Identity(found, length, digest), alike.pop(found)
        return None

    def give_back(self, identity: Identity, position: int) -> None:
        """Leaves a position to whichever file begins so."""
        self._positions.setdefault(identity.length, {}).setdefault(identity.digest, {})[identity.path] = position


def _digest(head: bytes) -> str:
    return blake2b(head, digest_size=8).hexdigest()
