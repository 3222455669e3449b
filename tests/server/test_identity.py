"""Identity management over HTTP, and what it changes for weavers."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.server.running import People, RunningServer, wait_for

UNKNOWN_ORG = "550e8400-e29b-41d4-a716-446655440000"
SECRET = "hunter2-XYZ"


def new_name(what: str) -> str:
    return f"{what} {os.urandom(4).hex()}"


def body(reply: httpx.Response, status: int) -> dict[str, Any]:
    assert reply.status_code == status, reply.text
    return reply.json()


def test_a_user_goes_from_nothing_to_a_weaver(server: RunningServer, people: People) -> None:
    name = new_name("zoë")
    user = body(people.admin.http.post("/api/users", json={"name": name}), 201)
    assert user["id"].startswith("user_")
    key = body(people.admin.http.post("/api/keys", json={"name": "laptop", "user": name}), 201)
    with server.http(f"Bearer {key['key']}") as http:
        org = body(http.post("/api/orgs", json={"name": new_name("lab")}), 201)
        assert body(http.get("/api/orgs"), 200) == {"orgs": [org], "count": 1}
        me = body(http.get("/api/weavers/me"), 200)
        assert me["user"] == {"id": user["id"], "name": name}
        assert [(each["id"], each["role"]) for each in me["orgs"]] == [(org["id"], "owner")]
        weaver = body(http.post("/api/weaver", json={"image": "python", "org_id": org["id"]}), 201)
        assert weaver["owner_user_id"] == user["id"]
        assert http.delete(f"/api/weaver/{weaver['id']}").status_code == 204


def test_members_come_and_go(people: People) -> None:
    org = body(people.other.http.post("/api/orgs", json={"name": new_name("lab")}), 201)
    members = f"/api/orgs/{org['id']}/members"
    assert (
        body(people.member.http.get(members), 403)["message"] == "You are not a member of this organization"
    )
    added = body(people.other.http.post(members, json={"user": people.member.id}), 201)
    assert (added["user_id"], added["role"]) == (people.member.id, "member")
    listed = body(people.member.http.get(members), 200)
    assert {each["user_id"]: each["role"] for each in listed["members"]} == {
        people.other.id: "owner",
        people.member.id: "member",
    }
    assert people.member.http.delete(f"{members}/{people.other.id}").status_code == 403
    assert people.other.http.delete(f"{members}/{people.other.id}").status_code == 409
    assert people.member.http.delete(f"{members}/{people.member.id}").status_code == 204
    assert people.member.http.get(members).status_code == 403


def test_a_secret_reaches_the_weaver_and_nobody_else(
    server: RunningServer, people: People, create: Callable[..., dict[str, Any]]
) -> None:
    repos = f"/api/orgs/{people.org_id}/repos"
    repo = body(people.owner.http.post(repos, json={"name": new_name("code")}), 201)
    secrets = f"{repos}/{repo['id']}/secrets"
    for name, value in {"PW": SECRET, "BOTH": "of the repository"}.items():
        assert people.owner.http.put(f"{secrets}/{name}", json={"value": value}).status_code == 204
    names = body(people.member.http.get(secrets), 200)["secrets"]
    assert [each["name"] for each in names] == ["BOTH", "PW"]
    assert people.member.http.put(f"{secrets}/PW", json={"value": "x"}).status_code == 403
    weaver = create(
        people.member,
        image="shell",
        repo_id=repo["id"],
        env={"BOTH": "given"},
        command=["sh", "-c", 'printf %s "$PW" | sha256sum; echo "$BOTH"'],
    )
    path = f"/api/weaver/{weaver['id']}"
    wait_for(lambda: _ended(people, path), "the weaver to end")
    logs = people.member.http.get(f"{path}/logs", params={"follow": "false", "timestamps": "false"}).text
    assert f"data: {hashlib.sha256(SECRET.encode()).hexdigest()}" in logs
    assert "data: given\n" in logs
    for shown in (logs, people.member.http.get(path).text, people.owner.http.get(secrets).text, server.log()):
        assert SECRET not in shown
    assert people.owner.http.delete(f"{secrets}/PW").status_code == 204
    assert people.owner.http.delete(f"{secrets}/PW").status_code == 404


def _ended(people: People, path: str) -> bool:
    return people.member.http.get(path).json()["status"] in {"succeeded", "failed"}


def test_a_repository_of_another_org_is_refused(people: People) -> None:
    repo = body(
        people.admin.http.post(f"/api/orgs/{people.other_org_id}/repos", json={"name": new_name("r")}), 201
    )
    weaver = {"image": "python", "org_id": people.org_id, "repo_id": repo["id"]}
    assert people.owner.http.post("/api/weaver", json=weaver).status_code == 403
    assert people.owner.http.post("/api/weaver", json={**weaver, "repo_id": repo["name"]}).status_code == 403


def test_a_key_is_shown_once_and_dies_at_once(server: RunningServer, people: People) -> None:
    made = body(people.owner.http.post("/api/keys", json={"name": "second"}), 201)
    keys = body(people.owner.http.get("/api/keys"), 200)["keys"]
    assert made["id"] in {key["id"] for key in keys}
    assert made["key"] not in str(keys)
    with server.http(f"Bearer {made['key']}") as http:
        assert http.get("/api/weavers").status_code == 200
        assert people.other.http.delete(f"/api/keys/{made['id']}").status_code == 403
        assert http.get("/api/weavers").status_code == 200
        assert people.owner.http.delete(f"/api/keys/{made['id']}").status_code == 204
        assert http.get("/api/weavers").status_code == 401
    assert made["key"] not in server.log()


def test_the_command_line_works_beside_the_server(server: RunningServer) -> None:
    def admin(*arguments: str) -> str:
        program = "from loom_weaver.cli import main; main()"
        command = [sys.executable, "-c", program, "admin", *arguments, "--data-dir", str(server.data_dir)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    name = new_name("ann")
    admin("user", "create", name)
    key_id, key = admin("key", "create", name).split()
    with server.http(f"Bearer {key}") as http:
        assert http.get("/api/weavers").json() == {"weavers": [], "count": 0, "continue": None}
        assert http.get("/api/users").status_code == 403
        admin("user", "change", name, "--support")
        assert name in {user["name"] for user in http.get("/api/users").json()["users"]}
        admin("key", "revoke", key_id)
        assert http.get("/api/users").status_code == 401


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_credential_gets_ws_tokens(server: RunningServer, people: People, method: str) -> None:
    with server.http() as local:
        replies = [http.request(method, "/auth/ws-token") for http in (people.owner.http, local)]
    tokens = [body(reply, 200) for reply in replies]
    assert all(token["token"].startswith("ws_") and token["expires_in"] == 30 for token in tokens)
    assert tokens[0]["token"] != tokens[1]["token"]
    with server.http(None) as nobody:
        assert nobody.request(method, "/auth/ws-token").status_code == 401


def test_flags_are_changed_by_admins(people: People) -> None:
    user = body(people.admin.http.post("/api/users", json={"name": new_name("sue"), "is_support": True}), 201)
    assert people.owner.http.patch(f"/api/users/{user['id']}", json={"is_support": False}).status_code == 403
    changed = body(people.admin.http.patch(f"/api/users/{user['id']}", json={"is_support": False}), 200)
    assert changed == {**user, "is_support": False}


@pytest.mark.parametrize(
    ("method", "path", "json", "status", "said"),
    [
        ("POST", "/api/users", {"name": "a\u202eb"}, 400, "name"),
        ("POST", "/api/users", {"name": "a", "admin": True}, 400, "admin"),
        ("GET", "/api/users?limit=1", None, 400, "limit"),
        ("POST", f"/api/orgs/{UNKNOWN_ORG}/members", {"user": "x"}, 404, "organization"),
        ("POST", "/api/orgs/{org}/members", {"user": "x\u0000"}, 400, "user"),
        ("POST", "/api/orgs/{org}/members", {"user": "nobody"}, 400, "user"),
        ("GET", "/api/orgs/{org}/repos/repo_none/secrets", None, 404, "repository"),
        ("DELETE", "/api/keys/key_none", None, 404, "API key"),
        ("DELETE", "/api/keys/%00", None, 404, "API key"),
        ("DELETE", "/api/keys/%ff", None, 404, "API key"),
        ("PATCH", "/api/users/user_none", {}, 404, "user"),
        ("GET", "/api/orgs//members", None, 404, "organization"),
        ("PUT", "/api/keys", {}, 405, ""),
    ],
)
def test_a_bad_call_is_told_why(
    people: People, method: str, path: str, json: object, status: int, said: str
) -> None:
    reply = people.admin.http.request(method, path.replace("{org}", people.org_id), json=json)
    assert said in body(reply, status)["message"]


def test_names_are_taken_once(people: People) -> None:
    name = new_name("lab")
    body(people.owner.http.post("/api/orgs", json={"name": name}), 201)
    assert body(people.other.http.post("/api/orgs", json={"name": name}), 409)["error"] == "conflict"
