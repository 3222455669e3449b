"""A JupyterLab in a browser, with both kinds of terminal in one page."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Browser, Page, Response, async_playwright

from benchmarks.server import HOST, TOKEN, BenchServer
from tests.browser.running_lab import CHROMIUM, FLAGS, OUR_BUNDLE

LAB = """\
c.ServerApp.jpserver_extensions = {
    **c.ServerApp.jpserver_extensions, "jupyterlab": True, "notebook_shim": True,
}
c.LabApp.expose_app_in_browser = True
c.LabApp.extension_manager = "readonly"
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
"""
SCRIPT = Path(__file__).with_name("lab_page.js")
# An option of its core, which neither its styles nor its addons name.
XTERM = b"windowsMode"
# For a flood of 100 MB on a busy machine.
PATIENCE_MS = 300_000
VIEWPORT = {"width": 1280, "height": 800}


@dataclass
class LabPage:
    """A page with a cold cache, and what it loads."""

    page: Page
    loaded: list[Response] = field(default_factory=list)

    async def open(self, name: str, *, is_weaver: bool) -> float:
        """A terminal's tab; in ms until its prompt is drawn."""
        took: float = await self.page.evaluate("([name, own]) => bench.open(name, own)", [name, is_weaver])
        return took

    async def show(self, name: str) -> None:
        """Bring it to the front, with the keyboard in it."""
        await self.page.evaluate("name => bench.show(name)", name)

    async def press(self, name: str, key: str) -> float:
        """In ms from the key to the frame that shows what it did."""
        await self.page.evaluate("name => bench.expectKey(name)", name)
        await self.page.keyboard.press(key)
        took: float = await self.page.evaluate("() => bench.key()")
        return took

    async def run(self, name: str, command: str, mark: str, key: str = "Enter") -> tuple[float, float]:
        """(ms until a line that begins with `mark` is drawn, the longest wait of the page's timers)"""
        await self.page.keyboard.insert_text(command)
        code = key.rpartition("+")[2].replace("c", "KeyC")
        await self.page.evaluate("args => bench.expectMark(...args)", [name, mark, code])
        await self.page.keyboard.press(key)
        took, stall = await self.page.evaluate("() => bench.run()")
        return took, stall

    async def appear(self, org_id: str) -> tuple[str, float]:
        """Create a weaver; its id, and the ms until the panel shows it."""
        body = {"image": "shell", "org_id": org_id}
        weaver_id, took = await self.page.evaluate("body => bench.appear(body)", body)
        return weaver_id, took

    async def scripts(self) -> dict[str, bytes]:
        """What of ours was loaded."""
        ours = [answer for answer in self.loaded if OUR_BUNDLE in answer.url]
        return {answer.url: await answer.body() for answer in ours}

    async def bundle_size(self) -> int:
        """Compressed bytes."""
        return sum(len(gzip.compress(body)) for body in (await self.scripts()).values())

    async def xterm_loads(self) -> int:
        """How often a script with xterm.js in it was loaded."""
        bodies = [await answer.body() for answer in self.loaded if OUR_BUNDLE in answer.url]
        return sum(XTERM in body for body in bodies)


@asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        raise RuntimeError("needs Chromium: apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@asynccontextmanager
async def lab_page(browser: Browser, server: BenchServer) -> AsyncIterator[LabPage]:
    context = await browser.new_context(viewport=VIEWPORT)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    lab = LabPage(page)
    page.on("response", lambda answer: lab.loaded.append(answer))  # noqa: PLW0108
    await page.goto(f"http://{HOST}:{server.port}/lab?token={TOKEN}&reset")
    await page.wait_for_function("window.jupyterapp && window.jupyterapp.started")
    await page.evaluate("async () => { await jupyterapp.started; await jupyterapp.restored; }")
    await page.locator("#jupyterlab-splash").wait_for(state="detached")
    await page.evaluate("() => jupyterapp.commands.execute('loom-weaver:show-panel')")
    await page.locator("#loom-weaver-panel").get_by_role("button", name="New weaver", exact=True).wait_for()
    await page.add_script_tag(path=SCRIPT)
    yield lab
    await context.close()
