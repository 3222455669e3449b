"""What a command of `loom-weaver admin` does around its one call of the identity store."""

from __future__ import annotations

import asyncio
import getpass
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import typer
from pydantic import BaseModel

from loom_weaver.data_dir import prepare_data_dir
from loom_weaver.errors import BadRequest, LoomError
from loom_weaver.identity.store import IdentityStore

Result = TypeVar("Result")
Action = Callable[[IdentityStore], Awaitable[Result]]


def perform(
    action: Action[Result], data_dir: str, database_url: str = "", secrets_key_file: str = ""
) -> Result:
    """Do it, or end with one line that says why not."""

    async def on_store() -> Result:
        directory = prepare_data_dir(data_dir)
        opening = IdentityStore.open(directory, url=database_url, secrets_key_file=secrets_key_file)
        async with await opening as store:
            return await action(store)

    try:
        return asyncio.run(on_store())
    except LoomError as error:
        sys.exit(f"loom-weaver: {error.message}")


def read_secret() -> str:
    """From the terminal without an echo, or all of standard input but a newline at its end."""
    if sys.stdin.isatty():
        return getpass.getpass("Value: ")
    try:
        text = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise BadRequest("must be text in UTF-8", field="value") from error
    return text.removesuffix("\n").removesuffix("\r")


def tell_id(made: Any, as_json: bool) -> None:
    typer.echo(made.model_dump_json() if as_json else made.id)


def tell_all(items: Sequence[BaseModel], as_json: bool) -> None:
    """One line each under the names of their fields, columns aligned; nothing where there are none."""
    rows = [item.model_dump(mode="json") for item in items]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
    elif rows:
        lines = [
            list(rows[0]),
            *(["-" if value is None else str(value) for value in row.values()] for row in rows),
        ]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            typer.echo("  ".join(map(str.ljust, line, widths)).rstrip())
