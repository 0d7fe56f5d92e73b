"""``rondo``: every command there is, collected from the installed packages."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import typer
from aiokafka.errors import KafkaError
from typer.core import TyperGroup

from rondo_command.failures import CommandFailed
from rondo_common.errors import RondoError

GROUP = "rondo.commands"
FAILED = 1
INTERRUPTED = 130


class RondoCommands(TyperGroup):
    """All commands. What goes wrong in one becomes a line on stderr and an exit status."""

    def invoke(self, ctx: Any) -> Any:
        """Carry out a command."""
        try:
            return super().invoke(ctx)
        except CommandFailed as failure:
            raise _ended(failure, failure.exit_status) from None
        except (RondoError, KafkaError) as error:
            raise _ended(error, FAILED) from None
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None


def build_app(commands: Iterable[EntryPoint]) -> typer.Typer:
    """The application with these commands, by name. A command is a function, or a Typer of several."""
    app = typer.Typer(
        cls=RondoCommands,
        help="Rondo, the switchboard for live chat, from a terminal. `source .local/env` says where it is.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    for each in sorted(commands, key=lambda command: command.name):
        command = each.load()
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=each.name)
        else:
            app.command(each.name)(command)
    return app


def main() -> None:
    """Run the command line; ends the process with its exit status."""
    # Clients log what they try meanwhile; what matters of it is said in one line.
    for client in ("aiokafka", "httpx", "asyncio"):
        logging.getLogger(client).setLevel(logging.CRITICAL)
    build_app(entry_points(group=GROUP))(prog_name="rondo")


def _ended(error: Exception, status: int) -> typer.Exit:
    typer.echo(f"rondo: {' '.join(str(error).split())}", err=True)
    return typer.Exit(status)


if __name__ == "__main__":
    main()
