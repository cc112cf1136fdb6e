"""Which versions of what made a result."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib import metadata

from crosscheck import __version__


def versions(packages: Sequence[str]) -> dict[str, str]:
    """Return the versions of Python, of this project and of some packages, by name.

    Args:
        packages: their names; one that is missing is "not installed".
    """
    ours = {"python": platform.python_version(), "rnn-crosscheck": __version__}  # which may run without being installed
    return ours | {package: _version(package) for package in packages}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
