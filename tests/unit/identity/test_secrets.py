"""Repository secrets and their key."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from loom_weaver.errors import BadRequest, LoomError, NotFound, Unavailable
from loom_weaver.identity.secret_box import SecretBox
from loom_weaver.identity.store import IdentityStore
from loom_weaver.identity.wire import Repo, SetSecret
from loom_weaver.models import LARGEST_ENVIRONMENT, LONGEST_STRING

SECRET = "hunter2-XYZ"


@pytest.fixture
def repo(run: Any, store: IdentityStore) -> Repo:
    return run(store.repos.create(run(store.orgs.create("lab")).id, "code"))


def test_secrets_come_back_as_they_went_in(run: Any, store: IdentityStore, repo: Repo, clock: Any) -> None:
    values = {"PW": SECRET, "EMPTY": "", "_x1": "é\n$(HOME) 日本 👩‍👧"}
    for name, value in values.items():
        run(store.secrets.set(repo.id, name, value))
    assert run(store.secrets.values(repo.id)) == values
    clock.advance(hours=1)
    run(store.secrets.set(repo.id, "PW", "changed"))
    run(store.secrets.delete(repo.id, "EMPTY"))
    names = run(store.secrets.list_names(repo.id))
    assert [name.model_dump(mode="json") for name in names] == [
        {"name": "PW", "updated_at": "2026-03-03T13:00:00Z"},
        {"name": "_x1", "updated_at": "2026-03-03T12:00:00Z"},
    ]
    assert run(store.secrets.values(repo.id))["PW"] == "changed"
    with pytest.raises(NotFound):
        run(store.secrets.delete(repo.id, "EMPTY"))
    assert run(store.secrets.values("repo_other")) == {}


def test_secrets_are_encrypted_at_rest(run: Any, store: IdentityStore, repo: Repo, tmp_path: Path) -> None:
    run(store.secrets.set(repo.id, "PW", SECRET))
    run(store.aclose())
    assert SECRET.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "A\n", "é", "A=B", "A\0", "A\ud800", "A" * 256])
def test_a_secret_has_the_name_of_a_variable(run: Any, store: IdentityStore, repo: Repo, name: str) -> None:
    assert _refused_field(run, store.secrets.set(repo.id, name, SECRET)) == "name"


@pytest.mark.parametrize("value", [SECRET + "\0", SECRET + "\ud800", SECRET + "x" * LONGEST_STRING])
def test_a_secret_has_a_value_that_fits_a_variable(
    run: Any, store: IdentityStore, repo: Repo, value: str
) -> None:
    assert _refused_field(run, store.secrets.set(repo.id, "PW", value)) == "value"


def _refused_field(run: Any, call: Any) -> str:
    with pytest.raises(BadRequest) as refusal:
        run(call)
    errors: list[BaseException | None] = [refusal.value]
    while (error := errors[-1]) is not None:
        assert SECRET not in f"{error} {error!r}"
        errors.append(error.__cause__)
    return refusal.value.details[0].field


def test_sizes_are_exact(run: Any, store: IdentityStore, repo: Repo) -> None:
    longest = "é" * ((LONGEST_STRING - len("A=")) // 2)
    run(store.secrets.set(repo.id, "A", longest + "x"))
    with pytest.raises(BadRequest, match=f"{LONGEST_STRING + 1}"):
        run(store.secrets.set(repo.id, "A", longest + "xx"))
    # With its NUL, each takes half of what all may take.
    run(store.secrets.set(repo.id, "B", "x" * (LARGEST_ENVIRONMENT // 2 - len("B=") - 1)))
    with pytest.raises(BadRequest, match="together"):
        run(store.secrets.set(repo.id, "C", ""))
    run(store.secrets.set(repo.id, "B", SECRET))
    run(store.secrets.set(repo.id, "C", ""))
    assert run(store.secrets.values(repo.id)) == {"A": longest + "x", "B": SECRET, "C": ""}


def test_a_body_with_a_secret_does_not_show_it() -> None:
    assert SECRET not in repr(SetSecret(value=SECRET))


def test_the_key_file_is_private(store: IdentityStore, tmp_path: Path) -> None:
    assert (tmp_path / "secrets.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir() if "key" in path.name] == ["secrets.key"]


def test_a_key_file_that_others_may_read_is_refused(store: IdentityStore, tmp_path: Path) -> None:
    (tmp_path / "secrets.key").chmod(0o640)
    with pytest.raises(Unavailable, match="chmod 600"):
        SecretBox.in_data_dir(tmp_path)


@pytest.mark.parametrize("content", [b"", b"short", b"\xff\xfe\n"])
def test_a_key_file_without_a_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "given.key"
    path.write_bytes(content)
    with pytest.raises(Unavailable, match="Fernet"):
        SecretBox.from_file(path)
    with pytest.raises(Unavailable, match="No such file"):
        SecretBox.from_file(tmp_path / "missing")
    with pytest.raises(Unavailable, match="cannot be made"):
        SecretBox.in_data_dir(tmp_path / "missing")


def test_with_another_key_a_secret_says_what_to_do(
    run: Any, store: IdentityStore, repo: Repo, tmp_path: Path, database_url: str
) -> None:
    run(store.secrets.set(repo.id, "PW", SECRET))
    old = (tmp_path / "secrets.key").read_bytes()
    given = tmp_path / "given.key"

    async def read() -> dict[str, str]:
        opening = IdentityStore.open(tmp_path, url=database_url, secrets_key_file=str(given))
        async with await opening as opened:
            return await opened.secrets.values(repo.id)

    given.write_bytes(Fernet.generate_key())
    with pytest.raises(LoomError, match="set the secret again"):
        run(read())
    given.write_bytes(Fernet.generate_key() + b"\n" + old)
    assert run(read()) == {"PW": SECRET}


def test_servers_that_start_at_once_share_one_key(tmp_path: Path) -> None:
    servers = 8
    barrier = threading.Barrier(servers)

    def encrypt(folder: Path) -> str:
        barrier.wait()
        return SecretBox.in_data_dir(folder).encrypt(SECRET)

    with ThreadPoolExecutor(servers) as pool:
        for number in range(50):
            folder = tmp_path / str(number)
            folder.mkdir()
            encrypted = list(pool.map(encrypt, [folder] * servers))
            box = SecretBox.in_data_dir(folder)
            assert {box.decrypt(text) for text in encrypted} == {SECRET}
            assert os.listdir(folder) == ["secrets.key"]
