"""The server that `loom-weaver login` has stored: its URL and key, in a file that only its owner reads."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from loom_weaver.errors import BadRequest


@dataclass(frozen=True, slots=True)
class StoredLogin:
    url: str
    key: str = field(repr=False)


def login_file() -> Path:
    """`login.json` in the user's configuration folder (on Linux `~/.config/loom-weaver`)."""
    from platformdirs import user_config_path

    return user_config_path("loom-weaver") / "login.json"


def read_login() -> StoredLogin | None:
    """None where nothing is stored. Raises BadRequest for a file that others may read, or without sense."""
    path = login_file()
    try:
        with path.open(encoding="utf-8") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(64 * 1024)
    except FileNotFoundError:
        return None
    if mode & 0o077:
        raise BadRequest(f"others may read {path}: run chmod 600 {path}, and have a new key made")
    try:
        stored = json.loads(text)
        return StoredLogin(str(stored["url"]), str(stored["key"]))
    except (ValueError, TypeError, KeyError) as error:
        raise BadRequest(f"{path} holds no login; run: loom-weaver login") from error


def write_login(login: StoredLogin) -> Path:
    """Store it by rename, mode 0600 from its first byte on; returns the file."""
    path = login_file()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"url": login.url, "key": login.key}, file)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return path


def forget_login() -> bool:
    """Whether there was one."""
    try:
        login_file().unlink()
    except FileNotFoundError:
        return False
    return True
