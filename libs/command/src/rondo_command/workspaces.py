"""``rondo workspaces``: the workspaces of an installation."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer
from rich.console import Console
from rich.table import Table

from rondo_command.http_api import Api

CREDENTIAL = "RONDO_ROOT_KEY"

app = typer.Typer(help="The workspaces of the installation; needs RONDO_ROOT_KEY.", no_args_is_help=True)


@app.command("list")
def list_workspaces() -> None:
    """List every workspace."""
    table = Table("id", "name", box=None)
    for each in Api(CREDENTIAL).every("/v1/workspaces"):
        table.add_row(each["id"], each["name"])
    Console(highlight=False, markup=False).print(table)


@app.command()
def create(
    workspace_id: Annotated[str, typer.Argument(help="1 to 64 of letters, digits, _ and -.")],
    name: Annotated[str | None, typer.Option(help="As people call it; the id unless given.")] = None,
) -> None:
    """Create a workspace. Its first API key is shown now and never again; only it goes to stdout."""
    body = {"id": workspace_id, "name": name or workspace_id}
    created = Api(CREDENTIAL).call("POST", "/v1/workspaces", body=body)
    typer.echo(f"workspace {created['id']}; its first API key, shown this once:", err=True)
    typer.echo(created["api_key"])


@app.command()
def delete(
    workspace_id: Annotated[str, typer.Argument(help="The workspace's id.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a workspace with everything provisioned in it."""
    if not yes:
        typer.confirm(f"Delete {workspace_id} with its agents, keys and settings?", abort=True)
    Api(CREDENTIAL).call("DELETE", f"/v1/workspaces/{quote(workspace_id, safe='')}")
    typer.echo(f"deleted {workspace_id}")
