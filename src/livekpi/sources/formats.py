"""The formats of text records: how a record falls into cells, one a field.

CSV has a header. Access logs are Apache's and nginx's `common` and `combined`; what
stands after those fields is ignored, and combined's two last may lack. A regex must match the whole line.
"""

import csv
import re
from collections.abc import Callable, Sequence

from livekpi.sources.csv_text import CsvText
from livekpi.sources.faults import Fault, FaultError, shown

Cells = Callable[[str], Sequence[str | None]]
"""The cells of a record in the order of the fields asked for, None where a field is not in it, empty where it is null.

Raises FaultError where the record is not of the format.
"""

_QUOTED = r'[^"\\]*(?:\\.[^"\\]*)*'
# No two parts of it can match the same characters, so a line is refused in one pass.
_ACCESS = re.compile(
    r"(?P<client>\S+) \S+ (?P<user>[^\[]*) \[(?P<time>[^\]]*)\] "
    rf'"(?P<request>{_QUOTED})" (?P<status>\S+) (?P<bytes>\S+)'
    rf'(?: "(?P<referrer>{_QUOTED})" "(?P<agent>{_QUOTED})")?(?: .*)?',
    re.DOTALL,
)


def access_cells(names: Sequence[str]) -> Cells:
    """Cells of a line in common or combined format; the fields are those of definition/resolve/log_formats.py.

    `path` is the request's target with its query; a request line of another shape is all `path`. `-` is null.
    """

    def cells(text: str) -> Sequence[str | None]:
        match = _ACCESS.fullmatch(text)
        if match is None:
            raise FaultError(Fault("invalid", f"not a line of an access log (common or combined): {shown(text)}"))
        found = match.groupdict()
        found["method"], found["path"], found["protocol"] = _request(match["request"])
        return ["" if (cell := found.get(name)) == "-" else cell for name in names]

    return cells


def _request(line: str) -> tuple[str | None, str | None, str | None]:
    words = line.split(" ")
    if len(words) >= 3 and words[-1].startswith("HTTP/"):
        return words[0], " ".join(words[1:-1]), words[-1]
    if len(words) == 2:  # HTTP/0.9 named no protocol
        return words[0], words[1], None
    return None, line, None


def regex_cells(pattern: str, names: Sequence[str]) -> Cells:
    """Cells of a line that a pattern with named groups matches."""
    expression = re.compile(pattern)

    def cells(text: str) -> Sequence[str | None]:
        match = expression.fullmatch(text)
        if match is None:
            raise FaultError(Fault("invalid", f"the source's regex does not match: {shown(text)}"))
        found = match.groupdict()
        return [found.get(name) for name in names]

    return cells


def csv_cells(form: CsvText, columns: Sequence[str], names: Sequence[str]) -> Cells:
    """Cells of a CSV record under a header; of two columns with one name the first counts."""
    indexes = [columns.index(name) if name in columns else None for name in names]

    def cells(text: str) -> Sequence[str | None]:
        if not columns:
            raise FaultError(Fault("invalid", f"CSV can't be read without its file's header: {shown(text)}"))
        try:
            row = form.cells(text)
        except csv.Error as error:
            raise FaultError(Fault("invalid", f"not CSV ({error}): {shown(text)}")) from error
        if len(row) != len(columns):
            raise FaultError(Fault("invalid", f"expected {len(columns)} cells as in the header, got {len(row)}: {shown(text)}"))
        return [None if index is None else row[index] for index in indexes]

    return cells
