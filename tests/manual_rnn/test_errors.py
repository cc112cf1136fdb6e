from __future__ import annotations

import pickle

from manual_rnn import ArgumentError


def test_message_and_parts() -> None:
    error = ArgumentError("x", (1, 2), "shape (T, B, 3)")
    assert isinstance(error, ValueError)
    assert str(error) == "x: got (1, 2), wanted shape (T, B, 3)"
    assert (error.argument, error.got, error.wanted) == ("x", "(1, 2)", "shape (T, B, 3)")


def test_it_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(ArgumentError("x", "a", "b")))
    assert (type(error), str(error), error.argument) == (ArgumentError, "x: got a, wanted b", "x")
