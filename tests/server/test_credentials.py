"""Who is let in by which credential, and that none of them is written down."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from urllib.parse import urlsplit

import httpx
import pytest

from tests.server.running import JUPYTER_TOKEN, People, RunningServer, raw_request

StartServer = Callable[..., AbstractContextManager[RunningServer]]


@pytest.fixture(scope="module")
def browser(server: RunningServer) -> Iterator[httpx.Client]:
    """Somebody who signed in with the token and goes on with cookies."""
    with server.http(None) as http:
        http.get("/login")
        signed_in = http.post("/login", data={"password": JUPYTER_TOKEN, "_xsrf": http.cookies["_xsrf"]})
        assert signed_in.status_code == 302
        yield http


def assert_unauthorized(reply: httpx.Response) -> None:
    assert reply.status_code == 401, reply.text
    assert reply.json()["error"] == "unauthorized"
    assert reply.headers["WWW-Authenticate"] == "Bearer"
    assert reply.headers["X-Request-Id"]


@pytest.mark.parametrize(
    "authorization", ["bearer {key}", "BEARER  {key}", "Bearer \t {key}", "bEaReR {key}"]
)
def test_auth_3_the_letters_of_the_scheme(server: RunningServer, people: People, authorization: str) -> None:
    with server.http(authorization.format(key=people.owner.key)) as http:
        assert http.get("/api/weavers/me").json()["user"]["id"] == people.owner.id


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer",
        "Bearer {key} {key}",
        "Bearer {key},{key}",
        "Basic {key}",
        "Basic dXNlcjpwYXNz",
        "token {key}",
        "{key}",
        "Bearer loom_sk_wrong",
        "Bearer {key}x",
        "Bearer wrong",
        "token wrong",
        "Bearer ws_wrong",
    ],
)
@pytest.mark.parametrize("with_cookie", [False, True], ids=["alone", "beside a valid cookie"])
def test_auth_3_bad_credentials(
    server: RunningServer, people: People, browser: httpx.Client, authorization: str, with_cookie: bool
) -> None:
    headers = {"Authorization": authorization.format(key=people.owner.key)}
    with server.http(None) as stranger:
        http = browser if with_cookie else stranger
        assert_unauthorized(http.get("/api/weavers", headers=headers))
        assert_unauthorized(http.post("/api/weaver", headers=headers, json={}))
        beside_token = http.get("/api/weavers", headers=headers, params={"token": JUPYTER_TOKEN})
        assert_unauthorized(beside_token)


def test_no_credential(server: RunningServer) -> None:
    with server.http(None) as http:
        for method, path in (("GET", "/api/weavers"), ("POST", "/api/weaver"), ("GET", "/api/orgs")):
            assert_unauthorized(http.request(method, path))


@pytest.mark.parametrize("authorization", [f"token {JUPYTER_TOKEN}", f"Bearer {JUPYTER_TOKEN}"])
def test_auth_2_the_jupyter_token_is_the_local_user(server: RunningServer, authorization: str) -> None:
    with server.http(authorization) as http:
        me = http.get("/api/weavers/me").json()
        assert me["user"]["name"] == "local"
        assert me["roles"] == ["system_admin"]
        assert [org["id"] for org in me["orgs"]] == [me["default_org_id"]]
        assert me["orgs"][0]["role"] == "owner"
        created = http.post("/api/weaver", json={"image": "python", "org_id": me["default_org_id"]})
        assert created.status_code == 201
        assert http.delete(f"/api/weaver/{created.json()['id']}").status_code == 204
        assert "set-cookie" not in created.headers


def test_the_jupyter_token_in_the_url(server: RunningServer) -> None:
    with server.http(None) as http:
        reply = http.get("/api/weavers/me", params={"token": JUPYTER_TOKEN})
        assert reply.json()["user"]["name"] == "local"
    with server.http(None) as http:
        assert_unauthorized(http.get("/api/weavers/me", params={"token": "wrong"}))


def test_auth_2_a_cookie_reads_but_writes_only_with_the_xsrf_token(browser: httpx.Client) -> None:
    me = browser.get("/api/weavers/me").json()
    assert me["user"]["name"] == "local"
    body = {"image": "python", "org_id": me["default_org_id"]}
    refused = browser.post("/api/weaver", json=body)
    assert (refused.status_code, refused.json()["error"]) == (403, "forbidden")
    assert "X-XSRFToken" in refused.json()["message"]
    xsrf = {"X-XSRFToken": browser.cookies["_xsrf"]}
    created = browser.post("/api/weaver", json=body, headers=xsrf)
    assert created.status_code == 201
    path = f"/api/weaver/{created.json()['id']}"
    assert browser.delete(path).status_code == 403
    assert browser.delete(path, headers=xsrf).status_code == 204


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_a_cookie_is_not_believed_from_a_foreign_page(browser: httpx.Client, origin: str) -> None:
    headers = {"Origin": origin, "X-XSRFToken": browser.cookies["_xsrf"]}
    for reply in (
        browser.get("/api/weavers", headers=headers),
        browser.post("/api/weavers/cleanup?dry_run=true", headers=headers),
    ):
        assert (reply.status_code, reply.json()["error"]) == (403, "forbidden")
        assert "Origin" in reply.json()["message"]
        assert reply.headers.get("Access-Control-Allow-Origin") is None


HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


@pytest.mark.parametrize("path", ["attach", "exec"])
@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://evil.example", 403),
        ("null", 403),
        ("http://{host}.evil.example", 403),
        ("http://127.0.0.1:1", 403),
        ("http://{host}", 101),
        (None, 101),
    ],
)
def test_auth_1_a_handshake_from_a_foreign_page(
    server: RunningServer, browser: httpx.Client, path: str, origin: str | None, status: int
) -> None:
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    headers = {**HANDSHAKE, "Cookie": cookies}
    if origin is not None:
        headers["Origin"] = origin.format(host=urlsplit(server.url).netloc)
    answer, _, body = raw_request(server, "GET", f"/api/weaver/weaver_a/{path}", headers)
    assert answer == status
    if status == 403:
        assert json.loads(body)["error"] == "forbidden"


def test_a_key_works_from_any_page(people: People) -> None:
    reply = people.owner.http.get("/api/weavers", headers={"Origin": "https://other.example"})
    assert reply.status_code == 200
    assert reply.headers["Access-Control-Allow-Origin"] == "https://other.example"


def test_a_foreign_host_is_refused(people: People) -> None:
    reply = people.owner.http.get("/api/weavers", headers={"Host": "evil.example"})
    assert (reply.status_code, reply.json()["error"]) == (403, "forbidden")


def test_a_revoked_key_is_refused_at_once(server: RunningServer, people: People) -> None:
    key = server.with_store(lambda store: store.keys.create(people.other.id, "to be revoked"))
    with server.http(f"Bearer {key.key}") as http:
        assert http.get("/api/weavers").status_code == 200
        server.with_store(lambda store: store.keys.revoke(key.id))
        assert_unauthorized(http.get("/api/weavers"))


def test_an_anonymous_server_takes_no_other_token(start_server: StartServer) -> None:
    with start_server(config="c.IdentityProvider.token = ''") as server, server.http("Bearer x") as http:
        assert_unauthorized(http.get("/api/weavers"))


SECRETS = ("SECRET1" * 3, "SECRET2" * 3, "loom_sk_SECRET3SECRET3", "SECRET4" * 3, "hunter2-XYZ")


def test_auth_5_no_credential_reaches_the_log(server: RunningServer, people: People) -> None:
    """Not at debug level, and not with an answer that the server failed to give."""
    token, referer, key, encoded, password = SECRETS
    marker = uuid.uuid4().hex
    seen = []
    for path in ("/api/weavers", "/api/weaver/weaver_a", f"/api/weaver/{key}", "/api/weavers?tag=k:%FF"):
        for authorization in (f"Bearer {key}", people.owner.headers["Authorization"], f"token {token}"):
            url = f"{path}{'&' if '?' in path else '?'}token={token}&%74oken={encoded}"
            headers = {
                "Authorization": authorization,
                "Referer": f"{server.url}/lab?token={referer}",
                "X-Request-Id": marker,
            }
            with server.http(None) as http:
                seen.append(http.get(url, headers=headers))
    body = {"image": "no-such-image", "org_id": people.org_id, "env": {"PW": password, "N": 5}}
    seen.append(people.owner.http.post("/api/weaver", json=body))
    assert {reply.status_code for reply in seen} == {200, 400, 401, 404}
    written = server.log() + "".join(reply.text + str(reply.headers) for reply in seen)
    assert marker in server.log()
    for secret in (*SECRETS, people.owner.key, JUPYTER_TOKEN):
        assert secret not in written
    assert not re.search(r"loom_sk_[A-Za-z0-9]", written)
