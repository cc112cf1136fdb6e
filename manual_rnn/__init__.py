"""Recurrent networks in NumPy, forward and backward, derived by hand.

`forward` and `backward` run a network on named arrays, whose cell is a name or what `cell` returns; `SimpleRNN` is a
whole model. The equations are at the top of each file in `cells`, time is in `unroll`, layers and directions are in
`stack`, truncation is in `truncation`.
"""

from manual_rnn.errors import ArgumentError
from manual_rnn.names import param_names
from manual_rnn.network import Forward, backward, forward
from manual_rnn.simple_rnn import SimpleRNN
from manual_rnn.variants import CELLS, cell

__all__ = ["CELLS", "ArgumentError", "Forward", "SimpleRNN", "backward", "cell", "forward", "param_names"]
