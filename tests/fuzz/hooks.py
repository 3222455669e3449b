"""What schemathesis loads into its run: a check of ours, which calls to leave out, which to bound."""

from __future__ import annotations

import os
from typing import Any

import schemathesis
from schemathesis import Case, HookContext

# The caller and what is theirs: a run that revokes its own key learns nothing more.
PROTECTED = frozenset(os.environ["PROTECTED_IDS"].split())
NEVER_SAID = (b"Traceback (most recent call last)", b"site-packages", b"loom_weaver_server")
LONGEST_COMMAND = 1


@schemathesis.check
def tells_nothing_internal(_: Any, response: Any, case: Case) -> None:
    """No answer shows a stack, or where the server's code is. A weaver's own files may hold anything."""
    if case.operation.path.endswith("/files") and response.status_code == 200:
        return
    assert not [phrase for phrase in NEVER_SAID if phrase in response.content]


@schemathesis.hook
def filter_case(_: HookContext, case: Case) -> bool:
    return PROTECTED.isdisjoint(_changed_for_good(case))


def _changed_for_good(case: Case) -> list[str]:
    """The ids of what a call takes away: weavers and keys by DELETE, rights of users also by other verbs."""
    path = case.path_parameters or {}
    ids = [path.get("user_id")]
    if case.method == "DELETE":
        ids += [path.get("key_id"), path.get("weaver_id")]
    if case.operation.path.endswith("/members") and isinstance(case.body, dict):
        ids.append(case.body.get("user"))
    return [str(each) for each in ids]


@schemathesis.hook
def before_call(_: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Nobody waits five minutes for a command that goes on for ever."""
    if case.operation.path.endswith("/exec") and isinstance(case.body, dict):
        given = case.body.get("timeout_seconds", 300)
        if isinstance(given, int | float) and given > LONGEST_COMMAND:
            case.body = {**case.body, "timeout_seconds": LONGEST_COMMAND}
