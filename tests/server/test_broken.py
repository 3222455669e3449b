"""Failures that nobody foresaw: what the caller is told, and what the log."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager

from tests.server import odd_runtimes
from tests.server.running import RunningServer

StartServer = Callable[..., AbstractContextManager[RunningServer]]


def test_auth_5_a_500_tells_the_caller_little_and_the_log_no_credential(start_server: StartServer) -> None:
    with start_server(environment=odd_runtimes.environment(odd_runtimes.BrokenRuntime)) as server:
        people = server.add_people()
        token, referer, request_id = "SECRET1" * 3, "SECRET2" * 3, uuid.uuid4().hex
        reply = people.owner.http.get(
            f"/api/weaver/weaver_a?token={token}",
            headers={"Referer": f"{server.url}/lab?token={referer}", "X-Request-Id": request_id},
        )
        assert (reply.status_code, reply.json()["error"]) == (500, "internal_error")
        assert "no idea where" not in reply.text
        said = server.log()
        assert f"{request_id} GET failed" in said
        assert "RuntimeError: no idea where weaver_a is" in said
        for secret in (token, referer, people.owner.key):
            assert secret not in said + reply.text
