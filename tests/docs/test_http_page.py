"""The page on HTTP has every path, status and limit that there is."""

import re

import pytest

from livekpi.definition.shape.model import Http
from livekpi.web import bodies
from livekpi.web.access.guard import LOOPBACK_NAMES, OPEN
from livekpi.web.door import door, records
from livekpi.web.openapi.document import DOCUMENT
from livekpi.web.stream import stream, viewer
from tests.house.tree import ROOT

PAGE = (ROOT / "docs" / "http.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([^|]+) \|", PAGE, re.MULTILINE)


def test_it_has_every_path() -> None:
    paths = {path for row in ROWS for path in re.findall(r"`(/[^`]*)`", row)}
    assert paths | {"/v1/events/{source}"} == set(DOCUMENT["paths"])


def test_it_has_every_answer_of_the_door() -> None:
    statuses = {status for row in ROWS for status in re.findall(r"\b\d{3}\b", row)}
    assert statuses == set(DOCUMENT["paths"]["/v1/events/{source}"]["post"]["responses"])


def test_it_has_every_parameter() -> None:
    words = set(re.findall(r"`(\w+)=?[^`]*`", PAGE))
    named = {
        parameter["name"]
        for operations in DOCUMENT["paths"].values()
        for operation in operations.values()
        for parameter in operation["parameters"]
        if parameter["in"] == "query"
    }
    assert named <= words


@pytest.mark.parametrize(
    "limit",
    [
        f"({Http().max_body_mib} MiB)",
        f"({Http().max_behind_mib // 1024} GiB)",
        f"{records.MAX_RECORDS:,} events",
        f"within {bodies.BODY_S:.0f} s",
        f"{door.MAX_HELD_BYTES // 2**20} MiB of other bodies",
        f"first {door.MAX_ERRORS} by line",
        f"{viewer.MAX_MERGED_POINTS:,} points behind",
        f"every {stream.HEARTBEAT_S:.0f} s",
    ],
)
def test_its_limits_are_those_of_the_code(limit: str) -> None:
    assert limit in PAGE


def test_it_says_what_is_open_and_which_names_are_answered() -> None:
    assert all(f"`{name}`" in PAGE for name in (*OPEN, *LOOPBACK_NAMES))
