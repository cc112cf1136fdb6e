"""The one error that bad arguments raise, in code and on the command line."""

from __future__ import annotations


class ArgumentError(ValueError):
    """A bad argument: which one, what it was, and what was wanted.

    Attributes:
        argument: the argument's name, as the caller knows it.
        got: what was passed, in words.
        wanted: what would have been accepted, in words.
    """

    def __init__(self, argument: str, got: object, wanted: object) -> None:
        super().__init__(f"{argument}: got {got}, wanted {wanted}")
        self.argument = argument
        self.got = str(got)
        self.wanted = str(wanted)

    def __reduce__(self) -> tuple[type[ArgumentError], tuple[str, str, str]]:
        return type(self), (self.argument, self.got, self.wanted)
