"""Takes the pictures of the documents: `python -m scripts.pictures FOLDER`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.notebooks import open_in_lab, run_all, view, write
from tests.browser.running_lab import (
    CHROMIUM,
    FLAGS,
    PATIENCE_MS,
    Labs,
    execute,
    execute_later,
    serving_lab,
    set_theme,
    settings,
)
from tests.browser.views import LOG, open_log, open_terminal, wait_for_text

PANEL = "#loom-weaver-panel"
SIZE = {"width": 1280, "height": 720}
BUILD = 'for n in $(seq 1 40); do echo "[$n/40] compiling module_$n"; sleep 0.05; done; echo done; sleep 3600'
# Of Python, or of IPython where that is installed.
PROMPT = r"(>>>|In \[1\]:)"
CELLS = [
    "%load_ext loom_weaver\nw = %weaver new --image python --name demo --tag team=data\nw",
    "%%weaver\nimport platform\nprint(platform.system(), [n * n for n in range(5)])",
    "from loom_weaver.widgets import WeaverLogs\n"
    "trained = %weaver new --image shell --name training -- "
    "sh -c 'for n in 1 2 3 4 5 6 7 8; do echo epoch $n of 8; done; sleep 3600'\nWeaverLogs(trained)",
]
WEAVERS: list[dict[str, Any]] = [
    {
        "tags": {"name": "nightly-build", "project": "loom"},
        "command": ["sh", "-c", BUILD],
        "lifetime_hours": 8,
    },
    {"tags": {"name": "flaky-test", "project": "loom"}, "command": ["sh", "-c", "exit 3"]},
    {"tags": {"name": "report", "team": "data"}, "command": ["true"], "lifetime_hours": 48},
    {"tags": {"name": "explore", "team": "data"}, "image": "python", "lifetime_hours": 12},
]


def make_weavers(http: httpx.Client) -> dict[str, str]:
    org_id = http.get("/api/weavers/me").json()["default_org_id"]
    made = {}
    for fields in WEAVERS:
        reply = http.post("/api/weaver", json={"image": "shell", "org_id": org_id, **fields})
        made[fields["tags"]["name"]] = reply.raise_for_status().json()["id"]
    return made


def take(page: Page, path: Path) -> None:
    page.mouse.move(0, 0)
    page.screenshot(path=path)


def take_all(page: Page, http: httpx.Client, folder: Path) -> None:
    execute(page, "loom-weaver:show-panel")
    expect(page.locator(PANEL)).to_contain_text("No weavers yet")
    take(page, folder / "empty.png")
    made = make_weavers(http)
    expect(page.locator(f"{PANEL} [data-status='failed']").first).to_be_visible()
    open_terminal(page, made["explore"])
    wait_for_text(page, made["explore"], PROMPT)
    page.keyboard.type("sum(n * n for n in range(1000))\n")
    wait_for_text(page, made["explore"], "332833500")
    open_log(page, made["nightly-build"])
    wait_for_text(page, made["nightly-build"], "module_40", kind=LOG)
    take(page, folder / "logs.png")
    page.locator(".lm-TabBar-tab").filter(has_text="explore").first.click()
    page.locator(f"{PANEL} .jp-LoomWeaver-name").first.click()
    take(page, folder / "panel.png")
    set_theme(page, "JupyterLab Dark")
    take(page, folder / "panel-dark.png")
    set_theme(page, "JupyterLab Light")
    take_dialog(page, folder)


def take_dialog(page: Page, folder: Path) -> None:
    execute_later(page, "loom-weaver:create")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill("experiment")
    dialog.get_by_role("button", name="Add Environment").click()
    dialog.get_by_label("Environment: name 1").fill("TOKEN")
    dialog.get_by_label("Environment: value 1").fill("a secret")
    dialog.get_by_label("Memory limit").fill("4GB")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_label("Memory limit")).to_have_attribute("aria-invalid", "true")
    take(page, folder / "create.png")


def take_notebook(labs: Labs, folder: Path) -> None:
    """A card, a cell that runs in the weaver, and its log."""
    write(labs.server, "weavers.ipynb", CELLS)
    page = open_in_lab(labs, "weavers.ipynb", labs.context(viewport=SIZE).new_page())
    execute(page, "application:toggle-left-area")
    run_all(page)
    expect(view(page, 0)).to_contain_text("Running")
    expect(view(page, 2)).to_contain_text("epoch 8 of 8")
    view(page, 0).scroll_into_view_if_needed()
    take(page, folder / "notebook.png")


def main() -> None:
    folder = Path(sys.argv[1]).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=PATIENCE_MS)
    with (
        tempfile.TemporaryDirectory() as home,
        serving_lab(Path(home), base_url="/") as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        labs = Labs(browser, server)
        try:
            with settings(server, "notifications", {"failures": False, "warnMinutes": 0}):
                take_all(labs.open(viewport=SIZE), server.http(), folder)
                take_notebook(labs, folder)
        finally:
            labs.close()
            browser.close()
            server.delete_all_weavers()


if __name__ == "__main__":
    main()
