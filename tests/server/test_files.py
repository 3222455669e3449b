"""Files and folders of a weaver, down and up, over a real connection."""

from __future__ import annotations

import io
import os
import socket
import tarfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest

from tests.server.running import People, Person, RunningServer, wait_for
from tests.server.terminals import shell

Create = Callable[..., dict[str, Any]]
TAR = {"Content-Type": "application/x-tar"}


@pytest.fixture
def weaver(create: Create) -> str:
    return shell(create, "exec sleep 600")


def url(weaver: str, path: str) -> str:
    return str(httpx.URL(f"/api/weaver/{weaver}/files", params={"path": path}))


def run(person: Person, weaver: str, script: str) -> str:
    body = {"command": ["sh", "-c", script]}
    answer = person.http.post(f"/api/weaver/{weaver}/exec", json=body).json()
    assert answer["exit_code"] == 0, answer
    return str(answer["stdout"])


def archive(*entries: tuple[str, bytes, bytes]) -> bytes:
    """Each entry: its name, its kind, and its content or link target."""
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as writer:
        for name, kind, content in entries:
            info = tarfile.TarInfo(name)
            info.type = kind
            if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
                info.linkname = content.decode()
            else:
                info.size = len(content)
            info.mode = 0o755
            writer.addfile(info, io.BytesIO(content))
    return body.getvalue()


def unpacked(body: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(body)) as reader:
        files = {entry.name: reader.extractfile(entry) for entry in reader if entry.isfile()}
    return {name: file.read() for name, file in files.items() if file is not None}


@pytest.mark.parametrize(
    "path", ["plain", "with blank", "-rf", "é☃", "a'b\"c$(id)`id`", "new\nline", "/tmp/absolute", "*"]
)
@pytest.mark.parametrize(
    "content", [b"", b"text\n", bytes(range(256)) * 5000], ids=["empty", "text", "binary"]
)
def test_a_file_comes_back_as_it_was_sent(owner: Person, weaver: str, path: str, content: bytes) -> None:
    reply = owner.http.put(url(weaver, path), content=content)
    assert (reply.status_code, reply.content) == (204, b"")
    reply = owner.http.get(url(weaver, path))
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "application/octet-stream")
    assert reply.content == content


def test_relative_paths_start_from_the_working_directory(owner: Person, create: Create) -> None:
    weaver = shell(create, "exec sleep 600", workdir="/tmp")
    owner.http.put(url(weaver, "here"), content=b"x")
    assert run(owner, weaver, "cat /tmp/here") == "x"
    assert owner.http.get(url(weaver, "./../tmp//here")).content == b"x"


def test_a_write_is_a_rename_that_keeps_the_mode(owner: Person, weaver: str) -> None:
    run(owner, weaver, "echo old >f; chmod 750 f; ln f same; ln -s f link")
    assert owner.http.put(url(weaver, "f"), content=b"new").status_code == 204
    assert run(owner, weaver, "cat f same; stat -c %a f; ls -A") == "newold\n750\nf\nlink\nsame\n"


def test_a_folder_is_an_archive_both_ways(owner: Person, weaver: str) -> None:
    entries = [
        ("a/", tarfile.DIRTYPE, b""),
        ("a/b", tarfile.REGTYPE, os.urandom(100_000)),
        ("a/up", tarfile.SYMTYPE, b"../c"),
        ("c", tarfile.REGTYPE, b"see"),
        ("d", tarfile.LNKTYPE, b"c"),
        ("n" * 120 + "/" + "m" * 120, tarfile.REGTYPE, "é".encode()),
    ]
    assert (
        owner.http.put(url(weaver, "made/on the way"), content=archive(*entries), headers=TAR).status_code
        == 204
    )
    assert run(owner, weaver, "cat 'made/on the way/a/up'") == "see"
    reply = owner.http.get(url(weaver, "made/on the way"))
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "application/x-tar")
    files = unpacked(reply.content)
    assert files["./a/b"] == entries[1][2]
    assert files["./" + entries[5][0]] == "é".encode()


def test_an_archive_adds_to_what_is_there(owner: Person, weaver: str) -> None:
    run(owner, weaver, "mkdir d; echo old >d/old; echo old >d/both")
    body = archive(("both", tarfile.REGTYPE, b"new"), ("new", tarfile.REGTYPE, b"new"))
    assert owner.http.put(url(weaver, "d"), content=body, headers=TAR).status_code == 204
    assert run(owner, weaver, "cd d; cat old both new") == "old\nnewnew"


def test_an_empty_archive_makes_the_folder(owner: Person, weaver: str) -> None:
    assert owner.http.put(url(weaver, "d"), content=archive(), headers=TAR).status_code == 204
    assert unpacked(owner.http.get(url(weaver, "d")).content) == {}


@pytest.mark.parametrize(
    "entries",
    [
        [("good", tarfile.REGTYPE, b"x"), ("../evil", tarfile.REGTYPE, b"x")],
        [("/tmp/evil", tarfile.REGTYPE, b"x")],
        [("evil", tarfile.SYMTYPE, b"/etc")],
        [("here", tarfile.SYMTYPE, b"a"), ("here/evil", tarfile.REGTYPE, b"x")],
        [("evil", tarfile.CHRTYPE, b"")],
        [("evil", tarfile.FIFOTYPE, b"")],
        [("evil", tarfile.LNKTYPE, b"../../x")],
    ],
)
def test_file_1_an_archive_that_leads_outside_is_refused_whole(
    owner: Person, weaver: str, entries: list[tuple[str, bytes, bytes]]
) -> None:
    before = run(owner, weaver, "ls -A . /tmp")
    reply = owner.http.put(url(weaver, "d"), content=archive(*entries), headers=TAR)
    assert (reply.status_code, reply.json()["error"]) == (400, "bad_request")
    assert "evil" in reply.json()["message"]
    assert run(owner, weaver, "ls -A . /tmp") == before


def test_what_is_no_archive(owner: Person, weaver: str) -> None:
    for body in (b"", b"no tar at all", archive(("a", tarfile.REGTYPE, b"x" * 2000))[:1500]):
        reply = owner.http.put(url(weaver, "d"), content=body, headers=TAR)
        assert (reply.status_code, reply.json()["error"]) == (400, "bad_request")


@pytest.mark.parametrize("path", ["/etc/passwd", "../x/y", "/", "/tmp/../etc", "/tmpx", "", "a\0b"])
def test_out_of_bounds(owner: Person, weaver: str, path: str) -> None:
    for reply in (owner.http.get(url(weaver, path)), owner.http.put(url(weaver, path), content=b"x")):
        assert (reply.status_code, reply.json()["error"]) == (400, "bad_request")
        assert reply.json()["details"][0]["field"] == "path"


def test_what_is_not_there_or_is_something_else(owner: Person, weaver: str) -> None:
    run(owner, weaver, "mkdir d; mkfifo p; echo x >f; ln -s gone dangling")
    for path in ("gone", "d/gone", "f/x", "dangling"):
        reply = owner.http.get(url(weaver, path))
        assert (reply.status_code, reply.json()["error"]) == (404, "not_found")
        assert path in reply.json()["message"]
    assert owner.http.get(url(weaver, "p")).status_code == 400
    assert owner.http.put(url(weaver, "d"), content=b"x").status_code == 400
    assert owner.http.put(url(weaver, "f/x"), content=b"x").status_code == 400
    assert owner.http.put(url(weaver, "gone/x"), content=b"x").status_code == 404
    assert owner.http.put(url(weaver, "f"), content=archive(), headers=TAR).status_code == 400
    assert owner.http.get(f"/api/weaver/{weaver}/files").status_code == 400
    assert owner.http.get(f"/api/weaver/{weaver}/files?path=a&path=b").status_code == 400
    assert run(owner, weaver, "ls -A d; cat f") == "x\n"


def test_a_link_out_of_bounds_leads_to_what_the_weaver_itself_sees(
    owner: Person, weaver: str, server: RunningServer
) -> None:
    """What confines the weaver confines its files."""
    run(owner, weaver, f"ln -s {server.data_dir}/identity.db link")
    assert owner.http.get(url(weaver, "link")).status_code == 404


def test_many_megabytes_stream_both_ways(owner: Person, weaver: str) -> None:
    content = os.urandom(1 << 20) * 40

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(content), 1 << 16):
            yield content[start : start + (1 << 16)]

    assert owner.http.put(url(weaver, "big"), content=pieces()).status_code == 204
    with owner.http.stream("GET", url(weaver, "big")) as reply:
        assert reply.headers["Content-Length"] == str(len(content))
        assert b"".join(reply.iter_raw()) == content


def test_a_caller_that_leaves_half_way_leaves_the_old_file_and_no_part(
    server: RunningServer, owner: Person, weaver: str
) -> None:
    run(owner, weaver, "echo old >f")
    place = httpx.URL(server.url)
    path = place.raw_path.decode() + url(weaver, "f")
    head = f"PUT {path} HTTP/1.1\r\nHost: {place.host}:{place.port}\r\nAuthorization: Bearer {owner.key}\r\n"
    with socket.create_connection((place.host, place.port)) as caller:
        caller.sendall(f"{head}Content-Length: 1000000\r\n\r\n".encode() + b"x" * 500_000)
    assert run(owner, weaver, "cat f; ls -A") == "old\nf\n"


def test_more_than_the_limit_is_413(
    start_server: Callable[..., AbstractContextManager[RunningServer]],
) -> None:
    with start_server(config="c.Files.max_bytes = 1000000") as server:
        people: People = server.add_people()
        body = {"image": "shell", "org_id": people.org_id, "command": ["sleep", "600"]}
        owner = people.owner
        weaver = owner.http.post("/api/weaver", json=body).json()["id"]

        def pieces() -> Iterator[bytes]:
            for _ in range(20):
                yield b"x" * 100_000

        for content in (b"x" * 1_000_001, pieces()):
            reply = owner.http.put(url(weaver, "f"), content=content)
            assert (reply.status_code, reply.json()["error"]) == (413, "payload_too_large")
        assert owner.http.put(url(weaver, "f"), content=b"x" * 1_000_000).status_code == 204
        run(owner, weaver, "mkdir d; head -c 1000001 /dev/urandom >d/large")
        for path in ("d", "d/large"):
            assert owner.http.get(url(weaver, path)).status_code == 413
        server.delete_all_weavers()


def test_a_weaver_that_ended_has_no_files(owner: Person, create: Create) -> None:
    weaver = shell(create, "true")
    wait_for(lambda: owner.http.get(f"/api/weaver/{weaver}").json()["status"] == "succeeded", "the end")
    assert owner.http.get(url(weaver, ".")).status_code == 409
    assert owner.http.put(url(weaver, "f"), content=b"x").status_code == 409


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_files_are_for_the_owner_and_admins(people: People, weaver: str, method: str) -> None:
    for person, status in ((people.member, 403), (people.support, 403), (people.other, 403)):
        reply = person.http.request(method, url(weaver, "f"), content=b"x" if method == "PUT" else None)
        assert reply.status_code == status
    people.admin.http.put(url(weaver, "f"), content=b"x")
    assert people.admin.http.get(url(weaver, "f")).content == b"x"
