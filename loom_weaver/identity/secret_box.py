"""The encryption of secrets at rest, and the key file it rests on."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from loom_weaver.errors import Unavailable

OTHERS = 0o077


class SecretBox:
    """Encrypts with the first key, decrypts with any: a new key is put in front of the old ones."""

    def __init__(self, keys: bytes) -> None:
        """Raise ValueError for what is no list of Fernet keys, one a line."""
        lines = keys.split()
        if not lines:
            raise ValueError("there is no key")
        self._fernet = MultiFernet([Fernet(line) for line in lines])

    @classmethod
    def from_file(cls, path: Path) -> SecretBox:
        try:
            return cls(path.read_bytes())
        except OSError as error:
            raise Unavailable(f"the secrets key {path} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise Unavailable(
                f"{path} holds no Fernet key; restore it, or give another file and set the secrets again"
            ) from error

    @classmethod
    def in_data_dir(cls, data_dir: Path) -> SecretBox:
        """The installation's own key, made at first use."""
        path = data_dir / "secrets.key"
        if not path.exists():
            try:
                _make_key_file(path)
            except OSError as error:
                raise Unavailable(f"the secrets key {path} cannot be made: {error.strerror}") from error
        if path.stat().st_mode & OTHERS:
            raise Unavailable(f"others may read the secrets key; run: chmod 600 {path}")
        return cls.from_file(path)

    def encrypt(self, value: str) -> str:
        return self._fernet.encrypt(value.encode()).decode()

    def decrypt(self, token: str) -> str:
        try:
            return self._fernet.decrypt(token.encode()).decode()
        except InvalidToken as error:
            raise Unavailable(
                "a secret of this repository was encrypted with another key; "
                "restore the server's secrets key, or set the secret again"
            ) from error


def _make_key_file(path: Path) -> None:
    """Appears whole or not at all; of two processes that make it at once, one wins and both read the same."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(Fernet.generate_key() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
