"""``rondo keys``: the API keys of a workspace."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer
from rich.console import Console
from rich.table import Table

from rondo_command.http_api import Api

CREDENTIAL = "RONDO_API_KEY"

app = typer.Typer(help="The API keys of the workspace that RONDO_API_KEY belongs to.", no_args_is_help=True)


@app.command("list")
def list_keys() -> None:
    """List the API keys; the keys themselves are kept nowhere."""
    table = Table("id", "name", "created", box=None)
    for each in Api(CREDENTIAL).every("/v1/api_keys"):
        table.add_row(each["id"], each["name"] or "-", each["created_at"])
    Console(highlight=False, markup=False).print(table)


@app.command()
def create(name: Annotated[str | None, typer.Option(help="What it is for.")] = None) -> None:
    """Create a key. It is shown now and never again; only the key goes to stdout."""
    created = Api(CREDENTIAL).call("POST", "/v1/api_keys", body={} if name is None else {"name": name})
    typer.echo(f"key {created['id']}, shown this once:", err=True)
    typer.echo(created["api_key"])


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="The key's id, key_…")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Revoke a key: it opens nothing any more."""
    if not yes:
        typer.confirm(f"Revoke {key_id}? Whoever uses it is locked out", abort=True)
    Api(CREDENTIAL).call("DELETE", f"/v1/api_keys/{quote(key_id, safe='')}")
    typer.echo(f"revoked {key_id}")
