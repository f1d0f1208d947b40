"""Looks into files to say whether one still is what it was, and whether one is made from another."""

from livekpi.sources.byte_streams import DamagedError, Head, read_head
from livekpi.sources.identity import HEAD_BYTES
from livekpi.sources.listing import Seen

_COMPARED_BYTES = 4096


def begins_with(seen: Seen, head: Head) -> bool:
    """Whether a file still begins as it did; what can't be read does not."""
    try:
        with seen.file.open("rb") as file:
            return read_head(file.fileno(), HEAD_BYTES).data.startswith(head.data)
    except (OSError, DamagedError):
        return False


def may_be_copy(seen: Seen, head: Head, original: Seen, original_head: Head) -> bool:
    """Whether a file may be made from another, perhaps not wholly yet, as log rotation does before it truncates that one."""
    size = min(len(head.data), len(original_head.data))
    if head.data[:size] != original_head.data[:size]:
        return False
    if head.compressed or original_head.compressed:
        return True
    # An original that was truncated just now can't be compared; the next look will not find it any more.
    return not begins_with(original, original_head) or _is_beginning(seen, original)


def _is_beginning(seen: Seen, of: Seen) -> bool:
    """Whether what stands at the end of one file stands there in the other one."""
    if seen.size > of.size:
        return False
    at = max(0, seen.size - _COMPARED_BYTES)
    try:
        with seen.file.open("rb") as one, of.file.open("rb") as other:
            return one.seek(at) == other.seek(at) and one.read(seen.size - at) == other.read(seen.size - at)
    except OSError:
        return True  # not to be known; the next look will tell
