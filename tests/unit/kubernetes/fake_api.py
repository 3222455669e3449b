"""An API server in memory that does what a test tells it to: it forgets versions, falls silent, refuses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

NAMESPACE = "loom-weavers"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"


def status(code: int, reason: str, message: str = "") -> web.Response:
    body = {"kind": "Status", "status": "Failure", "reason": reason, "message": message, "code": code}
    return web.json_response(body, status=code)


def let_pass(path: str) -> None:
    """Nothing is refused."""


class FakeApi:
    """Pods with versions, lists in pages, watches that tell of each change."""

    def __init__(self) -> None:
        self.version = 100
        self.pods: dict[str, dict[str, Any]] = {}
        self.secrets: dict[str, dict[str, Any]] = {}
        self.requests: list[str] = []
        """`METHOD path?query` of each call about pods."""
        self.watches: list[web.StreamResponse] = []
        self.history: list[tuple[int, bytes]] = []
        self.oldest = 0
        """A watch from an older version is told that it is gone."""
        self.gone_inside = True
        """Whether that is told by an event inside a 200, as servers do, or by the status."""
        self.page = 500
        self.refuse: Callable[[str], web.Response | None] = let_pass
        """What a path is refused with."""
        self.hold: asyncio.Event | None = None
        """Deletes wait for it."""
        self.lists = asyncio.Event()
        """Lists wait for it; it is set at first."""
        self.lists.set()
        self.silent = False
        """Whether watches stay open and tell nothing."""
        self._news = asyncio.Condition()
        self.url = ""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        app = web.Application(client_max_size=8 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield
        finally:
            await runner.cleanup()

    def kubeconfig(self, folder: Path, token: str = "secret") -> str:
        file = folder / "kubeconfig"
        config = {
            "current-context": "fake",
            "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "fake"}}],
            "clusters": [{"name": "fake", "cluster": {"server": self.url}}],
            "users": [{"name": "fake", "user": {"token": token}}],
        }
        file.write_text(json.dumps(config))
        return str(file)

    async def set(self, name: str, **changes: Any) -> None:
        """Change a pod as the cluster itself would: `set(name, status={…})`."""
        pod = self.pods[name]
        for part, values in changes.items():
            pod.setdefault(part, {}).update(values)
        await self._tell("MODIFIED", pod)

    async def remove(self, name: str) -> None:
        await self._tell("DELETED", self.pods.pop(name))

    async def forget(self, *, inside: bool = True) -> None:
        """Versions up to now are gone; who watches has to start over."""
        self.gone_inside = inside
        self.oldest = self.version + 1
        self.version += 2
        await self.cut()

    async def cut(self) -> None:
        """All watches end, as at a server's restart."""
        async with self._news:
            self.watches.clear()
            self._news.notify_all()

    async def watched(self, count: int = 1) -> None:
        """Wait until so many watches are open."""
        async with asyncio.timeout(30), self._news:
            await self._news.wait_for(lambda: len(self.watches) >= count)

    async def asked(self, found: Callable[[list[str]], bool]) -> None:
        """Wait until the calls so far are as `found` wants them."""
        async with asyncio.timeout(30), self._news:
            await self._news.wait_for(lambda: found(self.requests))

    async def _tell(self, kind: str, pod: dict[str, Any]) -> None:
        self.version += 1
        pod["metadata"]["resourceVersion"] = str(self.version)
        line = json.dumps({"type": kind, "object": pod}).encode() + b"\n"
        async with self._news:
            self.history.append((self.version, line))
            self._news.notify_all()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if "/events" in request.path:
            return await self._no_events(request)
        if request.path.startswith(PODS) and not request.path.endswith(("/attach", "/log")):
            async with self._news:
                self.requests.append(f"{request.method} {request.path_qs}")
                self._news.notify_all()
        if (refusal := self.refuse(request.path)) is not None:
            return refusal
        if request.query.get("watch"):
            return await self._watch(request)
        name = request.path.removeprefix(PODS).strip("/")
        match request.method:
            case "POST":
                return await self._create(request)
            case "DELETE":
                return await self._delete(request, name)
            case "PATCH":
                return await self._patch(request, name)
            case _:
                return await self._get(request, name)

    async def _get(self, request: web.Request, name: str) -> web.Response:
        if request.path == PODS:
            await self.lists.wait()
            return self._list(request)
        if not request.path.startswith(PODS):
            return web.json_response({"metadata": {"name": NAMESPACE}})
        return web.json_response(self.pods[name]) if name in self.pods else status(404, "NotFound")

    async def _no_events(self, request: web.Request) -> web.StreamResponse:
        if not request.query.get("watch"):
            return web.json_response({"metadata": {"resourceVersion": "1"}, "items": []})
        response = web.StreamResponse()
        await response.prepare(request)
        await asyncio.Event().wait()
        return response

    def _list(self, request: web.Request) -> web.Response:
        pods = list(self.pods.values())
        start = int(request.query.get("continue", 0))
        rest = start + self.page
        metadata = {"resourceVersion": str(self.version), "continue": str(rest) if rest < len(pods) else ""}
        return web.json_response({"metadata": metadata, "items": pods[start:rest]})

    async def _create(self, request: web.Request) -> web.Response:
        body = await request.json()
        name = body["metadata"]["name"]
        if request.query.get("dryRun"):
            return web.json_response(body, status=201)
        if request.path.endswith("/secrets"):
            self.secrets[name] = body
            return web.json_response(body, status=201)
        if name in self.pods:
            return status(409, "AlreadyExists", f'pods "{name}" already exists')
        body["metadata"]["uid"] = f"uid-{self.version}"
        body["status"] = {"phase": "Pending"}
        self.pods[name] = body
        await self._tell("ADDED", body)
        return web.json_response(body, status=201)

    async def _delete(self, request: web.Request, name: str) -> web.Response:
        if self.hold is not None:
            await self.hold.wait()
        pod = self.pods.get(name)
        if pod is None:
            return status(404, "NotFound")
        wanted = ((await request.json()).get("preconditions")) or {}
        version = wanted.get("resourceVersion", pod["metadata"]["resourceVersion"])
        if version != pod["metadata"]["resourceVersion"]:
            return status(409, "Conflict", "the ResourceVersion in the precondition does not match")
        pod["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:01Z", "deletionGracePeriodSeconds": 1}
        await self._tell("MODIFIED", pod)
        return web.json_response(pod)

    async def _patch(self, request: web.Request, name: str) -> web.Response:
        body = await request.json()
        pod = self.pods[name]
        if body["metadata"]["resourceVersion"] != pod["metadata"]["resourceVersion"]:
            return status(409, "Conflict")
        pod["metadata"]["annotations"] |= body["metadata"]["annotations"]
        await self._tell("MODIFIED", pod)
        return web.json_response(pod)

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        place = int(request.query["resourceVersion"])
        if place < self.oldest and not self.gone_inside:
            return status(410, "Expired", "too old resource version")
        response = web.StreamResponse()
        await response.prepare(request)
        if place < self.oldest:
            gone = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}
            await response.write(json.dumps({"type": "ERROR", "object": gone}).encode() + b"\n")
            return response
        async with self._news:
            self.watches.append(response)
            self._news.notify_all()
        while response in self.watches:
            for version, line in list(self.history):
                if version > place and not self.silent:
                    await response.write(line)
                    place = version
            async with self._news:
                if self.silent or self.version <= place or not self._pending(place):
                    await self._news.wait()
        return response

    def _pending(self, place: int) -> bool:
        return any(version > place for version, _ in self.history)
