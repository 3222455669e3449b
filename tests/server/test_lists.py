"""Lists: their filters, their order, their pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from tests.server.running import People, Person, RunningServer, wait_for

Create = Callable[..., dict[str, Any]]
TAG_VALUES = {
    "k:a,b": "a,b",
    "k:a": "a",
    "k:a:b": "a:b",
    "k:%20v%20": " v ",
    "k:a%2Bb": "a+b",
    "k:caf%C3%A9": "café",
    "k:%2C%20%3D%20%2F%20%0A%09%E2%80%A8": ", = / \n\t\u2028",
}


def listed(person: Person, query: str = "") -> list[str]:
    reply = person.http.get(f"/api/weavers?{query}")
    assert reply.status_code == 200, reply.text
    body = reply.json()
    assert body["count"] == len(body["weavers"])
    return [weaver["id"] for weaver in body["weavers"]]


def test_in_6_tag_values_are_no_filter_language(people: People, create: Create) -> None:
    made = {query: create(tags={"k": value})["id"] for query, value in TAG_VALUES.items()}
    for query, weaver_id in made.items():
        assert listed(people.owner, f"tag={query}") == [weaver_id]


def test_in_5_tags_come_back_as_they_were_given(people: People, create: Create) -> None:
    tags = {"mail": "_a.b+c@example.org", "x": "é😀 , = / \n", "k" * 63: "v" * 256, "ключ %&=#": ""}
    weaver = create(tags=tags)
    assert weaver["tags"] == tags
    assert people.owner.http.get(f"/api/weaver/{weaver['id']}").json()["tags"] == tags
    for key, value in tags.items():
        assert listed(people.owner, f"tag={quote(f'{key}:{value}', safe='')}") == [weaver["id"]]


def test_several_tags_must_all_hold(people: People, create: Create) -> None:
    both = create(tags={"project": "p", "env": "dev"})["id"]
    create(tags={"project": "p", "env": "prod"})
    assert listed(people.owner, "tag=project:p&tag=env:dev") == [both]
    assert listed(people.owner, "tag=project:p&tag=project:q") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("tag=k!=a", "tag"),
        ("tag=k", "tag"),
        ("tag=:x", "tag"),
        ("tag=k:%FF", "tag"),
        ("tag=", "tag"),
        ("tags=k:a", "tags"),
        ("status=sleeping", "status"),
        ("status=", "status"),
        ("status=running&status=pending", "status"),
        ("org_id=none", "org_id"),
        ("owner=you", "owner"),
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=1.5", "limit"),
        ("limit=", "limit"),
        ("limit=%31%00", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("limit=１", "limit"),
        ("continue=", "continue"),
        ("continue=nonsense", "continue"),
        ("continue=W10", "continue"),
        ("continue=W3RydWUsIngiXQ", "continue"),
        ("%FF=1", "query"),
    ],
)
def test_in_6_bad_queries(people: People, query: str, field: str) -> None:
    reply = people.owner.http.get(f"/api/weavers?{query}")
    assert reply.status_code == 400
    assert [detail["field"] for detail in reply.json()["details"]] == [field]


def test_status(people: People, create: Create) -> None:
    running = create()["id"]
    ended = create(command=["sh", "-c", "exit 3"])["id"]
    wait_for(lambda: running in listed(people.owner, "status=running"), "the weaver to run")
    wait_for(lambda: ended in listed(people.owner, "status=failed"), "the weaver to fail")
    assert running not in listed(people.owner, "status=failed")
    assert ended not in listed(people.owner, "status=running")


def test_org_and_owner(people: People, create: Create) -> None:
    weaver, other = create()["id"], create(people.other)["id"]
    assert weaver in listed(people.admin, f"org_id={people.org_id.upper()}")
    assert other not in listed(people.admin, f"org_id={people.org_id}")
    assert not {weaver, other} & set(listed(people.admin, "owner=me"))
    assert listed(people.other, "owner=me") == [other]
    assert listed(people.other, f"org_id={people.org_id}") == []


def test_pages_are_stable(people: People, create: Create) -> None:
    """Newest first; what comes and goes between two pages neither doubles nor hides another."""
    made = [create(tags={"test": "pages"}) for _ in range(7)]
    expected = sorted(made, key=lambda weaver: weaver["id"])
    expected.sort(key=lambda weaver: weaver["created_at"], reverse=True)
    query = "tag=test:pages&limit=3"
    first = people.owner.http.get(f"/api/weavers?{query}").json()
    assert first["count"] == 3
    create(tags={"test": "pages"})
    people.owner.http.delete(f"/api/weaver/{first['weavers'][2]['id']}")
    pages, token = first["weavers"], first["continue"]
    while token:
        page = people.owner.http.get(f"/api/weavers?{query}&continue={token}").json()
        pages, token = pages + page["weavers"], page["continue"]
    assert [weaver["id"] for weaver in pages] == [weaver["id"] for weaver in expected]


def test_a_page_that_holds_all_is_the_last(people: People, create: Create) -> None:
    for _ in range(2):
        create(tags={"test": "last"})
    page = people.owner.http.get("/api/weavers?tag=test:last&limit=2").json()
    assert (page["count"], page["continue"]) == (2, None)


def test_jupyterlabs_time_against_caches_is_no_fault(server: RunningServer, people: People) -> None:
    assert people.owner.http.get("/api/weavers?1764040000000").status_code == 200
