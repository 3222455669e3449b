"""Calls to an API server: credentials that are renewed, refusals that keep their words, time limits."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from loom_weaver.errors import (
    BadRequest,
    LoomError,
    RuntimeFailure,
    RuntimeTimeout,
    TooManyWeavers,
    Unavailable,
)
from loom_weaver.runtimes.kubernetes.cluster import Cluster
from loom_weaver.runtimes.kubernetes.errors import Refusal, create_error

PODS = "/api/v1/namespaces/n/pods"


class Api:
    """Knows one token at a time, and answers what it was asked."""

    def __init__(self) -> None:
        self.token = "first"
        self.seen: list[str] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request.headers.get("Authorization", ""))
        if self.seen[-1] != f"Bearer {self.token}":
            return web.json_response({"reason": "Unauthorized", "code": 401}, status=401)
        if request.path.endswith("/slow"):
            await asyncio.sleep(60)
        if request.path.endswith("/refused"):
            return web.Response(status=500, text="container weaver not found in pod x_n\n")
        if request.path.endswith("/attach"):
            socket = web.WebSocketResponse(protocols=("v4.channel.k8s.io",))
            await socket.prepare(request)
            await socket.send_bytes(b"\1hello")
            await socket.close()
            return socket
        return web.json_response({"query": dict(request.query), "body": await request.text()})


@asynccontextmanager
async def serving(api: Api) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", api.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def write_config(file: Path, url: str, user: dict[str, Any], **cluster: Any) -> str:
    config = {
        "current-context": "one",
        "contexts": [
            {"name": "one", "context": {"cluster": "c", "user": "u"}},
            {"name": "two", "context": {"cluster": "nowhere", "user": "u"}},
        ],
        "clusters": [
            {"name": "c", "cluster": {"server": url, **cluster}},
            {"name": "nowhere", "cluster": {"server": "http://127.0.0.1:9"}},
        ],
        "users": [{"name": "u", "user": user}],
    }
    file.write_text(json.dumps(config))
    return str(file)


@asynccontextmanager
async def opened(*arguments: str, **options: Any) -> AsyncIterator[Cluster]:
    cluster = await Cluster.open(*arguments, **options)
    try:
        yield cluster
    finally:
        await cluster.close()


async def test_calls_carry_query_body_and_token(tmp_path: Path) -> None:
    api = Api()
    async with serving(api) as url, opened(write_config(tmp_path / "k", url, {"token": "first"})) as cluster:
        assert json.loads(await cluster.get(PODS, {"limit": "5"}))["query"] == {"limit": "5"}
        assert json.loads(await cluster.post(PODS, {"a": [1]}))["body"] == '{"a":[1]}'
        async with cluster.stream(PODS) as response:
            assert json.loads(await response.read())["query"] == {}


async def test_a_token_that_was_rotated_is_read_again(tmp_path: Path) -> None:
    """From the kubeconfig itself, and from the file that it names."""
    api = Api()
    (tmp_path / "token").write_text("first")
    async with serving(api) as url:
        config = write_config(tmp_path / "k", url, {"tokenFile": str(tmp_path / "token")})
        async with opened(config) as cluster:
            await cluster.get(PODS)
            api.token = "second"
            (tmp_path / "token").write_text("second")
            await _until_accepted(cluster)
            assert api.seen[0] == "Bearer first"
            assert api.seen[-1] == "Bearer second"
            # Where a new look at the file brings nothing new, the refusal is told.
            api.token = "unknown to everybody"
            with pytest.raises(Refusal) as refused:
                await cluster.get(PODS)
            assert refused.value.status == 401


async def _until_accepted(cluster: Cluster) -> None:
    """Right after one look at the files there is no other."""
    async with asyncio.timeout(30):
        while True:
            try:
                await cluster.get(PODS)
            except Refusal:
                await asyncio.sleep(0.1)
            else:
                return


async def test_a_plugin_gives_the_token(tmp_path: Path) -> None:
    api = Api()
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": "first"},
    }
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": sys.executable,
        "args": ["-c", f"print({json.dumps(credential)!r})"],
        "interactiveMode": "Never",
    }
    async with serving(api) as url, opened(write_config(tmp_path / "k", url, {"exec": plugin})) as cluster:
        await cluster.get(PODS)


async def test_a_proxy_is_used_for_calls_and_sockets(tmp_path: Path) -> None:
    """The fake stands in for the proxy too: it is asked for the whole URL of a server that is not there."""
    api = Api()
    async with serving(api) as url:
        config = write_config(
            tmp_path / "k", "http://cluster.invalid", {"token": "first"}, **{"proxy-url": url}
        )
        async with opened(config) as cluster:
            await cluster.get(PODS)
            socket = await cluster.websocket(f"{PODS}/x/attach")
            assert (await socket.receive()).data == b"\1hello"
            await socket.close()


async def test_a_proxy_of_the_environment_is_used_where_none_is_configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(Api()) as url:
        config = write_config(tmp_path / "k", "http://cluster.invalid", {"token": "first"})
        monkeypatch.setenv("http_proxy", url)
        async with opened(config) as cluster:
            await cluster.get(PODS)
        monkeypatch.setenv("no_proxy", "cluster.invalid")
        async with opened(config) as cluster:
            with pytest.raises(Unavailable):
                await cluster.get(PODS)


async def test_a_refused_socket_keeps_status_and_words(tmp_path: Path) -> None:
    api = Api()
    async with serving(api) as url, opened(write_config(tmp_path / "k", url, {"token": "first"})) as cluster:
        socket = await cluster.websocket(f"{PODS}/x/attach")
        assert socket.protocol == "v4.channel.k8s.io"
        await socket.close()
        with pytest.raises(Refusal) as refused:
            await cluster.websocket(f"{PODS}/x/refused")
        assert (refused.value.status, refused.value.text) == (500, "container weaver not found in pod x_n")


async def test_no_answer_and_no_server_are_told_apart(tmp_path: Path) -> None:
    api = Api()
    async with serving(api) as url:
        config = write_config(tmp_path / "k", url, {"token": "first"})
        async with opened(config, call_timeout=0.2) as cluster:
            with pytest.raises(RuntimeTimeout, match="did not answer in time when asked to read pods"):
                await cluster.get(f"{PODS}/slow")
        async with opened(config, "two") as elsewhere:
            with pytest.raises(Unavailable) as refused:
                await elsewhere.get(PODS)
            assert "127.0.0.1" not in refused.value.message, "no internal address"


@pytest.mark.parametrize(
    ("kubeconfig", "context", "words"),
    [
        ("/no/such/file", "", "no Kubernetes cluster is configured"),
        ("{good}", "three", "three"),
        ("{bad}", "", "cannot be used"),
    ],
)
async def test_a_configuration_that_cannot_be_used_is_told(
    tmp_path: Path, kubeconfig: str, context: str, words: str
) -> None:
    good = write_config(tmp_path / "good", "http://127.0.0.1:9", {"token": "x"})
    (tmp_path / "bad").write_text("a: [")
    files = kubeconfig.format(good=good, bad=tmp_path / "bad")
    with pytest.raises(Unavailable, match=words):
        await Cluster.open(files, context)


def refusal(status: int, reason: str, message: str, **details: Any) -> Refusal:
    body = {"kind": "Status", "reason": reason, "message": message, "code": status, "details": details}
    return Refusal("create a weaver", status, json.dumps(body).encode())


QUOTA = 'pods "x" is forbidden: exceeded quota: rq, requested: pods=1, used: pods=1, limited: pods=1'
NO_RIGHT = 'pods is forbidden: User "u" cannot create resource "pods"'
RANGE = 'pods "x" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi'
CAUSES = [{"field": "spec.containers[0].image", "message": "Required value"}]


@pytest.mark.parametrize(
    ("refused", "kind", "words"),
    [
        (refusal(403, "Forbidden", QUOTA), TooManyWeavers, "used up (requested: pods=1"),
        (
            refusal(403, "Forbidden", "forbidden: failed quota: rq: must specify requests.cpu"),
            TooManyWeavers,
            "say requests.cpu",
        ),
        (refusal(403, "Forbidden", NO_RIGHT), RuntimeFailure, "does not let this server create a weaver"),
        (refusal(403, "Forbidden", RANGE), BadRequest, "maximum memory usage per Container is 1Gi"),
        (refusal(422, "Invalid", "invalid", causes=CAUSES), BadRequest, "spec.containers[0].image: Required"),
        (refusal(500, "", "etcdserver: request is too large"), BadRequest, "give less"),
        (refusal(503, "ServiceUnavailable", "busy"), Unavailable, "too busy"),
        (refusal(500, "InternalError", "secret 10.0.0.1"), RuntimeFailure, "(500 InternalError)"),
    ],
)
def test_pod_5_what_a_refused_create_means(refused: Refusal, kind: type[LoomError], words: str) -> None:
    """POD-5 and its like: 403 means both quota and a missing right."""
    error = create_error(refused)
    assert type(error) in (kind, Refusal)
    assert isinstance(error, kind)
    assert words in error.message
    assert "10.0.0.1" not in error.message
