"""What people call things is matched with what it is called here."""

from __future__ import annotations

import pytest

from crosscheck.conventions import Conventions
from crosscheck.synonyms import match, size_of

PLAIN = ("x", "h_0", "c_0", "W_xh", "W_hh", "b")
GATES = tuple(f"{kind}{gate}" for gate in "rzn" for kind in ("W_x", "W_h", "b_"))


@pytest.mark.parametrize(
    ("theirs", "ours", "found"),
    [
        ("inputs h_prev Wx Wh b", PLAIN, "x h_0 W_xh W_hh b"),
        ("X a0 c0 Wax Waa ba", PLAIN, "x h_0 c_0 W_xh W_hh b"),
        ("x h c W_ih W_hh bias", PLAIN, "x h_0 c_0 W_xh W_hh b"),
        ("W_xr W_hr b_r W_xz W_hz b_z W_xh W_hh b_h", GATES, "W_xr W_hr b_r W_xz W_hz b_z W_xn W_hn b_n"),
        ("Wr Ur br Wz Uz bz Wh Uh bh", GATES, "W_xr W_hr b_r W_xz W_hz b_z W_xn W_hn b_n"),
        ("dh cache", ("dy", "dh_n"), "dy -"),
        ("dhs dh cache", ("dy", "dh_n"), "dy dh_n -"),
        ("dWxh grad_W_hh W_hh_grad db", ("dW_xh", "dW_hh", "db"), "dW_xh dW_hh - db"),
        ("U W b", PLAIN, "- - b"),
    ],
)
def test_names(theirs: str, ours: tuple[str, ...], found: str) -> None:
    matched = match(theirs.split(), ours, Conventions())
    expected = {our: their for their, our in zip(theirs.split(), found.split(), strict=True) if our != "-"}
    assert matched == expected


def test_a_name_that_was_said_is_the_only_one() -> None:
    conventions = Conventions(names={"W_xh": "U", "W_hh": "W"})
    assert match(["Wxh", "U", "W"], ("W_xh", "W_hh"), conventions) == {"W_xh": "U", "W_hh": "W"}
    assert match(["Wxh"], ("W_xh",), conventions) == {}
    assert match(["dWxh", "grad_U", "dW"], ("dW_xh", "dW_hh"), conventions) == {"dW_xh": "grad_U", "dW_hh": "dW"}


@pytest.mark.parametrize(("argument", "size"), [("input_dim", 2), ("n_h", 3), ("vocab_size", 2), ("seed", None)])
def test_sizes(argument: str, size: int | None) -> None:
    assert size_of(argument, {"I": 2, "H": 3, "O": 4}) == size
