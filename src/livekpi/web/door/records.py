"""From a body to its records: decompressed, and taken apart."""

import zlib
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from http import HTTPStatus

import msgspec
import zstandard

from livekpi.sources.lined import Lined
from livekpi.web.bodies import too_large
from livekpi.web.problems import ProblemError

ENCODINGS = ("gzip", "zstd")
MAX_RECORDS = 500_000
"""More than any body within the limit holds of real events; a body of as many tiny broken ones would cost minutes."""
ADVICE = "send fewer events at a time (`max_body_mib` sets the limit)"
"""To who sends a body that is too large."""
_PIECE_BYTES = 2**16
_array = msgspec.json.Decoder(list[msgspec.Raw])
_one = msgspec.json.Decoder(msgspec.Raw)


def decompress(body: bytes, encoding: str, limit: int) -> bytes:
    """Undoes a Content-Encoding, holding never much more than `limit` bytes; raises ProblemError."""
    try:
        match encoding.strip().lower():
            case "" | "identity":
                return body
            case "gzip" | "x-gzip":
                return _gunzip(body, limit)
            case "zstd":
                return _unzstd(body, limit)
    except (zlib.error, zstandard.ZstdError, EOFError) as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"the body is not what `Content-Encoding: {encoding}` says: {error}") from error
    detail = f"`Content-Encoding: {encoding}` is not understood; send {' or '.join(ENCODINGS)}, or no encoding"
    raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail, {"Accept-Encoding": ", ".join(ENCODINGS)})


def _gunzip(body: bytes, limit: int) -> bytes:
    """All members of a gzip file, one after another (RFC 1952)."""
    parts: list[bytes] = []
    size, member = 0, zlib.decompressobj(wbits=31)
    for piece in _pieces(body):
        left = piece
        while left:
            if member.eof:
                member = zlib.decompressobj(wbits=31)
            parts.append(member.decompress(left, limit + 1 - size))
            size += len(parts[-1])
            if size > limit:
                raise too_large(limit, ADVICE)
            left = member.unused_data
    if not member.eof:
        raise EOFError("it is cut short")
    return b"".join(parts)


def _unzstd(body: bytes, limit: int) -> bytes:
    """All frames, one after another (RFC 8878)."""
    decompressor = zstandard.ZstdDecompressor()  # which refuses windows above 128 MiB
    # Only the reader stops at a size, and only the object tells a frame that is cut short; so the size is found first.
    size = 0
    with decompressor.stream_reader(body, read_across_frames=True) as reader:
        while piece := reader.read(2**20):
            size += len(piece)
            if size > limit:
                raise too_large(limit, ADVICE)
    parts: list[bytes] = []
    frame = decompressor.decompressobj()
    for piece in _pieces(body):
        left = piece
        while left:
            if frame.eof:
                frame = decompressor.decompressobj()
            parts.append(frame.decompress(left))
            left = frame.unused_data
    if not frame.eof:
        raise EOFError("it is cut short")
    return b"".join(parts)


def _pieces(body: bytes) -> Iterator[bytes]:
    """What is left of a piece is copied where a member ends in it: of a whole body that would cost time by its square."""
    return (body[begin : begin + _PIECE_BYTES] for begin in range(0, len(body), _PIECE_BYTES))


def split(body: bytes) -> Sequence[bytes]:
    """The body's records: the elements of a JSON array, one JSON object, or else lines, blank ones included.

    The bytes of a record are as they came, but for line ends between the tokens of an array's elements, which become spaces.
    Raises ProblemError where there is nothing, or too many, or what begins as an array is none.
    """
    body = body.removeprefix(BOM_UTF8).rstrip()
    if not body:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "the body holds no event; send JSON objects, one a line, or a JSON array of them")
    if body.lstrip().startswith(b"["):
        return _elements(body)
    if len(body) > MAX_RECORDS and body.count(b"\n") >= MAX_RECORDS:
        raise _too_many()
    end = body.find(b"\n")
    if end >= 0 and not _is_json(body[:end]) and _is_json(body):
        return [body.lstrip()]
    return Lined(body)


def _elements(body: bytes) -> list[bytes]:
    try:
        elements = [bytes(element) for element in _array.decode(body)]
    except (msgspec.DecodeError, RecursionError) as error:
        detail = f"the body begins with [ but is no JSON array: {error}. Send one event a line, and a broken one costs no other"
        raise ProblemError(HTTPStatus.BAD_REQUEST, detail) from error
    if len(elements) > MAX_RECORDS:
        raise _too_many()
    return [element.replace(b"\n", b" ") for element in elements] if b"\n" in body else elements


def _too_many() -> ProblemError:
    return ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body holds more than {MAX_RECORDS} events; send fewer at a time")


def _is_json(text: bytes) -> bool:
    try:
        _one.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True
