"""`record.json`: all that is known of a weaver, on disk from before its process starts.

The holder writes it while it lives, the server before and after that. Environment values are never in it.
Standard library only.
"""

from __future__ import annotations

import os
import time

from loom_weaver.runtimes.local.light_json import dumps, loads
from loom_weaver.runtimes.local.protocol import RECORD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Record = dict[str, Any]
else:
    Record = dict


def timestamp(moment: float) -> str:
    """Seconds since 1970 as RFC 3339 in UTC, to the millisecond."""
    ms = int(moment * 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000)) + f".{ms % 1000:03d}Z"


def write_record(folder: str, record: Record) -> None:
    """Replace the record in one step; raises OSError, and then the old one is still whole."""
    path = f"{folder}/{RECORD}"
    descriptor = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        data = dumps(record).encode()
        while data:
            data = data[os.write(descriptor, data) :]
    finally:
        os.close(descriptor)
    os.rename(path + ".new", path)


def read_record(folder: str) -> Record:
    """Raise OSError or ValueError where there is none."""
    with open(f"{folder}/{RECORD}", "rb") as file:
        record: Record = loads(file.read())
    return record


def note(record: Record, moment: float, event: str, **changes: Any) -> None:
    """Change the record in place: the next version, with a line in its timeline."""
    record.update(changes)
    record["version"] += 1
    entry = {"at": timestamp(moment), "event": event, "detail": changes.get("detail")}
    record["timeline"] = [*record["timeline"], entry]
