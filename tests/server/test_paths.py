"""Ids that are paths, paths that lead nowhere, methods that are not there: JSON, and never a redirect."""

from __future__ import annotations

import json

import pytest

from tests.server.running import People, RunningServer, raw_request

HOSTILE_IDS = {
    "dots": "%2e%2e",
    "a path": "..%2f..%2fsecrets",
    "a query": "x%3Fwatch=true",
    "NUL": "%00",
    "empty": "",
    "long": "a" * 300,
    "no UTF-8": "%FF",
    "a pod's name": "loom-weaver-abc",
    "upper case": "weaver_ABC",
    "a line end": "weaver_abc%0A",
    "unknown": "weaver_0000000000000000",
}
TAILS = ("", "/logs", "/attach", "/exec", "/files")


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("method", ["GET", "DELETE", "PATCH", "POST", "PUT"])
@pytest.mark.parametrize("name", HOSTILE_IDS)
def test_in_7_ids_that_are_paths(
    server: RunningServer, people: People, name: str, method: str, tail: str
) -> None:
    path = f"/api/weaver/{HOSTILE_IDS[name]}{tail}"
    status, headers, body = raw_request(server, method, path, {**people.admin.headers, "Content-Length": "0"})
    incomplete = method in ("PATCH", "POST") or (method == "GET" and tail in ("/attach", "/exec"))
    assert status in (404, 405) or (status == 400 and incomplete), body
    assert headers["content-type"] == "application/json"
    assert json.loads(body)["error"] in ("bad_request", "not_found", "method_not_allowed")


@pytest.mark.parametrize(
    "path",
    [
        "/api/weaver/",
        "/api/weavers/",
        "/api/weavers/nothing",
        "/api/weaver/weaver_a/nothing",
        "/api/orgs/a/b/c",
        "/api/users/",
        "/api/keys/a/b",
        "/auth/ws-token/",
        "/api/docs/nothing.js",
        "/api/docs/",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_paths_that_lead_nowhere(server: RunningServer, people: People, path: str, method: str) -> None:
    headers = {**people.owner.headers, "Content-Length": "0"}
    status, _, body = raw_request(server, method, path, headers)
    assert (status, json.loads(body)["error"]) in ((404, "not_found"), (405, "method_not_allowed"))
    status, headers, body = raw_request(server, method, path, {"Content-Length": "0"})
    assert (status, json.loads(body)["error"]) == (401, "unauthorized")
    assert headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/api/weaver", {"POST", "OPTIONS"}),
        ("POST", "/api/weavers", {"GET", "OPTIONS"}),
        ("GET", "/api/weavers/cleanup", {"POST", "OPTIONS"}),
        ("POST", "/api/weaver/weaver_a", {"GET", "PATCH", "DELETE", "OPTIONS"}),
        ("DELETE", "/health", {"GET", "OPTIONS"}),
        ("TRACE", "/api/weavers", {"GET", "OPTIONS"}),
    ],
)
def test_methods_that_are_not_there(
    server: RunningServer, people: People, method: str, path: str, allowed: set[str]
) -> None:
    status, headers, body = raw_request(server, method, path, {**people.owner.headers, "Content-Length": "0"})
    assert (status, json.loads(body)["error"]) == (405, "method_not_allowed")
    assert set(headers["allow"].split(", ")) == allowed


def test_every_reply_has_a_request_id(server: RunningServer, people: People) -> None:
    seen = set()
    for path in ("/api/weavers", "/api/weaver/weaver_a", "/health", "/api/weavers/nothing"):
        _, headers, _ = raw_request(server, "GET", path, people.owner.headers)
        seen.add(headers["x-request-id"])
    assert len(seen) == 4


@pytest.mark.parametrize(("given", "kept"), [("trace-1", True), ("a" * 129, False), ("a b", False)])
def test_a_sane_request_id_is_kept(server: RunningServer, people: People, given: str, kept: bool) -> None:
    _, headers, _ = raw_request(server, "GET", "/health", {"X-Request-Id": given})
    assert (headers["x-request-id"] == given) is kept
