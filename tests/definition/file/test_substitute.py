from hypothesis import given
from hypothesis import strategies as st

from livekpi.definition.file.substitute import substitute

ENVIRON = {"A": "alpha", "EMPTY": ""}


def test_variables_and_defaults() -> None:
    assert substitute("${A}/${B:-b}/${EMPTY:-e}/${EMPTY}/${A:-x}/${B:-}", ENVIRON).text == "alpha/b/e//alpha/"


def test_dollars() -> None:
    assert substitute("$$ $${A} $A ^a$ $", ENVIRON).text == "$ ${A} $A ^a$ $"


def test_mistakes_leave_the_text_and_say_where() -> None:
    found = substitute("x${B}${1}", ENVIRON)
    assert found.text == "x${B}${1}"
    assert [offset for offset, _ in found.mistakes] == [1, 5]


def test_every_character_knows_where_it_came_from() -> None:
    assert substitute("x${A}y$$z", ENVIRON).origins == (0, 1, 1, 1, 1, 1, 5, 6, 8, 9)


@given(st.text("ab${}:-_ "), st.text("xyz${}"))
def test_what_is_filled_in_is_not_read_again(text: str, value: str) -> None:
    found = substitute(f"<${{VAR}}>{text}", {"VAR": value})
    assert found.text.startswith(f"<{value}>")
    assert len(found.origins) == len(found.text) + 1
    assert list(found.origins) == sorted(found.origins)


@given(st.text("abc ${}"))
def test_a_doubled_dollar_is_a_dollar(text: str) -> None:
    assert substitute(text.replace("$", "$$"), {}).text == text
