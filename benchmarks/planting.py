"""Changes of the plain network of `plain/`, and a copy of it with some of them, found by path as anybody's code is."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import indent

from crosscheck.referee.patched import Patch, PatchError

PLAIN = Path(__file__).parent / "plain"
Changes = tuple[Patch, ...]


def texts(changes: Sequence[Patch] = ()) -> dict[str, str]:
    """Return the text of each file of the plain network, with changes.

    Raises:
        PatchError: the text to be replaced is not in its file exactly once.
    """
    files = {path.name: path.read_text(encoding="utf-8") for path in sorted(PLAIN.glob("*.py"))}
    for change in changes:
        count = files[change.file].count(change.right)
        if count != 1:
            raise PatchError(f"{change.right!r} is {count} times in {change.file}, wanted once")
        files[change.file] = files[change.file].replace(change.right, change.wrong)
    return files


@contextmanager
def copied(changes: Sequence[Patch] = ()) -> Iterator[str]:
    """Yield what a copy of the plain network with changes is called, `FOLDER/network.py:plain`, as long as it is there.

    Raises:
        PatchError: see `texts`.
    """
    files = texts(changes)
    with TemporaryDirectory() as folder:
        for name, text in files.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        _forget(folder, files)
        try:
            yield f"{folder}/network.py:plain"
        finally:
            _forget(folder, files)


def _forget(folder: str, files: Mapping[str, str]) -> None:
    """Unload the files of a copy, or of another copy before it, so that the next one's are loaded."""
    for module in [Path(name).stem for name in files]:
        sys.modules.pop(module, None)
    resolved = str(Path(folder).resolve())
    sys.path[:] = [entry for entry in sys.path if entry != resolved]


def _of(file: str, *pairs: str) -> Changes:
    """Return the changes of a file: right text, wrong text, and so on by turns."""
    return tuple(Patch(file, right, wrong) for right, wrong in zip(pairs[::2], pairs[1::2], strict=True))


def elman(*pairs: str) -> Changes:
    """Return changes of the plain layer; see `_of`."""
    return _of("elman.py", *pairs)


def lstm(*pairs: str) -> Changes:
    """Return changes of the LSTM layer; see `_of`."""
    return _of("lstm.py", *pairs)


def gru(*pairs: str) -> Changes:
    """Return changes of the GRU layer; see `_of`."""
    return _of("gru.py", *pairs)


def network(*pairs: str) -> Changes:
    """Return changes of what is around the layers; see `_of`."""
    return _of("network.py", *pairs)


def losses(*pairs: str) -> Changes:
    """Return changes of the losses; see `_of`."""
    return _of("losses.py", *pairs)


def parts(*pairs: str) -> Changes:
    """Return changes of what the layers share; see `_of`."""
    return _of("parts.py", *pairs)


def layers(*pairs: str, but_of_lstm: tuple[str, ...] = ()) -> Changes:
    """Return changes of all three layers, whose texts are the same there, but perhaps for the LSTM's."""
    return elman_and_gru(*pairs) + lstm(*(but_of_lstm or pairs))


def elman_and_gru(*pairs: str) -> Changes:
    """Return changes of the layers that have one state."""
    return elman(*pairs) + gru(*pairs)


DB_ELMAN = """\
        g["db_xh"] += da.sum(axis=0)
        g["db_hh"] += da.sum(axis=0)
"""
DB_LSTM = """\
            g["db_x" + gate] += da[gate].sum(axis=0)
            g["db_h" + gate] += da[gate].sum(axis=0)
"""
DB_GRU = """\
        g["db_xr"] += da_r.sum(axis=0)
        g["db_xz"] += da_z.sum(axis=0)
        g["db_xn"] += da_n.sum(axis=0)
        g["db_hr"] += da_r.sum(axis=0)
        g["db_hz"] += da_z.sum(axis=0)
        g["db_hn"] += da_q.sum(axis=0)
"""
DW_X = """\
        g["dW_xr"] += da_r.T @ x_t
        g["dW_xz"] += da_z.T @ x_t
        g["dW_xn"] += da_n.T @ x_t
"""
DW_HH = """\
        g["dW_hh"] += da.T @ cache["h_in"]
"""
DW_H = """\
            g["dW_h" + gate] += da[gate].T @ cache["h_in"]
"""
DW_HR_HZ_HN = """\
        g["dW_hr"] += da_r.T @ h_in
        g["dW_hz"] += da_z.T @ h_in
        g["dW_hn"] += da_q.T @ seen
"""
RETURN = "    return together("
DX = 'dx[at] = da_r @ p["W_xr"] + da_z @ p["W_xz"] + da_n @ p["W_xn"]'


def biases(change: Callable[[str], str]) -> Changes:
    """Return changes of the lines that sum up the biases' gradients, in all layers."""
    return elman(DB_ELMAN, change(DB_ELMAN)) + lstm(DB_LSTM, change(DB_LSTM)) + gru(DB_GRU, change(DB_GRU))


def recurrent(change: Callable[[str], str]) -> Changes:
    """Return changes of the lines that sum up the recurrent weights' gradients, in all layers."""
    return elman(DW_HH, change(DW_HH)) + lstm(DW_H, change(DW_H)) + gru(DW_HR_HZ_HN, change(DW_HR_HZ_HN))


def indented(head: str, lines: str) -> str:
    """Return lines under another one, which begins a block."""
    margin = lines[: len(lines) - len(lines.lstrip())]
    return f"{margin}{head}\n" + indent(lines, 4 * " ")


def operand(wrong: str) -> Changes:
    """Return changes that take something else for what W_hh was multiplied with, in all layers."""
    return (
        *elman(DW_HH, DW_HH.replace('cache["h_in"]', f"({wrong})")),
        *lstm(DW_H, DW_H.replace('cache["h_in"]', f"({wrong})")),
        *gru(
            "da_r.T @ h_in",
            f"da_r.T @ ({wrong})",
            "da_z.T @ h_in",
            f"da_z.T @ ({wrong})",
            "da_q, seen = da_n * r, h_in",
            f"da_q, seen = da_n * r, {wrong}",
        ),
    )


def recycled(gates: str, folded: str) -> str:
    """Return the lines that lay the biases down the batch, where `p = apart(...)` and the initial states were.

    Args:
        gates: the gates of the layer, as written there.
        folded: those whose second bias is added to the first one beforehand.
    """
    return f"""\
p = apart(params, end, {gates})
    for gate in {folded}:
        p["b_x" + gate], p["b_h" + gate] = p["b_x" + gate] + p["b_h" + gate], 0 * p["b_h" + gate]
    b = np.concatenate([p["b_x" + gate] for gate in {gates}])
    rows = np.resize(b, (len(b), x.shape[1])).T
    for gate, columns in zip({gates}, np.split(rows, len({gates}), axis=1), strict=True):
        p["b_x" + gate] = columns
    h_prev"""
