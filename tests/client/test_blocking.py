"""The client without `await`: written by a script, in notebooks, from threads."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from loom_weaver import AsyncClient, Client
from loom_weaver.client import ConnectionFailed
from scripts.blocking import PAGE, written
from tests.server.running import JUPYTER_TOKEN, People, RunningServer, server_environment, wait_for

ROOT = Path(__file__).parent.parent.parent


def test_it_is_what_the_script_writes() -> None:
    assert PAGE.read_text() == written(), "run: python scripts/blocking.py"


def test_each_asynchronous_method_has_its_face() -> None:
    public = {name for name in vars(AsyncClient) if not name.startswith("_")} - {"aclose"}
    assert public <= set(vars(Client))


async def test_it_works_inside_a_running_loop(client: Client) -> None:
    with client.weaver("shell") as weaver:
        assert weaver.exec(["echo", "hi"]).stdout == "hi\n"


def test_threads_share_one_client(client: Client) -> None:
    with client.weaver("shell") as weaver, ThreadPoolExecutor(16) as pool:
        weaver.wait()
        ran = pool.map(lambda n: weaver.exec(["echo", str(n)]).stdout, range(64))
        assert [int(text) for text in ran] == list(range(64))
        assert {found.id for found in pool.map(lambda _: client.get(weaver.id), range(32))} == {weaver.id}


def test_a_closed_client_says_so_also_to_who_waits(server: RunningServer, people: People) -> None:
    client = Client(server.url, people.owner.key)
    made = client.create("shell", command=["sleep", "1000"])
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(client.wait, made.id, "ended")
        wait_for(lambda: client.get(made.id).status == "running", "the weaver to run")
        client.close()
        with pytest.raises(ConnectionFailed):
            waiting.result(20)
    with pytest.raises(ConnectionFailed, match="is closed"):
        client.me()
    client.close()
    with Client(server.url, people.owner.key) as another:
        another.delete(made.id)


def test_a_client_that_nobody_closes_leaves_no_thread(server: RunningServer, people: People) -> None:
    before = threading.active_count()
    client = Client(server.url, people.owner.key)
    client.me()
    assert threading.active_count() > before
    del client
    gc.collect()
    wait_for(lambda: threading.active_count() <= before, "its thread to end")


IN_A_KERNEL = """
import json
from loom_weaver import Client
client = Client()
print(json.dumps([client.url, client.me().user["name"]]))
"""


def test_a_kernel_finds_the_server_that_started_it(server: RunningServer) -> None:
    """As jupyter_client starts a kernel: with the pid of the server, and none of its tokens."""
    inherited = server_environment(server.data_dir) | {"JPY_PARENT_PID": str(server.process.pid)}
    environment = {name: value for name, value in inherited.items() if name != "JUPYTER_TOKEN"}
    run = subprocess.run(
        [sys.executable, "-c", IN_A_KERNEL], env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(run.stdout) == [server.url, "local"]
    assert JUPYTER_TOKEN not in run.stdout + run.stderr


def test_importing_it_is_light() -> None:
    """Without what a server needs; how long it takes is measured by the benchmarks."""
    program = "import sys; from loom_weaver import AsyncClient, Client; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in run.stdout.split()}
    heavy = {"jupyter_server", "kubernetes", "sqlalchemy", "tornado", "traitlets", "IPython"}
    assert not loaded & heavy
    assert "httpx" in loaded


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_after_a_fork_it_says_that_a_new_one_is_needed(client: Client) -> None:
    client.me()
    child = os.fork()
    if child == 0:
        try:
            client.me()
        except RuntimeError as error:
            os._exit(0 if "make a new one" in str(error) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
