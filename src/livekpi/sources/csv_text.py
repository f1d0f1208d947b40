"""How CSV is written (RFC 4180): cells between delimiters, in double quotes where they hold a delimiter, a quote or a newline."""

import csv
import re

COMMA = ","


class CsvText:
    """CSV with one delimiter, a character of ASCII."""

    def __init__(self, delimiter: str = COMMA) -> None:
        self.delimiter = delimiter
        sign = re.escape(delimiter).encode("ascii")
        # A cell, quoted or not, in one pass: what a part has matched it never gives back.
        cell = rb'(?:"[^"]*+(?:""[^"]*+)*+"[^%b]*+|[^"%b][^%b]*+|)(?:%b|\Z)' % ((sign,) * 4)
        self._closed = re.compile(rb"(?:%b)*+" % cell, re.DOTALL)
        self._closing = re.compile(rb'[^"]*+(?:""[^"]*+)*+"[^%b]*+(?:%b|\Z)(?:%b)*+' % (sign, sign, cell), re.DOTALL)

    def is_whole(self, line: bytes) -> bool:
        """Whether no quoted cell is open at the line's end."""
        return b'"' not in line or self._closed.fullmatch(line) is not None

    def closes(self, line: bytes) -> bool:
        """Whether a line that begins in a quoted cell ends outside of any."""
        return b'"' in line and self._closing.fullmatch(line) is not None

    def cells(self, record: str) -> list[str]:
        """A record's cells; raises csv.Error."""
        if '"' not in record:
            return record.split(self.delimiter)
        return next(csv.reader((record,), delimiter=self.delimiter, strict=True))
