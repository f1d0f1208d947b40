"""Which file is which."""

import pytest

from livekpi.sources.identity import HEAD_BYTES, Identity, Unclaimed


@pytest.mark.parametrize("path", ["app.log", "a#1-b/c d", "", "\n#"])
def test_a_partition_says_its_identity(path: str) -> None:
    identity = Identity.of(path, b"begin")
    assert Identity.parse(identity.partition) == identity
    assert identity.partition.startswith(f"{path}#5-")


@pytest.mark.parametrize("partition", ["", "0", "app.log", "app.log#5-xyz", "stdin"])
def test_other_partitions_say_none(partition: str) -> None:
    assert Identity.parse(partition) is None
    assert Unclaimed({partition: 7}).claim(b"", None) is None


def test_a_position_is_claimed_by_the_beginning_and_once() -> None:
    one, longer, other = Identity.of("a", b"begin"), Identity.of("b", b"beginning"), Identity.of("c", b"else")
    unclaimed = Unclaimed({one.partition: 1, longer.partition: 2, other.partition: 3})
    assert unclaimed.claim(b"beg", None) is None
    assert unclaimed.claim(b"beginning and more", "c") is None
    assert unclaimed.claim(b"beginning and more", "a") == (one, 1)
    assert unclaimed.claim(b"beginning and more", None) == (longer, 2)
    assert unclaimed.claim(b"beginning and more", None) is None
    unclaimed.give_back(one, 10)
    assert unclaimed.claim(b"beginning", None) == (one, 10)


def test_of_files_that_began_alike_the_one_read_furthest_is_claimed() -> None:
    names = {Identity.of(path, b"x" * HEAD_BYTES).partition: position for path, position in (("a", 1), ("b", 3), ("c", 2))}
    assert Unclaimed(names).claim(b"x" * HEAD_BYTES, None) == (Identity.of("b", b"x" * HEAD_BYTES), 3)
