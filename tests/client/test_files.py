"""Files and folders of a weaver, and what a server may not do with them."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from loom_weaver import Client, errors
from loom_weaver.client import NotALoomServer, Timeouts
from tests.client.made_up_server import Reply, answering
from tests.server.running import RunningServer


def test_files_go_up_and_down(client: Client, tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "inner").mkdir(parents=True)
    (source / "inner" / "a b").write_bytes(bytes(range(256)) * 9000)
    (source / "link").symlink_to("inner")
    with client.weaver("shell") as weaver:
        weaver.write_file("note.txt", "naïve")
        assert weaver.read_file("note.txt").decode() == "naïve"
        weaver.upload(source, "project")
        assert weaver.exec(["cat", "project/link/a b"]).stdout_truncated
        weaver.download("project", tmp_path / "back")
        assert (tmp_path / "back" / "link" / "a b").read_bytes() == (source / "inner" / "a b").read_bytes()
        weaver.upload(source / "inner" / "a b", "single")
        weaver.download("single", tmp_path / "single")
        assert (tmp_path / "single").read_bytes() == (source / "inner" / "a b").read_bytes()
        with pytest.raises(errors.BadRequest, match="is a folder"):
            weaver.read_file("project")
        with pytest.raises(errors.NotFound):
            weaver.download("nothing", tmp_path / "nothing")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["back", "single", "source"]


def _archive(entry: tarfile.TarInfo, *more: tarfile.TarInfo) -> bytes:
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as writer:
        for each in (entry, *more):
            writer.addfile(each, io.BytesIO(b"x" * each.size))
    return body.getvalue()


def _entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, link
    entry.size = 1 if kind == tarfile.REGTYPE else 0
    return entry


HOSTILE = {
    "../evil": _archive(_entry("fine"), _entry("../evil")),
    "/tmp/evil": _archive(_entry("/tmp/evil")),
    "out": _archive(_entry("out", tarfile.SYMTYPE, "../..")),
    "in/evil": _archive(_entry("in", tarfile.SYMTYPE, "."), _entry("in/evil")),
    "hard": _archive(_entry("hard", tarfile.LNKTYPE, "/etc/passwd")),
    "device": _archive(_entry("device", tarfile.CHRTYPE)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_file_1_nothing_of_an_archive_lands_outside(name: str, tmp_path: Path) -> None:
    reply = Reply(200, HOSTILE[name], {"Content-Type": "application/x-tar"})
    target = tmp_path / "inside" / "target"
    with (
        answering(reply) as url,
        Client(url, "loom_sk_x") as client,
        pytest.raises(errors.BadRequest, match=name),
    ):
        client.download("weaver_abc123", "folder", target)
    assert not target.exists()
    assert not Path("/tmp/evil").exists()
    assert not (tmp_path / "inside" / "evil").exists()


def test_half_a_file_is_never_left(tmp_path: Path) -> None:
    reply = Reply(200, b"half", {"Content-Type": "application/octet-stream", "Content-Length": "8"})
    with (
        answering(reply) as url,
        Client(url, "loom_sk_x", timeouts=Timeouts(retry=0.3)) as client,
        pytest.raises(errors.LoomError, match=r"the connection to .* broke"),
    ):
        client.download("weaver_abc123", "file", tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_a_terminal_follows_no_redirect(server: RunningServer) -> None:
    elsewhere = {"Location": server.websocket_url("/api/weaver/weaver_abc123/attach")}
    with (
        answering(Reply(302, b"", elsewhere)) as url,
        Client(url, "loom_sk_x") as client,
        pytest.raises(NotALoomServer, match="302 Found, to ws://"),
    ):
        next(client.attach("weaver_abc123"))


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply(302, b"", {"Location": "/login?next=%2F"}), "302 Found, to /login"),
        (Reply(200, b'{"hello": "world"}', {}), "something else than a Me"),
        (Reply(404, b"<html>", {}), "404 Not Found, not as a server with weavers does"),
    ],
)
def test_an_answer_of_something_else_is_named(reply: Reply, told: str) -> None:
    with (
        answering(reply) as url,
        Client(url, "loom_sk_x") as client,
        pytest.raises(NotALoomServer, match=told),
    ):
        client.me()
