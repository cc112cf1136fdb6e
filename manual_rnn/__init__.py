"""Recurrent networks in NumPy, forward and backward, derived by hand.

`forward` and `backward` run a layer on named arrays; `SimpleRNN` is a whole model; the equations are at the top of each
file in `cells`, and time is in `unroll`.
"""

from manual_rnn.errors import ArgumentError
from manual_rnn.network import CELLS, Forward, backward, forward
from manual_rnn.simple_rnn import SimpleRNN

__all__ = ["CELLS", "ArgumentError", "Forward", "SimpleRNN", "backward", "forward"]
