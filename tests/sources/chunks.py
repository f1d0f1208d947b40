"""What a source reads, where a test knows that it is raw."""

from collections.abc import Iterable

from livekpi.events import Events
from livekpi.sources.base import Chunk


def raw(read: Iterable[Chunk | Events]) -> list[Chunk]:
    """The chunks that were read; nothing among them was decoded."""
    found = []
    for each in read:
        assert isinstance(each, Chunk)
        found.append(each)
    return found
