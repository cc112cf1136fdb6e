"""Recurrent networks in PyTorch from primitive operations: the twin of `manual_rnn`, differentiated by autograd.

`Recurrent` is a stack of layers, whose parameters go by `param_names`; `Readout` is the output layer, `SimpleRNN` a
whole model, `LOSSES` the losses. The equations are at the top of each file in `cells`, time is in `unroll`, layers and
directions are in `stack`, unequal lengths in `lengths`, truncated backpropagation in `truncation`, which takes anything
recurrent, and `builtin` is the bridge to torch.nn.
"""

from torch_rnn.errors import ArgumentError
from torch_rnn.losses import LOSSES
from torch_rnn.network import CELLS, Recurrent
from torch_rnn.params import param_names
from torch_rnn.readout import Readout
from torch_rnn.simple_rnn import SimpleRNN
from torch_rnn.truncation import truncated

__all__ = ["CELLS", "LOSSES", "ArgumentError", "Readout", "Recurrent", "SimpleRNN", "param_names", "truncated"]
