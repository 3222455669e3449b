"""The panel of weavers: what it shows, and what can be done in it by mouse and by keyboard."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Response, expect

from tests.browser.running_lab import (
    BASE_URL,
    OUR_BUNDLE,
    Labs,
    execute,
    set_theme,
    settings,
    telling,
    violations,
)
from tests.server.running import People, RunningServer, wait_for

Create = Callable[..., dict[str, Any]]
PANEL = "#loom-weaver-panel"
LARGEST_BUNDLE = 60_000
LONG_NAME = "n" * 200
# Nothing in it is a space, so that it has to be cut; and one that would be a script, were it HTML.
STRANGE = {"name": "🎉 בדיקה", "note": "<img src=x onerror=document.title='hacked'>"}


@pytest.fixture
def panel(lab: Page, create: Create) -> Iterator[Locator]:
    """The panel, open. Its filter is cleared before the weavers are deleted, and it with them."""
    execute(lab, "loom-weaver:show-panel")
    yield lab.locator(PANEL)
    text = lab.get_by_label("Filter by text or tag")
    if text.count():
        text.fill("")
        lab.get_by_label("Filter by state").select_option("")
        lab.get_by_label("Whose weavers").select_option("mine")


def row(panel: Locator, weaver: dict[str, Any]) -> Locator:
    return panel.locator(f"[data-weaver-id='{weaver['id']}']")


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_it_teaches_while_there_is_none(lab: Page, panel: Locator, server: RunningServer) -> None:
    server.delete_all_weavers()
    expect(panel.get_by_role("heading", name="No weavers yet")).to_be_visible()
    assert not violations(lab, PANEL)
    panel.get_by_role("button", name="Start one now (python)").click()
    expect(panel.get_by_role("listitem").filter(has_text="weaver-1")).to_contain_text("Running")
    server.delete_all_weavers()
    expect(panel.get_by_role("heading", name="No weavers yet")).to_be_visible()


@pytest.mark.core
def test_it_shows_what_others_do_as_it_happens(panel: Locator, create: Create, server: RunningServer) -> None:
    weaver = create(tags={"name": "demo", "project": "x"}, lifetime_hours=2)
    shown = row(panel, weaver)
    expect(shown).to_contain_text("Running")
    for text in ("demo", "project: x", "shell", re.compile(r"1 h 5\d min left")):
        expect(shown).to_contain_text(text)
    with server.http() as http:
        http.patch(f"/api/weaver/{weaver['id']}", json={"lifetime_hours": 9})
        expect(shown).to_contain_text(re.compile(r"8 h 5\d min left"))
        http.delete(f"/api/weaver/{weaver['id']}")
        expect(shown).to_have_count(0)


def test_it_says_why_in_plain_words(lab: Page, panel: Locator, create: Create) -> None:
    weaver = create(command=["sh", "-c", "exit 3"], tags={"name": "broken"})
    expect(row(panel, weaver)).to_contain_text("Failed")
    expect(row(panel, weaver)).to_contain_text("Its program ended with exit code 3.")
    notification = lab.get_by_text("Weaver broken failed. Its program ended with exit code 3.")
    expect(notification).to_be_visible()
    lab.get_by_role("button", name="Hide notification").first.click()
    unknown = create(command=["/no/such/program"])
    expect(row(panel, unknown)).to_contain_text("Its program could not be started.")
    lab.evaluate("document.querySelectorAll('.Toastify__close-button').forEach(each => each.click())")


def test_names_of_all_kinds_are_text_and_fit(lab: Page, panel: Locator, create: Create) -> None:
    long, strange = create(tags={"name": LONG_NAME}), create(tags=STRANGE)
    title = lab.title()
    expect(row(panel, strange)).to_contain_text(STRANGE["note"])
    expect(row(panel, strange).get_by_role("button", name=STRANGE["name"], exact=True)).to_be_visible()
    expect(row(panel, long)).to_contain_text("Running")
    assert lab.title() == title
    overflow = "panel => panel.scrollWidth - panel.clientWidth"
    assert panel.evaluate(overflow) <= 0
    row(panel, long).locator(".jp-LoomWeaver-name").click()
    assert panel.evaluate(overflow) <= 0
    row(panel, long).locator(".jp-LoomWeaver-name").click()


def test_the_filter_takes_text_tags_and_states(panel: Locator, create: Create) -> None:
    create(tags={"name": "red", "team": "one"})
    create(tags={"name": "blue", "team": "two"}, command=["true"])
    names = panel.locator(".jp-LoomWeaver-name")
    expect(names).to_have_text(["blue", "red"])
    text = panel.get_by_label("Filter by text or tag")
    text.fill("team:one")
    expect(names).to_have_text(["red"])
    text.fill("")
    panel.get_by_label("Filter by state").select_option("Finished")
    expect(names).to_have_text(["blue"])
    text.fill("red")
    expect(panel).to_contain_text("No weaver fits this filter.")
    panel.get_by_role("button", name="Show all").click()
    expect(names).to_have_text(["blue", "red"])


def test_an_admin_sees_mine_or_all(panel: Locator, create: Create, people: People) -> None:
    create(tags={"name": "mine"})
    body = {"image": "shell", "org_id": people.org_id, "tags": {"name": "theirs"}}
    theirs = people.owner.http.post("/api/weaver", json=body).json()
    names = panel.locator(".jp-LoomWeaver-name")
    expect(names).to_have_text(["mine"])
    panel.get_by_label("Whose weavers").select_option("all")
    expect(names).to_have_text(["theirs", "mine"])
    expect(row(panel, theirs)).to_contain_text(people.owner.name)
    people.owner.http.delete(f"/api/weaver/{theirs['id']}")
    expect(names).to_have_text(["mine"])


def test_everything_can_be_done_by_keyboard(lab: Page, panel: Locator, create: Create) -> None:
    first, second = create(tags={"name": "first"}), create(tags={"name": "second"})
    expect(panel.locator(".jp-LoomWeaver-name")).to_have_text(["second", "first"])
    for each in (first, second):
        expect(row(panel, each)).to_contain_text("Running")
    panel.get_by_label("Whose weavers").focus()
    press(lab, "Tab")
    name = row(panel, second).get_by_role("button", name="second", exact=True)
    expect(name).to_be_focused()
    press(lab, "ArrowDown")
    expect(row(panel, first).get_by_role("button", name="first", exact=True)).to_be_focused()
    press(lab, "Home", "Enter")
    expect(name).to_have_attribute("aria-expanded", "true")
    expect(row(panel, second).get_by_role("list", name="What happened")).to_contain_text("Started")
    press(lab, "Enter", "Shift+F10")
    menu = lab.get_by_role("menu").filter(has_text="Copy Weaver Id")
    expect(menu).to_be_visible()
    press(lab, "Escape")
    expect(name).to_be_focused()
    press(lab, "Delete")
    expect(lab.get_by_role("dialog")).to_contain_text("Delete second?")
    press(lab, "Escape")
    expect(row(panel, second)).not_to_contain_text("Will be deleted")


def test_a_delete_is_asked_for_once(lab: Page, panel: Locator, create: Create) -> None:
    weaver = create(tags={"name": "doomed"})
    ask_to_delete(panel, weaver)
    expect(row(panel, weaver)).to_have_count(0)


def test_a_delete_can_be_taken_back_and_is_sent_when_the_page_goes(
    labs: Labs, create: Create, server: RunningServer
) -> None:
    weaver = create(tags={"name": "doomed"})
    with settings(server, "panel", {"undoSeconds": 60}), server.http() as http:
        page = labs.open()
        execute(page, "loom-weaver:show-panel")
        shown = row(page.locator(PANEL), weaver)
        ask_to_delete(page.locator(PANEL), weaver)
        expect(shown).to_contain_text("Will be deleted in a moment.")
        shown.get_by_role("button", name="Undo").click()
        expect(shown.get_by_role("button", name="Delete doomed")).to_be_visible()
        assert http.get(f"/api/weaver/{weaver['id']}").json()["status"] == "running"
        ask_to_delete(page.locator(PANEL), weaver)
        expect(shown).to_contain_text("Will be deleted in a moment.")
        page.goto("about:blank")
        wait_for(lambda: http.get(f"/api/weaver/{weaver['id']}").status_code == 404, "the weaver to be gone")


def ask_to_delete(panel: Locator, weaver: dict[str, Any]) -> None:
    row(panel, weaver).get_by_role("button", name="Delete doomed").click()
    panel.page.locator(".jp-Dialog").get_by_role("button", name="Delete").click()


def test_a_lifetime_is_extended_with_its_end_in_sight(lab: Page, panel: Locator, create: Create) -> None:
    weaver = create(tags={"name": "short"}, lifetime_hours=2)
    row(panel, weaver).get_by_role("button", name="Extend short").click()
    slider = lab.get_by_role("dialog").get_by_label("Lifetime")
    slider.focus()
    press(lab, "End")
    expect(lab.get_by_role("dialog")).to_contain_text(re.compile(r"48 h, until \w{3} \d+:\d\d"))
    assert not violations(lab, "dialog")
    press(lab, "Enter")
    expect(row(panel, weaver)).to_contain_text(re.compile(r"47 h 5\d min left"))


def test_the_menu_copies_and_makes_another(lab: Page, panel: Locator, create: Create) -> None:
    weaver = create(tags={"name": "model", "team": "one"}, lifetime_hours=5)
    row(panel, weaver).click(button="right")
    with telling(lab, f"Copied {weaver['id']}"):
        lab.get_by_role("menuitem", name="Copy Weaver Id").click()
    search = panel.get_by_label("Filter by text or tag")
    search.focus()
    press(lab, "Control+V")
    expect(search).to_have_value(weaver["id"])
    row(panel, weaver).get_by_role("button", name="More for model").click()
    lab.get_by_role("menuitem", name="New Weaver Like This…").click()
    dialog = lab.get_by_role("dialog")
    expect(dialog.get_by_label("Name", exact=True)).to_have_value("model")
    expect(dialog.get_by_label("Tags: value 1")).to_have_value("one")
    expect(dialog).to_contain_text("5 h, until")
    press(lab, "Escape")
    expect(dialog).to_have_count(0)


def test_two_pages_of_a_browser_share_one_stream(labs: Labs, create: Create) -> None:
    context = labs.context()
    streams: list[str] = []
    context.on("request", lambda request: streams.append(request.url) if "/events" in request.url else None)
    weaver = create(tags={"name": "shared"})
    pages = [labs.open(context), labs.open(context)]
    for page in pages:
        execute(page, "loom-weaver:show-panel")
        expect(row(page.locator(PANEL), weaver)).to_contain_text("Running")
    assert len([url for url in streams if "/api/weavers/events" in url]) == 1
    pages[0].close()
    later = create(tags={"name": "later"})
    expect(row(pages[1].locator(PANEL), later)).to_contain_text("Running")


def test_a_support_user_looks_and_touches_nothing(labs: Labs, people: People, create: Create) -> None:
    weaver = create(tags={"name": "watched"})
    page = labs.open(key=people.support.key)
    execute(page, "loom-weaver:show-panel")
    panel = page.locator(PANEL)
    expect(panel).to_contain_text("You have no weaver of your own now.")
    panel.get_by_role("button", name="Show all").click()
    expect(row(panel, weaver)).to_contain_text("watched")
    expect(row(panel, weaver).get_by_role("button", name="More for watched")).to_be_visible()
    for action in ("Delete watched", "Extend watched"):
        expect(row(panel, weaver).get_by_role("button", name=action)).to_have_count(0)


@pytest.mark.parametrize("width", [1280, 768])
@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_nothing(lab: Page, panel: Locator, create: Create, theme: str, width: int) -> None:
    weaver, failed = create(tags=STRANGE), create(command=["false"], tags={"name": LONG_NAME})
    lab.set_viewport_size({"width": width, "height": 800})
    set_theme(lab, theme)
    expect(row(panel, failed)).to_contain_text("Failed")
    row(panel, weaver).locator(".jp-LoomWeaver-name").click()
    assert not violations(lab, PANEL)
    assert not violations(lab, ".jp-LoomWeaver-statusItem")
    assert panel.evaluate("panel => panel.scrollWidth - panel.clientWidth") <= 0
    row(panel, weaver).locator(".jp-LoomWeaver-name").click()
    lab.evaluate("document.querySelectorAll('.Toastify__close-button').forEach(each => each.click())")
    lab.set_viewport_size({"width": 1280, "height": 800})
    set_theme(lab, "JupyterLab Light")


def test_little_is_loaded_and_all_of_it_below_the_prefix(labs: Labs, create: Create) -> None:
    weaver = create(tags={"name": "prefixed"})
    context = labs.context()
    answers: list[Response] = []
    # Playwright takes no method that is built in.
    context.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108
    page = labs.open(context)
    execute(page, "loom-weaver:show-panel")
    expect(row(page.locator(PANEL), weaver)).to_contain_text("Running")
    ours = [answer for answer in answers if "weaver" in answer.url]
    assert any("/api/weavers/events" in answer.url for answer in ours)
    assert all(BASE_URL in answer.url and answer.status != 404 for answer in ours)
    scripts = [answer.body() for answer in ours if OUR_BUNDLE in answer.url]
    assert scripts
    # Before any terminal is opened; xterm.js alone would be more.
    assert sum(len(gzip.compress(script)) for script in scripts) <= LARGEST_BUNDLE
