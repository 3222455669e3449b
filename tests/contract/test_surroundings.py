"""What a weaver finds around it, and what it leaves behind."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from dataclasses import replace

import pytest

from loom_weaver.models import LONGEST_STRING
from loom_weaver.runtimes.base import ReplayStart
from tests.contract.conftest import OpenHouse
from tests.contract.probes import eventually, long_sleep, processes, zombies

HARMLESS = {
    "HOME",
    "HOSTNAME",
    "LANG",
    "LOGNAME",
    "LOOM_WEAVER_ID",
    "OLDPWD",
    "PATH",
    "PWD",
    "SHELL",
    "SHLVL",
    "TERM",
    "TMPDIR",
    "USER",
    "_",
}
# Every container in a cluster is told where its API server is, whatever its pod says.
TOLD_BY_A_CLUSTER = "KUBERNETES_"
SECRETS = ("JUPYTER_TOKEN", "JUPYTERHUB_API_TOKEN", "AWS_SECRET_ACCESS_KEY", "LOOM_WEAVER_SECRET")
PRINT_ENVIRONMENT = "import json, os; print(json.dumps(dict(os.environ)))"


def harmful(environment: dict[str, str]) -> set[str]:
    return {name for name in environment if name not in HARMLESS and not name.startswith(TOLD_BY_A_CLUSTER)}


async def test_loc_1_nothing_of_the_server_reaches_a_weaver(
    open_house: OpenHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in SECRETS:
        monkeypatch.setenv(name, "hunter2")
    with socket.socket() as inherited:
        inherited.set_inheritable(True)
        async with open_house() as house:
            log = await house.log(await house.create("python3", "-c", PRINT_ENVIRONMENT, env={"MINE": "1"}))
            environment = json.loads(log.texts[0])
            assert harmful(environment) == {"MINE"}
            assert environment["MINE"] == "1"
            assert (environment["LANG"], environment["TERM"]) == ("C.UTF-8", "xterm-256color")
            assert os.path.isabs(environment["HOME"])
            descriptors = "import os; print(sorted(map(int, os.listdir('/proc/self/fd'))))"
            log = await house.log(await house.create("python3", "-c", descriptors))
            # The fourth is that of the folder being listed.
            assert log.texts == ["[0, 1, 2, 3]"]
            running = await house.sh("sleep 600")
            await house.until(running, "running")
            outcome = await house.exec(running, "python3", "-c", PRINT_ENVIRONMENT)
            assert harmful(json.loads(outcome.stdout)) == set()
            assert (await house.exec(running, "python3", "-c", descriptors)).stdout == b"[0, 1, 2, 3]\n"


async def test_in_2_values_arrive_as_they_were_written(open_house: OpenHouse) -> None:
    given = {
        "A": "$$",
        "B": "$(HOME)",
        "C": "$$(HOME)",
        "D": "a$$$$b",
        "E": "$(",
        "F": "x\ny",
        "G": "",
        "H": "é😀",
    }
    async with open_house() as house:
        weaver_id = await house.create("python3", "-c", PRINT_ENVIRONMENT, env=given)
        environment = json.loads((await house.log(weaver_id)).texts[0])
        assert {name: environment[name] for name in given} == given


async def test_arguments_arrive_as_they_were_written(open_house: OpenHouse) -> None:
    given = ["$(HOME)", "$HOME", "", "a b", "--", "-c", "x\ny", "é😀", "'\"\\"]
    async with open_house() as house:
        weaver_id = await house.create(
            "python3", "-c", "import json, sys; print(json.dumps(sys.argv[1:]))", *given
        )
        assert json.loads((await house.log(weaver_id)).texts[0]) == given


async def test_pod_6_the_longest_variable_that_linux_takes(open_house: OpenHouse) -> None:
    async with open_house() as house:
        value = "x" * (LONGEST_STRING - len("BIG="))
        log = await house.log(await house.sh("echo ${#BIG}", env={"BIG": value}))
        assert log.texts == ["131067"]


async def test_a_variable_of_ones_own_wins(open_house: OpenHouse) -> None:
    async with open_house() as house:
        log = await house.log(await house.sh("echo $TERM $LANG $HOME", env={"TERM": "dumb", "LANG": "C"}))
        assert log.texts[0].startswith("dumb C /")


async def test_home_is_there_to_write_in_and_commands_share_it(open_house: OpenHouse) -> None:
    async with open_house() as house:
        weaver_id = await house.sh("cd && echo kept > file && echo written; sleep 600")
        await house.log(weaver_id, until=lambda log: log.texts == ["written"])
        assert (await house.exec(weaver_id, "sh", "-c", "cat ~/file")).stdout == b"kept\n"
        home = (await house.exec(weaver_id, "sh", "-c", "pwd")).stdout.decode().strip()
        assert house.runtime.home(weaver_id) == home
        roots = house.runtime.file_roots(weaver_id)
        assert roots is None or (home in roots and "/" not in roots)
        other = await house.sh("ls -A ~")
        assert (await house.log(other)).texts == []


async def test_a_weaver_has_a_terminal_of_its_own(open_house: OpenHouse) -> None:
    async with open_house() as house:
        script = (
            "import os; os.open('/dev/tty', os.O_RDWR);"
            "print(os.getsid(0) == os.getpid(), *map(os.isatty, range(3)))"
        )
        log = await house.log(await house.create("python3", "-c", script))
        assert log.texts == ["True True True True"]


async def test_job_control_works(open_house: OpenHouse) -> None:
    async with open_house() as house:
        weaver_id = await house.sh("PS1='ready> ' exec sh -i")
        async with house.view(weaver_id) as viewer:
            # The first prompt may come before anybody can see it.
            await viewer.type(b"\n")
            await viewer.until(b"ready> ")
            assert b"job control" not in viewer.received
            await viewer.type(b"sh -c 'echo job $((40 + 1)); exec sleep 600'\n")
            await viewer.until(b"job 41")
            await viewer.type(b"\x1a")
            await viewer.until(b"Stopped")
            await viewer.type(b"jobs; kill %1; echo still $((40 + 2))\n")
            await viewer.until(b"still 42")


@pytest.mark.parametrize("how", ["delete", "exit"])
async def test_jobs_end_with_their_weaver(open_house: OpenHouse, how: str) -> None:
    async with open_house() as house:
        seconds = long_sleep()
        weaver_id = await house.sh(f"sleep {seconds} & nohup sleep {seconds} > nohup.out & echo on; read x")
        async with house.view(weaver_id) as viewer:
            await viewer.until(b"on\r\n")
            await eventually(lambda: len(processes(seconds)) == 2, "the jobs to run")
            if how == "delete":
                await house.runtime.delete(weaver_id)
            else:
                await viewer.type(b"\n")
            await viewer.end()
        await eventually(lambda: not processes(seconds), "the jobs to be gone")


async def test_loc_2_what_left_its_session_ends_with_its_weaver(
    open_house: OpenHouse, needs: Callable[[str], None]
) -> None:
    needs("end what left its session")
    async with open_house() as house:
        seconds = long_sleep()
        sleeps = f"sleep {seconds} & setsid sleep {seconds} & nohup sleep {seconds} > /dev/null 2>&1 &"
        weaver_id = await house.sh(f"{sleeps} echo on; exec sh")
        await house.log(weaver_id, until=lambda log: "on" in log.texts)
        await eventually(lambda: len(processes(seconds)) == 3, "the jobs to run")
        await house.runtime.delete(weaver_id)
        await house.gone(weaver_id)
        await eventually(lambda: not processes(seconds), "the jobs to be gone")


async def test_nothing_is_left_behind(open_house: OpenHouse) -> None:
    descriptors = len(os.listdir("/proc/self/fd"))
    async with open_house() as house:
        for _ in range(3):
            weaver_ids = [await house.sh("echo on; sleep 600") for _ in range(5)]
            for weaver_id in weaver_ids:
                async with house.view(weaver_id) as viewer:
                    await viewer.until(b"on")
                await house.runtime.delete(weaver_id)
            await house.gone(*weaver_ids)
        assert zombies() == []
    assert len(os.listdir("/proc/self/fd")) == descriptors


async def test_weavers_outlive_their_runtime(
    open_house: OpenHouse, needs: Callable[[str], None], able: Callable[[str], bool]
) -> None:
    needs("outlive its runtime")
    async with open_house(keep=True) as house:
        running = await house.sh("stty -echo; echo ready; read x; echo got $x; sleep 600")
        ended = await house.sh("echo done; exit 3")
        before = await house.over(ended)
        log = await house.log(running, until=lambda log: log.texts == ["ready"])
        async with house.view(running) as viewer:
            await viewer.until(b"ready\r\n")
    async with open_house() as house:
        assert {weaver.id for weaver in house.runtime.list()} == {running, ended}
        # A runtime may count versions for itself.
        assert replace(house.runtime.get(ended), version=before.version) == before
        assert (await house.log(ended)).texts == ["done"]
        start = ReplayStart(epoch=viewer.attachment.epoch, offset=len(viewer.received))
        async with house.view(running, start) as again:
            resumed = able("resume terminals")
            assert again.attachment.gap == (0 if resumed else None)
            await again.type(b"it\n")
            await again.until(b"got it\r\n")
            assert again.received == (b"" if resumed else viewer.received) + b"got it\r\n"
        assert (await house.log(running, follow=False)).texts == ["ready", "got it"]
        assert (await house.log(running, follow=False)).items[:1] == log.items
