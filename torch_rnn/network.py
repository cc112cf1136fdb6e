"""A recurrent network as a module: what most callers want.

The arguments are checked here, once, so that nothing below has to. Parameters go by their names in the equations, which
are those of `manual_rnn`, with the suffixes of `params` for further layers and the reverse direction. States have
torch.nn's shape and order, (L*D, B, H): layer by layer, forward then reverse.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from torch_rnn import masks as draws
from torch_rnn.axes import AXES, back, check_axes, time_major, with_batch, without_batch
from torch_rnn.cells.cell import Cell, Weights
from torch_rnn.cells.elman import RNN_RELU, RNN_TANH
from torch_rnn.cells.gru import GRU
from torch_rnn.cells.gru_reset_before import GRU_RESET_BEFORE
from torch_rnn.cells.lstm import LSTM
from torch_rnn.cells.recurrent_dropout import recurrent_dropout as with_recurrent_dropout
from torch_rnn.cells.zoneout import zoneout as with_zoneout
from torch_rnn.checks import check_dtype, check_size, check_tensor, check_tensors
from torch_rnn.errors import ArgumentError
from torch_rnn.lengths import lengths_of
from torch_rnn.options import VARIANTS, Options, check_options, check_rate
from torch_rnn.params import FURTHER, param_shapes, suffix
from torch_rnn.stack import MERGES, Inputs, Modifier, run_stack
from torch_rnn.truncation import States, check_truncate, truncated

CELLS: dict[str, Cell] = {
    "rnn_tanh": RNN_TANH,
    "rnn_relu": RNN_RELU,
    "lstm": LSTM,
    "gru": GRU,
    "gru_reset_before": GRU_RESET_BEFORE,
}


class Recurrent(nn.Module):
    """A recurrent network: L layers of D directions.

    H' is P with projection, else H; Y, the width of y, is D*H', or H' if the directions are summed.

    Attributes:
        cell: a name in `CELLS`.
        hidden_size: H.
        options: those of the cell.
        num_layers: L.
        bidirectional: whether D is 2; else it is 1.
        merge: "concat" or "sum".
        dropout, recurrent_dropout, zoneout: the rates.
        W_xh (G*H, I), W_hh (G*H, H'): the weights of the first layer, forward.
        b_xh (G*H,), b_hh (G*H,): its biases; None in a network without.
        p_i (H,), p_f (H,), p_o (H,), W_hr (P, H): its peepholes and projection, where there are any.
        W_xh_reverse, ..., W_xh_l1 (G*H, Y), ...: those of the others, as `param_names` says.
    """

    W_xh: nn.Parameter
    W_hh: nn.Parameter
    b_xh: nn.Parameter | None
    b_hh: nn.Parameter | None

    def __init__(
        self,
        cell: str,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        dtype: torch.dtype | None = None,
        *,
        num_layers: int = 1,
        bidirectional: bool = False,
        peephole: bool = False,
        coupled: bool = False,
        forget_bias: float = 0.0,
        clip: float | None = None,
        proj_size: int = 0,
        attention: bool = False,
        merge: str = "concat",
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        zoneout: float = 0.0,
    ) -> None:
        """Draw the parameters, uniform in +-1/sqrt(H) as torch.nn does.

        Args:
            cell: a name in `CELLS`.
            input_size: I, at least 1.
            hidden_size: H, at least 1.
            bias: whether there are biases.
            dtype: that of the parameters; torch's default dtype if None.
            num_layers: L, at least 1.
            bidirectional: whether each layer has a reverse direction, too.
            peephole: whether the gates of an LSTM see c.
            coupled: whether the forget gate of an LSTM is 1 - i.
            forget_bias: what is added to the pre-activation of an LSTM's forget gate; not if coupled.
            clip: where pre-activations are cut off, on either side; nowhere if None.
            proj_size: P, the width that the hidden state of an LSTM is projected to; 0 for no projection.
            attention: whether a GRU is given attention.
            merge: what y is of the outputs of two directions: "concat", side by side, or "sum".
            dropout: the rate of dropout between layers, from 0 to less than 1.
            recurrent_dropout: the rate of dropout of what the recurrent product sees, likewise.
            zoneout: the rate of zoneout, from 0 to 1.

        Raises:
            ArgumentError: the name is unknown, a size is not a positive integer, the dtype is not of real numbers, or
                an option is not one of the cell or has no such value.
        """
        super().__init__()
        if cell not in CELLS:
            raise ArgumentError("cell", repr(cell), "one of " + ", ".join(CELLS))
        check_size("input_size", input_size)
        check_size("hidden_size", hidden_size)
        check_size("num_layers", num_layers)
        if dtype is not None:
            check_dtype("dtype", dtype)
        options = Options(peephole, coupled, forget_bias, clip, proj_size, attention)
        check_options(cell, options)
        if merge not in MERGES:
            raise ArgumentError("merge", repr(merge), "one of " + ", ".join(MERGES))
        check_rate("dropout", dropout)
        check_rate("recurrent_dropout", recurrent_dropout)
        check_rate("zoneout", zoneout, certain=True)
        if dropout and num_layers == 1:
            raise ArgumentError("dropout", dropout, "0: it is between layers, and there is one")
        self.cell = cell
        self.hidden_size = hidden_size
        self.options = options
        self.num_layers = num_layers
        self.bidirectional = bidirectional
        self.merge = merge
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.zoneout = zoneout
        bound = 1 / math.sqrt(hidden_size)
        gates = self._cell().num_gates
        sizes = (gates, input_size, hidden_size, num_layers, bidirectional)
        # biases have their place where there are none, too
        shapes = param_shapes(*sizes, True, peephole, coupled, proj_size, merge)
        for name, shape in shapes.items():
            drawn = bias or not name.startswith("b_")
            value = nn.Parameter(torch.empty(shape, dtype=dtype).uniform_(-bound, bound)) if drawn else None
            self.register_parameter(name, value)

    def forward(
        self,
        x: Tensor,
        h_0: Tensor | None = None,
        c_0: Tensor | None = None,
        *,
        lengths: Sequence[int] | Tensor | None = None,
        masks: Sequence[Tensor] = (),
        recurrent: Tensor | None = None,
        zoneout: Sequence[Tensor] = (),
        attention: Tensor | None = None,
        axes: str = "TB",
        truncate: tuple[int, int] | None = None,
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, ...]:
        """Run the network over a batch of sequences.

        Shapes are those of axes = "TB". With "BT", x, y and attention are (B, T, ...); with "T", they have no axis for
        the batch, nor have states, and masks have one of size 1. Masks are time-major in any case, with the step at
        which x is read, whatever the direction. Masks that are not given are drawn, in training and where their rate is
        above 0; otherwise, nothing is dropped, and zoneout takes the rate for d.

        Args:
            x (T, B, I): the input. Sequence b is x[:lengths[b], b]; what comes after it is padding, of any value, here,
                in attention and in all masks.
            h_0 (L*D, B, H'): the initial hidden states; zero if None.
            c_0 (L*D, B, H): the initial cell states, for an LSTM only; zero if None.
            lengths (B,): the lengths of the sequences, whole numbers from 0 to T in any order; T each if None.
            masks: one for each layer but the last, (T, B, Y), to be multiplied with its output before that is the
                input of the next layer: a dropout mask is 0 or 1/(1-p). Or none at all.
            recurrent (L*D, T, B, H'): what h_prev is multiplied with before the recurrent product.
            zoneout: d for each state, (L*D, T, B, H') for h, (L*D, T, B, H) for c: the share of the previous state. Or
                none at all.
            attention (T, B): for a GRU with attention, and only for that.
            axes: the order of the leading axes: "TB", "BT" or "T".
            truncate: (k1, k2), 1 <= k1 <= k2: gradients are those of truncated backpropagation through time, in blocks
                of k1 steps and through k2 steps each; see `truncation`. Not with two directions.
            generator: where drawn masks come from; torch's global generator if None.

        Returns:
            y (T, B, Y), the last layer's hidden states after every step, forward then reverse or their sum, and 0 in
            the padding; h_n (L*D, B, H'), the hidden states after each sequence's own last step, which is step 0 for
            the reverse direction; and, for an LSTM, c_n (L*D, B, H), the cell states then. A sequence of length 0 ends
            where it starts.

        Raises:
            ArgumentError: a tensor has a wrong shape, dtype or device, the cell has no such state or input, a length is
                not from 0 to T, there are too few or too many of something, or `axes`, `truncate` or `generator` is
                nothing of the kind.
        """
        check_axes(axes)
        check_tensor("x", x, (*AXES[axes], self.W_xh.shape[1]), like=self.W_xh)
        if truncate is not None and self.bidirectional:
            raise ArgumentError("truncate", truncate, "None: there are two directions")
        if generator is not None and not isinstance(generator, torch.Generator):
            raise ArgumentError("generator", type(generator).__name__, "None, or a torch.Generator")
        x = time_major(x, axes)
        states_0 = self._states_0(x, h_0, c_0, axes)
        masks = self._masks(masks, x, generator)
        modifiers = self._recurrent_dropout(x, recurrent, generator)
        modifiers += self._zoneout(x, zoneout, generator)
        cell = self._cell(modified=bool(modifiers))
        modifiers = self._attention(cell, x, attention, axes) + modifiers  # from the inside out
        inputs = Inputs(x, lengths_of(lengths, x, axes), masks, modifiers)
        layers, merge = self._layers(), MERGES[self.merge]

        def run(first: int, last: int, states: States) -> tuple[Tensor, States]:
            return run_stack(cell, layers, inputs.window(first, last), states, merge)

        if truncate is None:
            y, states_n = run_stack(cell, layers, inputs, states_0, merge)
        else:
            y, states_n = truncated(run, len(x), check_truncate(truncate), states_0)
        return back(y, axes), *(without_batch(state, axes) for state in states_n)

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    def _shapes(self, *between: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes (L*D, ..., H' or H) of what there is one of for each state, layer and direction."""
        widths = {"h": self.W_hh.shape[1], "c": self.hidden_size}
        return {
            state: (self.num_layers * self._directions, *between, widths[state]) for state in CELLS[self.cell].states
        }

    def _cell(self, *, modified: bool = False) -> Cell:
        """Return the cell: the plain one, unless there are options or something modifies it."""
        plain = self.options == Options() and not modified
        return CELLS[self.cell] if plain else VARIANTS[self.cell](self.options)

    def _masks(self, masks: Sequence[Tensor], x: Tensor, generator: torch.Generator | None) -> Sequence[Tensor]:
        """Return the masks between layers for x (T, B, I): as given, or drawn, or none."""
        width = self.W_hh.shape[1] * (1 if self.merge == "sum" else self._directions)
        shapes = [(*x.shape[:2], width)] * (self.num_layers - 1)
        check_tensors("masks", masks, shapes, x)
        if masks or not (self.training and self.dropout):
            return masks
        return [draws.dropout_mask(self.dropout, shape, x, generator) for shape in shapes]

    def _recurrent_dropout(
        self, x: Tensor, recurrent: Tensor | None, generator: torch.Generator | None
    ) -> list[Modifier]:
        """Return what there is of recurrent dropout for x (T, B, I): as given, or drawn, or nothing."""
        shape = self._shapes(*x.shape[:2])["h"]
        if recurrent is None and self.training and self.recurrent_dropout:
            recurrent = draws.recurrent_mask(self.recurrent_dropout, shape, x, generator)
        if recurrent is None:
            return []
        check_tensor("recurrent", recurrent, shape, like=x)
        return [Modifier(with_recurrent_dropout, (recurrent,))]

    def _zoneout(self, x: Tensor, zoneout: Sequence[Tensor], generator: torch.Generator | None) -> list[Modifier]:
        """Return what there is of zoneout for x (T, B, I): as given, or drawn, or its rate, or nothing."""
        shapes = list(self._shapes(*x.shape[:2]).values())
        check_tensors("zoneout", zoneout, shapes, x)
        if not zoneout and self.zoneout:
            draw = draws.zoneout_factor if self.training else draws.zoneout_expected
            zoneout = [draw(self.zoneout, shape, x, generator) for shape in shapes]
        return [Modifier(with_zoneout, tuple(zoneout))] if zoneout else []

    def _attention(self, cell: Cell, x: Tensor, attention: Tensor | None, axes: str) -> list[Modifier]:
        """Return what the cell is given as attention, if anything, for x (T, B, I): zero where there is none."""
        wanted = self.options.attention
        if attention is None and wanted:
            raise ArgumentError("attention", None, "a tensor: the network was made with attention")
        if attention is not None and not wanted:
            raise ArgumentError("attention", "a tensor", "None: the network was made without attention")
        if not cell.attends:
            return []
        if attention is None:
            given = x.new_zeros(())
        else:
            sizes = {"T": x.shape[0], "B": x.shape[1]}
            check_tensor("attention", attention, tuple(sizes[axis] for axis in AXES[axes]), like=x)
            given = time_major(attention, axes)[..., None]
        shape = (self.num_layers * self._directions, *x.shape[:2], 1)
        return [Modifier(lambda attending: attending, (given.expand(shape),))]

    def _states_0(self, x: Tensor, h_0: Tensor | None, c_0: Tensor | None, axes: str) -> States:
        """Return the initial states (L*D, B, .) for x (T, B, I), in the order of the cell's states."""
        cell = CELLS[self.cell]
        given = {"h": h_0, "c": c_0}
        for state, tensor in given.items():
            if tensor is not None and state not in cell.states:
                raise ArgumentError(f"{state}_0", "a tensor", f"None: {self.cell} has no such state")
        batch = () if axes == "T" else (x.shape[1],)
        states_0 = []
        for state, shape in self._shapes(*batch).items():
            tensor = given[state]
            if tensor is None:
                tensor = x.new_zeros(shape)
            check_tensor(f"{state}_0", tensor, shape, like=x)
            states_0.append(with_batch(tensor, axes))
        return tuple(states_0)

    def _layers(self) -> list[list[Weights]]:
        """Return the parameters by layer and direction."""
        return [[self._weights(suffix(l, d)) for d in range(self._directions)] for l in range(self.num_layers)]

    def _weights(self, end: str) -> Weights:
        """Return the parameters whose names end so, with zero biases where there are none: adding zero is exact."""
        W_hh = getattr(self, "W_hh" + end)
        zeros = W_hh.new_zeros(W_hh.shape[0])
        b_xh, b_hh = (zeros if (b := getattr(self, field + end)) is None else b for field in ("b_xh", "b_hh"))
        further = {field: p for field in FURTHER if (p := getattr(self, field + end, None)) is not None}
        return Weights(getattr(self, "W_xh" + end), W_hh, b_xh, b_hh, further)
