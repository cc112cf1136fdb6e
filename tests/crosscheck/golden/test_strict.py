"""JSON and safetensors that say what they should not: one error each, and nothing large is made."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load as theirs
from safetensors.numpy import save as packed_by_them

from crosscheck import ArgumentError
from crosscheck.golden import strict
from crosscheck.golden.strict import arrays_of, arrays_written, json_of

LEAVES = st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(codec="utf-8"))
PLAIN = st.recursive(LEAVES | TEXTS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=20)
DTYPES = (np.float64, np.float32, np.float16)


@given(PLAIN, st.booleans())
def test_json_comes_back(data: Any, ascii: bool) -> None:
    assert json_of(json.dumps(data, ensure_ascii=ascii).encode()) == data


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "x.json: got no JSON (Expecting value: line 1 column 1 (char 0)), wanted a whole text of JSON"),
        (b'{"a": 1', "x.json: got no JSON (Expecting ',' delimiter"),
        (b'{"a": 1} {}', "x.json: got no JSON (Extra data"),
        (b'{"a": 1, "a": 1}', "x.json: got no JSON (the key 'a' twice), wanted a whole text of JSON, each key once"),
        (b'[{"b": {"a": 1, "c": 2, "a": 3}}]', "x.json: got no JSON (the key 'a' twice)"),
        (b'{"a": 1, "\\u0061": 1}', "x.json: got no JSON (the key 'a' twice)"),
        (b"[NaN]", "x.json: got no JSON (the constant NaN)"),
        (b"[-Infinity]", "x.json: got no JSON (the constant -Infinity)"),
        (b"1e999", "x.json: got no JSON (the number '1e999')"),
        (b"-1e400", "x.json: got no JSON (the number '-1e400')"),
        (b"9" * 19, f"x.json: got no JSON (the number '{'9' * 19}')"),
        (b"9" * 10**6, f"x.json: got no JSON (the number '{'9' * 76}...)"),
        (b'"\xff"', "x.json: got no JSON ('utf-8' codec can't decode byte 0xff"),
        (b'\xef\xbb\xbf"a"', "x.json: got no JSON (Expecting value"),
        ('"a"'.encode("utf-16"), "x.json: got no JSON ('utf-8' codec"),
        (b'"\\ud800"', "x.json: got no JSON ('utf-8' codec can't encode character '\\ud800'"),
        (b'{"\\uDFFF": 1}', "x.json: got no JSON ('utf-8' codec can't encode character '\\udfff'"),
        (b'"\n"', "x.json: got no JSON (Invalid control character"),
        (b"[" * 33 + b"]" * 33, "x.json: got JSON nested 33 deep, wanted at most 32"),
        (b"[" * 10**6, "x.json: got JSON nested 1000000 deep, wanted at most 32"),
        (b'{"a":' * 10**5, "x.json: got JSON nested 100000 deep, wanted at most 32"),
        (b'"' + b"[" * 100, "x.json: got no JSON (Unterminated string"),
        (b'"' + b'\\"' * 10**6, "x.json: got no JSON (Unterminated string"),
        (b'"\\', "x.json: got no JSON (Unterminated string"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_json_that_is_refused(text: bytes, message: str) -> None:
    with pytest.raises(ArgumentError) as error:
        json_of(text, "x.json")
    assert str(error.value).startswith(message)
    assert len(str(error.value)) < 400


@pytest.mark.parametrize("text", [b"[" * 32 + b"]" * 32, b'["' + b"[" * 99 + b'"]', b'["\\"' + b"[" * 99 + b'"]'])
def test_json_that_is_nested_as_deep_as_it_may_be(text: bytes) -> None:
    assert json_of(text) == json.loads(text)


def test_json_that_is_long() -> None:
    assert json_of(b'"abc"', "x", limit=5) == "abc"
    with pytest.raises(ArgumentError, match="x: got 6 bytes, wanted at most 5"):
        json_of(b'"abcd"', "x", limit=5)


@given(st.dictionaries(TEXTS, st.tuples(st.sampled_from(DTYPES), st.lists(st.integers(0, 3), max_size=3)), max_size=5))
def test_arrays_come_back_bit_for_bit(kinds: dict[str, Any]) -> None:
    rng = np.random.default_rng(len(kinds))
    named = {name: rng.standard_normal(shape).astype(dtype) for name, (dtype, shape) in kinds.items()}
    named = {name: np.asarray(array) for name, array in named.items() if name != strict.METADATA}
    back = arrays_of(arrays_written(named))
    assert arrays_written(dict(reversed(back.items()))) == arrays_written(named)
    for other in (back, arrays_of(packed_by_them(named)), theirs(arrays_written(named))):
        assert other.keys() == named.keys()
        for name, array in named.items():
            assert (other[name].dtype, other[name].shape) == (array.dtype, array.shape)
            assert other[name].tobytes() == array.tobytes()


def test_the_numbers_lie_little_endian_and_aligned() -> None:
    big = {"b": np.array([1.0, -0.0, np.nan]).astype(">f8"), "a": np.array(2.0, dtype=np.float32)}
    content = arrays_written(big)
    start = 8 + int.from_bytes(content[:8], "little")
    assert start % 8 == 0
    assert content[start:] == np.float32(2).tobytes() + np.array([1.0, -0.0, np.nan]).astype("<f8").tobytes()
    assert arrays_of(content)["b"].dtype.isnative


def test_arrays_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        arrays_of(arrays_written({"a": np.zeros(2)}))["a"][0] = 1


def test_an_array_of_another_dtype_is_not_written() -> None:
    with pytest.raises(ArgumentError, match="a: got int64, wanted float64, float32 or float16"):
        arrays_written({"a": np.zeros(2, dtype=np.int64)})


def file(header: Any, numbers: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + numbers


def entry(shape: Any = (2,), begin: Any = 0, end: Any = 16, dtype: Any = "F64") -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape) if isinstance(shape, tuple) else shape, "data_offsets": [begin, end]}


EIGHT = bytes(8)
REFUSED = {
    "empty": (b"", "x: got no header in 0 bytes, wanted a whole safetensors file"),
    "seven bytes": (b"1234567", "x: got no header in 7 bytes"),
    "huge length": (file({}, length=2**64 - 1), "x: got a header of 18446744073709551615 bytes in 10 bytes"),
    "length by one": (file({}, length=3), "x: got a header of 3 bytes in 10 bytes"),
    "no header": (file(b""), "x: header: got no JSON"),
    "no object": (file([]), "x: header: got list, wanted an object"),
    "twice": (file(b'{"a": 1, "a": 1}'), "x: header: got no JSON (the key 'a' twice)"),
    "deep": (file(b"[" * 10**5), "x: header: got JSON nested 100000 deep"),
    "metadata": (file({"__metadata__": {"a": 1}}), "x: __metadata__: got {'a': 1}, wanted an object of texts"),
    "no entry": (file({"a": 1}), "x: 'a': got 1, wanted an object of dtype, shape and data_offsets"),
    "missing": (file({"a": {"dtype": "F64", "shape": []}}), "x: 'a': got {'dtype'"),
    "one more": (file({"a": {**entry(), "more": 1}}), "x: 'a': got {'dtype'"),
    "dtype": (file({"a": entry(dtype="I64")}, bytes(16)), "x: 'a': dtype: got 'I64', wanted one of F64, F32, F16"),
    "list as dtype": (file({"a": entry(dtype=["F64"])}, bytes(16)), "x: 'a': dtype: got ['F64']"),
    "negative": (file({"a": entry((-2,))}, bytes(16)), "x: 'a': shape: got [-2]"),
    "twice negative": (file({"a": entry((-1, -2))}, bytes(16)), "x: 'a': shape: got [-1, -2]"),
    "float": (file({"a": entry((2.0,))}, bytes(16)), "x: 'a': shape: got [2.0]"),
    "true": (file({"a": entry((True, 2))}, bytes(16)), "x: 'a': shape: got [True, 2]"),
    "no shape": (file({"a": entry("2")}, bytes(16)), "x: 'a': shape: got '2'"),
    "huge": (file({"a": entry((2**31, 2**31))}, bytes(16)), "x: 'a': shape: got [2147483648, 2147483648]"),
    "overflows to 16": (file({"a": entry((2**59 + 2,) * 1)}, bytes(16)), "x: 'a': shape: got [576460752303423490]"),
    "huge beside 0": (file({"a": entry((0, 2**40), 0, 0)}), "x: 'a': shape: got [0, 1099511627776]"),
    "many axes": (file({"a": entry((1,) * 9, 0, 8)}, EIGHT), "x: 'a': shape: got [1, 1, 1, 1, 1, 1, 1, 1, 1]"),
    "three offsets": (file({"a": {**entry(), "data_offsets": [0, 8, 16]}}, bytes(16)), "x: 'a': data_offsets: got [0"),
    "swapped": (file({"a": entry((2,), 16, 0)}, bytes(16)), "x: 'a': data_offsets: got [16, 0], wanted 16 bytes"),
    "below 0": (file({"a": entry((2,), -16, 0)}, bytes(16)), "x: 'a': data_offsets: got [-16, 0], wanted where"),
    "too few": (file({"a": entry((2,), 0, 8)}, EIGHT), "x: 'a': data_offsets: got [0, 8], wanted 16 bytes"),
    "gap": (file({"a": entry((1,), 8, 16)}, bytes(16)), "x: 'a': got data_offsets from 8, wanted 0, where the last"),
    "overlap": (file({"a": entry((1,), 0, 8), "b": entry((1,), 4, 12)}, bytes(12)), "x: 'b': got data_offsets from 4"),
    "same": (
        file({"a": entry((1,), 0, 8), "b": entry((1,), 0, 8)}, EIGHT),
        "x: 'b': got data_offsets from 0, wanted 8",
    ),
    "truncated": (file({"a": entry()}, bytes(15)), "x: got 15 bytes of numbers, wanted 16, as the header says"),
    "longer": (file({"a": entry()}, bytes(17)), "x: got 17 bytes of numbers, wanted 16, as the header says"),
}


@pytest.mark.parametrize(("content", "message"), REFUSED.values(), ids=REFUSED)
def test_arrays_that_are_refused(content: bytes, message: str) -> None:
    with pytest.raises(ArgumentError) as error:
        arrays_of(content, "x")
    assert str(error.value).startswith(message)
    assert len(str(error.value)) < 400


def test_what_is_allowed_at_the_edge() -> None:
    assert arrays_of(file({})) == {}
    content = file(
        {"__metadata__": {"by": "them"}, "b": entry((), 8, 16), "a": entry((1,), 0, 8), "c": entry((0,), 8, 8)}
    )
    found = arrays_of(content + np.array([1.0, 2.0]).tobytes())
    assert (found["a"].tolist(), found["b"].tolist(), found["c"].tolist()) == ([1.0], 2.0, [])


def test_arrays_that_are_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strict, "ARRAYS_LIMIT", 90)
    assert len(arrays_written({"a": np.zeros(1)})) == 72
    arrays_of(arrays_written({"a": np.zeros(1)}))
    with pytest.raises(ArgumentError, match="x: got 96 bytes, wanted at most 90"):
        arrays_of(arrays_written({"a": np.zeros(4)}), "x")


@pytest.mark.parametrize("name", ["huge length", "huge", "overflows to 16", "huge beside 0", "many axes"])
def test_nothing_large_is_made_of_something_small(name: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ArgumentError):
            arrays_of(REFUSED[name][0])
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_read_or_refused(content: bytes, as_header: bool) -> None:
    for read in (json_of, arrays_of):
        try:
            read(file(content) if as_header else content)
        except ArgumentError as error:
            assert str(error).startswith(("JSON: ", "safetensors: "))  # noqa: PT017
