"""The dialog for a new weaver."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.running_lab import execute, execute_later, set_theme, violations
from tests.server.running import RunningServer

PANEL = "#loom-weaver-panel"
DOTENV = "# secrets\nexport TOKEN='hunter2 XYZ'\nDEBUG=1\n"
PASTE = """text => {
  const clipboardData = new DataTransfer();
  clipboardData.setData('text/plain', text);
  const options = {clipboardData, bubbles: true, cancelable: true};
  document.activeElement.dispatchEvent(new ClipboardEvent('paste', options));
}"""


@pytest.fixture
def dialog(lab: Page, server: RunningServer) -> Iterator[Locator]:
    """The dialog, open, and closed at last; what was made by it is deleted."""
    execute(lab, "loom-weaver:show-panel")
    lab.locator(PANEL).get_by_role("button", name="New weaver", exact=True).click()
    dialog = lab.get_by_role("dialog")
    expect(dialog.get_by_label("Name", exact=True)).to_be_focused()
    yield dialog
    if dialog.count():
        lab.keyboard.press("Escape")
    server.delete_all_weavers()


@pytest.mark.core
def test_it_makes_a_weaver_with_all_that_was_filled_in(
    lab: Page, dialog: Locator, server: RunningServer
) -> None:
    dialog.get_by_label("Name", exact=True).fill("demo 🎉")
    dialog.get_by_label("Image").fill("shell")
    dialog.get_by_label("CPU limit").fill("500m")
    dialog.get_by_label("Memory limit").fill("256Mi")
    dialog.get_by_label("Lifetime").fill("3")
    dialog.get_by_role("button", name="Add Environment").click()
    dialog.get_by_label("Environment: name 1").focus()
    lab.evaluate(PASTE, DOTENV)
    expect(dialog.get_by_label("Environment: value 1")).to_have_attribute("type", "password")
    dialog.get_by_label("Show values").check()
    expect(dialog.get_by_label("Environment: value 1")).to_have_attribute("type", "text")
    expect(dialog.get_by_label("Environment: name 2")).to_have_value("DEBUG")
    dialog.get_by_role("button", name="Add Tags").click()
    dialog.get_by_label("Tags: name 1").fill("team")
    dialog.get_by_label("Tags: value 1").fill("one")
    dialog.get_by_text("More", exact=True).click()
    dialog.get_by_label("Command").fill('sh\n-c\nprintf "%s" "$TOKEN$DEBUG" > said; sleep 600')
    dialog.get_by_label("Working directory").fill("/tmp")
    dialog.get_by_label("Open its terminal").uncheck()
    dialog.get_by_role("button", name="Create").click()
    expect(dialog).to_have_count(0)
    row = lab.locator(PANEL).get_by_role("listitem").filter(has_text="demo 🎉")
    expect(row).to_contain_text("Running")
    with server.http() as http:
        (weaver,) = http.get("/api/weavers?tag=team:one").json()["weavers"]
        assert weaver["tags"] == {"name": "demo 🎉", "team": "one"}
        assert weaver["resources"] == {"cpu_limit": "500m", "memory_limit": "256Mi"}
        assert (weaver["image"], weaver["lifetime_hours"], weaver["workdir"]) == ("shell", 3, "/tmp")
        command = ["sh", "-c", "until [ -s said ]; do sleep 0.1; done; cat said"]
        run = http.post(f"/api/weaver/{weaver['id']}/exec", json={"command": command}).json()
        assert run["stdout"] == "hunter2 XYZ1"
    assert "hunter2" not in lab.evaluate("JSON.stringify({...localStorage})")


def test_the_last_choice_is_remembered(lab: Page, dialog: Locator) -> None:
    dialog.get_by_label("Image").fill("shell")
    dialog.get_by_label("Lifetime").fill("7")
    dialog.get_by_label("Open its terminal").uncheck()
    lab.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    execute_later(lab, "loom-weaver:create")
    expect(dialog.get_by_label("Image")).to_have_value("shell")
    expect(dialog).to_contain_text("7 h, until")


@pytest.mark.parametrize(
    ("label", "value", "fault"),
    [
        ("Image", "no-such-image", "python"),
        ("CPU limit", "lots", "quantity"),
        ("Memory limit", "4GB", "4Gi"),
        ("Name", "n" * 257, "256 characters"),
        ("Working directory", "relative", "absolute"),
    ],
)
def test_a_refusal_stands_beside_its_field(
    lab: Page, dialog: Locator, label: str, value: str, fault: str
) -> None:
    dialog.get_by_text("More", exact=True).click()
    field = dialog.get_by_label(label, exact=True)
    field.fill(value)
    dialog.get_by_role("button", name="Create").click()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile(fault))


def test_a_refused_variable_is_named(dialog: Locator) -> None:
    dialog.get_by_role("button", name="Add Environment").click()
    dialog.get_by_label("Environment: name 1").fill("A B")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_role("group", name="Environment")).to_contain_text("A B: the name must match")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_nothing(lab: Page, dialog: Locator, theme: str) -> None:
    set_theme(lab, theme)
    dialog.get_by_text("More", exact=True).click()
    dialog.get_by_role("button", name="Add Environment").click()
    dialog.get_by_label("Memory limit").fill("4GB")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_label("Memory limit")).to_have_attribute("aria-invalid", "true")
    assert not violations(lab, "dialog")
    set_theme(lab, "JupyterLab Light")
