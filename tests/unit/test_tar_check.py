"""Archives that write elsewhere are refused before anything is unpacked (FILE-1, from the server's side)."""

from __future__ import annotations

import io
import tarfile

import pytest

from loom_weaver.errors import BadRequest, PayloadTooLarge
from loom_weaver.tar_check import check_archive

Entry = tuple[str, bytes, str]
FILE, FOLDER, LINK, HARD_LINK = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE


def archive(*entries: Entry) -> io.BytesIO:
    """Each entry: its name, its kind, and its content or link target."""
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as writer:
        for name, kind, content in entries:
            info = tarfile.TarInfo(name)
            info.type = kind
            if kind in (LINK, HARD_LINK):
                info.linkname = content
                writer.addfile(info)
            else:
                info.size = len(content)
                writer.addfile(info, io.BytesIO(content.encode()))
    body.seek(0)
    return body


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [("a", FILE, "x"), ("b/", FOLDER, ""), ("b/c", FILE, "y")],
        [("./", FOLDER, ""), ("./a..b", FILE, "x"), ("./...", FILE, "x")],
        [("a/b/up", LINK, "../../c"), ("a/b/here", LINK, "./d"), ("a/same", LINK, "b")],
        [("a", FILE, "x"), ("b", HARD_LINK, "a")],
        [("a/" + "n" * 300, FILE, "x")],
        [("link", LINK, "gone"), ("link", LINK, "elsewhere")],
    ],
)
def test_archives_that_stay_inside(entries: list[Entry]) -> None:
    check_archive(archive(*entries), 1_000)


@pytest.mark.parametrize(
    "entries",
    [
        [("../evil", FILE, "x")],
        [("a/../../evil", FILE, "x")],
        [("/tmp/evil", FILE, "x")],
        [("good", FILE, "x"), ("evil", LINK, "/etc/passwd")],
        [("evil", LINK, "..")],
        [("a/evil", LINK, "../../x")],
        [("here", LINK, "."), ("evil", LINK, "here/../../x")],
        [("a/here", LINK, "b"), ("a/here/evil", FILE, "x")],
        [("here", LINK, "a"), ("here/b/evil", FOLDER, "")],
        [("evil", HARD_LINK, "/etc/passwd")],
        [("evil", HARD_LINK, "../x")],
        [("here", LINK, "a"), ("evil", HARD_LINK, "here/b")],
        [("here", LINK, "a"), ("here", FILE, "evil")],
        [("evil", tarfile.CHRTYPE, "")],
        [("evil", tarfile.BLKTYPE, "")],
        [("evil", tarfile.FIFOTYPE, "")],
    ],
)
def test_an_archive_that_leads_outside_is_refused_by_the_entry_s_name(entries: list[Entry]) -> None:
    with pytest.raises(BadRequest) as raised:
        check_archive(archive(*entries), 1_000)
    assert repr(entries[-1][0].rstrip("/")) in raised.value.message


@pytest.mark.parametrize("body", [b"", b"no tar", b"x" * 10_000])
def test_what_is_no_archive(body: bytes) -> None:
    with pytest.raises(BadRequest):
        check_archive(io.BytesIO(body), 1_000)


def test_an_archive_that_was_cut_off() -> None:
    whole = archive(("a", FILE, "x" * 5_000)).getvalue()
    with pytest.raises(BadRequest):
        check_archive(io.BytesIO(whole[:3_000]), 10_000)


def test_a_compressed_archive_is_none() -> None:
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w:gz"):
        pass
    with pytest.raises(BadRequest):
        check_archive(io.BytesIO(body.getvalue()), 1_000)


def test_what_it_unpacks_to_is_bounded() -> None:
    with pytest.raises(PayloadTooLarge):
        check_archive(archive(("a", FILE, "x" * 600), ("b", FILE, "x" * 600)), 1_000)
