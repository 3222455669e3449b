"""`loom-weaver admin`, as people and scripts run it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from loom_weaver.data_dir import prepare_data_dir
from loom_weaver.identity.store import IdentityStore
from loom_weaver_server import cli_admin

MAIN = "from loom_weaver.cli import main; main()"


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


class Admin:
    """Runs commands on one data directory: `ok` returns what they print, `refused` the one line of error."""

    def __init__(self, data_dir: Path, run: Callable[[list[str], bytes], Outcome]) -> None:
        self.data_dir = data_dir
        self._run = run

    def ok(self, *arguments: str, stdin: bytes = b"") -> str:
        outcome = self._run([*arguments, "--data-dir", str(self.data_dir)], stdin)
        assert (outcome.code, outcome.err) == (0, "")
        return outcome.out

    def refused(self, *arguments: str, stdin: bytes = b"") -> str:
        outcome = self._run([*arguments, "--data-dir", str(self.data_dir)], stdin)
        assert (outcome.code, outcome.out) == (1, "")
        (line,) = outcome.err.splitlines()
        return line

    def store(self, use: Callable[[IdentityStore], Any]) -> Any:
        """Ask the store itself, as a server does that runs meanwhile."""

        async def ask() -> Any:
            async with await IdentityStore.open(prepare_data_dir(str(self.data_dir))) as store:
                return await use(store)

        return asyncio.run(ask())


def in_a_process(arguments: list[str], stdin: bytes) -> Outcome:
    command = [sys.executable, "-c", MAIN, "admin", *arguments]
    run = subprocess.run(command, input=stdin, capture_output=True, check=False)
    return Outcome(run.returncode, run.stdout.decode(), run.stderr.decode())


def here(arguments: list[str], stdin: bytes) -> Outcome:
    """Without the second that a new process takes."""
    result = CliRunner().invoke(cli_admin.admin, arguments, input=stdin)
    assert isinstance(result.exception, SystemExit | None)
    # The runner takes the message of an exit for output.
    if result.exit_code:
        return Outcome(result.exit_code, "", result.output)
    return Outcome(0, result.stdout, result.stderr)


@pytest.fixture
def command(tmp_path: Path) -> Admin:
    return Admin(tmp_path / "data", in_a_process)


@pytest.fixture
def admin(tmp_path: Path) -> Admin:
    return Admin(tmp_path / "data", here)


def test_from_nothing_to_a_weavers_secrets(command: Admin) -> None:
    alice = json.loads(command.ok("user", "create", "alice", "--json"))["id"]
    org = json.loads(command.ok("org", "create", "lab", "--json"))["id"]
    command.ok("org", "add-member", "lab", alice)
    repo = json.loads(command.ok("repo", "create", org, "code", "--json"))["id"]
    command.ok("secret", "set", "code", "PW", stdin=b"hunter2\n")
    command.ok("secret", "set", repo, "PEM", stdin="é\nb\n\n".encode())
    assert command.store(lambda store: store.secrets.values(repo)) == {"PW": "hunter2", "PEM": "é\nb\n"}
    assert [each["name"] for each in json.loads(command.ok("secret", "list", repo, "--json"))] == [
        "PEM",
        "PW",
    ]
    command.ok("secret", "delete", "code", "PEM")
    key = command.ok("key", "create", "alice", "--expires-in-days", "1").split()[-1]
    principal = command.store(lambda store: store.keys.principal(key))
    assert (principal.user_id, principal.memberships) == (alice, {org: "member"})
    assert (command.data_dir.stat().st_mode & 0o777) == 0o700


def test_flags(admin: Admin) -> None:
    admin.ok("user", "create", "ann", "--system-admin")
    admin.ok("user", "create", "sue", "--support")
    admin.ok("user", "change", "sue", "--system-admin", "--no-support")
    users = json.loads(admin.ok("user", "list", "--json"))
    assert [(user["name"], user["is_system_admin"], user["is_support"]) for user in users] == [
        ("ann", True, False),
        ("sue", True, False),
    ]


def test_members(admin: Admin) -> None:
    for name in ("ann", "bob"):
        admin.ok("user", "create", name)
    admin.ok("org", "create", "lab", "--owner", "ann")
    admin.ok("org", "add-member", "lab", "bob", "--owner")
    admin.ok("org", "remove-member", "lab", "ann")
    members = json.loads(admin.ok("org", "members", "lab", "--json"))
    assert [(member["name"], member["role"]) for member in members] == [("bob", "owner")]
    assert "last owner" in admin.refused("org", "remove-member", "lab", "bob")


def test_a_revoked_key_is_dead_at_once(command: Admin) -> None:
    command.ok("user", "create", "ann")
    made = json.loads(command.ok("key", "create", "ann", "--name", "laptop", "--json"))

    async def dies(store: IdentityStore) -> str:
        await store.keys.principal(made["key"])
        await asyncio.to_thread(command.ok, "key", "revoke", made["id"])
        try:
            await store.keys.principal(made["key"])
        except Exception as error:  # noqa: BLE001
            return type(error).__name__
        return "still alive"

    assert command.store(dies) == "Unauthorized"
    listed = command.ok("key", "list", "ann")
    assert made["id"] in listed
    assert made["key"] not in listed


def test_lists_are_columns(admin: Admin) -> None:
    assert admin.ok("org", "list") == ""
    assert json.loads(admin.ok("org", "list", "--json")) == []
    ids = [admin.ok("org", "create", name).strip() for name in ("a", "lab 日本")]
    head, *lines = admin.ok("org", "list").splitlines()
    assert head.split() == ["id", "name", "personal", "role", "created_at"]
    assert [line.split("  ")[:2] for line in lines] == [[ids[0], "a"], [ids[1], "lab 日本"]]
    admin.ok("repo", "create", "lab 日本", "code")
    assert "code" in admin.ok("repo", "list", ids[1])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("user", "create", "a\x1b[31m"), "name: must be"),
        (("user", "create", "ann"), "exists"),
        (("org", "create", "lab", "--owner", "nobody"), "No such user"),
        (("org", "add-member", "nothing", "ann"), "No such organization"),
        (("repo", "create", "nothing", "code"), "No such organization"),
        (("secret", "set", "nothing", "PW"), "No such repository"),
        (("key", "create", "nobody"), "No such user"),
        (("key", "revoke", "nothing"), "No such API key"),
    ],
)
def test_a_refusal_is_one_line(admin: Admin, arguments: tuple[str, ...], said: str) -> None:
    admin.store(lambda store: store.users.create("ann"))
    assert said in admin.refused(*arguments)


def test_a_bad_secret_is_refused_without_being_shown(admin: Admin) -> None:
    admin.store(_make_repo)
    for name, value in (
        ("1PW", b"hunter2"),
        ("PW", b"hunter2\0"),
        ("PW", b"hunter2\xff"),
        ("PW", b"hunter2" * 20_000),
    ):
        assert "hunter2" not in admin.refused("secret", "set", "code", name, stdin=value)


async def _make_repo(store: IdentityStore) -> None:
    await store.repos.create((await store.orgs.create("lab")).id, "code")


def test_a_refusal_goes_to_standard_error(command: Admin) -> None:
    command.data_dir.touch()
    assert "--data-dir" in command.refused("user", "list")
