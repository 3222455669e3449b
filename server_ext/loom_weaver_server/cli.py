"""The commands that need the server: `serve` and `admin`."""

from __future__ import annotations

import sys
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
        str,
        typer.Option(
            help="What runs weavers: local, kubernetes, or the import path of a Runtime. [default: local]"
        ),
    ] = "",
) -> None:
    """Serve the API on 127.0.0.1, in the foreground, until Ctrl-C; the weavers go on after it."""
    _start_faster()
    from traitlets.config import Config

    from loom_weaver_server.standalone import run

    given = {"data_dir": data_dir, "runtime": runtime}
    options = Config(LoomWeaverApp={name: value for name, value in given.items() if value})
    raise typer.Exit(run(port, options))


def _start_faster() -> None:
    """Half of a start would go into a grammar of international URIs, which jsonschema has this module build.

    It does without where there is none, and no schema of a Jupyter server has such a URI.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
