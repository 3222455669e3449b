"""Under a hub, Jupyter's users are people of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server.running import RunningServer, serving

ROOT = str(Path(__file__).parent.parent.parent)
CONFIG = """
c.ServerApp.identity_provider_class = "tests.server.hub_provider.HubProvider"
c.JupyterUsers.system_admins = {"ada"}
c.JupyterUsers.system_admin_groups = {"operators"}
c.JupyterUsers.support_users = {"bob"}
c.JupyterUsers.support_groups = {"helpdesk"}
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    environment = {"JUPYTERHUB_API_TOKEN": "token-for-the-hub", "PYTHONPATH": ROOT}
    data_dir = tmp_path_factory.mktemp("hub") / "data"
    with serving(data_dir, config=CONFIG, environment=environment, base_url="/user/ada/") as server:
        yield server


def me(http: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = http.get("/api/weavers/me").json()
    return found


@pytest.mark.parametrize(
    ("name", "roles"),
    [
        ("ada", ["system_admin"]),
        ("bob", ["support"]),
        ("grace", ["system_admin"]),
        ("sue", ["support"]),
        ("eve", []),
        ("e-mail@example.org", []),
    ],
)
def test_people_by_name(hub: RunningServer, name: str, roles: list[str]) -> None:
    found = me(hub.http(f"token {name}-at-the-hub"))
    assert (found["user"]["name"], found["roles"]) == (name, roles)
    assert [org["role"] for org in found["orgs"]] == ["owner"]
    assert me(hub.http(f"Bearer {name}-at-the-hub"))["user"] == found["user"]


def test_each_sees_their_own(hub: RunningServer) -> None:
    eve, mallory = hub.http("token eve-at-the-hub"), hub.http("token mallory-at-the-hub")
    body = {"image": "python", "org_id": me(eve)["default_org_id"]}
    weaver = eve.post("/api/weaver", json=body).json()
    assert mallory.get(f"/api/weaver/{weaver['id']}").status_code == 403
    assert mallory.get("/api/weavers").json()["count"] == 0
    assert mallory.post("/api/weaver", json=body).status_code == 403
    assert eve.delete(f"/api/weaver/{weaver['id']}").status_code == 204


def test_auth_2_cookies_and_xsrf(hub: RunningServer) -> None:
    http = hub.http(None, cookies={"hub": "eve"})
    found = me(http)
    assert found["user"]["name"] == "eve"
    body = {"image": "python", "org_id": found["default_org_id"]}
    assert http.post("/api/weaver", json=body).status_code == 403
    http.cookies["_xsrf"] = "2|00000000|00000000000000000000000000000000|1"
    xsrf = {"X-XSRFToken": http.cookies["_xsrf"]}
    created = http.post("/api/weaver", json=body, headers=xsrf)
    assert created.status_code == 201, created.text
    assert http.delete(f"/api/weaver/{created.json()['id']}", headers=xsrf).status_code == 204


@pytest.mark.parametrize("authorization", ["token wrong", "Bearer loom_sk_wrong", "Basic eve-at-the-hub"])
def test_a_bad_header_does_not_fall_through_to_the_cookie(hub: RunningServer, authorization: str) -> None:
    http = hub.http(authorization, cookies={"hub": "eve"})
    assert http.get("/api/weavers").status_code == 401


def test_the_hub_is_never_asked_about_our_keys(hub: RunningServer) -> None:
    people = hub.add_people()
    assert me(people.owner.http)["user"]["id"] == people.owner.id
    assert me(hub.http(f"Bearer {people.other.key}", cookies={"hub": "ada"}))["user"]["id"] == people.other.id
