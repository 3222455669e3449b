"""What a weaver sees where, and which kind of sandbox a machine gets."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest

from loom_weaver.runtimes.local import host_paths, isolation, sandbox_plan
from loom_weaver.runtimes.local.file_tree import workdir_folder
from loom_weaver.runtimes.local.sandbox_plan import Plan
from tests.sandboxes import Sandboxes


def plan(workdir: str | None, readable: tuple[str, ...] = ()) -> Plan:
    return Plan(
        kind="bubblewrap",
        home="/data/home",
        tmp="/data/tmp",
        hostname="loom-weaver-test",
        env={},
        readable=list(readable),
        hidden=["/data"],
        workdir=workdir,
    )


@pytest.mark.parametrize(
    ("workdir", "made"),
    [
        (None, False),
        ("/", False),
        ("/tmp/x", False),
        ("/tmp/../app", True),
        ("/home/weaver", False),
        ("/home/weaver/project", False),
        ("/home", False),
        ("/home/somebody", True),
        ("/usr/share/app", False),
        ("/etc/app", False),
        ("/proc/1", False),
        ("/dev/shm", False),
        ("/var", False),
        ("/var/tmp/x", False),
        ("/var/lib/app", True),
        ("/app", True),
        ("/opt/python", False),
        ("/opt/python/app", False),
        ("/opt", False),
        ("/opt/app", True),
        ("/usrlocal", True),
    ],
)
def test_a_workdir_of_its_own(workdir: str | None, made: bool) -> None:
    """Only where nothing else is, above or below."""
    folder = workdir_folder(plan(workdir, ("/opt/python",)))
    assert folder == ("/data/home/.workdir" if made else None)


@pytest.mark.parametrize(
    ("kind", "home", "roots"),
    [
        ("bubblewrap", "/data/home", ("/home/weaver", "/tmp")),
        ("landlock", "/data/home", ("/data/home", "/tmp")),
        ("landlock", "/tmp/data/home", ("/tmp/data/home",)),
        ("none", "/tmp/data/home", ("/tmp/data/home", "/tmp")),
    ],
)
def test_file_roots(kind: str, home: str, roots: tuple[str, ...]) -> None:
    assert sandbox_plan.file_roots(kind, home) == roots


def test_python_folders_hold_this_python_once() -> None:
    folders = tuple(host_paths.python_folders())
    everywhere = (*host_paths.SYSTEM_FOLDERS, *folders)
    for path in (sys.executable, os.path.realpath(sys.executable), sys.prefix, sys.base_prefix, os.__file__):
        assert host_paths.covers(everywhere, path)
    for folder in folders:
        assert not host_paths.covers(tuple(path for path in everywhere if path != folder), folder)


def test_hidden_folders_are_found_over_links(tmp_path: Path) -> None:
    (tmp_path / "real" / "data").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    link, real = str(tmp_path / "link"), str(tmp_path / "real")
    assert host_paths.hidden_in(link, [f"{real}/data", "/elsewhere"]) == [f"{link}/data"]
    assert host_paths.hidden_in(real, [f"{link}/data"]) == [f"{real}/data"]
    assert host_paths.hidden_in(real, [str(tmp_path)]) == []


def test_the_best_kind_that_works_is_found() -> None:
    reasons = [isolation.why_not(kind) for kind in sandbox_plan.KINDS]
    found = isolation.probe()
    assert found.kind == sandbox_plan.KINDS[reasons.index(None)]
    assert reasons[-1] is None


def test_without_bwrap_the_reason_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    found = isolation.probe()
    assert found.kind != "bubblewrap"
    assert found.reason.startswith(
        "bubblewrap: bwrap is not installed (it comes with the package bubblewrap)"
    )


def test_enforced_promises_no_more_than_asked_for() -> None:
    assert isolation.enforced("none") == ["capabilities", "no_new_privileges"]
    for kind in sandbox_plan.KINDS:
        words = set(isolation.enforced(kind))
        assert isolation.enforced(kind, memory_limit=True)[-1] == "memory_per_process"
        assert not words & {"network", "tcp", "memory_per_process"}
    assert {"filesystem", "processes", "network"} <= set(isolation.enforced("bubblewrap", network=False))
    assert "processes" not in isolation.enforced("landlock")


def test_landlock_shares_the_tmp_of_the_machine() -> None:
    reason = isolation.why_not("landlock")
    if reason is not None:
        pytest.skip(f"landlock does not work here: {reason}")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder, tempfile.TemporaryDirectory() as shared:
        sandboxes = Sandboxes("landlock", Path(folder), None)
        assert sandboxes.shell(f"echo x > {shared}/file; mv {shared}/file ~; cat ~/file") == "x\n"
