import pytest
from hypothesis import given
from hypothesis import strategies as st

from livekpi.definition.problems import ExpressionError
from livekpi.definition.rules.summaries import parse_summary

NAMES = ("value", "service")


def test_names_are_filled_in_and_nothing_else() -> None:
    summary = parse_summary("{service}: {value}{value} {{value}} }}{{", NAMES)
    assert summary.filled({"value": "{service}", "service": "web"}) == "web: {service}{service} {value} }{"


@given(st.text(st.sampled_from("{}ab \n")), st.lists(st.sampled_from(NAMES)))
def test_any_text_can_be_said(text: str, names: list[str]) -> None:
    quoted = text.replace("{", "{{").replace("}", "}}")
    said = quoted.join(["", *(f"{{{name}}}" for name in names), ""])
    assert parse_summary(said, NAMES).filled({"value": "1", "service": "{x}"}) == text.join(
        ["", *("1" if name == "value" else "{x}" for name in names), ""]
    )


@pytest.mark.parametrize(
    ("text", "message", "offset"),
    [
        ("is {valu}", "there is nothing called 'valu' to fill in; did you mean 'value'?", 4),
        ("is {}", "there is nothing called '' to fill in; expected one of value, service", 4),
        ("{value.real}", "there is nothing called 'value.real' to fill in; did you mean 'value'?", 1),
        ("{value:>9}", "there is nothing called 'value:>9' to fill in", 1),
        ("is {value", "a brace stands alone; write {{ for a brace in the text", 3),
        ("is } here", "a brace stands alone; write }} for a brace in the text", 3),
        ("{{{", "a brace stands alone", 2),
    ],
)
def test_a_wrong_summary(text: str, message: str, offset: int) -> None:
    with pytest.raises(ExpressionError) as raised:
        parse_summary(text, NAMES)
    assert raised.value.message.startswith(message)
    assert raised.value.offset == offset
