"""JupyterLab as a user runs it, in a process of its own, and its page in a browser."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, BrowserContext, Page, Route, WebError

from tests.server.running import JUPYTER_TOKEN, RunningServer, free_port, server_environment, wait_for

# As a hub's proxy has it, with characters that have to be encoded.
BASE_URL = "/user/a%40b.org/x%20y/"
CONFIG = """\
c.ServerApp.base_url = {base_url!r}
c.ServerApp.root_dir = {root_dir!r}
c.ServerApp.allow_root = True
c.ServerApp.open_browser = False
c.LabApp.expose_app_in_browser = True
c.JupyterNotebookApp.expose_app_in_browser = True
c.LabApp.extension_manager = "readonly"
c.LoomWeaverApp.data_dir = {data_dir!r}
c.WeaverService.allow_unisolated = True
"""
# Nobody is to be asked whether they want news, nor is anything fetched from far away.
QUIET = {"fetchNews": "false", "checkForUpdates": False}
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# A cold Lab on a busy machine.
PATIENCE_MS = 90_000
# Seconds, for its server.
LONGEST_START = 180
# Its URL has `@loom` encoded or not.
OUR_BUNDLE = "loom/weaver-lab/static"
# All words that come into the page from now on.
LISTEN = """() => {
  const heard = [];
  const listener = new MutationObserver(records => {
    records.forEach(record => record.addedNodes.forEach(node => heard.push(node.textContent)));
  });
  listener.observe(document.body, {childList: true, subtree: true});
  return heard;
}"""
OWN_API = ("/api/weaver", "/api/orgs", "/api/users", "/api/keys", "/auth/ws-token")


@contextmanager
def serving_lab(
    folder: Path, *, base_url: str = BASE_URL, config: str = "", port: int | None = None
) -> Iterator[RunningServer]:
    """`jupyter lab` with weavers of its own (Notebook 7 is at `/tree`); all that it writes stays in `folder`.

    Called again with the same folder, it is the same server started again.
    """
    port = port or free_port()
    data_dir, root_dir = folder / "weavers", folder / "notebooks"
    root_dir.mkdir(parents=True, exist_ok=True)
    env = server_environment(data_dir)
    config_dir = Path(env["JUPYTER_CONFIG_DIR"])
    settings = config_dir / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(QUIET))
    text = CONFIG.format(base_url=base_url, root_dir=str(root_dir), data_dir=str(data_dir)) + config
    (config_dir / "jupyter_server_config.py").write_text(text)
    log_file = folder / "lab.log"
    command = [sys.executable, "-m", "jupyter", "lab", "--port", str(port), "--ServerApp.port_retries=0"]
    with log_file.open("ab") as log:
        process = subprocess.Popen(command, env=env, cwd=root_dir, stdout=log, stderr=log)
    server = RunningServer(f"http://127.0.0.1:{port}{base_url.rstrip('/')}", data_dir, process, log_file)
    try:
        wait_for(lambda: _answers(server), "JupyterLab to be ready", patience=LONGEST_START)
        yield server
    finally:
        for client in server.clients:
            client.close()
        if process.poll() is None:
            server.stop()


def _answers(server: RunningServer) -> bool:
    assert server.process.poll() is None, f"the server ended:\n{server.log()}"
    try:
        # 404: a test has left the extension out.
        return httpx.get(f"{server.url}/health").status_code in (200, 404)
    except httpx.TransportError:
        return False


@dataclass
class Labs:
    """Opens pages of one server, each with a profile of its own; what our code threw in them is kept."""

    browser: Browser
    server: RunningServer
    contexts: list[BrowserContext] = field(default_factory=list)
    thrown: list[str] = field(default_factory=list)

    def context(self, *, key: str | None = None, **options: Any) -> BrowserContext:
        """A profile; with an API `key`, the server extension takes its pages for that key's user."""
        context = self.browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        context.set_default_timeout(PATIENCE_MS)
        context.on("weberror", self._note)
        if key:
            context.route(
                lambda url: any(path in url for path in OWN_API), lambda route: _as_user(route, key)
            )
        self.contexts.append(context)
        return context

    def open(self, context: BrowserContext | None = None, path: str = "/lab", **options: Any) -> Page:
        """JupyterLab in a page, ready for the keyboard."""
        page = (context or self.context(**options)).new_page()
        page.goto(f"{self.server.url}{path}?token={JUPYTER_TOKEN}&reset")
        wait_for_lab(page)
        return page

    def _note(self, error: WebError) -> None:
        stack = error.error.stack or ""
        if OUR_BUNDLE in stack:
            self.thrown.append(stack)

    def close(self) -> None:
        for context in self.contexts:
            context.close()
        self.contexts.clear()


def _as_user(route: Route, key: str) -> None:
    route.continue_(headers={**route.request.headers, "authorization": f"Bearer {key}"})


def wait_for_lab(page: Page) -> None:
    """Until all plugins are started, and the launcher has taken the keyboard's focus, which it does late."""
    page.wait_for_function("window.jupyterapp && window.jupyterapp.started")
    page.evaluate("async () => { await window.jupyterapp.started; await window.jupyterapp.restored; }")
    page.locator("#main").first.wait_for()
    page.locator("#jupyterlab-splash").wait_for(state="detached")


def execute(page: Page, command: str, args: dict[str, Any] | None = None) -> None:
    """Run one of Lab's commands, and wait for it."""
    script = "async ([command, args]) => { await window.jupyterapp.commands.execute(command, args); }"
    page.evaluate(script, [command, args or {}])


def execute_later(page: Page, command: str) -> None:
    """Begin one that waits for an answer."""
    page.evaluate("command => { window.jupyterapp.commands.execute(command); }", command)


def set_theme(page: Page, name: str) -> None:
    execute(page, "apputils:change-theme", {"theme": name})
    page.locator(f"body[data-jp-theme-name='{name}']").wait_for(state="attached")


@contextmanager
def settings(server: RunningServer, plugin: str, values: dict[str, Any]) -> Iterator[None]:
    """Pages that are opened meanwhile have these settings of `@loom/weaver-lab:PLUGIN`."""
    own = server.data_dir.parent / f"{server.data_dir.name}-jupyter" / "config" / "lab" / "user-settings"
    file = own / "@loom" / "weaver-lab" / f"{plugin}.jupyterlab-settings"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(values))
    try:
        yield
    finally:
        file.unlink()


@contextmanager
def telling(page: Page, words: str) -> Iterator[None]:
    """What the block does makes the page say `words`, for however short a while."""
    heard = page.evaluate_handle(LISTEN)
    yield
    page.wait_for_function("([heard, words]) => heard.some(text => text.includes(words))", arg=[heard, words])


def violations(page: Page, selector: str) -> list[str]:
    """What axe finds wrong below `selector`."""
    page.add_script_tag(path=str(AXE))
    found: list[dict[str, Any]] = page.evaluate(
        "async selector => (await window.axe.run(selector)).violations", selector
    )
    return [f"{each['id']}: {[node['html'] for node in each['nodes']]}" for each in found]


AXE = (
    Path(os.path.dirname(__file__)).parent.parent
    / "labextension"
    / "node_modules"
    / "axe-core"
    / "axe.min.js"
)
