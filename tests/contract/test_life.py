"""A weaver's life: created, seen, extended, ended, deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from loom_weaver.errors import BadRequest, NotFound, Unavailable
from loom_weaver.images import parse_image
from loom_weaver.models import CreateWeaver
from loom_weaver.names import new_id
from loom_weaver.runtimes.base import ExecSpec, LogStart, ReplayStart
from tests.contract.conftest import OpenHouse
from tests.contract.probes import House, ViewerProbe, eventually, long_sleep, processes, spec_of

FOREVER = "while :; do sleep 1; done"


async def test_a_weaver_is_pending_then_running_then_over(open_house: OpenHouse) -> None:
    async with open_house() as house:
        spec = spec_of(
            "sh", "-c", "echo done", tags={"a": "b"}, repo_id="r", lifetime_hours=3, env={"PW": "hunter2"}
        )
        created = await house.runtime.create(spec)
        assert created.status == "pending"
        over = await house.over(spec.id)

        changes = house.changes_of(spec.id)
        assert [(change.kind, change.weaver.status) for change in changes] == [
            ("added", "pending"),
            ("modified", "running"),
            ("modified", "succeeded"),
        ]
        versions = [change.weaver.version for change in changes]
        assert versions == sorted(set(versions))
        assert changes[-1].weaver == over == house.runtime.get(spec.id)

        assert (over.exit_code, over.reason) == (0, "Completed")
        assert over.started_at
        assert over.finished_at
        assert spec.created_at <= over.started_at <= over.finished_at
        assert (over.tags, over.repo_id, over.lifetime_hours) == ({"a": "b"}, "r", 3)
        assert (over.command, over.created_at, over.owner_user_id) == (
            spec.command,
            spec.created_at,
            "user_1",
        )
        assert [entry.event for entry in over.timeline] == ["Created", "Started", "Completed"]
        assert over.isolation.kind == house.runtime.info().isolation.kind
        assert "hunter2" not in f"{over!r}{house.runtime!r}{spec!r}"


@pytest.mark.parametrize(
    ("script", "exit_code", "detail"),
    [("exit 3", 3, "3"), ("kill -9 $$", 137, "SIGKILL"), ("kill -TERM $$", 143, "SIGTERM")],
)
async def test_a_program_that_fails_says_how(
    open_house: OpenHouse, script: str, exit_code: int, detail: str
) -> None:
    async with open_house() as house:
        weaver = await house.over(await house.sh(script))
        assert (weaver.status, weaver.exit_code, weaver.reason) == ("failed", exit_code, "Error")
        assert weaver.detail is not None
        assert detail in weaver.detail


@pytest.mark.parametrize(
    ("command", "exit_code"), [("/no/such-command", 127), ("no-such-command", 127), ("/etc/passwd", 126)]
)
async def test_a_command_that_cannot_start_is_named(
    open_house: OpenHouse, command: str, exit_code: int
) -> None:
    async with open_house() as house:
        weaver = await house.over(await house.create(command, "argument"))
        assert (weaver.status, weaver.exit_code, weaver.reason) == ("failed", exit_code, "StartError")
        assert weaver.detail is not None
        assert command in weaver.detail
        log = await house.log(weaver.id)
        assert log.entries == []
        assert log.end is not None
        async with house.view(weaver.id) as viewer:
            assert await viewer.end() == "ended"
        assert viewer.received == b""


async def test_the_list_holds_what_is_there(open_house: OpenHouse) -> None:
    async with open_house() as house:
        assert list(house.runtime.list()) == []
        made = {await house.sh(FOREVER), await house.sh("true"), await house.sh("exit 1")}
        assert {weaver.id for weaver in house.runtime.list()} == made
        gone = made.pop()
        assert await house.runtime.delete(gone)
        await house.gone(gone)
        assert {weaver.id for weaver in house.runtime.list()} == made


async def test_what_is_unknown_is_not_found(open_house: OpenHouse) -> None:
    async with open_house() as house:
        runtime, unknown = house.runtime, new_id("weaver")
        with pytest.raises(NotFound):
            runtime.get(unknown)
        with pytest.raises(NotFound):
            await runtime.delete(unknown)
        with pytest.raises(NotFound):
            await runtime.extend(unknown, 5)
        with pytest.raises(NotFound):
            await runtime.attach(unknown, ViewerProbe(), ReplayStart())
        with pytest.raises(NotFound):
            runtime.resize(unknown, 80, 24)
        with pytest.raises(NotFound):
            async with runtime.logs(unknown, LogStart(), follow=True):
                pass
        with pytest.raises(NotFound):
            async with runtime.exec(unknown, ExecSpec(("true",))):
                pass


async def test_images_that_are_offered(open_house: OpenHouse) -> None:
    async with open_house() as house:
        info = house.runtime.info()
        assert info.default_image in info.images
        for image in info.images:
            for spelling in ("", ":latest", ":1.2@sha256:" + "0" * 64):
                house.runtime.check_image(parse_image(image + spelling))
        with pytest.raises(BadRequest) as refused:
            house.runtime.check_image(parse_image("ghcr.io/no-such/image:1"))
        assert refused.value.details[0].field == "image"
        for image in info.images:
            assert image in refused.value.message


async def test_an_image_brings_its_program_and_args_replace_what_it_is_given(open_house: OpenHouse) -> None:
    async with open_house() as house:
        repl = await house.runtime.create(spec_of(image="python:3"))
        async with house.view(repl.id) as viewer:
            await viewer.type(b"print(6 * 7)\r")
            await viewer.until(b"42")
        given = await house.runtime.create(spec_of(image="shell", args=("-c", "echo $0 $1", "a", "b")))
        assert (await house.log(given.id)).texts == ["a b"]


async def test_a_runtime_that_has_stopped_makes_nothing(open_house: OpenHouse) -> None:
    async with open_house() as house:
        runtime = house.runtime
    with pytest.raises(Unavailable):
        await runtime.create(spec_of("true"))


@pytest.mark.parametrize("script", [FOREVER, f"trap '' TERM HUP INT; {FOREVER}"])
async def test_pod_8_a_delete_ends_the_weaver_however_it_takes_it(open_house: OpenHouse, script: str) -> None:
    async with open_house() as house:
        weaver_id = await house.sh(f"{script.replace('sleep 1', 'sleep 0.1')}")
        await house.until(weaver_id, "running")
        before = house.runtime.changes.last
        assert await house.runtime.delete(weaver_id)
        assert house.runtime.get(weaver_id).status == "terminating"
        assert not await house.runtime.delete(weaver_id), "the second did not begin it"
        async with asyncio.timeout(15):
            await house.gone(weaver_id)
        after = house.changes_of(weaver_id, before)
        assert {change.weaver.status for change in after} == {"terminating"}
        assert [change.kind for change in after].count("deleted") == 1
        assert after[-1].kind == "deleted"
        assert after[-1].weaver.reason == "Deleted"


async def test_a_deleted_weaver_that_had_ended_is_gone_too(open_house: OpenHouse) -> None:
    async with open_house() as house:
        weaver_id = await house.sh("true")
        await house.over(weaver_id)
        assert await house.runtime.delete(weaver_id)
        await house.gone(weaver_id)
        with pytest.raises(NotFound):
            await house.runtime.delete(weaver_id)


async def test_a_delete_at_once_is_not_overtaken_by_the_start(open_house: OpenHouse) -> None:
    async with open_house() as house:
        seconds = long_sleep()
        weaver_ids = [await house.create("sleep", seconds) for _ in range(5)]
        for weaver_id in weaver_ids:
            await house.runtime.delete(weaver_id)
        await house.gone(*weaver_ids)
        await eventually(lambda: not processes(seconds), "the programs to be gone")


async def test_a_create_cancelled_half_way_leaves_nothing(open_house: OpenHouse) -> None:
    async with open_house() as house:
        seconds = long_sleep()
        kept = set()
        for turns in (0, 1, 2, 3, 5, 8, 13, 21, 34):
            spec = spec_of("sleep", seconds)
            task = asyncio.create_task(house.runtime.create(spec))
            await _pass_turns(turns)
            task.cancel()
            try:
                await task
                kept.add(spec.id)
            except asyncio.CancelledError:
                continue
        await _known_are(house, kept)
        await eventually(
            lambda: len(processes(seconds)) == len(kept), "the programs to be those of the weavers"
        )
        assert all(house.runtime.get(weaver_id).active for weaver_id in kept)


async def _pass_turns(turns: int) -> None:
    for turn in range(turns):
        # The first turns are the loop's own, then time passes for threads and other processes.
        await asyncio.sleep(0 if turn < 5 else 0.0005)


async def _known_are(house: House, weaver_ids: set[str]) -> None:
    known: Callable[[], set[str]] = lambda: {weaver.id for weaver in house.runtime.list()}  # noqa: E731
    await eventually(lambda: known() == weaver_ids, "the list to be what was answered")


async def test_a_path_that_is_not_there_is_refused_made_or_said(
    open_house: OpenHouse, tmp_path: Path
) -> None:
    async with open_house() as house:
        folder = str(tmp_path / "missing" / "folder")
        request = {"image": "shell", "org_id": "550e8400-e29b-41d4-a716-446655440000", "workdir": folder}
        with suppress(BadRequest):
            house.runtime.check_caps(CreateWeaver.model_validate(request))
        weaver = await house.over(await house.sh("pwd", workdir=folder))
        if weaver.reason == "StartError":
            assert folder in (weaver.detail or "")
        else:
            assert (await house.log(weaver.id)).texts == [folder]
