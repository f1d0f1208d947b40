import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from livekpi.logs import configure


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where logs go."""
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure(stream)
    yield stream
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


def test_what_a_library_warns_of_is_a_line_like_all_others(stream: io.StringIO) -> None:
    structlog.get_logger().warning("ours", number=7)
    logging.getLogger("uvicorn.error").warning("theirs %s", 7)
    logging.getLogger("uvicorn.error").info("no warning")
    ours, theirs = map(json.loads, stream.getvalue().splitlines())
    assert (ours.pop("event"), theirs.pop("event")) == ("ours", "theirs 7")
    assert ours.pop("number") == 7
    assert (ours.keys(), ours["level"]) == (theirs.keys(), theirs["level"]) == ({"level", "timestamp"}, "warning")


def test_where_a_library_failed_is_said_in_its_line(stream: io.StringIO) -> None:
    try:
        raise ValueError("why")  # noqa: TRY301
    except ValueError:
        logging.getLogger("uvicorn.error").exception("failed")
    (line,) = map(json.loads, stream.getvalue().splitlines())
    assert line["exception"].endswith("ValueError: why")
