"""Each kind of mistake in a script is said, at its line."""

from pathlib import Path

import pytest

from livekpi.scripts.parser import parse_script
from livekpi.scripts.script import Advance, Arrive, ExpectPoints
from livekpi.scripts.words import ScriptError


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("  indented", 1, "expected a step at the margin"),
        ("# a comment\n\nrestrat", 3, "there is no step 'restrat'"),
        ("definition:", 1, "expected a file's name after definition:"),
        ("definition: nowhere.yaml", 1, "can't be read"),
        ("definition: one two", 1, "expected definition: FILE"),
        ("clock", 1, "expected clock TIME"),
        ("clock noon", 1, "'noon' is no time"),
        ("clock 2026-03-01\n  more", 2, "expected nothing below clock"),
        ("advance 5 m", 1, "expected advance DURATION"),
        ("advance soon", 1, "'soon'"),
        ("events", 1, "expected events SOURCE"),
        ("events shop partition", 1, "expected events SOURCE"),
        ("events shop at 3\n  {}", 1, "expected events SOURCE"),
        ("events shop partition -1\n  {}", 1, "expected a partition's number"),
        ("events shop partition 32768\n  {}", 1, "expected a partition's number"),
        ("events shop", 1, "expected events below"),
        ("events shop from nowhere.ndjson", 1, "can't be read"),
        ("restart now", 1, "expected restart"),
        ("kill -9", 1, "expected kill"),
        ("expect", 1, "expected the name of a KPI"),
        ("expect hits", 1, "write `nothing`"),
        ("expect hits --stpe 1m\n  nothing", 1, "there is no option '--stpe'"),
        ("expect hits --step\n  nothing", 1, "expected one value after --step"),
        ("expect hits --step 1m --step 1h\n  nothing", 1, "expected one value after --step"),
        ("expect hits --timezone Asia/Atlantis\n  nothing", 1, "there is no time zone"),
        ("expect hits --from noon\n  nothing", 1, "'noon' is no time"),
        ("expect hits\n  2026-03-01", 2, "expected TIME VALUE"),
        ("expect hits --by country\n  2026-03-01 1", 2, "expected TIME COUNTRY VALUE"),
        ("expect hits --compare 1d\n  2026-03-01 1", 2, "expected TIME VALUE BEFORE"),
        ("expect hits\n  2026-03-01 1\n  2026-03-01 2", 3, "stands in line 2 already"),
        ("expect hits\n  noon 1", 2, "'noon' is no time"),
        ("expect hits\n  nothing\n  2026-03-01 1", 2, "expected nothing else"),
        ("expect hits\n  error: no\n  2026-03-01 1", 3, "expected nothing below error:"),
        ('expect hits\n  2026-03-01 "open', 2, "expected a closing quote"),
        ('expect hits\n  2026-03-01 "\\x"', 2, "is no text as in JSON"),
        ("expect dead-letters\n  nothing", 1, "expected dead-letters SOURCE"),
        ("expect dead-letters shop\n  missing user no such field", 2, "expected CODE"),
    ],
)
def test_a_mistake_is_said_at_its_line(text: str, line: int, message: str, tmp_path: Path) -> None:
    with pytest.raises(ScriptError) as caught:
        parse_script(tmp_path / "a.test", text)
    assert caught.value.line == line
    assert message in caught.value.message


def test_comments_and_empty_lines_say_nothing() -> None:
    script = parse_script(Path("a.test"), "# first\n\nadvance 1m  # then\n  # below\n\nexpect hits # so\n  # here\n  nothing # at all\n")
    assert [(type(step), step.line) for step in script.steps] == [(Advance, 3), (ExpectPoints, 6)]


def test_lines_of_events_hold_no_comments() -> None:
    (step,) = parse_script(Path("a.test"), 'events shop\n  {"a": "# no comment"}\n\n  # a record that is none\n  tombstone\n').steps
    assert isinstance(step, Arrive)
    assert step.records == (b'{"a": "# no comment"}', None)
