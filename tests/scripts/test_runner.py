"""What a run prints, and its exit code."""

from pathlib import Path

import pytest

from livekpi.scripts import run

START = """\
definition:
  sources:
    web: { http: {}, time: ts, fields: { ts: timestamp, page: string, n: number } }
  kpis:
    total: { value: sum(n), every: 1m, by: [page] }
clock 2026-03-01T12:00:00Z
events web
  {"ts": "2026-03-01T11:00:00Z", "page": "a b", "n": 0.6666}
  {"ts": "2026-03-01T11:01:00Z", "page": "c", "n": "x"}
"""


def outcome(text: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """The exit code and what was printed, of a script behind START, whose lines begin with 10."""
    path = folder / "a.test"
    path.write_text(START + text, encoding="utf-8")
    code = run([path], kill_everywhere=False)
    return code, capsys.readouterr().out.replace(str(folder), "").strip()


def test_all_as_expected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome("expect total\n  2026-03-01T11:00:00Z 0.6666\n", tmp_path, capsys) == (0, "ok  /a.test")


def test_expected_and_got_stand_beside_each_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = 'expect total --by page\n  2026-03-01T11:00:00Z "a b" 0.7\n  2026-03-01T11:05:00Z c 1 final\n'
    assert outcome(text, tmp_path, capsys) == (
        1,
        "FAILED  /a.test\n"
        "/a.test:10: total came otherwise than expected (- expected, + came)\n"
        '    - 2026-03-01T11:00:00Z  "a b"  0.7\n'
        '    + 2026-03-01T11:00:00Z  "a b"  0.6666  provisional\n'
        "    - 2026-03-01T11:05:00Z  c      1       final\n"
        "0 of 1 scripts as expected",
    )


@pytest.mark.parametrize(
    ("expected", "code"),
    [
        ("0.6666", 0),
        ("0.667", 1),
        ("~0.667", 0),
        ("~0.666", 1),
        ("0.67±0.5%", 1),
        ("0.67±1%", 0),
        ("0.6±0.07", 0),
        ("0.6±0.06", 1),
        ('"0.6666"', 1),
    ],
)
def test_tolerance(expected: str, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(f"expect total\n  2026-03-01T11:00:00Z {expected}\n", tmp_path, capsys)[0] == code


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("expect total\n  nothing\n", "/a.test:10: total came otherwise"),
        ("expect total\n  2026-03-01T11:00:00Z 0.6666 final\n", "/a.test:10: total came otherwise"),
        ("expect totl\n  nothing\n", "/a.test:10: totl was refused"),
        ("expect total\n  error: no\n", "/a.test:10: total was answered with 1 points"),
        ("expect dead-letters web\n  nothing\n", "/a.test:10: the dead letters of web came otherwise"),
        ("expect dead-letters web\n  wrong_type page\n", "/a.test:10: the dead letters of web came otherwise"),
        ("expect dead-letters shop\n  nothing\n", "/a.test:10: there is no source 'shop'"),
        ("\nadvance\n", "/a.test:11: expected advance DURATION"),
        ("definition:\n  sources: {}\n", "/a.test:10: the definition can't be used\n    /a.test:11:"),
    ],
)
def test_each_failure_is_said_at_its_line(text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, printed = outcome(text, tmp_path, capsys)
    assert code == 1
    assert message in printed


@pytest.mark.parametrize(("text", "message"), [("clock 2026-03-01\nkill\n", "expected a definition before")])
def test_a_server_needs_a_definition_and_the_time(text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.test"
    path.write_text(text, encoding="utf-8")
    assert run([path], kill_everywhere=False) == 1
    assert f"a.test:2: {message}" in capsys.readouterr().out


def test_a_file_that_can_not_be_read_costs_no_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "latin.test").write_bytes(b"\xff")
    (tmp_path / "empty.test").write_bytes(b"")
    assert run([tmp_path / name for name in ("no.test", "latin.test", "empty.test")], kill_everywhere=False) == 1
    printed = capsys.readouterr().out
    assert "no.test:1: can't be read" in printed
    assert "latin.test:1: expected UTF-8" in printed
    assert "1 of 3 scripts as expected" in printed
