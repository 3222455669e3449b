"""`loom-weaver cp`, with docker's rules for where a copy lands."""

from __future__ import annotations

import io
import os
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.cli.command_line import CommandLine
from tests.made_up_weavers import weaver

WEAVER = "weaver_0123456789abcdef"


@pytest.fixture
def box(cli: CommandLine) -> str:
    cli.new("sleep 1000", "--name", "box")
    return "box"


def listed(cli: CommandLine) -> list[str]:
    return sorted(cli.ok("exec", "box", "--", "find", ".", "-type", "f").split())


def test_a_file_there_and_back(cli: CommandLine, box: str) -> None:
    data = os.urandom(300_000)
    (cli.home / "data").write_bytes(data)
    cli.ok("cp", "data", "box:")
    cli.ok("cp", "data", "box:renamed")
    cli.ok("exec", "box", "--", "mkdir", "folder")
    cli.ok("cp", "data", "box:folder")
    assert listed(cli) == ["./data", "./folder/data", "./renamed"]
    cli.ok("cp", "box:folder/data", "back")
    assert (cli.home / "back").read_bytes() == data
    (cli.home / "into").mkdir()
    cli.ok("cp", "box:renamed", "into")
    assert (cli.home / "into" / "renamed").read_bytes() == data


def test_a_folder_there_and_back(cli: CommandLine, box: str) -> None:
    (cli.home / "src" / "deep").mkdir(parents=True)
    (cli.home / "src" / "deep" / "file é").write_text("x")
    cli.ok("cp", "src", "box:new")
    cli.ok("cp", "src", "box:new")
    cli.ok("cp", "src/.", "box:contents")
    there = ("./new/deep/file é", "./new/src/deep/file é", "./contents/deep/file é")
    assert listed(cli) == sorted(" ".join(there).split())
    cli.ok("cp", "box:new", "fresh")
    assert (cli.home / "fresh" / "deep" / "file é").read_text() == "x"
    (cli.home / "there").mkdir()
    cli.ok("cp", "box:contents", "there")
    cli.ok("cp", "box:contents/.", "there")
    assert (cli.home / "there" / "contents" / "deep" / "file é").exists()
    assert (cli.home / "there" / "deep" / "file é").exists()


def entries(archive: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as reader:
        return sorted(reader.getnames())


def test_an_archive_out_and_in(cli: CommandLine, box: str) -> None:
    cli.ok("exec", "box", "--", "sh", "-c", "mkdir -p a/b c; echo x >'a/b/filé'")
    archive = cli.run("cp", "box:a/b", "-").raw
    assert entries(archive) == ["b", "b/filé"]
    assert entries(cli.run("cp", "box:a/b/.", "-").raw) == [".", "./filé"]
    assert entries(cli.run("cp", "box:a/b/filé", "-").raw) == ["filé"]
    cli.ok("cp", "-", "box:c", stdin=archive)
    assert listed(cli) == ["./a/b/filé", "./c/b/filé"]


def test_what_is_no_archive_or_has_no_place(cli: CommandLine, box: str) -> None:
    assert "nowhere" in cli.refused(4, "cp", "box:nowhere", "-")
    assert "no folder" in cli.refused(4, "cp", "-", "box:nowhere")
    assert "exactly one" in cli.refused(2, "cp", "-", "-")
    broken = cli.run("cp", "-", "box:", stdin=b"no archive, but long enough to be looked at" * 100)
    assert broken.code != 0
    assert "tar" in broken.err


def test_what_cannot_be_copied(cli: CommandLine, box: str) -> None:
    (cli.home / "file").write_text("x")
    (cli.home / "folder").mkdir()
    cli.ok("cp", "file", "box:")
    assert "nowhere" in cli.refused(4, "cp", "nowhere", "box:")
    assert "nowhere" in cli.refused(4, "cp", "box:nowhere", ".")
    assert "exactly one" in cli.refused(2, "cp", "file", "other")
    assert "exactly one" in cli.refused(2, "cp", "box:file", "box:other")
    assert "is a file" in cli.refused(2, "cp", "folder", "box:file")
    assert "no folder" in cli.refused(4, "cp", "file", "box:nowhere/")
    assert "no folder" in cli.refused(4, "cp", "box:file", "nowhere/")


def hostile(*, name: str, link: str = "", device: bool = False) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        if link:
            entry.type, entry.linkname = tarfile.SYMTYPE, link
            archive.addfile(entry)
            entry = tarfile.TarInfo(f"{name}/through")
        if device:
            entry.type, entry.devmajor, entry.devminor = tarfile.CHRTYPE, 1, 3
        archive.addfile(entry)
    return made.getvalue()


@contextmanager
def answering(answer: Callable[[str], tuple[str, bytes]]) -> Iterator[str]:
    """A server that answers each path so; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, body = answer(self.path)
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - named by http.server

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "archive",
    [
        hostile(name="../evil"),
        hostile(name="/tmp/loom-evil"),
        hostile(name="evil", link="../.."),
        hostile(name="evil", device=True),
    ],
    ids=["above", "absolute", "through a link", "a device"],
)
def test_file_1_a_hostile_archive_writes_nowhere_else(tmp_path: Path, archive: bytes) -> None:
    folder = (
        b'{"exit_code":0,"stdout":"folder\\n","stderr":"","timed_out":false,'
        b'"stdout_truncated":false,"stderr_truncated":false,"warning":null}'
    )

    def answer(path: str) -> tuple[str, bytes]:
        if "/files" in path:
            return "application/x-tar", archive
        state = weaver(WEAVER).model_dump_json().encode()
        return "application/json", folder if path.endswith("/exec") else state

    home = tmp_path / "home"
    home.mkdir()
    with answering(answer) as url:
        cli = CommandLine(url, "loom_sk_x", home)
        told = cli.refused(2, "cp", f"{WEAVER}:out", "target")
    assert "evil" in told
    assert not Path("/tmp/loom-evil").exists()
    outside = [path for path in tmp_path.rglob("*") if (home / "target") not in (path, *path.parents)]
    assert outside == [home]
