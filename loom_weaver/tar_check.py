"""What an uploaded tar archive may hold, decided before any of it is unpacked."""

from __future__ import annotations

import posixpath
import tarfile
from typing import IO

from loom_weaver.errors import BadRequest, PayloadTooLarge

NO_TAR = "The body is no whole tar archive; send an uncompressed one, as `tar -c` makes it"


def check_archive(archive: IO[bytes], max_bytes: int) -> None:
    """Raise BadRequest naming the first entry that could write outside the folder it is unpacked into.

    Blocking: it reads every header. `max_bytes` also bounds what it would unpack to, holes and all.
    """
    links: set[str] = set()
    total = 0
    try:
        with tarfile.open(fileobj=archive, mode="r:") as reader:
            while (entry := reader.next()) is not None:
                # The reader remembers them all, of which there may be millions.
                reader.members = []  # type: ignore[attr-defined]
                _check_entry(entry, links)
                total += max(entry.size, 0)
                if total > max_bytes:
                    raise PayloadTooLarge(f"The archive unpacks to more than {max_bytes} bytes; send less")
    except (tarfile.TarError, EOFError, UnicodeError, OverflowError) as error:
        raise BadRequest(NO_TAR) from error


def _check_entry(entry: tarfile.TarInfo, links: set[str]) -> None:
    """`links` are the symbolic links so far: what follows must not go through them."""
    _check_path(entry.name, "its name", entry)
    path = posixpath.normpath(entry.name)
    if any(parent in links for parent in _parents(path)):
        raise _refused(entry, "leads through an earlier link")
    if entry.issym():
        _check_link(entry, path)
        links.add(path)
    elif entry.islnk():
        _check_path(entry.linkname, "its link", entry)
        target = posixpath.normpath(entry.linkname)
        if target in links or any(parent in links for parent in _parents(target)):
            raise _refused(entry, "leads through an earlier link")
    elif not (entry.isreg() or entry.isdir()):
        raise _refused(entry, "is neither file, folder nor link")
    elif path in links:
        raise _refused(entry, "stands where an earlier link does")


def _check_path(path: str, what: str, entry: tarfile.TarInfo) -> None:
    if path.startswith("/"):
        raise _refused(entry, f"{what} is absolute")
    if ".." in path.split("/"):
        raise _refused(entry, f"{what} holds ..")
    if "\0" in path:
        raise _refused(entry, f"{what} holds a NUL")


def _check_link(entry: tarfile.TarInfo, path: str) -> None:
    """Up first and then down: behind a name that may itself be a link, `..` could lead anywhere."""
    steps = [step for step in entry.linkname.split("/") if step not in ("", ".")]
    up = next((count for count, step in enumerate(steps) if step != ".."), len(steps))
    if entry.linkname.startswith("/") or ".." in steps[up:] or up > path.count("/"):
        raise _refused(entry, "leads outside over a link")


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def _refused(entry: tarfile.TarInfo, why: str) -> BadRequest:
    name = entry.name.encode("utf-8", "replace").decode()
    return BadRequest(f"the archive's entry {name[:200]!r} {why}; leave it out", field="body")
