"""The command line: the commands that the folder `commands` holds, and what an error ends in."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import tempfile
import traceback
from pathlib import Path

import click

from crosscheck import __version__
from crosscheck.errors import ArgumentError
from crosscheck.exits import INTERNAL, INTERRUPTED, USAGE


class _Commands(click.Group):
    """A command a file in `crosscheck/commands`, imported when it is asked for."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return sorted(path.stem for path in Path(__file__).with_name("commands").glob("[!_]*.py"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = importlib.import_module(f"crosscheck.commands.{cmd_name}").command
        command.name = cmd_name
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="crosscheck")
def cli() -> None:
    """Check the outputs and gradients of recurrent networks.

    Exit codes: 0 all right, 1 something is wrong, 2 wrong usage or a target that can't be loaded, 3 an error inside
    crosscheck, 5 nothing was checked, 130 interrupted.
    """


def main() -> None:
    """Run the command line; bad arguments and internal errors end in their exit codes."""
    if hasattr(signal, "SIGPIPE"):  # end quietly, like other filters, when `| head` has seen enough
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        with tempfile.TemporaryDirectory() as folder:  # Hypothesis keeps notes, by default in the working directory
            os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", folder)
            sys.path.insert(0, os.getcwd())  # so that package.module:attr is found here, as by `python -m`
            sys.exit(cli(standalone_mode=False))
    except ArgumentError as error:
        click.echo(f"crosscheck: {error}", err=True)
        sys.exit(USAGE)
    except (click.exceptions.Abort, KeyboardInterrupt):
        click.echo("crosscheck: interrupted", err=True)
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(USAGE)
    except Exception:
        click.echo("crosscheck: an error of its own, not of what it checks:", err=True)
        click.echo(traceback.format_exc(), err=True)
        sys.exit(INTERNAL)
