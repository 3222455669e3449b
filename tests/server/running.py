"""A server as a user runs it, and people with keys to it."""

from __future__ import annotations

import asyncio
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx

from loom_weaver.identity.principal import Role
from loom_weaver.identity.store import IdentityStore

Found = TypeVar("Found")
ROLES = ("owner", "member", "admin", "support", "other")
# Tests run also where nothing isolates.
CONFIG = """\
c.ServerApp.base_url = {base_url!r}
c.Application.log_level = "DEBUG"
c.WeaverService.allow_unisolated = True
"""
JUPYTER_TOKEN = "token-of-the-test-server"
# Long enough for a machine that does much else at once.
PATIENCE = 30.0


def wait_for(look: Callable[[], Found], what: str, patience: float = PATIENCE) -> Found:
    """The first true answer of `look`; fails, naming `what`, when there is none in time."""
    deadline = time.monotonic() + patience
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"waited {patience} s for {what}"
        time.sleep(0.02)


@dataclass
class Person:
    """A user with an API key; `http` calls the API as they."""

    id: str
    name: str
    key: str
    http: httpx.Client = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


@dataclass
class People:
    """One of each column of the contract's table, in or outside the organization `org_id`."""

    org_id: str
    other_org_id: str
    """Where all but the owner and the member are."""
    owner: Person
    member: Person
    admin: Person
    support: Person
    other: Person

    def all(self) -> dict[str, Person]:
        return {role: getattr(self, role) for role in ROLES}


@dataclass
class RunningServer:
    url: str
    """With the base URL, without a slash at its end."""
    data_dir: Path
    process: subprocess.Popen[bytes]
    log_file: Path
    clients: list[httpx.Client] = field(default_factory=list, repr=False)
    """Closed with the server."""

    def http(self, credential: str | None = f"token {JUPYTER_TOKEN}", **options: Any) -> httpx.Client:
        """A client of paths such as `/api/weavers`; `credential` is its Authorization header."""
        headers = {"Authorization": credential} if credential else {}
        client = httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE, **options)
        self.clients.append(client)
        return client

    def websocket_url(self, path: str) -> str:
        return self.url.replace("http", "ws", 1) + path

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def with_store(self, work: Callable[[IdentityStore], Any]) -> Any:
        """Run `work`, a coroutine function, on the identity database, as the command line does."""

        async def run() -> Any:
            async with await IdentityStore.open(self.data_dir) as store:
                return await work(store)

        return asyncio.run(run())

    def add_people(self) -> People:
        org_id, other_org_id, made = self.with_store(_make_people)
        people = {
            role: Person(user_id, role, key, self.http(f"Bearer {key}"))
            for role, (user_id, key) in made.items()
        }
        return People(org_id, other_org_id, **people)

    def delete_all_weavers(self) -> None:
        with self.http() as http:
            for weaver in http.get("/api/weavers").json()["weavers"]:
                http.delete(f"/api/weaver/{weaver['id']}")
            wait_for(lambda: not http.get("/api/weavers").json()["weavers"], "all weavers to be gone")

    def kill(self) -> None:
        """As the kernel would: no good-bye."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


async def _make_people(store: IdentityStore) -> tuple[str, str, dict[str, tuple[str, str]]]:
    suffix = os.urandom(4).hex()
    org = await store.orgs.create(f"org {suffix}")
    other_org = await store.orgs.create(f"other org {suffix}")
    made = {}
    for role in ROLES:
        user = await store.users.create(
            f"{role} {suffix}", is_system_admin=role == "admin", is_support=role == "support"
        )
        inside = role in ("owner", "member")
        membership: Role = "owner" if role == "owner" else "member"
        await store.orgs.add_member(org.id if inside else other_org.id, user.id, membership)
        key = await store.keys.create(user.id, "test")
        made[role] = (user.id, key.key)
    return org.id, other_org.id, made


def raw_request(
    server: RunningServer, method: str, path: str, headers: dict[str, str]
) -> tuple[int, dict[str, str], bytes]:
    """A request whose path no client library has tidied up."""
    place = urlsplit(server.url)
    connection = http.client.HTTPConnection(place.netloc, timeout=30)
    connection.putrequest(method, place.path + path, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    reply = connection.getresponse()
    body = b"" if reply.status == 101 else reply.read()
    connection.close()
    return reply.status, {name.lower(): value for name, value in reply.getheaders()}, body


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def server_environment(data_dir: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Jupyter's own folders apart from those of whoever runs the tests."""
    own = data_dir.parent / f"{data_dir.name}-jupyter"
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")},
        "JUPYTER_TOKEN": JUPYTER_TOKEN,
        "JUPYTER_CONFIG_DIR": str(own / "config"),
        "JUPYTER_DATA_DIR": str(own / "data"),
        "JUPYTER_RUNTIME_DIR": str(own / "runtime"),
        **(more or {}),
    }


@contextmanager
def serving(
    data_dir: Path,
    *,
    config: str = "",
    environment: Mapping[str, str] | None = None,
    base_url: str = "/",
    port: int | None = None,
    ready: int = 200,
) -> Iterator[RunningServer]:
    """`loom-weaver serve`; `config` is the text of its `jupyter_loom_weaver_config.py`.

    `ready` is what `/health` answers when the test may go on.
    """
    port = port or free_port()
    env = server_environment(data_dir, environment)
    config_dir = Path(env["JUPYTER_CONFIG_DIR"])
    config_dir.mkdir(parents=True, exist_ok=True)
    (config_dir / "jupyter_loom_weaver_config.py").write_text(CONFIG.format(base_url=base_url) + config)
    log_file = data_dir.parent / f"{data_dir.name}.log"
    command = [sys.executable, "-m", "loom_weaver.cli", "serve", "--port", str(port)]
    with log_file.open("ab") as log:
        process = subprocess.Popen(
            [*command, "--data-dir", str(data_dir)], env=env, cwd=data_dir.parent, stdout=log, stderr=log
        )
    url = f"http://127.0.0.1:{port}{base_url.rstrip('/')}"
    server = RunningServer(url, data_dir, process, log_file)
    try:
        wait_for(lambda: _health(server) == ready, "the server to be ready", 3 * PATIENCE)
        yield server
    finally:
        for client in server.clients:
            client.close()
        if process.poll() is None:
            server.stop()


def _health(server: RunningServer) -> int:
    assert server.process.poll() is None, f"the server ended:\n{server.log()}"
    try:
        return httpx.get(f"{server.url}/health").status_code
    except httpx.TransportError:
        return 0
