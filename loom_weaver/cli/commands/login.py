"""`loom-weaver login`."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

import typer

from loom_weaver.cli.api import Api
from loom_weaver.cli.arguments import given_or_asked
from loom_weaver.cli.output import remark
from loom_weaver.cli.text import cleaned
from loom_weaver.errors import BadRequest

EXAMPLES = """\
  loom-weaver login https://jupyter.example.org       asks for the key
  loom-weaver login http://127.0.0.1:8999 < key       reads it
  loom-weaver login 'http://127.0.0.1:8888/lab?token=…'"""
# A key has some fifty characters.
LONGEST_KEY = 4096


def run(
    url: Annotated[str | None, typer.Argument(help="Of the server, as a browser shows it.")] = None,
) -> None:
    """Store which server to call and an API key for it, once both are checked."""
    from loom_weaver.client.discovery import split_url
    from loom_weaver.client.login import StoredLogin, write_login
    from loom_weaver.client.server import Server

    base, token = split_url(url or given_or_asked("URL of the server: ", "the URL"))
    key = token or _key()
    me = Api(Server(base, key, "login")).get("/api/weavers/me")
    path = write_login(StoredLogin(base, key))
    remark(f"You are {cleaned(me['user']['name'])} at {base}; stored in {path}")


def _key() -> str:
    """Never on the command line, where everybody on this machine could read it."""
    key = getpass.getpass("API key: ") if sys.stdin.isatty() else sys.stdin.readline(LONGEST_KEY)
    if not key.strip():
        raise BadRequest(
            "no key was given; `loom-weaver admin key create USER` makes one, on the server's machine"
        )
    return key.strip()
