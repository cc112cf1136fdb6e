"""The one error that bad arguments raise."""

from __future__ import annotations


class ArgumentError(ValueError):
    """A bad argument: which one, what it was, and what was wanted.

    Attributes:
        argument: the argument's name, as the caller knows it.
        got: what was passed, in words (a shape, a dtype, a value).
        wanted: what would have been accepted, in words.
    """

    def __init__(self, argument: str, got: object, wanted: object) -> None:
        super().__init__(f"{argument}: got {got}, wanted {wanted}")
        self.argument = argument
        self.got = str(got)
        self.wanted = str(wanted)

    def __reduce__(self) -> tuple[type[ArgumentError], tuple[str, str, str]]:
        # an exception is pickled by its message alone otherwise, and could not come back from a worker process
        return type(self), (self.argument, self.got, self.wanted)
