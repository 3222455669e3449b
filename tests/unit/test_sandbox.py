"""What a weaver can and cannot do, tried from inside, under each kind of sandbox that works here."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sandboxes import Sandboxes, outside_sleeper

pytestmark = pytest.mark.timeout(120)
SLEEPER = ["sh", "-c", "echo started; exec sleep 1000"]


def test_files_outside_of_its_own_are_out_of_reach(sandboxes: Sandboxes) -> None:
    record = sandboxes.folder / "record.json"
    record.write_text("the secret")
    reached = sandboxes.shell(
        f"cat {record}; cat /etc/shadow; ls {sandboxes.folder}; echo x > {sandboxes.folder}/new;"
        "echo x > /etc/new; echo x > /usr/new; echo x > /new; ls /boot"
    )
    assert "secret" not in reached
    assert not (sandboxes.folder / "new").exists()
    assert reached.count("\n") == 8
    for line in reached.splitlines():
        assert any(word in line for word in ("Permission denied", "No such file", "nonexistent", "Read-only"))


def test_home_and_tmp_are_its_own_and_stay(sandboxes: Sandboxes) -> None:
    tmp = sandboxes.inside_tmp
    done = sandboxes.run(
        ["sh", "-c", f"pwd; echo kept > ~/file && echo kept > {tmp}/file && mkdir ~/d && mv ~/file ~/d/file"],
        ["sh", "-c", f"cat ~/d/file {tmp}/file"],
    )
    assert done[0]["output"] == f"{sandboxes.inside_home}\n"
    assert done[1]["output"] == "kept\nkept\n"
    assert (sandboxes.home / "d" / "file").read_text() == "kept\n"
    assert (sandboxes.tmp / "file").read_text() == "kept\n"


def test_hidden_folder_in_a_readable_one(sandboxes: Sandboxes) -> None:
    shared, hidden = sandboxes.folder / "prefix", sandboxes.folder / "prefix" / "share" / "data"
    hidden.mkdir(parents=True)
    (hidden / "record.json").write_text("the secret")
    (shared / "program").write_text("public")
    done = sandboxes.run(
        ["cat", f"{shared}/program"],
        ["cat", f"{hidden}/record.json"],
        readable=[str(shared)],
        hidden=[str(hidden)],
    )
    assert done[0]["output"] == "public"
    assert done[1]["code"] == 1
    assert "secret" not in done[1]["output"]


def test_environment_and_descriptors_hold_nothing_else(sandboxes: Sandboxes) -> None:
    os.environ["SECRET_OF_THE_SERVER"] = "hunter2"
    try:
        done = sandboxes.run(["env"], ["sh", "-c", "ls /proc/$$/fd"], env={"A": "$(HOME)", "B": "ü\n"})
    finally:
        del os.environ["SECRET_OF_THE_SERVER"]
    assert sorted(done[0]["output"].splitlines()) == sorted(
        [f"HOME={sandboxes.inside_home}", "PATH=/usr/bin:/bin", "A=$(HOME)", "B=ü", ""]
    )
    assert done[1]["output"].split() == ["0", "1", "2"]


def test_an_environment_of_very_many_names(sandboxes: Sandboxes) -> None:
    many = {f"NAME_{number}": str(number) for number in range(12_000)}
    assert "NAME_11999=11999" in sandboxes.run(["env"], env=many)[0]["output"]


def test_no_capability_and_no_way_to_any(sandboxes: Sandboxes) -> None:
    status = sandboxes.shell("cat /proc/self/status; umask; ulimit -c")
    sets = [line.split()[1] for line in status.splitlines() if line.startswith("Cap")]
    inherited, permitted, effective, bounding, ambient = sets
    assert {inherited, permitted, effective, ambient} == {"0000000000000000"}
    # Without any capability nobody can drop those of the bounding set, and with no_new_privs nobody needs to.
    assert bounding == "0000000000000000" or sandboxes.unprivileged
    assert "NoNewPrivs:\t1\n" in status
    assert status.endswith("0022\n0\n")


def test_no_signal_is_ignored_or_blocked(sandboxes: Sandboxes) -> None:
    status = sandboxes.run(["cat", "/proc/self/status"], ignore=True)[0]["output"]
    for field in ("SigBlk", "SigIgn"):
        assert f"{field}:\t0000000000000000\n" in status


def test_kernel_settings_cannot_be_changed(sandboxes: Sandboxes) -> None:
    setting = Path("/proc/sys/vm/swappiness")
    before = setting.read_text()
    sandboxes.shell("for file in /proc/sys/vm/swappiness /proc/sysrq-trigger; do echo 1 > $file; done")
    assert setting.read_text() == before


def test_processes_outside_are_out_of_reach(sandboxes: Sandboxes) -> None:
    with outside_sleeper(sandboxes.user) as pid:
        reached = sandboxes.shell(f"kill -9 {pid} && echo killed; cat /proc/{pid}/environ && echo read")
        assert "killed" not in reached
        assert "read" not in reached
        os.kill(pid, 0)


def test_only_its_own_processes_are_seen_under_bubblewrap(bubblewrap: Sandboxes) -> None:
    assert bubblewrap.shell("exec cat /proc/[0-9]*/comm").splitlines() == ["bwrap", "cat", "cat"]
    assert str(bubblewrap.folder) not in bubblewrap.shell("exec cat /proc/[0-9]*/cmdline")


def test_abstract_sockets_of_others_are_out_of_reach(sandboxes: Sandboxes) -> None:
    if "abstract_sockets" not in sandboxes.enforced():
        pytest.skip("this kernel cannot refuse them")
    name = f"loom-weaver-test-{os.getpid()}"
    connect = f"import socket; socket.socket(socket.AF_UNIX).connect('\\0{name}')"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("\0" + name)
        listener.listen()
        subprocess.run([sys.executable, "-c", connect], check=True)
        done = sandboxes.run(["/usr/bin/python3", "-c", connect])
    assert "PermissionError" in done[0]["output"]


def test_without_network_no_connection_leaves(sandboxes: Sandboxes) -> None:
    if not {"network", "tcp"} & set(sandboxes.enforced(network=False)):
        pytest.skip("this kernel cannot refuse it")
    with socket.create_server(("127.0.0.1", 0)) as server:
        connect = f"import socket; socket.create_connection({server.getsockname()})"
        refused = sandboxes.run(["/usr/bin/python3", "-c", connect], network=False)
        connected = sandboxes.run(["/usr/bin/python3", "-c", connect])
    assert refused[0]["code"] == 1
    assert connected[0]["code"] == 0


def test_no_user_namespace_under_bubblewrap(bubblewrap: Sandboxes) -> None:
    assert bubblewrap.run(["unshare", "--user", "true"])[0]["code"] == 1


def test_this_python_runs_with_its_packages(sandboxes: Sandboxes) -> None:
    if sandboxes.user is not None:
        pytest.skip("the environment of these tests is not for everybody to read")
    done = sandboxes.run([sys.executable, "-c", "import sys, pytest; print(sys.prefix)"])
    assert done[0]["output"] == f"{sys.prefix}\n"


def test_commands_of_one_weaver_reach_each_other(sandboxes: Sandboxes) -> None:
    name = f"loom-weaver-own-{os.getpid()}"
    serve = (
        f"import socket; s = socket.socket(socket.AF_UNIX); s.bind('\\0{name}'); s.listen();"
        "print('started', flush=True); s.accept()"
    )
    connect = f"import socket; socket.socket(socket.AF_UNIX).connect('\\0{name}')"
    done = sandboxes.run(
        {"argv": ["/usr/bin/python3", "-c", serve], "until": "started"},
        ["/usr/bin/python3", "-c", connect],
    )
    assert done[1]["code"] == 0, done[1]["output"]


def test_commands_of_one_weaver_signal_each_other_under_bubblewrap(bubblewrap: Sandboxes) -> None:
    find = (
        "for p in /proc/[0-9]*; do case $(cat $p/cmdline 2>&1) in sleep*1000*) kill ${p#/proc/};; esac; done"
    )
    done = bubblewrap.run({"argv": SLEEPER, "until": "started"}, ["sh", "-c", find])
    assert done[0]["code"] == -signal.SIGTERM


def test_its_holder_is_out_of_reach(sandboxes: Sandboxes) -> None:
    """A weaver that stops it would live for ever."""
    stop = "[ $PPID = 0 ] || { kill -STOP $PPID && echo stopped; }"
    done = sandboxes.run(["sh", "-c", stop], ["true"])
    assert "stopped" not in done[0]["output"]
    assert done[1]["code"] == 0


def test_all_end_with_their_holder(sandboxes: Sandboxes) -> None:
    done = sandboxes.run({"argv": SLEEPER, "until": "started"}, die=True)
    sandboxes.await_end(done[0]["pid"])


def test_exit_codes_and_signals_are_the_commands(sandboxes: Sandboxes) -> None:
    done = sandboxes.run(["sh", "-c", "exit 7"], ["sh", "-c", "kill -9 $$"], ["true"])
    assert [result["code"] for result in done] == [7, -signal.SIGKILL, 0]


@pytest.mark.parametrize(
    ("command", "code"),
    [("nonesuch", errno.ENOENT), ("/usr/bin/nonesuch", errno.ENOENT), ("/etc/passwd", errno.EACCES)],
)
def test_a_command_that_cannot_be_started(sandboxes: Sandboxes, command: str, code: int) -> None:
    assert sandboxes.run([command]) == [{"errno": code, "filename": command}]


def test_a_script_without_its_interpreter(sandboxes: Sandboxes) -> None:
    script = sandboxes.home / "script"
    script.write_text("#!/nonesuch\n")
    script.chmod(0o755)
    path = f"{sandboxes.inside_home}/script"
    assert sandboxes.run([path]) == [{"errno": errno.ENOENT, "filename": path}]


def test_a_workdir_is_made(sandboxes: Sandboxes) -> None:
    workdir = f"{sandboxes.inside_home}/a/b"
    assert sandboxes.run(["pwd"], workdir=workdir)[0]["output"] == f"{workdir}\n"


def test_a_workdir_that_cannot_be(sandboxes: Sandboxes) -> None:
    done = sandboxes.run(["pwd"], workdir="/usr/nonesuch")
    assert done[0]["filename"] == "/usr/nonesuch"
    assert done[0]["errno"] in (errno.EROFS, errno.EACCES)


def test_a_workdir_anywhere_under_bubblewrap(bubblewrap: Sandboxes) -> None:
    done = bubblewrap.run(["sh", "-c", "pwd; echo kept > file"], ["cat", "/app/src/file"], workdir="/app/src")
    assert done[0]["output"] == "/app/src\n"
    assert done[1]["output"] == "kept\n"


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_shell_has_job_control(sandboxes: Sandboxes, shell: str) -> None:
    """Ctrl-C and Ctrl-Z are for what runs in front, and neither for the shell nor for the sandbox."""
    step = {
        "argv": [shell, "-i"],
        "terminal": True,
        "type": [
            ("", "PS1=re''ady:\n"),
            ("ready:", "sh -c 'echo runs; exec sleep 1000'\n"),
            ("runs\r\n", "\x03"),
            ("ready:", "sh -c 'echo runs; exec sleep 1000'\n"),
            ("runs\r\n", "\x1a"),
            ("ready:", "jobs; kill -9 $$\n"),
        ],
    }
    result = sandboxes.run(step, env={"TERM": "dumb"})[0]
    assert "job control" not in result["output"]
    assert "Stopped" in result["output"]
    assert result["code"] == -signal.SIGKILL


def test_ctrl_c_ends_a_command_that_does_not_care(sandboxes: Sandboxes) -> None:
    step = {"argv": SLEEPER, "terminal": True, "type": [("started", "\x03")]}
    done = sandboxes.run(step, ["true"])
    assert [result["code"] for result in done] == [-signal.SIGINT, 0]


def test_the_terminal_has_a_name_that_can_be_opened(sandboxes: Sandboxes) -> None:
    step = {"argv": ["sh", "-c", "tty && echo opened > $(tty) && echo also > /dev/tty"], "terminal": True}
    result = sandboxes.run(step)[0]
    assert result["code"] == 0, result["output"]
    assert "opened" in result["output"]
    assert "also" in result["output"]


def test_terminals_of_others_are_out_of_reach(sandboxes: Sandboxes) -> None:
    master, slave = os.openpty()
    name = os.ttyname(slave)
    if sandboxes.user is not None:
        os.chown(name, sandboxes.user, -1)
    done = sandboxes.run(["sh", "-c", f"echo x > {name}"])
    os.close(slave)
    os.close(master)
    assert done[0]["code"] != 0


def test_memory_limit_is_for_each_process(sandboxes: Sandboxes) -> None:
    allocate = ["/usr/bin/python3", "-c", "print(len(bytearray({})))"]
    small, large = ([*allocate[:2], allocate[2].format(size)] for size in (10**6, 10**9))
    done = sandboxes.run(small, large, memory_limit=64 * 2**20)
    assert done[0]["output"] == "1000000\n"
    assert "MemoryError" in done[1]["output"]


def test_a_memory_limit_too_small_to_build_anything_in(sandboxes: Sandboxes) -> None:
    assert (
        sandboxes.run(["echo", "x"], memory_limit=4 * 2**20, env={"LONG": "x" * 100_000})[0]["output"]
        == "x\n"
    )


@pytest.mark.parametrize(("limit", "count"), [(0.1, 1), (1, 1), (None, None), (10_000, None)])
def test_cpu_limit_chooses_the_cpus(sandboxes: Sandboxes, limit: float | None, count: int | None) -> None:
    allowed = sandboxes.run(["nproc"], cpu_limit=limit)[0]["output"]
    assert int(allowed) == (count or len(os.sched_getaffinity(0)))
