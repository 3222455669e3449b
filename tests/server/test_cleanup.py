"""Cleanup over HTTP, by hand and by itself."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from loom_weaver import cleanup
from loom_weaver.lifetime import parse_rfc3339
from tests.server.past_runtime import ALIVE, EXPIRED
from tests.server.running import People, RunningServer, wait_for

StartServer = Callable[..., AbstractContextManager[RunningServer]]
PAST = {
    "LOOM_WEAVER_RUNTIME": "tests.server.past_runtime.PastRuntime",
    "PYTHONPATH": str(Path(__file__).parent.parent.parent),
}


def test_by_hand(start_server: StartServer) -> None:
    with start_server(environment=PAST) as server, server.http() as http:
        dry = http.post("/api/weavers/cleanup?dry_run=true")
        assert dry.status_code == 200
        assert dry.json() == {"dry_run": True, "deleted": None, "would_delete": [EXPIRED], "count": 1}
        assert http.get(f"/api/weaver/{EXPIRED}").json()["status"] != "terminating"
        done = http.post("/api/weavers/cleanup").json()
        assert done == {"dry_run": False, "deleted": [EXPIRED], "would_delete": None, "count": 1}
        again = http.post("/api/weavers/cleanup").json()
        assert again == {"dry_run": False, "deleted": [], "would_delete": None, "count": 0}
        wait_for(lambda: http.get(f"/api/weaver/{EXPIRED}").status_code == 404, "the weaver to be gone")


def test_by_itself(start_server: StartServer) -> None:
    """What expired while no server ran is gone within a minute of the start; nothing else changes."""
    with start_server(environment=PAST) as server, server.http() as http:
        alive = http.get(f"/api/weaver/{ALIVE}").json()
        gone = cleanup.FIRST_AFTER_SECONDS + 30
        wait_for(lambda: http.get(f"/api/weaver/{EXPIRED}").status_code == 404, "the sweep", patience=gone)
        kept = http.get(f"/api/weaver/{ALIVE}").json()
        assert (kept["status"], kept["lifetime_hours"]) == ("running", 12)
        assert kept["expires_at"] == alive["expires_at"]


def test_an_expired_weaver_can_still_be_extended_until_it_is_gone(start_server: StartServer) -> None:
    with start_server(environment=PAST) as server, server.http() as http:
        over = http.patch(f"/api/weaver/{ALIVE}", json={"lifetime_hours": 2})
        assert (over.status_code, over.json()["error"]) == (400, "bad_request")
        assert over.json()["details"][0]["field"] == "lifetime_hours"
        assert "delete it" in over.json()["message"]
        longer = http.patch(f"/api/weaver/{ALIVE}", json={"lifetime_hours": 48}).json()
        life = parse_rfc3339(longer["expires_at"]) - parse_rfc3339(longer["created_at"])
        assert life.total_seconds() == 48 * 3600
        assert longer["age_hours"] == 3.0


def test_a_bad_dry_run_deletes_nothing(people: People) -> None:
    for query in ("dry_run=yes", "dry_run=", "dryrun=true", "dry_run=true&dry_run=false"):
        assert people.admin.http.post(f"/api/weavers/cleanup?{query}").status_code == 400
