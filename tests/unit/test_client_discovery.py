"""Which server is called, and with which key."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loom_weaver.client import NoServer
from loom_weaver.client.discovery import find_server, split_url
from loom_weaver.client.login import StoredLogin, forget_login, login_file, read_login, write_login
from loom_weaver.errors import BadRequest

URL, KEY = "http://127.0.0.1:8999", "loom_sk_secret"
Place = Callable[..., None]


@pytest.fixture(autouse=True)
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No login is stored, and no server runs."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))


@pytest.fixture
def jupyter_runs(tmp_path: Path) -> Place:
    """Writes the file of a Jupyter server."""

    def write(pid: int = os.getpid(), **info: Any) -> None:
        folder = tmp_path / "runtime"
        folder.mkdir(exist_ok=True)
        told = {
            "pid": pid,
            "url": "http://localhost:8888/base/",
            "hostname": "localhost",
            "token": "jt",
            **info,
        }
        (folder / f"jpserver-{pid}.json").write_text(json.dumps(told))

    return write


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("http://h:1/", ("http://h:1", None)),
        ("https://h/user/ada/lab?token=t", ("https://h/user/ada", "t")),
        ("http://h:1/lab/tree/a/b.ipynb", ("http://h:1", None)),
        ("http://h:1/user/lab/lab", ("http://h:1/user/lab", None)),
        ("http://h:1/a%40b/tree?token=t&x=y", ("http://h:1/a%40b", "t")),
        (" http://h:1/?token=t\n", ("http://h:1", "t")),
    ],
)
def test_what_people_paste(text: str, parts: tuple[str, str | None]) -> None:
    assert split_url(text) == parts


@pytest.mark.parametrize("text", ["", "127.0.0.1:8999", "ftp://h", "http://", "http://ada:secret@h"])
def test_what_is_no_url(text: str) -> None:
    with pytest.raises(BadRequest) as told:
        split_url(text)
    assert "secret" not in told.value.message


def test_what_is_given_comes_first() -> None:
    server = find_server(URL, KEY, {"LOOM_WEAVER_URL": "http://other", "LOOM_WEAVER_API_KEY": "k"})
    assert (server.url, server.key) == (URL, KEY)
    assert KEY not in repr(server)


def test_the_environment_comes_before_all_that_is_found(jupyter_runs: Place) -> None:
    jupyter_runs()
    write_login(StoredLogin("http://stored", "k"))
    environ = {"LOOM_WEAVER_URL": URL + "/", "LOOM_WEAVER_API_KEY": KEY}
    server = find_server(environ=environ)
    assert (server.url, server.key, server.found_by) == (URL, KEY, "LOOM_WEAVER_URL")


def test_a_key_goes_only_where_it_belongs() -> None:
    environ = {"LOOM_WEAVER_URL": URL, "LOOM_WEAVER_API_KEY": KEY}
    assert find_server(URL, environ=environ).key == KEY
    with pytest.raises(NoServer, match="no key is known for http://elsewhere"):
        find_server("http://elsewhere", environ=environ)
    write_login(StoredLogin(URL, "stored"))
    assert find_server(URL, environ={}).key == "stored"
    with pytest.raises(NoServer):
        find_server("http://elsewhere", environ={})
    assert find_server("http://elsewhere", environ={"LOOM_WEAVER_API_KEY": KEY}).key == KEY


def test_a_kernel_finds_its_server_among_several(jupyter_runs: Place) -> None:
    jupyter_runs(os.getppid(), url="http://localhost:1/")
    jupyter_runs(token="mine")
    server = find_server(environ={"JPY_PARENT_PID": str(os.getpid())})
    assert (server.url, server.key) == ("http://localhost:8888/base", "mine")


def test_a_server_that_listens_everywhere_is_called_here(jupyter_runs: Place) -> None:
    jupyter_runs(hostname="0.0.0.0", url="http://a-name-of-no-host:8888/")
    assert find_server(environ={}).url == "http://127.0.0.1:8888"


def test_under_a_hub_a_kernel_has_the_hubs_token(jupyter_runs: Place) -> None:
    environ = {
        "JPY_PARENT_PID": str(os.getpid()),
        "JUPYTERHUB_API_TOKEN": "hub-token",
        "JUPYTERHUB_SERVICE_URL": "http://0.0.0.0:8888/user/ada/",
    }
    server = find_server(environ=environ)
    assert (server.url, server.key) == ("http://127.0.0.1:8888/user/ada", "hub-token")
    jupyter_runs(token="")
    assert find_server(environ=environ).key == "hub-token"


def test_one_server_is_found_several_are_named(jupyter_runs: Place) -> None:
    jupyter_runs()
    assert find_server(environ={}).found_by == f"the Jupyter server with pid {os.getpid()}"
    jupyter_runs(os.getppid(), url="http://localhost:1/")
    with pytest.raises(NoServer, match=r"http://localhost:1, .*http://localhost:8888/base|8888/base, .*:1"):
        find_server(environ={})


def test_a_server_that_ended_is_not_found(jupyter_runs: Place) -> None:
    jupyter_runs(2**22 + 1)
    with pytest.raises(NoServer, match="loom-weaver login"):
        find_server(environ={})


def test_a_login_is_its_owners_alone() -> None:
    assert read_login() is None
    path = write_login(StoredLogin(URL, KEY))
    assert path == login_file()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["login.json"]
    assert read_login() == StoredLogin(URL, KEY)
    assert KEY not in repr(read_login())
    assert find_server(environ={}).found_by == "loom-weaver login"
    assert forget_login()
    assert not forget_login()


def test_a_login_that_others_may_read_is_refused() -> None:
    path = write_login(StoredLogin(URL, KEY))
    path.chmod(0o644)
    with pytest.raises(BadRequest, match="chmod 600"):
        read_login()
    path.chmod(0o600)
    path.write_text("[1]")
    with pytest.raises(BadRequest, match="holds no login"):
        read_login()
