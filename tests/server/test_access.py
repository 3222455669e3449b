"""The contract's table of roles and verbs, over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.server.running import ROLES, People

Create = Callable[..., dict[str, Any]]
NOT_A_MEMBER = {"error": "forbidden", "message": "You are not a member of this organization"}
ACCESS_DENIED = {"error": "forbidden", "message": "Access denied to this weaver"}
CLEANUP_DENIED = {
    "error": "forbidden",
    "message": "System admin access required for cleanup operations",
}


def by_role(*values: int) -> list[tuple[str, int]]:
    return list(zip(ROLES, values, strict=True))


@pytest.mark.parametrize(("role", "status"), by_role(201, 201, 403, 403, 403), ids=ROLES)
def test_create_is_for_members(people: People, role: str, status: int) -> None:
    http = people.all()[role].http
    reply = http.post("/api/weaver", json={"image": "python", "org_id": people.org_id})
    assert reply.status_code == status
    if status == 403:
        assert reply.json() == NOT_A_MEMBER
    else:
        http.delete(f"/api/weaver/{reply.json()['id']}")


def test_an_org_that_does_not_exist_answers_as_one_of_others(people: People) -> None:
    body = {"image": "python", "org_id": "550e8400-e29b-41d4-a716-446655440000"}
    for person in people.all().values():
        reply = person.http.post("/api/weaver", json=body)
        assert (reply.status_code, reply.json()) == (403, NOT_A_MEMBER)


@pytest.mark.parametrize("role", ["admin", "support"])
def test_admins_and_support_create_where_they_are_members(people: People, create: Create, role: str) -> None:
    person = people.all()[role]
    weaver = create(person)
    assert weaver["owner_user_id"] == person.id
    assert person.http.delete(f"/api/weaver/{weaver['id']}").status_code == 204


@pytest.mark.parametrize(("role", "sees"), by_role(1, 0, 1, 1, 0), ids=ROLES)
def test_list(people: People, create: Create, role: str, sees: int) -> None:
    weaver = create(tags={"test": "list"})
    found = people.all()[role].http.get("/api/weavers").json()
    assert [each["id"] for each in found["weavers"]].count(weaver["id"]) == sees
    assert found["count"] == len(found["weavers"])


CALLS = {
    "get": ("GET", "", None, (200, 403, 200, 200, 403)),
    "logs": ("GET", "/logs?follow=false", None, (200, 403, 200, 200, 403)),
    "extend": ("PATCH", "", {"lifetime_hours": 3}, (200, 403, 200, 403, 403)),
    "exec": ("POST", "/exec", {"command": ["true"]}, (200, 403, 200, 403, 403)),
    "read files": ("GET", "/files?path=/tmp", None, (200, 403, 200, 403, 403)),
    "delete": ("DELETE", "", None, (204, 403, 204, 403, 403)),
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("verb", CALLS)
def test_one_weaver(people: People, create: Create, role: str, verb: str) -> None:
    method, path, body, statuses = CALLS[verb]
    weaver = create()
    reply = people.all()[role].http.request(method, f"/api/weaver/{weaver['id']}{path}", json=body)
    assert reply.status_code == statuses[ROLES.index(role)]
    if reply.status_code == 403:
        assert reply.json() == ACCESS_DENIED


@pytest.mark.parametrize(("role", "status"), by_role(403, 403, 200, 403, 403), ids=ROLES)
@pytest.mark.parametrize("dry_run", ["true", "false"])
def test_cleanup_is_for_system_admins(people: People, role: str, status: int, dry_run: str) -> None:
    reply = people.all()[role].http.post(f"/api/weavers/cleanup?dry_run={dry_run}")
    assert reply.status_code == status
    if status == 403:
        assert reply.json() == CLEANUP_DENIED
