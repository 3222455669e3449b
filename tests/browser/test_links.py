"""Terminals and logs over links that break, near the end of a lifetime, and without a secure context."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.aged_runtime import AGE
from tests.browser.cut_proxy import network_to
from tests.browser.running_lab import CHROMIUM, FLAGS, Labs, serving_lab, telling
from tests.browser.views import (
    LOG,
    TERMINAL,
    begin,
    interrupt,
    open_log,
    open_terminal,
    run,
    terminal,
    text,
    wait_for_prompt,
    wait_for_text,
)
from tests.server.running import RunningServer

Create = Callable[..., dict[str, Any]]
ROOT = Path(__file__).parent.parent.parent
# Its pages have no clipboard API, as those of a server that people reach by plain HTTP.
HOST = "lab.test"
ODD_CONFIG = f"""\
import sys
sys.path.insert(0, {str(ROOT)!r})
c.LoomWeaverApp.runtime = "tests.browser.aged_runtime.AgedRuntime"
c.ServerApp.local_hostnames = ["localhost", {HOST!r}]
"""
PLAIN_HTTP = [f"--host-resolver-rules=MAP {HOST} 127.0.0.1", "--disable-features=HttpsUpgrades"]
# Something to happen while nobody looks.
LATE = "echo wait$((1+1)); while [ ! -e go ]; do sleep 0.1; done; echo came $((6*7))"


@pytest.fixture(scope="module")
def odd_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("odd")


@pytest.fixture(scope="module")
def odd_server(odd_folder: Path) -> Iterator[RunningServer]:
    with serving_lab(odd_folder, config=ODD_CONFIG) as server:
        yield server
        if server.process.poll() is None:
            server.delete_all_weavers()


@contextmanager
def pages_of(browser: Browser, server: RunningServer, port: int | None = None) -> Iterator[Labs]:
    """Pages that reach `server` over another `port`, if there is one."""
    place = urlsplit(server.url)
    url = server.url.replace(place.netloc, f"127.0.0.1:{port}") if port else server.url
    labs = Labs(browser, replace(server, url=url))
    try:
        yield labs
    finally:
        labs.close()
    assert not labs.thrown


def make(server: RunningServer, **fields: Any) -> str:
    with server.http() as http:
        org_id = http.get("/api/weavers/me").json()["default_org_id"]
        reply = http.post("/api/weaver", json={"image": "shell", "org_id": org_id, **fields})
        assert reply.status_code == 201, reply.text
        return str(reply.json()["id"])


def let_go(server: RunningServer, weaver_id: str) -> None:
    with server.http() as http:
        assert http.put(f"/api/weaver/{weaver_id}/files?path=go", content=b"").status_code == 204


def wait_for_state(page: Page, weaver_id: str, *states: str) -> Locator:
    view = terminal(page, weaver_id)
    expect(view).to_have_attribute("data-state", re.compile("|".join(states)))
    return view


def refuses_keys(page: Page, weaver_id: str) -> None:
    with telling(page, "Not connected: what you type is not sent"):
        terminal(page, weaver_id).locator(".xterm-helper-textarea").press_sequentially("touch typed\n")


def test_a_cut_network(browser: Browser, server: RunningServer, create: Create) -> None:
    """It is seen that nothing comes; afterwards all is there, once, and nothing was typed blindly."""
    weaver_id = create()["id"]
    port = urlsplit(server.url).port
    assert port
    with network_to(port) as network, pages_of(browser, server, network.port) as labs:
        page = labs.open()
        open_terminal(page, weaver_id)
        run(page, weaver_id, "echo $((40+1))", "41")
        begin(page, weaver_id, LATE, "wait2")
        network.cut()
        wait_for_state(page, weaver_id, "waiting", "connecting")
        refuses_keys(page, weaver_id)
        let_go(server, weaver_id)
        network.mend()
        wait_for_state(page, weaver_id, "connected")
        wait_for_text(page, weaver_id, "^came 42$")
        page.locator(f"#{TERMINAL}-{weaver_id} .xterm-screen").click()
        run(page, weaver_id, "ls; echo $((40+3))", "43")
        lines = text(page, weaver_id).splitlines()
        assert [lines.count(line) for line in ("41", "came 42", "typed")] == [1, 1, 0]


def test_the_end_is_near(browser: Browser, odd_server: RunningServer) -> None:
    """A countdown, and one click for an hour more."""
    with pages_of(browser, odd_server) as labs:
        page = labs.open()
        weaver_id = make(odd_server, lifetime_hours=1, tags={AGE: "52"})
        view = open_terminal(page, weaver_id)
        expect(view.get_by_text(re.compile(r"^Ends in [4-7]:[0-5]\d$"))).to_be_visible()
        view.get_by_role("button", name="Extend by 1 hour").click()
        expect(view.get_by_text("Ends in")).to_be_hidden()
    with odd_server.http() as http:
        assert http.get(f"/api/weaver/{weaver_id}").json()["lifetime_hours"] == 2


def test_a_weaver_that_cannot_live_longer_offers_nothing(browser: Browser, odd_server: RunningServer) -> None:
    """Of two whose end is near, one has its 48 hours."""
    with pages_of(browser, odd_server) as labs:
        page = labs.open()
        make(odd_server, lifetime_hours=48, tags={"name": "oldest", AGE: str(48 * 60 - 9)})
        make(odd_server, lifetime_hours=1, tags={"name": "short", AGE: "51"})
        for name in ("oldest", "short"):
            expect(page.get_by_text(re.compile(rf"^Weaver {name} ends in [4-9] min\.$"))).to_be_visible()
        notices = page.locator(".jp-Notification-List, .Toastify").last
        expect(notices.get_by_role("button", name="Extend by 1 h")).to_have_count(1)


def test_copy_and_paste_without_a_secure_context(browser: Browser, odd_server: RunningServer) -> None:
    weaver_id = make(odd_server)
    place = urlsplit(odd_server.url)
    server = replace(odd_server, url=odd_server.url.replace("127.0.0.1", HOST))
    assert place.hostname == "127.0.0.1"
    plain = browser.browser_type.launch(executable_path=CHROMIUM, args=[*FLAGS, *PLAIN_HTTP])
    with pages_of(plain, server) as labs:
        page = labs.open()
        assert not page.evaluate("isSecureContext")
        view = open_terminal(page, weaver_id)
        run(page, weaver_id, "clear; echo $((1000+337))leet", "1337leet")
        view.locator(".xterm-screen").dblclick(position={"x": 20, "y": 8})
        page.keyboard.press("Control+c")
        page.keyboard.type("echo got ")
        page.keyboard.press("Control+v")
        wait_for_text(page, weaver_id, "echo got 1337leet$")
        page.keyboard.press("Enter")
        wait_for_text(page, weaver_id, "^got 1337leet$")
        wait_for_prompt(page, weaver_id)
        interrupt(page, weaver_id)
        run(page, weaver_id, "echo $((40+2))", "42")
        log = open_log(page, weaver_id)
        wait_for_text(page, weaver_id, "^42$", LOG)
        with telling(page, "Copied"):
            log.get_by_role("button", name="Copy").click()
    plain.close()


def test_a_killed_server(browser: Browser, odd_server: RunningServer, odd_folder: Path) -> None:
    """The last test of this file: its server is another one afterwards."""
    with pages_of(browser, odd_server) as labs:
        weaver_id = make(odd_server)
        page = labs.open()
        open_log(page, weaver_id)
        open_terminal(page, weaver_id, mode="split-right")
        run(page, weaver_id, "echo $((40+1))", "41")
        begin(page, weaver_id, LATE, "wait2")
        wait_for_text(page, weaver_id, "^wait2$", LOG)
        # JupyterLab asks for a server of its own as well, and stands before the terminal then.
        lost = page.get_by_role("dialog").filter(has_text="Server Connection Error")
        page.add_locator_handler(lost, lambda dialog: dialog.get_by_role("button").first.click())
        odd_server.kill()
        wait_for_state(page, weaver_id, "waiting")
        expect(page.get_by_text("The connection broke; trying again")).to_be_visible()
        refuses_keys(page, weaver_id)
        with serving_lab(odd_folder, config=ODD_CONFIG, port=urlsplit(odd_server.url).port) as again:
            wait_for_state(page, weaver_id, "connected")
            let_go(again, weaver_id)
            for kind in (TERMINAL, LOG):
                wait_for_text(page, weaver_id, "^came 42$", kind)
                lines = text(page, weaver_id, kind).splitlines()
                assert [lines.count(line) for line in ("41", "came 42", "typed")] == [1, 1, 0]
            again.delete_all_weavers()
