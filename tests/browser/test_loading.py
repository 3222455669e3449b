"""The extension starts in JupyterLab and Notebook 7, also where much of what it could use is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.running_lab import Labs, execute, execute_later, serving_lab
from tests.server.running import free_port

PANEL = "#loom-weaver-panel"
IS_ACTIVE = "id => window.jupyterapp.isPluginActivated(id)"
WITHOUT_EXTENSION = "c.ServerApp.jpserver_extensions = {'loom_weaver_server': False}\n"
# Each is optional to some plugin of ours.
ABSENT = {
    "@jupyterlab/launcher-extension": True,
    "@jupyterlab/statusbar-extension": True,
    "@jupyterlab/apputils-extension:palette": True,
}
SETTINGS = {"templates": [{"name": "night shift", "lifetime_hours": 12, "command": ["sleep", "600"]}]}


def write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(value))


def test_it_enters_by_launcher_palette_menu_and_status_bar(lab: Page) -> None:
    expect(lab.locator(".jp-LauncherCard[data-category='Weavers']")).to_have_count(2)
    expect(lab.get_by_role("menuitem", name="Weavers", exact=True)).to_be_visible()
    expect(lab.get_by_role("button", name="Weavers: 0 running")).to_be_visible()
    execute(lab, "apputils:activate-command-palette")
    lab.locator(".lm-CommandPalette-input").fill("new weaver")
    expect(lab.locator(".lm-CommandPalette-item").first).to_contain_text("New Weaver…")
    lab.keyboard.press("Enter")
    expect(lab.get_by_role("dialog")).to_contain_text("New weaver")
    lab.keyboard.press("Escape")


def test_its_settings_are_in_the_editor(lab: Page) -> None:
    execute(lab, "settingeditor:open", {"query": "Weavers"})
    panel = lab.locator(".jp-SettingsPanel")
    for text in ("Templates", "Seconds to take back a delete", "Tell when a weaver fails"):
        expect(panel).to_contain_text(text)


def test_notebook_7_has_it(labs: Labs) -> None:
    page = labs.open(path="/tree")
    execute(page, "loom-weaver:show-panel")
    expect(page.locator(PANEL).get_by_role("button", name="New weaver", exact=True)).to_be_visible()


@pytest.mark.parametrize(
    ("path", "status", "answer"),
    [
        ("/api/weavers/events", 404, {"error": "not_found", "message": "no such path"}),
        ("/api/weavers/me", 200, {"user": {"id": "user_1", "name": "ada"}, "roles": []}),
    ],
)
def test_an_older_server_extension_is_told_from_a_refusal(
    labs: Labs, path: str, status: int, answer: dict[str, Any]
) -> None:
    """What is not there yet, or tells less."""
    context = labs.context()
    context.route(lambda url: path in url, lambda route: route.fulfill(status=status, json=answer))
    page = labs.open(context)
    execute(page, "loom-weaver:show-panel")
    panel = page.locator(PANEL)
    expect(panel).to_contain_text("run “pip install --upgrade loom-weaver” in its environment")
    expect(panel.get_by_role("button", name="New weaver", exact=True)).to_be_disabled()
    context.unroute_all()
    panel.get_by_role("button", name="Try again").click()
    expect(panel.get_by_role("button", name="New weaver", exact=True)).to_be_enabled()


def test_what_is_missing_is_said_and_comes_back(browser: Browser, tmp_path: Path) -> None:
    """A server without the extension; then with it; then killed; then there again, on one page."""
    port = free_port()
    config = tmp_path / "weavers-jupyter" / "config"
    write(config / "labconfig" / "page_config.json", {"disabledExtensions": ABSENT})
    write(config / "lab/user-settings/@loom/weaver-lab/panel.jupyterlab-settings", SETTINGS)
    with serving_lab(tmp_path, port=port, config=WITHOUT_EXTENSION) as server:
        labs = Labs(browser, server)
        page = labs.open()
        # JupyterLab asks for a server of its own as well, and stands before the panel then.
        lost = page.get_by_role("dialog").filter(has_text="Server Connection Error")
        page.add_locator_handler(lost, lambda dialog: dialog.get_by_role("button").first.click())
        execute(page, "loom-weaver:show-panel")
        panel = page.locator(PANEL)
        expect(panel).to_contain_text("This Jupyter server has no weavers: run “pip install loom-weaver”")
        expect(panel.get_by_role("button", name="New weaver", exact=True)).to_be_disabled()
        panel.get_by_role("button", name="Try again").click()
        expect(panel).to_contain_text("This Jupyter server has no weavers")
    with serving_lab(tmp_path, port=port) as server:
        page.evaluate("window.dispatchEvent(new Event('online'))")
        panel.get_by_role("button", name="Start one now (python)").click()
        expect(panel.locator("[data-status='running']").first).to_be_visible()
        execute_later(page, "loom-weaver:create")
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Template").select_option("night shift")
        expect(dialog.get_by_label("Command")).to_have_value("sleep\n600")
        page.keyboard.press("Escape")
        server.kill()
        expect(panel).to_contain_text("The server does not answer; this is how things stood.")
        expect(panel.get_by_role("button", name="weaver-1", exact=True)).to_be_visible()
    with serving_lab(tmp_path, port=port) as server:
        expect(panel.get_by_text("The server does not answer")).to_have_count(0)
        server.delete_all_weavers()
        expect(panel.get_by_role("heading", name="No weavers yet")).to_be_visible()
    labs.close()
    assert not labs.thrown
