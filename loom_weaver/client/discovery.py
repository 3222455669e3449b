"""Which server to call, and with which key. A key goes nowhere but to the server that it was given for."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit, urlunsplit

from loom_weaver.client import jupyter_servers
from loom_weaver.client.errors import NoServer
from loom_weaver.client.login import read_login
from loom_weaver.client.server import Server
from loom_weaver.errors import BadRequest

URL, KEY = "LOOM_WEAVER_URL", "LOOM_WEAVER_API_KEY"
# People paste the address of a page: what Jupyter's pages have behind the base URL.
PAGE = re.compile(r"((?:/user/[^/]+)?.*?)/(?:lab|tree|notebooks|doc)(?:/.*)?")
HELP = (
    f"give Client(url, key), set {URL} and {KEY}, run `loom-weaver login`, or start a server here: "
    "loom-weaver serve"
)


def find_server(
    url: str | None = None, key: str | None = None, environ: Mapping[str, str] = os.environ
) -> Server:
    """What is given, else the environment, the server of this kernel, the stored login, the one server here.

    Raises NoServer, and BadRequest for a URL that is none.
    """
    if url is not None:
        base, pasted = split_url(url)
        key = key or pasted
        return Server(base, key, "the given URL") if key is not None else _with_known_key(base, environ)
    found = _from_environment(environ) or _of_this_kernel(environ) or _from_login() or _the_only_one()
    if found is None:
        raise NoServer(f"no server with weavers was found: {HELP}")
    return Server(found.url, key, found.found_by) if key is not None else found


def split_url(text: str) -> tuple[str, str | None]:
    """The base URL, without a slash at its end, and the token in it, from what people paste.

    Raises BadRequest.
    """
    parts = urlsplit(text.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadRequest(
            f"{parts.scheme + '://…' if parts.scheme else 'this'} is no URL of a server; one looks like "
            "http://127.0.0.1:8999",
            field="url",
        )
    if parts.username is not None or parts.password is not None:
        raise BadRequest("holds a user or password; give the key by itself", field="url")
    tokens = parse_qs(parts.query).get("token", [])
    page = PAGE.fullmatch(parts.path)
    path = page[1] if page else parts.path
    return urlunsplit((parts.scheme, parts.netloc, path.rstrip("/"), "", "")), tokens[0] if tokens else None


def _with_known_key(url: str, environ: Mapping[str, str]) -> Server:
    for known in (_from_environment(environ, url), _from_login()):
        if known is not None and known.url == url:
            return known
    for server in jupyter_servers.running():
        if server.url == url:
            return server
    raise NoServer(f"no key is known for {url}: give Client(url, key), or run `loom-weaver login`")


def _from_environment(environ: Mapping[str, str], url: str = "") -> Server | None:
    """Where only the key is set, it is meant for whatever `url` is given beside it."""
    text, key = environ.get(URL) or url, environ.get(KEY)
    if not text:
        return None
    base, pasted = split_url(text)
    return Server(base, key or pasted or "", URL if environ.get(URL) else KEY) if key or pasted else None


def _of_this_kernel(environ: Mapping[str, str]) -> Server | None:
    parent = environ.get("JPY_PARENT_PID", "")
    if not parent.isdigit():
        return None
    return jupyter_servers.of_kernel(int(parent), environ)


def _from_login() -> Server | None:
    stored = read_login()
    return Server(stored.url, stored.key, "loom-weaver login") if stored else None


def _the_only_one() -> Server | None:
    servers = jupyter_servers.running()
    if len(servers) > 1:
        urls = ", ".join(server.url for server in servers)
        raise NoServer(f"several Jupyter servers of yours run here: {urls}; set {URL} to one of them")
    return servers[0] if servers else None
