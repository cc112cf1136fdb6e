"""Recurrent networks in NumPy, forward and backward, derived by hand.

`forward` and `backward` run a network on named arrays; `SimpleRNN` is a whole model; the equations are at the top of
each file in `cells`, time is in `unroll`, and layers and directions are in `stack`.
"""

from manual_rnn.errors import ArgumentError
from manual_rnn.names import param_names
from manual_rnn.network import CELLS, Forward, backward, forward
from manual_rnn.simple_rnn import SimpleRNN

__all__ = ["CELLS", "ArgumentError", "Forward", "SimpleRNN", "backward", "forward", "param_names"]
