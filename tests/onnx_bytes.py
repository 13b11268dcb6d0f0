"""ONNX files byte by byte: tests of core and daemon run where the onnx package is not installed."""

from __future__ import annotations

from collections.abc import Iterator

_METADATA_FIELD = 14
_VARINT, _LENGTH_DELIMITED = 0, 2
_FLOAT = 1


def minimal_onnx(metadata: dict[str, str]) -> bytes:
    """A whole ONNX file with one Identity node, which improv has no use for."""
    one = _bytes(1, _varint_field(1, 1))  # a dimension of 1
    tensor = _bytes(1, _varint_field(1, _FLOAT) + _bytes(2, one))
    graph = _bytes(1, _bytes(1, b"x") + _bytes(2, b"y") + _bytes(4, b"Identity")) + _bytes(2, b"graph")
    graph += _bytes(11, _bytes(1, b"x") + _bytes(2, tensor)) + _bytes(12, _bytes(1, b"y") + _bytes(2, tensor))
    return _varint_field(1, 8) + _bytes(7, graph) + _bytes(8, _varint_field(2, 13)) + _metadata(metadata)


def with_metadata(model: bytes, metadata: dict[str, str]) -> bytes:
    """The same ONNX file with other metadata."""
    kept = (raw for number, raw in _fields(model) if number != _METADATA_FIELD)
    return b"".join(kept) + _metadata(metadata)


def _metadata(metadata: dict[str, str]) -> bytes:
    pairs = ((key.encode(), value.encode()) for key, value in metadata.items())
    return b"".join(_bytes(_METADATA_FIELD, _bytes(1, key) + _bytes(2, value)) for key, value in pairs)


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(message):
        begin = at
        tag, at = _read_varint(message, at)
        size, at = _read_varint(message, at)
        if tag & 7 == _LENGTH_DELIMITED:
            at += size
        elif tag & 7 != _VARINT:
            raise ValueError("a field of a kind that no ONNX model has at its top")
        yield tag >> 3, message[begin:at]


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (message[at] & 0x7F) << shift
        shift += 7
        at += 1
        if message[at - 1] < 0x80:
            return value, at


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def _varint_field(number: int, value: int) -> bytes:
    return _varint(number << 3 | _VARINT) + _varint(value)


def _bytes(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(len(content)) + content
