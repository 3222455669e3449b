"""Who reads the notebooks of `notebooks/`: a user, and an admin who finds weavers of several people."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from loom_weaver import Client
from tests.server.running import Person, RunningServer


def environment_of(server: RunningServer, person: Person) -> dict[str, str]:
    """Of a kernel whose user is this person."""
    return os.environ | {"LOOM_WEAVER_URL": server.url, "LOOM_WEAVER_API_KEY": person.key}


@contextmanager
def readers_of(server: RunningServer) -> Iterator[dict[str, dict[str, str]]]:
    """By the name of a notebook, the environment of its reader."""
    people = server.add_people()
    for person, name in ((people.owner, "training"), (people.member, "report")):
        with Client(server.url, person.key) as client:
            client.create("shell", tags={"name": name}, command=["sh", "-c", "echo ready; sleep 600"])
    try:
        yield {
            "tour": environment_of(server, people.owner),
            "admin": environment_of(server, people.admin),
        }
    finally:
        server.delete_all_weavers()
