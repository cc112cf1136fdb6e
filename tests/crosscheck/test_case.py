"""Case and Spec: the line of text, the numbers, and what is refused."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from crosscheck import ArgumentError, Case, Spec
from crosscheck.case import DTYPES
from crosscheck.fill import shapes
from crosscheck.regimes import REGIMES
from crosscheck.strategies import cases

MASKS = ("dropout", "recurrent", "zoneout_h", "zoneout_c")


@given(cases())
def test_a_line_gives_the_identical_case(case: Case) -> None:
    again = Case.parse(str(case))
    assert again == case
    assert again.arrays.keys() == case.arrays.keys()
    for name, array in case.arrays.items():
        assert again.arrays[name].dtype == array.dtype == case.array_dtype
        assert again.arrays[name].shape == array.shape
        assert again.arrays[name].tobytes() == array.tobytes()


@given(cases())
def test_numbers_are_exact_in_every_format(case: Case) -> None:
    for array in case.arrays.values():
        exact = array[~np.isnan(array)].astype(np.float64)
        assert np.array_equal(exact.astype(np.float32), exact)
        assert np.array_equal(exact.astype(np.float16), exact)
        significand, _ = np.frexp(exact)
        assert np.array_equal(significand * 2**8, np.rint(significand * 2**8))  # bfloat16 has 8 bits


@given(cases())
def test_every_dtype_gets_the_same_numbers(case: Case) -> None:
    for dtype in DTYPES:
        other = replace(case, dtype=dtype, arrays={})
        assert other.arrays.keys() == case.arrays.keys()
        assert all(np.array_equal(other.arrays[name], array, equal_nan=True) for name, array in case.arrays.items())


@given(cases())
def test_the_shapes_are_known_before_there_are_arrays(case: Case) -> None:
    assert shapes(replace(case, arrays={"": None})) == {name: array.shape for name, array in case.arrays.items()}


def test_nothing_large_is_made_to_know_a_shape() -> None:
    case = Case(Spec("lstm", 65536, 65536, zoneout=0.5), 65536, 65536, arrays={"": None})
    assert shapes(case)["zoneout_c"] == (1, 65536, 65536, 65536)


@given(cases())
def test_arrays_are_read_only_and_of_the_stated_shapes(case: Case) -> None:
    shapes = case.result_shapes
    for name, array in case.arrays.items():
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
        if name in MASKS:
            continue
        counterpart = {"target": "y"}.get(name, name[1:] if name in ("dy", "dh_n", "dc_n") else f"d{name}")
        assert array.shape == shapes[counterpart]
    assert case.params.keys() == case.spec.param_shapes().keys()


def test_the_numbers_of_a_case() -> None:
    assert values("lstm:T2B1I1H1:seed=7") == {
        "W_xh": [[-0.5], [0.5], [1.0], [-1.0]],
        "W_hh": [[0.5], [-1.0], [-1.0], [-1.0]],
        "b_xh": [0.0, 0.0, 0.5, -1.0],
        "b_hh": [-1.0, 0.5, 0.0, -0.5],
        "x": [[[0.0]], [[0.5]]],
        "h_0": [[[-1.0]]],
        "c_0": [[[1.0]]],
        "dy": [[[1.0]], [[-0.5]]],
        "dh_n": [[[-1.0]]],
        "dc_n": [[[-1.0]]],
    }
    assert values("rnn_tanh:T2B1I2H2O2:regime=ordinary:loss=cross_entropy:seed=3") == {
        "W_xh": [[-0.359375, -0.484375], [0.46875, -0.234375]],
        "W_hh": [[0.375, 0.375], [-0.34375, -0.65625]],
        "b_xh": [0.4375, -0.375],
        "b_hh": [0.484375, 0.96875],
        "W_hy": [[0.140625, 0.46875], [-0.34375, 0.265625]],
        "b_y": [-0.3125, -0.46875],
        "x": [[[-0.359375, -0.265625]], [[0.609375, 0.515625]]],
        "h_0": [[[-0.84375, 0.296875]]],
        "target": [[[1.0, 0.0]], [[1.0, 0.0]]],
    }


def values(line: str) -> dict[str, Any]:
    return {name: array.tolist() for name, array in Case.parse(line).arrays.items()}


DIGESTS = {
    "simple": "6d9adc73973e011c",
    "ordinary": "c792d2d84920aa17",
    "last_step": "47c3426976033fb9",
    "outputs_only": "c577856546d6e991",
    "zero_state": "c7b5bc55feacf91d",
    "zero_bias": "ef14dfdbf57b673e",
    "small": "80b5a9f6be613428",
    "saturated": "966133a5e555f2b1",
    "large_inputs": "aea41c2c612bbca8",
    "equal_parameters": "22618145ed1b107c",
    "one_hot": "c2af268225211f78",
    "repeated_rows": "eaf72eff6c0d3eeb",
    "ones": "bfd3e8b413929675",
    "sparse": "98703eac4fcd7b44",
    "final_only": "8504172eae2124ca",
    "nan_padding": "c792d2d84920aa17",
}


@pytest.mark.parametrize("regime", REGIMES)
def test_another_machine_draws_the_same_numbers(regime: str) -> None:
    digest = hashlib.sha256()
    for line in (
        f"rnn_tanh:T2B2I3H2:regime={regime}:seed=7",
        f"lstm:T3B1I2H2O2:loss=mse:regime={regime}:seed=12",
        f"gru:T1B2I1H3:loss=cross_entropy:regime={regime}:seed=4294967295",
    ):
        for name, array in Case.parse(line).arrays.items():
            digest.update(name.encode() + array.astype("<f8").tobytes())
    assert digest.hexdigest()[:16] == DIGESTS[regime]


@pytest.mark.parametrize(
    ("case", "line"),
    [
        (Case(Spec("rnn_tanh", 1, 1), 2, 1, seed=7), "rnn_tanh:T2B1I1H1:seed=7"),
        (
            Case(Spec("gru", 4, 5, 2, False, False, "mse"), 3, 2, "ordinary", 12, "float32"),
            "gru:T3B2I4H5O2:bias=false:reset_after=false:loss=mse:regime=ordinary:dtype=float32:seed=12",
        ),
        (Case(Spec("lstm", 1, 2, bias=False), 1, 1), "lstm:T1B1I1H2:bias=false:seed=0"),
        (
            Case(Spec("lstm", 2, 1, num_layers=3, bidirectional=True), 4, 3, lengths=(2, 4, 0)),
            "lstm:T4B3I2H1:layers=3:bidirectional=true:lengths=2,4,0:seed=0",
        ),
        (
            Case(Spec("lstm", 2, 3, proj_size=2, peephole=True, forget_bias=1.0, clip=0.703125, truncate=(2, 4)), 4, 3),
            "lstm:T4B3I2H3:peephole=true:forget_bias=1:proj_size=2:clip=0.703125:truncate=2,4:seed=0",
        ),
        (
            Case(
                Spec(
                    "gru",
                    2,
                    3,
                    loss="mse",
                    num_layers=2,
                    bidirectional=True,
                    merge="sum",
                    axes="T",
                    attention=True,
                    dropout=0.3,
                    recurrent_dropout=0.25,
                    zoneout=0.7,
                    train=False,
                    mean="none",
                ),
                4,
                1,
            ),
            "gru:T4B1I2H3:layers=2:bidirectional=true:merge=sum:axes=T:attention=true:dropout=0.3:"
            "recurrent_dropout=0.25:zoneout=0.7:train=false:loss=mse:mean=none:seed=0",
        ),
        (Case(Spec("lstm", 2, 3, coupled=True), 4, 1), "lstm:T4B1I2H3:coupled=true:seed=0"),
    ],
)
def test_options_at_their_default_are_left_out(case: Case, line: str) -> None:
    assert str(case) == line


@pytest.mark.parametrize(
    "line",
    ["rnn_tanh:T2B1I1H1", " rnn_tanh:T2B1I1H1:seed=0\n", "rnn_tanh:T2B1I1H1:regime=simple:dtype=float64:bias=true"],
)
def test_options_may_be_left_out_or_given_at_their_default(line: str) -> None:
    assert Case.parse(line) == Case(Spec("rnn_tanh", 1, 1), 2, 1)


def test_options_come_in_any_order() -> None:
    assert Case.parse("gru:T1B1I1H1:seed=3:dtype=float32:bias=false") == Case(
        Spec("gru", 1, 1, bias=False), 1, 1, seed=3, dtype="float32"
    )


OPTION_NAMES = (
    "layers, bidirectional, merge, axes, bias, reset_after, peephole, coupled, forget_bias, proj_size, attention, "
    "clip, dropout, recurrent_dropout, zoneout, train, truncate, loss, mean, regime, dtype, lengths, memory, states, "
    "seed"
)
EIGHT_BITS = "0, or a number from 1/256 to 256 of at most 8 bits, exact in every format"
SIZES = "a whole number from 1 to 65536"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "case: got '', wanted a line such as rnn_tanh:T2B1I1H1:seed=7"),
        ("rnn_tanh", "case: got 'rnn_tanh', wanted a line such as rnn_tanh:T2B1I1H1:seed=7"),
        ("rnn_tanh:T2B1H1", "case: got 'rnn_tanh:T2B1H1', wanted a line such as rnn_tanh:T2B1I1H1:seed=7"),
        ("rnn_tanh:T2B1I1H-1", "case: got 'rnn_tanh:T2B1I1H-1', wanted a line such as rnn_tanh:T2B1I1H1:seed=7"),
        (
            f"rnn_tanh:T{'9' * 5000}B1I1H1",
            f"case: got 'rnn_tanh:T{'9' * 5000}B1I1H1', wanted a line such as rnn_tanh:T2B1I1H1:seed=7",
        ),
        ("rnn:T2B1I1H1", "cell: got 'rnn', wanted one of rnn_tanh, rnn_relu, lstm, gru"),
        ("rnn_tanh:T0B1I1H1", f"T: got 0, wanted {SIZES}"),
        ("rnn_tanh:T1B0I1H1", f"B: got 0, wanted {SIZES}"),
        ("rnn_tanh:T1B1I0H1", f"input_size: got 0, wanted {SIZES}"),
        ("rnn_tanh:T1B1I1H65537", f"hidden_size: got 65537, wanted {SIZES}"),
        ("rnn_tanh:T1B1I1H1:", f"case: got '', wanted each at most once: {OPTION_NAMES}"),
        (
            "rnn_tanh:T1B1I1H1:size=2",
            f"case: got 'size=2', wanted each at most once: {OPTION_NAMES}",
        ),
        (
            "rnn_tanh:T1B1I1H1:seed=1:seed=2",
            f"case: got 'seed=2', wanted each at most once: {OPTION_NAMES}",
        ),
        ("rnn_tanh:T1B1I1H1:seed=", "seed: got '', wanted a whole number"),
        ("rnn_tanh:T1B1I1H1:seed=-1", "seed: got '-1', wanted a whole number"),
        ("rnn_tanh:T1B1I1H1:seed=4294967296", "seed: got 4294967296, wanted an integer from 0 to 2^32 - 1"),
        ("rnn_tanh:T1B1I1H1:bias=no", "bias: got 'no', wanted one of true, false"),
        ("rnn_tanh:T1B1I1H1:dtype=half", "dtype: got 'half', wanted one of float64, float32, bfloat16, float16"),
        ("rnn_tanh:T1B1I1H1:loss=mae", "loss: got 'mae', wanted one of none, half_squared_error, mse, cross_entropy"),
        ("rnn_tanh:T1B1I1H1:regime=odd", f"regime: got 'odd', wanted one of {', '.join(REGIMES)}"),
        (
            "lstm:T1B1I1H1:reset_after=false",
            "reset_after: got false for lstm, wanted true, or the gru cell",
        ),
        ("gru:T2B2I1H1:layers=0", f"num_layers: got 0, wanted {SIZES}"),
        ("gru:T2B2I1H1:lengths=", "lengths: got '', wanted whole numbers such as 2,4,0"),
        ("gru:T2B2I1H1:lengths=1,-1", "lengths: got '1,-1', wanted whole numbers such as 2,4,0"),
        ("gru:T2B2I1H1:lengths=1", "lengths: got (1,), wanted a tuple of 2 whole numbers from 0 to 2"),
        ("gru:T2B2I1H1:lengths=1,3", "lengths: got (1, 3), wanted a tuple of 2 whole numbers from 0 to 2"),
        ("gru:T1B2I1H1:axes=T", "axes: got T with B=2, wanted T with B=1 and no lengths, or axes with a batch"),
        (
            "gru:T1B1I1H1:axes=T:lengths=1",
            "axes: got T with B=1 and lengths 1, wanted T with B=1 and no lengths, or axes with a batch",
        ),
        ("gru:T1B1I1H1:axes=BTI", "axes: got 'BTI', wanted one of TB, BT, T"),
        ("gru:T1B1I1H1:merge=sum", "merge: got sum, wanted concat, or two directions"),
        ("gru:T1B1I1H1:peephole=true", "peephole: got true for gru, wanted false, or the lstm cell"),
        ("gru:T1B1I1H1:forget_bias=1", "forget_bias: got 1 for gru, wanted 0, or the lstm cell"),
        ("lstm:T1B1I1H1:attention=true", "attention: got true for lstm, wanted false, or the gru cell"),
        (
            "lstm:T1B1I1H1:coupled=true:forget_bias=1",
            "forget_bias: got 1, wanted 0 with coupled gates, which have no forget gate",
        ),
        ("lstm:T1B1I1H2:proj_size=2", "proj_size: got 2, wanted a whole number from 0 to 1"),
        ("lstm:T1B1I1H1:clip=0.001", f"clip: got 0.001, wanted {EIGHT_BITS}"),
        ("lstm:T1B1I1H1:clip=0.7", f"clip: got 0.7, wanted {EIGHT_BITS}"),
        ("lstm:T1B1I1H1:clip=-1", "clip: got '-1', wanted a number such as 0.5"),
        ("lstm:T1B1I1H1:zoneout=1", "zoneout: got 1.0, wanted a rate from 0 to below 1"),
        ("lstm:T1B1I1H1:dropout=0.3", "dropout: got 0.3, wanted 0, or more than one layer"),
        ("lstm:T1B1I1H1:truncate=2,1", "truncate: got (2, 1), wanted (k1, k2), two whole numbers with 1 <= k1 <= k2"),
        ("lstm:T1B1I1H1:truncate=2", "truncate: got (2,), wanted (k1, k2), two whole numbers with 1 <= k1 <= k2"),
        ("gru:T1B1I1H1:bidirectional=true:truncate=1,1", "truncate: got 1,1, wanted none, or one direction"),
        ("gru:T1B1I1H1:mean=T", "mean: got T, wanted default, or a loss"),
    ],
)
def test_a_malformed_line(line: str, message: str) -> None:
    with pytest.raises(ArgumentError) as error:
        Case.parse(line)
    assert str(error.value) == message


@pytest.mark.parametrize("size", [0, 1.0, True, "1", None])
def test_a_size_is_a_positive_whole_number(size: Any) -> None:
    for make in (
        lambda: Spec("gru", size, 1),
        lambda: Spec("gru", 1, size),
        lambda: Case(Spec("gru", 1, 1), size, 1),
        lambda: Case(Spec("gru", 1, 1), 1, size),
    ):
        with pytest.raises(ArgumentError, match="wanted a whole number from 1"):
            make()


def test_an_output_size_of_0_means_no_output_layer() -> None:
    assert Spec("gru", 1, 2).y_size == 2
    assert Spec("gru", 1, 2, output_size=5).y_size == 5
    assert Spec("gru", 1, 2).param_shapes() == {"W_xh": (6, 1), "W_hh": (6, 2), "b_xh": (6,), "b_hh": (6,)}
    assert Spec("lstm", 1, 2, 5, bias=False).param_shapes() == {
        "W_xh": (8, 1),
        "W_hh": (8, 2),
        "W_hy": (5, 2),
        "b_y": (5,),
    }
    with pytest.raises(ArgumentError, match=r"^output_size: got -1, wanted a whole number from 0 to 65536$"):
        Spec("gru", 1, 2, output_size=-1)


def test_the_parameters_of_a_stack() -> None:
    spec = Spec("gru", 5, 2, output_size=3, bias=False, num_layers=2, bidirectional=True)
    assert spec.param_shapes() == {
        "W_xh": (6, 5),
        "W_hh": (6, 2),
        "W_xh_reverse": (6, 5),
        "W_hh_reverse": (6, 2),
        "W_xh_l1": (6, 4),
        "W_hh_l1": (6, 2),
        "W_xh_l1_reverse": (6, 4),
        "W_hh_l1_reverse": (6, 2),
        "W_hy": (3, 4),
        "b_y": (3,),
    }
    assert list(Spec("lstm", 1, 1, num_layers=2).param_shapes())[4:] == ["W_xh_l1", "W_hh_l1", "b_xh_l1", "b_hh_l1"]


def test_the_arrays_of_a_stack() -> None:
    case = Case.parse("lstm:T3B2I1H4:layers=3:bidirectional=true:lengths=1,3:seed=5")
    assert {case.arrays[name].shape for name in ("h_0", "c_0", "dh_n", "dc_n")} == {(6, 2, 4)}
    assert case.result_shapes["y"] == case.dy.shape == (3, 2, 8)
    weights = [array.tobytes() for name, array in case.arrays.items() if name.startswith("W_hh")]
    states = [state.tobytes() for state in case.h_0]
    assert (len(set(weights)), len(set(states))) == (6, 6)  # no two layers or directions have the same numbers


def test_the_parameters_of_the_variants_of_an_lstm() -> None:
    assert Spec("lstm", 5, 3, bias=False, peephole=True, proj_size=2, num_layers=2).param_shapes() == {
        "W_xh": (12, 5),
        "W_hh": (12, 2),
        "p_i": (3,),
        "p_f": (3,),
        "p_o": (3,),
        "W_hr": (2, 3),
        "W_xh_l1": (12, 2),
        "W_hh_l1": (12, 2),
        "p_i_l1": (3,),
        "p_f_l1": (3,),
        "p_o_l1": (3,),
        "W_hr_l1": (2, 3),
    }
    coupled = Spec("lstm", 5, 3, coupled=True, peephole=True).param_shapes()
    assert coupled == {"W_xh": (9, 5), "W_hh": (9, 3), "b_xh": (9,), "b_hh": (9,), "p_i": (3,), "p_o": (3,)}


def test_the_axes_hold_the_same_numbers() -> None:
    options = "layers=2:bidirectional=true:attention=true:dropout=0.3:recurrent_dropout=0.7:regime=ordinary:seed=3"
    time, batch, none = (Case.parse(f"gru:T4B1I2H3:axes={axes}:{options}").arrays for axes in ("TB", "BT", "T"))
    for name, array in time.items():
        if name in ("x", "dy", "attention"):
            assert np.array_equal(batch[name], array.swapaxes(0, 1))
            assert np.array_equal(none[name], array[:, 0])
        elif name in ("h_0", "dh_n"):
            assert np.array_equal(batch[name], array)
            assert np.array_equal(none[name], array[:, 0])
        else:
            assert np.array_equal(batch[name], array)
            assert np.array_equal(none[name], array)


def test_the_masks() -> None:
    line = "lstm:T50B4I2H8:layers=3:proj_size=5:bidirectional=true:dropout=0.3:recurrent_dropout=0.7:zoneout=0.3"
    case = Case.parse(f"{line}:seed=3")
    assert case.dropout.shape == (2, 50, 4, 10)
    assert case.recurrent.shape == (6, 50, 4, 5)
    assert [mask.shape for mask in case.zoneout] == [(6, 50, 4, 5), (6, 50, 4, 8)]
    # 1 / 0.7 and 1 / 0.3 to 8 bits
    assert set(case.dropout.ravel().tolist()) == {0.0, 183 / 128}
    assert set(case.recurrent.ravel().tolist()) == {0.0, 213 / 64}
    assert set(np.concatenate([mask.ravel() for mask in case.zoneout]).tolist()) == {0.0, 1.0}
    for mask, rate in ((1 - np.sign(case.dropout), 0.3), (1 - np.sign(case.recurrent), 0.7), (case.zoneout[1], 0.3)):
        deviation = np.sqrt(rate * (1 - rate) / mask.size)
        assert abs(np.mean(mask) - rate) < 5 * deviation
    steps = [mask.tobytes() for mask in case.dropout[0]]
    assert len(set(steps)) > 1  # each step has a mask of its own

    evaluated = Case.parse(f"{line}:train=false:seed=3")
    assert evaluated.dropout is None
    assert evaluated.recurrent is None
    assert {number for mask in evaluated.zoneout for number in mask.ravel().tolist()} == {77 / 256}


@pytest.mark.parametrize(
    ("options", "over"),
    [
        ("loss=half_squared_error", ""),
        ("loss=mse", "TBO"),
        ("loss=cross_entropy", "TB"),
        ("loss=mse:mean=none", ""),
        ("loss=mse:mean=BO", "BO"),
    ],
)
def test_what_a_loss_is_the_mean_over(options: str, over: str) -> None:
    assert Case.parse(f"gru:T1B1I1H2:{options}").spec.mean_over == over


def test_the_last_step_of_each_sequence() -> None:
    case = Case.parse("gru:T3B3I1H2:regime=last_step:lengths=2,3,0:seed=1")
    assert [np.flatnonzero(case.dy[:, b].any(axis=-1)).tolist() for b in range(3)] == [[1], [2], []]


def test_a_seed_is_a_whole_number() -> None:
    with pytest.raises(ArgumentError, match=r"^seed: got 1\.5, wanted an integer from 0 to 2\^32 - 1$"):
        Case(Spec("gru", 1, 1), 1, 1, seed=1.5)  # type: ignore[arg-type]


def test_what_a_case_has_depends_on_cell_and_loss() -> None:
    plain, lstm = Case.parse("gru:T2B3I4H5"), Case.parse("lstm:T2B3I4H5O6:loss=mse")
    assert (plain.c_0, plain.dc_n, plain.target) == (None, None, None)
    assert plain.dy.shape == (2, 3, 5)
    assert (lstm.dy, lstm.dh_n, lstm.dc_n) == (None, None, None)
    assert lstm.target.shape == (2, 3, 6)
    assert lstm.result_shapes == {
        "y": (2, 3, 6),
        "h_n": (1, 3, 5),
        "c_n": (1, 3, 5),
        "loss": (),
        "dx": (2, 3, 4),
        "dh_0": (1, 3, 5),
        "dc_0": (1, 3, 5),
        "dW_xh": (20, 4),
        "dW_hh": (20, 5),
        "db_xh": (20,),
        "db_hh": (20,),
        "dW_hy": (6, 5),
        "db_y": (6,),
    }


def test_lift_applies_a_number_type_to_every_array() -> None:
    case = Case.parse("lstm:T2B1I1H1:seed=7")
    lifted = case.lift(lambda array: array.astype(complex))
    assert lifted == case
    assert {name: array.dtype for name, array in lifted.arrays.items()} == dict.fromkeys(case.arrays, np.dtype(complex))
