"""The commands that need the server: `serve` and `admin`."""

from __future__ import annotations

from typing import Annotated

import typer

from loom_weaver_server.cli_admin import admin

__all__ = ["admin", "serve"]

DEFAULT_PORT = 8765

serve = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)


@serve.command()
def _serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port; 0: any free one.")] = DEFAULT_PORT,
    data_dir: Annotated[
        str,
        typer.Option(help="Where users, keys and weavers are kept. [default: in Jupyter's data directory]"),
    ] = "",
    runtime: Annotated[
        str, typer.Option(help="What runs weavers: local, or the import path of a Runtime. [default: local]")
    ] = "",
) -> None:
    """Serve the API on 127.0.0.1, in the foreground, until Ctrl-C; the weavers go on after it."""
    from traitlets.config import Config

    from loom_weaver_server.standalone import run

    given = {"data_dir": data_dir, "runtime": runtime}
    options = Config(LoomWeaverApp={name: value for name, value in given.items() if value})
    raise typer.Exit(run(port, options))
