"""Weavers in the cells of a notebook: live, found again, and closed again."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Page, WebSocket, expect

from loom_weaver import Client
from tests.browser.notebooks import (
    folder,
    open_in_lab,
    open_in_notebook,
    output,
    run_all,
    run_cell,
    save,
    view,
    write,
)
from tests.browser.running_lab import OWN_API, PATIENCE_MS, Labs, execute, set_theme, violations
from tests.server.running import JUPYTER_TOKEN, RunningServer, wait_for

Create = Callable[..., dict[str, Any]]
pytestmark = pytest.mark.timeout(300)
WIDGETS = "from loom_weaver import Client\nfrom loom_weaver.widgets import *\nclient = Client()"
OURS = "application/vnd.loom-weaver.v1+json"


def connected(weaver: dict[str, Any]) -> str:
    return f"{WIDGETS}\nw = client.connect('{weaver['id']}')"


@pytest.fixture(autouse=True)
def patience() -> None:
    expect.set_options(timeout=PATIENCE_MS)


def test_a_card_opens_a_terminal_and_a_log_and_is_found_again(
    labs: Labs, server: RunningServer, create: Create
) -> None:
    weaver = create(tags={"name": "found again"})
    path = write(
        server, "found.ipynb", [f"{connected(weaver)}\nw", "logs = WeaverLogs(w)\nlogs", "WeaverTerminal(w)"]
    )
    page = open_in_lab(labs, path.name)
    run_all(page)
    expect(view(page, 0)).to_contain_text("Running")
    expect(view(page, 2)).to_contain_text("Connected")
    view(page, 2).locator(".xterm-helper-textarea").focus()
    page.keyboard.type("echo it-is-$((6*7))\n")
    expect(view(page, 1)).to_contain_text("it-is-42")
    # The kernel hears what the page sees.
    run_cell(page, "logs.lines_seen > 0, logs.status")
    wait_for(lambda: shows(page, 3, "(True, 'running')"), "the kernel to hear it")

    # The card has both of its own.
    view(page, 0).get_by_role("button", name="Log").click()
    expect(view(page, 0).locator(".lw-LogView")).to_contain_text("it-is-42")
    view(page, 0).get_by_role("button", name="Terminal").click()
    expect(view(page, 0).locator(".lw-LogView")).to_have_count(0)
    expect(view(page, 0).locator(".lw-Terminal")).to_contain_text("2 viewers")

    # Saved, without its kernel, opened again: the same weaver, and no second one.
    save(page)
    execute(page, "kernelmenu:shutdown")
    expect(page.locator(".jp-KernelName").first).to_contain_text("No Kernel")
    kept = nbformat.read(path, as_version=4)
    assert kept.cells[0].outputs[0].data[OURS]["id"] == weaver["id"]
    page.close()
    again = open_in_lab(labs, path.name, needs_kernel=False)
    expect(view(again, 0)).to_contain_text("Running")
    expect(view(again, 1)).to_contain_text("it-is-42")
    with server.http() as http:
        listed = http.get("/api/weavers").json()["weavers"]
        assert [each["id"] for each in listed if each["status"] != "terminating"] == [weaver["id"]]
        http.delete(f"/api/weaver/{weaver['id']}")
    expect(view(again, 0)).to_contain_text("Deleted")


def test_notebook_7_shows_the_same(labs: Labs, server: RunningServer, create: Create) -> None:
    weaver = create(command=["sh", "-c", "echo from the weaver; sleep 600"])
    path = write(server, "seven.ipynb", [f"{connected(weaver)}\nw", "WeaverLogs(w)"])
    page = open_in_notebook(labs, path.name)
    run_all(page)
    expect(view(page, 0)).to_contain_text("Running")
    expect(view(page, 1)).to_contain_text("from the weaver")
    view(page, 0).get_by_role("button", name="Terminal").click()
    expect(view(page, 0).locator(".xterm-screen")).to_be_visible()


def test_a_cell_run_again_and_again_leaves_nothing(labs: Labs, server: RunningServer, create: Create) -> None:
    """WID-3: one log stream, one socket, and as many comms as after the first run."""
    weaver = create()
    code = "display(WeaverLogs(w), WeaverTerminal(w))"
    path = write(
        server, "again.ipynb", [connected(weaver), code, "len(get_ipython().kernel.comm_manager.comms)"]
    )
    page = open_in_lab(labs, path.name)
    run_all(page)
    expect(view(page, 1).last).to_contain_text("Connected")
    comms = output(page, 2).inner_text()
    for _ in range(20):
        run_again(page, 1)
    run_again(page, 2)
    expect(view(page, 1)).to_have_count(2)
    expect(view(page, 1).last).to_contain_text("Connected")
    assert output(page, 2).inner_text().split()[-1] == comms.split()[-1]
    wait_for(lambda: viewers(server, weaver) == 1, "one viewer to be left")
    page.close()
    wait_for(lambda: viewers(server, weaver) == 0, "no viewer to be left")


def run_again(page: Page, cell: int) -> None:
    page.locator(".jp-Notebook-cell").nth(cell).locator(".cm-content").click()
    execute(page, "notebook:run-cell")


def shows(page: Page, cell: int, text: str) -> bool:
    """Whether it does, run once more: a kernel hears the page between two cells."""
    run_again(page, cell)
    return text in output(page, cell).inner_text()


def viewers(server: RunningServer, weaver: dict[str, Any]) -> int:
    with server.http() as http:
        count: int = http.get(f"/api/weaver/{weaver['id']}").json()["viewers"]
        return count


def test_a_card_extends_and_deletes(labs: Labs, server: RunningServer, create: Create) -> None:
    weaver = create(tags={"name": "held"}, lifetime_hours=2)
    path = write(
        server, "held.ipynb", [f"{connected(weaver)}\npanel = WeaverPanel(w)\npanel", "panel.status"]
    )
    page = open_in_lab(labs, path.name)
    run_all(page)
    card = view(page, 0)
    expect(card).to_contain_text(re.compile(r"1 h 5\d min left"))
    card.get_by_role("button", name="Extend…").click()
    page.get_by_role("dialog").get_by_label("Lifetime").press("End")
    page.keyboard.press("Enter")
    expect(card).to_contain_text(re.compile(r"47 h 5\d min left"))
    card.get_by_role("button", name="Delete…").click()
    page.locator(".jp-Dialog").get_by_role("button", name="Delete").click()
    expect(card).to_contain_text("Deleted")
    expect(card.get_by_role("button")).to_have_count(0)
    wait_for(lambda: shows(page, 1, "'deleted'"), "the kernel to hear it")
    with server.http() as http:
        assert http.get(f"/api/weaver/{weaver['id']}").status_code == 404


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_nothing(labs: Labs, server: RunningServer, create: Create, theme: str) -> None:
    """Cards of several states, a log and a terminal, by themselves and in a box."""
    weaver, failed = create(tags={"name": "seen", "team": "one"}), create(command=["sh", "-c", "exit 3"])
    box = "import ipywidgets\nipywidgets.VBox([WeaverPanel(w), WeaverLogs(w)])"
    cells = [
        f"{connected(weaver)}\nw",
        "WeaverLogs(w)",
        "WeaverTerminal(w)",
        box,
        f"WeaverPanel('{failed['id']}')",
    ]
    path = write(server, "axe.ipynb", cells)
    page = open_in_lab(labs, path.name)
    set_theme(page, theme)
    run_all(page)
    expect(view(page, 4)).to_contain_text("Failed")
    view(page, 0).get_by_role("button", name="Log").click()
    expect(view(page, 0)).to_contain_text("Follow")
    expect(view(page, 2)).to_contain_text("Connected")
    expect(view(page, 3)).to_have_count(2)
    assert violations(page, ".lw-NotebookView") == []


def test_what_looks_like_html_is_text(labs: Labs, server: RunningServer, create: Create) -> None:
    """WID-5."""
    tag = "<img src=x onerror=document.title='X'> <class 'int'> &amp;"
    weaver = create(command=["sh", "-c", 'echo "$0"; sleep 600', tag], tags={"name": tag})
    path = write(server, "html.ipynb", [f"{connected(weaver)}\nw", "WeaverLogs(w)"])
    page = open_in_lab(labs, path.name)
    run_all(page)
    expect(view(page, 0)).to_contain_text(tag)
    expect(view(page, 1).locator(".lw-LogView")).to_contain_text(tag)
    assert page.title() != "X"


def test_many_lines_cost_the_kernel_nothing(labs: Labs, server: RunningServer, create: Create) -> None:
    """WID-1: 20,000 lines of 100 characters are 2 MB; none passes through the kernel, which goes on."""
    halves = "read x; seq -f '%0100.0f' 10000; read x; seq -f '%0100.0f' 10001 20000; echo end; sleep 600"
    weaver = create(command=["sh", "-c", halves])
    cells = [connected(weaver), "logs = WeaverLogs(w)\nlogs", "1 + 1", "logs.lines_seen"]
    path = write(server, "many.ipynb", cells)
    page = labs.context().new_page()
    frames: list[int] = []
    page.on("websocket", lambda socket: count_frames(socket, frames))
    open_in_lab(labs, path.name, page)
    run_all(page)
    expect(view(page, 1)).to_contain_text("Follow")
    before = sum(frames)
    assert before > 0
    with Client(server.url, JUPYTER_TOKEN) as client, client.attach(weaver["id"]) as terminal:
        terminal.send("\n")
        expect(view(page, 1)).to_contain_text("0" * 95 + "10000")
        # The log waits for its second half, and the kernel for nothing.
        run_again(page, 2)
        expect(output(page, 2)).to_contain_text("2")
        terminal.send("\n")
        expect(view(page, 1)).to_contain_text("end")
    wait_for(lambda: shows(page, 3, "20003"), "the kernel to hear how many lines were seen")
    assert sum(frames) - before < 200_000
    # Of all that, the file keeps a picture of the first lines.
    save(page)
    assert path.stat().st_size < 50_000


def count_frames(socket: WebSocket, frames: list[int]) -> None:
    if "/channels" in socket.url:
        for event in ("framereceived", "framesent"):
            socket.on(event, lambda data: frames.append(len(data)))


def test_a_cell_in_a_weaver_streams_and_is_interrupted(
    labs: Labs, server: RunningServer, create: Create
) -> None:
    weaver = create(image="python")
    code = f"%%weaver {weaver['id']}\nimport time\nprint('tick')\ntime.sleep(600)"
    path = write(server, "interrupt.ipynb", ["%load_ext loom_weaver", code])
    page = open_in_lab(labs, path.name)
    run_again(page, 0)
    page.locator(".jp-Notebook-cell").nth(1).locator(".cm-content").click()
    page.evaluate("() => { void window.jupyterapp.commands.execute('notebook:run-cell'); }")
    expect(output(page, 1)).to_contain_text("tick")
    execute(page, "notebook:interrupt-kernel")
    expect(output(page, 1)).to_contain_text("the cell was interrupted")


def test_without_the_server_extension_a_picture_says_so(
    labs: Labs, server: RunningServer, create: Create
) -> None:
    weaver = create(tags={"name": "pictured"})
    path = write(server, "picture.ipynb", [f"{connected(weaver)}\nw"])
    page = open_in_lab(labs, path.name)
    run_all(page)
    expect(view(page, 0)).to_contain_text("Running")
    save(page)
    page.close()
    assert folder(server) == path.parent
    context = labs.context()
    context.route(
        lambda url: any(part in url for part in OWN_API),
        lambda route: route.fulfill(status=404, body="<html>Not Found</html>", content_type="text/html"),
    )
    without = open_in_lab(labs, path.name, context.new_page(), needs_kernel=False)
    expect(view(without, 0)).to_contain_text("install loom-weaver where Jupyter runs")
    expect(view(without, 0)).to_contain_text("pictured")
