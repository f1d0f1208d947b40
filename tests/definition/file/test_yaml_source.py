import pytest

from livekpi.definition.file.document import data
from livekpi.definition.file.yaml_source import MAX_BYTES, read_yaml
from livekpi.definition.problems import DefinitionError, Problem


def read(text: str) -> object:
    document, problems = read_yaml(text.encode(), "shop.yaml", {"A": "a: b", "EMPTY": ""})
    assert problems == []
    return data(document.root)


def mistakes(raw: bytes) -> list[tuple[int, int, str]]:
    """Line, column and message of each mistake."""
    try:
        _, problems = read_yaml(raw, "shop.yaml", {})
    except DefinitionError as error:
        problems = list(error.problems)
    return [(problem.line, problem.column, problem.message) for problem in problems]


@pytest.mark.parametrize(
    ("raw", "line", "column", "message"),
    [
        (b"", 1, 1, "the file is empty; expected `sources` and `kpis`"),
        (b"# nothing\n", 1, 1, "the file is empty; expected `sources` and `kpis`"),
        (b"a: 1\nb: caf\xe9\n", 2, 7, "expected UTF-8, found the byte 0xe9; save the file as UTF-8"),
        (b"a: 1\nb: \x00\n", 2, 4, "the character U+0000 is not allowed in YAML"),
        (b'a: "x \\ud83c y"\n', 1, 4, "half a character, \\ud83c; write the character itself, or \\U and its eight digits"),
        (b"a:\n\tb: 1\n", 2, 1, "a tab; indent with spaces, and put a value that starts with a tab in quotes"),
        (b"a: b: c\n", 1, 5, "a second `: ` on the line; put the value in quotes if it belongs to the value"),
        (b"a: 'b\n", 2, 1, "a quote that is never closed"),
        (b"a: [b\n", 2, 1, "not YAML: expected ',' or ']', but got '<stream end>' while parsing a flow sequence"),
        (b"a:\n    b: 1\n   c: 1\n", 3, 4, "the line begins at another column than the keys it belongs to"),
        (b"a:\n    - b\n   - c\n", 3, 4, "the item begins at another column than those it belongs to"),
        (b"a: { b: ${B} }\n", 1, 10, "a second `{`; put a value such as ${NAME} in quotes where it stands within braces"),
        (b"a: @b\n", 1, 4, "a value that starts with @; put it in quotes"),
        (b"a: 1\nb\n", 3, 1, "a line that is neither `key: value` nor a list item; expected `: ` after a key"),
        (b"a: 1\n---\nb: 1\n", 2, 1, "a second document; expected one in the file, without another `---`"),
        (b"a: 1\nb: 2\na: 3\n", 3, 1, "'a' stands twice here, first in line 1; keep one"),
        (
            b"a: &x {}\nb: { <<: *x }\n",
            2,
            6,
            "merge keys (<<) are not understood; write the keys out, or name the whole value with & and *",
        ),
        (b"a: !!python/name:os.system x\n", 1, 4, "a tag, tag:yaml.org,2002:python/name:os.system; a definition has none, take it away"),
        (b"[a]: 1\n", 1, 1, "a key that is a list or a mapping; expected a name"),
        (b"a: *x\n", 1, 4, "no anchor &x stands before this"),
        (b"a: &x [*x]\n", 1, 8, "no anchor &x stands before this"),
        (b"[" * 40, 1, 33, "nested more than 32 deep"),
        (b'a: "\\UFFFFFFFF"\n', 1, 1, "not YAML: Python int too large to convert to C int"),
    ],
)
def test_a_mistake_in_the_yaml(raw: bytes, line: int, column: int, message: str) -> None:
    assert mistakes(raw) == [(line, column, message)]


def test_a_file_that_is_too_large() -> None:
    with pytest.raises(DefinitionError) as caught:
        read_yaml(b" " * (MAX_BYTES + 1), "shop.yaml", {})
    assert caught.value.problems == (Problem("expected a file of at most 1 MiB", "shop.yaml"),)


def test_aliases_count_as_what_they_stand_for() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 9)]
    ((line, column, message),) = mistakes("\n".join(lines).encode())
    assert (line, column) == (5, 55)
    assert message == "more than 100,000 values, aliases counted as what they stand for"


def test_aliases_may_not_nest_deeper_than_what_is_written_out() -> None:
    lines = ["a0: &a0 []"] + [f"a{level}: &a{level} [*a{level - 1}]" for level in range(1, 40)]
    assert [(line, message) for line, _, message in mistakes("\n".join(lines).encode())] == [(32, "nested more than 32 deep")]


def test_an_alias_stands_for_its_value() -> None:
    assert read("a: &dims [x, y]\nb: *dims\n") == {"a": ["x", "y"], "b": ["x", "y"]}


def test_plain_scalars_follow_the_core_schema() -> None:
    text = "[1, -2, 0o17, 0x1f, 1.5, 1e3, .5, true, False, null, ~, '', '7', yes, on, 2026-01-31, 12:30, .inf, .nan, 0.7.1, 10s]"
    assert read(text) == [
        *(1, -2, 15, 31, 1.5, 1000.0, 0.5, True, False, None, None),
        *("", "7", "yes", "on", "2026-01-31", "12:30", ".inf", ".nan", "0.7.1", "10s"),
    ]


def test_keys_are_text() -> None:
    assert read("{1: a, true: b, null: c, 10s: d}") == {"1": "a", "true": "b", "null": "c", "10s": "d"}


def test_a_byte_order_mark_is_no_character() -> None:
    assert mistakes("\ufeffa: b: c\n".encode()) == [(1, 5, "a second `: ` on the line; put the value in quotes if it belongs to the value")]
    assert read("\ufeffa: 1\n") == {"a": 1}


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_end_as_editors_see_it(ending: str) -> None:
    assert mistakes(ending.join(["a: 1", "# é", "a: 2"]).encode())[0][:2] == (3, 1)


def test_variables_never_change_the_structure() -> None:
    assert read('a: ${A}\nb: "${A}, ${EMPTY:-x}"\nc: $$A\nd: ${EMPTY}\n') == {"a": "a: b", "b": "a: b, x", "c": "$A", "d": ""}


def test_where_nothing_stands_is_where_its_key_stands() -> None:
    document, _ = read_yaml(b"a:\n  b:\n  c: 1\nd: { e, f: }\ng:\n", "f", {})
    for loc, expected in ((("a", "b"), (2, 3)), (("d", "e"), (4, 6)), (("d", "f"), (4, 9)), (("g",), (5, 1)), (("a", "c"), (3, 6))):
        problem = document.problem(loc, "")
        assert (problem.line, problem.column) == expected, loc


def test_a_number_from_a_variable_is_text_until_it_is_checked() -> None:
    assert read("a: ${N:-5}\n") == {"a": "5"}


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("a: x${UNSET}\n", 5, "the environment variable UNSET is not set; set it, or give a default: ${UNSET:-…}"),
        ("a: '''${UNSET}'\n", 7, "the environment variable UNSET is not set; set it, or give a default: ${UNSET:-…}"),
        ('a: "\\t${9}"\n', 7, "expected ${NAME} or ${NAME:-default}; write $$ for a dollar sign"),
        ("a: ${B:-${C}}\n", 4, "expected ${NAME} or ${NAME:-default}; write $$ for a dollar sign"),
    ],
)
def test_a_mistake_in_a_variable(text: str, column: int, message: str) -> None:
    assert mistakes(text.encode())[0] == (1, column, message)


def test_a_comma_between_parentheses_belongs_to_the_value() -> None:
    assert read("{ when: absent(orders, 10m), by: [x], value: if(a, b,\n  c) / f(g(1, 2), 3) }") == {
        "when": "absent(orders, 10m)",
        "by": ["x"],
        "value": "if(a, b, c) / f(g(1, 2), 3)",
    }
    assert read("{ a: x = '(', b: 1 }") == {"a": "x = '('", "b": 1}


def test_an_open_parenthesis_takes_no_key_with_a_value() -> None:
    assert read("{ a: f(x, b: 1, c: }") == {"a": "f(x", "b": 1, "c": None}
    assert read("{ a: f(x, # said of x\n  y) }") == {"a": "f(x", "y)": None}
