"""A store of its own for what is kept of alerts."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from livekpi.clock import SystemClock
from livekpi.store.database import Store


@pytest.fixture
def cursor(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """As the judges' thread has one, which writes beside the engine's."""
    with closing(Store.open(tmp_path, SystemClock())) as store, store.beside() as opened:
        yield opened
