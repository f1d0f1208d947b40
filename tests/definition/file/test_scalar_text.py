import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livekpi.definition.file.document import Scalar
from livekpi.definition.file.scalar_text import origins
from livekpi.definition.file.yaml_source import read_yaml

WORDS = st.lists(st.text("abé(*'\"=\\,%", min_size=1, max_size=5), min_size=1, max_size=6)


def scalar(text: str) -> tuple[Scalar, str]:
    """The scalar that is all of a document, and how it stands there."""
    document, problems = read_yaml(text.encode(), "f", {})
    assert not problems
    assert isinstance(document.root, Scalar)
    return document.root, text[document.root.start : document.root.end]


def pieces(value: str, raw: str, style: str | None) -> list[str]:
    """The pieces of the file that each character of the value but white space came from."""
    found = origins(value, raw, style)
    return [raw[found[i] : found[i + 1]].strip() for i, character in enumerate(value) if not character.isspace()]


@given(WORDS)
def test_single_quoted(words: list[str]) -> None:
    value, raw = scalar("'" + "\n   ".join(words).replace("'", "''") + "'")
    assert value.value == " ".join(words)
    expected = [character.replace("'", "''") for character in "".join(words)]
    assert [piece.rstrip("'") or "''" for piece in pieces(value.value, raw, "'")] == [piece.rstrip("'") or "''" for piece in expected]
    assert origins(value.value, raw, "'")[0] == 1


@given(st.text(max_size=20))
def test_double_quoted(text: str) -> None:
    value, raw = scalar(json.dumps(text.replace("\ud800", "")))
    assert value.value == text.replace("\ud800", "")
    found = origins(value.value, raw, '"')
    assert len(found) == len(value.value) + 1
    assert found == sorted(found)
    for character, start in zip(value.value, found, strict=False):
        if character.isalnum() and character.isascii():
            assert raw[start] == character


@pytest.mark.parametrize("style", [">", "|", ">-", "|2+"])
@given(words=WORDS)
def test_block(style: str, words: list[str]) -> None:
    document, problems = read_yaml(("a: " + style + "\n" + "".join(f"  {word}\n" for word in words)).encode(), "f", {})
    assert not problems
    node = document.find(("a",))
    assert isinstance(node, Scalar)
    raw = document.text[node.start : node.end]
    found = origins(node.value, raw, node.style)
    assert "".join(raw[at] for at, character in zip(found, node.value, strict=False) if not character.isspace()) == "".join(words)


@given(st.lists(st.text("abé(*=", min_size=1, max_size=5), min_size=1, max_size=6))
def test_plain(words: list[str]) -> None:
    document, problems = read_yaml(("a: x" + "\n    ".join(words)).encode(), "f", {})
    assert not problems
    node = document.find(("a",))
    assert isinstance(node, Scalar)
    raw = document.text[node.start : node.end]
    found = origins(node.value, raw, node.style)
    assert "".join(raw[at] for at, character in zip(found, node.value, strict=False) if not character.isspace()) == "x" + "".join(words)
