"""Weavers that draw themselves, in a real kernel."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter, MarkdownExporter

from loom_weaver import Client
from scripts.notebooks import executed
from tests.notebook.kernels import Notebook, kernel
from tests.server.running import RunningServer, wait_for

OURS = "application/vnd.loom-weaver.v1+json"
SETUP = """\
from loom_weaver import Client
from loom_weaver.widgets import WeaverLogs, WeaverPanel, WeaverTerminal
client = Client()
w = client.connect(client.create("shell", env={"PW": "hunter2-" + "XYZ"}, tags={"name": "<b>bold</b>"}).id)
state = w.wait()
"""
COMMS = "len(get_ipython().kernel.comm_manager.comms)"


@pytest.fixture
def weaver(notebook: Notebook) -> str:
    """Its id; in the kernel it is `w`."""
    ran = notebook.run(SETUP)
    assert ran.status == "ok", ran.error
    return notebook.value("w.id").strip("'")


def test_a_weaver_as_last_line_is_a_card(notebook: Notebook, weaver: str) -> None:
    (bundle,) = notebook.run("w").bundles
    assert bundle["text/plain"] == f"<Weaver {weaver} running>"
    assert (bundle[OURS]["id"], bundle[OURS]["view"]) == (weaver, "card")
    assert (
        notebook.value(
            "__import__('ipywidgets').widget_serialization['from_json']"
            f"('IPY_MODEL_{bundle[OURS]['model_id']}', None).weaver_id"
        )
        == f"'{weaver}'"
    )
    assert weaver in bundle["text/html"]
    assert "● running" in bundle["text/html"]
    assert "&lt;b&gt;bold&lt;/b&gt;" in bundle["text/html"]
    assert "<b>" not in bundle["text/html"]


@pytest.mark.parametrize(
    ("code", "view"),
    [("WeaverPanel(w)", "card"), ("WeaverLogs(w, tail=5)", "logs"), ("WeaverTerminal(w)", "terminal")],
)
def test_a_widget_tells_which_weaver_and_which_view(
    notebook: Notebook, weaver: str, code: str, view: str
) -> None:
    ran = notebook.run(code)
    (bundle,) = ran.bundles
    assert bundle[OURS]["id"] == weaver
    assert bundle[OURS]["view"] == view
    (opened,) = [each for each in ran.of("comm_open") if each["data"]["state"].get("weaver_id")]
    state = opened["data"]["state"]
    assert (state["_model_module"], state["_model_name"]) == ("@loom/weaver-lab", "WeaverModel")
    assert (state["status"], state["exit_code"], state["lines_seen"]) == ("running", None, 0)


def test_an_id_alone_is_enough_and_anything_else_is_refused(notebook: Notebook, weaver: str) -> None:
    (bundle,) = notebook.run(f"WeaverLogs('{weaver}')").bundles
    assert bundle[OURS].items() >= {"id": weaver, "view": "logs", "tail": 1000}.items()
    assert "no weaver's id" in notebook.run("WeaverLogs('../../etc')").error


def test_a_log_in_a_saved_notebook_is_text_and_short(notebook: Notebook, client: Client) -> None:
    program = 'for n in $(seq 30); do echo line $n; done; echo "<img src=x onerror=alert()> &amp;"; sleep 600'
    made = client.create("shell", command=["sh", "-c", program])
    with client.logs(made.id) as log:
        for item in log:
            if "onerror" in str(item):
                break
    notebook.run(
        "from loom_weaver import Client; from loom_weaver.widgets import WeaverLogs; client = Client()"
    )
    (bundle,) = notebook.run(f"WeaverLogs(client.connect('{made.id}'))").bundles
    html = bundle["text/html"]
    assert "&lt;img src=x onerror=alert()&gt; &amp;amp;" in html
    assert "<img" not in html
    assert "line 30" in html
    assert "line 5\n" not in html
    assert "left out" in html


def test_a_run_again_closes_what_the_last_run_made(notebook: Notebook, weaver: str) -> None:
    """Also where the same code is a new cell to the kernel, as only its text tells it."""
    for cell in ("a-cell", None):
        before = int(notebook.value(COMMS))
        counts = set()
        for _ in range(20):
            assert notebook.run("display(WeaverLogs(w), WeaverTerminal(w))\nw", cell=cell).status == "ok"
            counts.add(int(notebook.value(COMMS)) - before)
        assert len(counts) == 1


def test_cards_of_two_cells_and_threads_stay(notebook: Notebook, weaver: str) -> None:
    notebook.run("import threading; w")
    threads = notebook.value("threading.active_count()")
    for _ in range(5):
        notebook.run("panel = WeaverPanel(w); panel", cell="one")
        notebook.run("other = WeaverPanel(w); other", cell="two")
    assert notebook.value("threading.active_count()") == threads
    assert notebook.value("panel.comm is not None, other.comm is not None") == "(True, True)"
    notebook.run("kept = panel; panel = WeaverPanel(w)", cell="one")
    assert notebook.value("kept") == f"<WeaverPanel {weaver} closed>"


def test_what_a_page_sees_reaches_the_kernel(notebook: Notebook, weaver: str) -> None:
    """As the front end tells it: by the widget's comm."""
    notebook.run(
        "panel = WeaverPanel(w); heard = []\n"
        "panel.observe(lambda c: heard.append((c.name, c.new)), ['status', 'exit_code', 'lines_seen'])"
    )
    notebook.run("panel.set_state({'status': 'failed', 'exit_code': 137, 'lines_seen': 12})")
    assert notebook.value("sorted(heard)") == "[('exit_code', 137), ('lines_seen', 12), ('status', 'failed')]"
    assert notebook.value("panel") == f"<WeaverPanel {weaver} failed>"


def test_a_log_of_the_weaver_and_a_print_stay_apart(notebook: Notebook, weaver: str) -> None:
    notebook.run("logs = WeaverLogs(w); logs", cell="log")
    ran = notebook.run("for n in range(1000): print('x')", cell="print")
    assert ran.text() == "x\n" * 1000


def test_nothing_secret_is_kept(
    environment: dict[str, str], client: Client, tmp_path: Path, server: RunningServer
) -> None:
    path = tmp_path / "secrets.ipynb"
    key = environment["LOOM_WEAVER_API_KEY"]
    code = f"{SETUP}display(client, w, WeaverLogs(w), WeaverTerminal(w), WeaverPanel(w))\nclient.me()"
    cells = [nbformat.v4.new_code_cell(code), nbformat.v4.new_code_cell("%load_ext loom_weaver\n%weaver ps")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    try:
        text = nbformat.writes(executed(path, environment))
    finally:
        for weaver in client.list(mine=True):
            client.delete(weaver.id)
        wait_for(lambda: not client.list(mine=True), "all weavers to be gone")
    assert "application/vnd.jupyter.widget-state+json" in json.loads(text)["metadata"]["widgets"]
    assert "weaver_id" in text
    for secret in ("hunter2-XYZ", "loom_sk_", '"ws_', key):
        assert secret not in text


def test_an_export_shows_a_readable_picture(
    environment: dict[str, str], client: Client, tmp_path: Path
) -> None:
    path = tmp_path / "export.ipynb"
    cells = [nbformat.v4.new_code_cell(f"{SETUP}w"), nbformat.v4.new_code_cell("WeaverLogs(w)")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    notebook = executed(path, environment)
    (weaver,) = client.list(mine=True)
    client.delete(weaver.id)
    html, _ = HTMLExporter().from_notebook_node(notebook)
    assert html.count("loom-Picture") == 2
    assert f"<code>{weaver.id}</code>" in html
    markdown, _ = MarkdownExporter().from_notebook_node(notebook)
    assert weaver.id in markdown


def test_a_kernel_shows_a_card_at_once_when_its_server_is_away(
    environment: dict[str, str], server: RunningServer, weaver: str
) -> None:
    """A picture of what was known last: nothing waits for a server that does not answer."""
    away = environment | {"LOOM_WEAVER_URL": "http://127.0.0.1:9"}
    with kernel(away) as notebook:
        ran = notebook.run(f"from loom_weaver.widgets import WeaverPanel\nWeaverPanel('{weaver}')")
        assert ran.bundles[0][OURS]["id"] == weaver
        ran = notebook.run("%load_ext loom_weaver\n%weaver ps")
        assert "127.0.0.1:9" in ran.error
