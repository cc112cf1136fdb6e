"""Anybody's JSON and safetensors, read with suspicion: what they say is taken only where nothing else could be meant.

All sizes are bounded, so that nothing large is made of something small. Whatever is wrong is one ArgumentError.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np

from crosscheck.errors import ArgumentError

JSON_LIMIT = 2**25
"""The most bytes of a JSON text; of its shortest values each takes some 25 times its length in memory."""
ARRAYS_LIMIT = 2**28
"""The most bytes of a safetensors file."""
DEPTH_LIMIT = 32
DIGITS_LIMIT = 18
AXES_LIMIT = 8
DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}
CODES = {dtype[1:]: code for code, dtype in DTYPES.items()}
METADATA = "__metadata__"
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)  # one that is never closed goes to the end
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def shown(value: object) -> str:
    """Return a value of a file as a message shows it: short, and on one line."""
    text = repr(value) if not isinstance(value, str) else repr(value[:80])
    return text if len(text) <= 80 else f"{text[:77]}..."


def json_of(content: bytes, name: str = "JSON", limit: int = JSON_LIMIT) -> Any:
    """Return what a JSON text says: of UTF-8, every key once, every number finite.

    Args:
        content: the text.
        name: what messages call it.
        limit: the most bytes.

    Raises:
        ArgumentError: it is no such text, or too long, or nested too deeply.
    """
    if len(content) > limit:
        raise ArgumentError(name, f"{len(content)} bytes", f"at most {limit}")
    depth = _depth(content)
    if depth > DEPTH_LIMIT:
        raise ArgumentError(name, f"JSON nested {depth} deep", f"at most {DEPTH_LIMIT}")
    try:
        text = content.decode("utf-8")
        data = _DECODER.decode(text)
        if "\\ud" in text.lower():  # perhaps half a character, which could not be written again
            json.dumps(data, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise ArgumentError(name, f"no JSON ({_short(error)})", "a whole text of JSON, each key once") from error
    return data


def arrays_of(content: bytes, name: str = "safetensors") -> dict[str, Any]:
    """Return the arrays of a safetensors file by name: read-only, of float64, float32 or float16.

    Args:
        content: the file.
        name: what messages call it.

    Raises:
        ArgumentError: it is no such file, or it has arrays of another type, or too long; or its arrays don't lie one
            after the other from the end of the header to the end of the file.
    """
    if len(content) > ARRAYS_LIMIT:
        raise ArgumentError(name, f"{len(content)} bytes", f"at most {ARRAYS_LIMIT}")
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > len(content) - 8:
        got = f"a header of {length} bytes" if len(content) >= 8 else "no header"
        raise ArgumentError(name, f"{got} in {len(content)} bytes", "a whole safetensors file")
    header = json_of(content[8 : 8 + length], f"{name}: header")
    if not isinstance(header, dict):
        raise ArgumentError(f"{name}: header", type(header).__name__, "an object")
    _check_metadata(header.pop(METADATA, {}), name)
    data = memoryview(content)[8 + length :]
    places = {key: _place(entry, f"{name}: {shown(key)}") for key, entry in header.items()}
    end = 0
    for key, (_, _, begin, stop) in sorted(places.items(), key=lambda item: item[1][2:]):
        if begin != end:
            raise ArgumentError(
                f"{name}: {shown(key)}", f"data_offsets from {begin}", f"{end}, where the last one ends"
            )
        end = stop
    if end != len(data):
        raise ArgumentError(name, f"{len(data)} bytes of numbers", f"{end}, as the header says")
    return {key: _array(data, *place) for key, place in places.items()}


def arrays_written(arrays: Mapping[str, Any]) -> bytes:
    """Return arrays as a safetensors file: by name, little-endian, without gaps; the same bytes for the same numbers.

    Args:
        arrays: float64, float32 or float16, by name.

    Raises:
        ArgumentError: one is of another dtype.
    """
    header, numbers, end = {}, [], 0
    for name, array in sorted(arrays.items()):
        if array.dtype.str[1:] not in CODES:
            raise ArgumentError(name, array.dtype, "float64, float32 or float16")
        code = CODES[array.dtype.str[1:]]
        numbers.append(array.astype(DTYPES[code]).tobytes())
        begin, end = end, end + len(numbers[-1])
        header[name] = {"dtype": code, "shape": list(array.shape), "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # so that the numbers lie at a multiple of 8
    return b"".join((len(text).to_bytes(8, "little"), text, *numbers))


def _depth(content: bytes) -> int:
    """Return how deep a text is nested, as far as it is JSON: the parser must not be what finds out."""
    brackets = np.frombuffer(_STRING.sub(b"", content).translate(None, _NO_BRACKETS), dtype=np.uint8)
    opens = (brackets == ord("[")) | (brackets == ord("{"))
    steps = np.where(opens, np.int8(1), np.int8(-1))
    return int(np.cumsum(steps, dtype=np.int32).max(initial=0))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {shown(twice)} twice")
    return data


def _integer(text: str) -> int:
    if len(text) > DIGITS_LIMIT:
        raise ValueError(f"the number {shown(text)}")
    return int(text)


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {shown(text)}")
    return number


def _constant(text: str) -> NoReturn:
    raise ValueError(f"the constant {text}")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant)


def _short(error: Exception) -> str:
    text = str(error)
    return text if len(text) <= 160 else f"{text[:157]}..."


def _check_metadata(metadata: object, name: str) -> None:
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise ArgumentError(f"{name}: {METADATA}", shown(metadata), "an object of texts")


def _place(entry: object, name: str) -> tuple[str, tuple[int, ...], int, int]:
    """Return what a header says about an array: its dtype, its shape, and where in the numbers it begins and ends."""
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise ArgumentError(name, shown(entry), "an object of dtype, shape and data_offsets")
    code, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(code, str) or code not in DTYPES:
        raise ArgumentError(f"{name}: dtype", shown(code), f"one of {', '.join(DTYPES)}")
    if not _sizes(shape) or len(shape) > AXES_LIMIT or math.prod(size or 1 for size in shape) > ARRAYS_LIMIT:
        raise ArgumentError(
            f"{name}: shape", shown(shape), f"at most {AXES_LIMIT} sizes, and no more than the file has"
        )
    if not _sizes(offsets) or len(offsets) != 2:
        raise ArgumentError(f"{name}: data_offsets", shown(offsets), "where it begins and where it ends")
    size = math.prod(shape) * np.dtype(DTYPES[code]).itemsize
    if offsets[1] - offsets[0] != size:
        raise ArgumentError(f"{name}: data_offsets", shown(offsets), f"{size} bytes, as the shape {shape} says")
    return DTYPES[code], tuple(shape), offsets[0], offsets[1]


def _sizes(data: object) -> bool:
    return isinstance(data, list) and all(type(size) is int and size >= 0 for size in data)


def _array(data: memoryview, dtype: str, shape: tuple[int, ...], begin: int, end: int) -> Any:
    array = np.frombuffer(data[begin:end], dtype=dtype).reshape(shape)
    array = np.array(array, dtype=array.dtype.newbyteorder("="))
    array.flags.writeable = False
    return array
