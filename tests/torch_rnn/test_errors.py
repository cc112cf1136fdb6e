from __future__ import annotations

import pickle

from torch_rnn import ArgumentError


def test_says_what_was_wrong_and_survives_pickling() -> None:
    error = ArgumentError("x", (1, 2), "(T, B, I)")
    again: ArgumentError = pickle.loads(pickle.dumps(error))
    assert issubclass(ArgumentError, ValueError)
    for one in (error, again):
        assert (one.argument, one.got, one.wanted) == ("x", "(1, 2)", "(T, B, I)")
        assert str(one) == "x: got (1, 2), wanted (T, B, I)"
