"""Query arguments as they stand on the wire."""

from __future__ import annotations

import pytest

from loom_weaver.errors import BadRequest
from loom_weaver_server.query import Query


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("a=x", "x"),
        ("a=", ""),
        ("a", ""),
        ("a=%20x%20", " x "),
        ("a=x+y", "x y"),
        ("a=x%2By", "x+y"),
        ("a=b=c", "b=c"),
        ("a=caf%C3%A9", "café"),
        ("a=caf\xc3\xa9", "café"),
        ("%61=x", "x"),
        ("a=%00", "\0"),
        ("&&a=x&", "x"),
    ],
)
def test_text(raw: str, value: str) -> None:
    assert Query(raw).text("a") == value


@pytest.mark.parametrize("raw", ["a=%FF", "a=%C3", "a=\xff", "%FF=a", "a=%ED%A0%80"])
def test_what_is_no_utf_8(raw: str) -> None:
    with pytest.raises(BadRequest, match="UTF-8"):
        Query(raw)


@pytest.mark.parametrize("raw", ["a=-1", "a=1.0", "a=1e3", "a=+1", "a= 1", "a=", "a=x", "a=9007199254740992"])
def test_not_an_integer(raw: str) -> None:
    with pytest.raises(BadRequest, match="a: must be an integer"):
        Query(raw).integer("a")


def test_integers() -> None:
    assert Query("").integer("a", 7) == 7
    assert Query("a=0").integer("a", 7) == 0
    assert Query("a=9007199254740991").integer("a") == 2**53 - 1
    with pytest.raises(BadRequest):
        Query("a=0").integer("a", minimum=1)


@pytest.mark.parametrize(("raw", "value"), [("a=true", True), ("a=false", False), ("a=1", True), ("", True)])
def test_booleans(raw: str, value: bool) -> None:
    assert Query(raw).boolean("a", True) is value


@pytest.mark.parametrize("raw", ["a=yes", "a=True", "a=", "a", "a=2"])
def test_not_a_boolean(raw: str) -> None:
    with pytest.raises(BadRequest, match="a: must be true or false"):
        Query(raw).boolean("a")


def test_twice_is_not_once() -> None:
    assert Query("a=1&a=2").all("a") == ["1", "2"]
    with pytest.raises(BadRequest, match="more than once"):
        Query("a=1&a=2").text("a")


def test_what_a_call_does_not_know() -> None:
    Query("token=x&_xsrf=y&1764040000000&a=1").expect(["a"])
    with pytest.raises(BadRequest, match="it knows: a"):
        Query("b=1").expect(["a"])
