"""Which pages may act through a browser."""

from __future__ import annotations

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from loom_weaver_server.origins import is_allowed_origin


class Connection:
    """What a request knows of its connection."""

    context = None


def request(origin: str | None, host: str = "127.0.0.1:8888", **headers: str) -> HTTPServerRequest:
    given = {"Host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    if origin is not None:
        given["Origin"] = origin
    line = RequestStartLine("GET", "/", "HTTP/1.1")
    return HTTPServerRequest(headers=HTTPHeaders(given), start_line=line, connection=Connection())  # type: ignore[arg-type]


@pytest.mark.parametrize("origin", [None, "http://127.0.0.1:8888", "HTTP://127.0.0.1:8888"])
def test_our_own(origin: str | None) -> None:
    assert is_allowed_origin(request(origin), {})


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://host", "host:80"),
        ("http://host:80", "host"),
        ("http://[::1]:5", "[::1]:5"),
        ("http://host", "HOST"),
    ],
)
def test_our_own_in_other_spellings(origin: str, host: str) -> None:
    assert is_allowed_origin(request(origin, host), {})


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "",
        "http://127.0.0.1:8888.evil.example",
        "http://127.0.0.1:8889",
        "https://127.0.0.1:8888",
        "http://127.0.0.1",
        "127.0.0.1:8888",
        "http://127.0.0.1:8888/",
        "http://127.0.0.1:x",
        "http://user@127.0.0.1:8888",
        "http://evil.example#127.0.0.1:8888",
        "file://",
    ],
)
def test_foreign(origin: str) -> None:
    assert not is_allowed_origin(request(origin), {})


def test_a_forwarded_host_is_not_believed() -> None:
    forged = request("http://evil.example", X_Forwarded_Host="evil.example")
    assert not is_allowed_origin(forged, {})


@pytest.mark.parametrize(
    ("settings", "origin", "allowed"),
    [
        ({"allow_origin": "*"}, "https://any.example", True),
        ({"allow_origin": "https://a.example"}, "https://a.example", True),
        ({"allow_origin": "https://a.example"}, "https://a.example.evil", False),
        ({"allow_origin_pat": r"https://[a-z]+\.example"}, "https://a.example", True),
        ({"allow_origin_pat": r"https://[a-z]+\.example"}, "https://a.example.evil", False),
        ({"allow_origin_pat": r"https://[a-z]+\.example"}, "xhttps://a.example", False),
        ({"allow_origin": "", "allow_origin_pat": ""}, "https://a.example", False),
    ],
)
def test_allowed_by_configuration(settings: dict[str, str], origin: str, allowed: bool) -> None:
    assert is_allowed_origin(request(origin), settings) is allowed
