"""One weaver over its life, as its owner sees it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from loom_weaver.lifetime import parse_rfc3339
from tests.server.running import People, RunningServer, wait_for

Create = Callable[..., dict[str, Any]]
StartServer = Callable[..., AbstractContextManager[RunningServer]]


def test_the_answer_to_a_create(server: RunningServer, people: People) -> None:
    body = {
        "image": "ghcr.io/loom/weaver:latest",
        "org_id": people.org_id,
        "env": {"RUST_LOG": "debug"},
        "resources": {"memory_limit": "4Gi", "cpu_limit": "2"},
        "tags": {"project": "ai-worker", "env": "dev"},
        "lifetime_hours": 12,
    }
    reply = people.owner.http.post("/api/weaver", json=body)
    assert reply.status_code == 201
    weaver = reply.json()
    assert weaver["status"] == "pending"
    assert weaver["id"].startswith("weaver_")
    assert weaver["pod_name"] == "loom-weaver-" + weaver["id"].removeprefix("weaver_")
    assert reply.headers["Location"] == f"/a%40b/api/weaver/{weaver['id']}"
    for field in ("image", "org_id", "tags", "lifetime_hours", "resources"):
        assert weaver[field] == body[field]
    assert weaver["owner_user_id"] == people.owner.id
    assert weaver["age_hours"] == 0.0
    assert weaver["viewers"] == 0
    assert "env" not in weaver
    assert "debug" not in reply.text
    assert weaver["created_at"].endswith("Z")
    people.owner.http.delete(f"/api/weaver/{weaver['id']}")


def test_pod_8_from_pending_to_gone(people: People, create: Create) -> None:
    weaver = create()
    path = f"/api/weaver/{weaver['id']}"

    def get() -> dict[str, Any]:
        found: dict[str, Any] = people.owner.http.get(path).json()
        return found

    wait_for(lambda: get()["status"] == "running", "the weaver to run")
    assert get()["started_at"] is not None
    deleted = people.owner.http.delete(path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    seen = people.owner.http.get(path)
    assert seen.status_code == 404 or seen.json()["status"] == "terminating"
    assert people.owner.http.delete(path).status_code in (204, 404)
    wait_for(lambda: people.owner.http.get(path).status_code == 404, "the weaver to be gone")
    assert people.owner.http.delete(path).status_code == 404
    assert people.owner.http.get(path).json()["error"] == "not_found"


@pytest.mark.parametrize(("hours", "status"), [(1, 200), (48, 200), (12, 200)])
def test_extend(people: People, create: Create, hours: int, status: int) -> None:
    weaver = create(lifetime_hours=5)
    reply = people.owner.http.patch(f"/api/weaver/{weaver['id']}", json={"lifetime_hours": hours})
    assert reply.status_code == status
    extended = reply.json()
    assert extended["lifetime_hours"] == hours
    assert extended["created_at"] == weaver["created_at"]
    life = parse_rfc3339(extended["expires_at"]) - parse_rfc3339(extended["created_at"])
    assert life.total_seconds() == hours * 3600


def test_an_ended_weaver_is_not_extended(people: People, create: Create) -> None:
    weaver = create(command=["true"])
    path = f"/api/weaver/{weaver['id']}"
    wait_for(lambda: people.owner.http.get(path).json()["status"] == "succeeded", "the weaver to end")
    reply = people.owner.http.patch(path, json={"lifetime_hours": 3})
    assert (reply.status_code, reply.json()["error"]) == (409, "conflict")


def summer_time_that_ends_soon() -> str:
    """A zone whose clocks go back an hour in half an hour (POSIX, "TZ")."""
    end = datetime.now(UTC) + timedelta(hours=1, minutes=30)
    return f"XXX0YYY-1,0/0,{end.timetuple().tm_yday - 1}/{end:%H:%M:%S}"


@pytest.mark.parametrize(
    "zone",
    [
        "America/New_York",
        "Asia/Kolkata",
        pytest.param(summer_time_that_ends_soon(), id="at the end of summer time"),
    ],
)
def test_ttl_1_the_servers_time_zone_does_not_matter(start_server: StartServer, zone: str) -> None:
    with start_server(environment={"TZ": zone}) as server, server.http() as http:
        org_id = http.get("/api/weavers/me").json()["default_org_id"]
        body = {"image": "python", "org_id": org_id, "lifetime_hours": 12}
        weaver = http.post("/api/weaver", json=body).json()
        assert weaver["age_hours"] == 0.0
        created = parse_rfc3339(weaver["created_at"])
        assert abs((datetime.now(UTC) - created).total_seconds()) < 30
        assert (parse_rfc3339(weaver["expires_at"]) - created).total_seconds() == 43_200
        assert http.post("/api/weavers/cleanup").json()["deleted"] == []
        assert http.get(f"/api/weaver/{weaver['id']}").status_code == 200
        server.delete_all_weavers()


def test_ttl_5_looking_does_not_prolong(people: People, create: Create) -> None:
    weaver = create(lifetime_hours=1)
    path = f"/api/weaver/{weaver['id']}"
    people.owner.http.get(f"{path}/logs?follow=false")
    people.owner.http.get("/api/weavers")
    assert people.owner.http.get(path).json()["expires_at"] == weaver["expires_at"]


def test_me(people: People, create: Create) -> None:
    create()
    me = people.owner.http.get("/api/weavers/me").json()
    assert me["user"]["id"] == people.owner.id
    assert me["roles"] == []
    assert [(org["id"], org["role"]) for org in me["orgs"]] == [(people.org_id, "owner")]
    assert me["default_org_id"] == people.org_id
    assert me["quotas"]["per_user"] == {"limit": None, "used": 1}
    assert "python" in me["runtime"]["images"]
    assert me["runtime"]["isolation"]["kind"]
    assert people.admin.http.get("/api/weavers/me").json()["roles"] == ["system_admin"]
    assert people.support.http.get("/api/weavers/me").json()["roles"] == ["support"]
