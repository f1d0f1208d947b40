"""What is replaced is there as a whole, or as it was."""

from pathlib import Path

import pytest

from livekpi import disk


def test_a_text_is_replaced_at_once_and_only_when_it_would_outlive_a_power_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "driver.json"
    path.write_text("before")
    seen: list[tuple[str, str]] = []
    monkeypatch.setattr(disk, "_sync", lambda _: seen.append((path.read_text(), (tmp_path / "driver.json.new").read_text())))
    disk.replace_text(path, "after, é")
    assert seen == [("before", "after, é")]
    assert path.read_text(encoding="utf-8") == "after, é"
    assert list(tmp_path.iterdir()) == [path]


def test_a_text_that_can_not_be_written_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError

    path = tmp_path / "driver.json"
    path.write_text("before")
    monkeypatch.setattr(disk, "_sync", fail)
    with pytest.raises(OSError):  # noqa: PT011 - it is the one raised above
        disk.replace_text(path, "after")
    assert path.read_text() == "before"
