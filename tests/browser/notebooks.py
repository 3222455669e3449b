"""Notebooks in the browser: made as files, opened, and run as a user runs them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import nbformat
from playwright.sync_api import Locator, Page

from tests.browser.running_lab import PATIENCE_MS, Labs, execute
from tests.server.running import JUPYTER_TOKEN, RunningServer


def folder(server: RunningServer) -> Path:
    """Where the pages of this server keep their notebooks."""
    return server.data_dir.parent / "notebooks"


def write(server: RunningServer, name: str, cells: Sequence[str]) -> Path:
    path = folder(server) / name
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)
    return path


def open_in_lab(labs: Labs, name: str, page: Page | None = None, *, needs_kernel: bool = True) -> Page:
    """With its kernel ready, where cells are to be run."""
    page = page or labs.context().new_page()
    page.goto(f"{labs.server.url}/lab/tree/{name}?token={JUPYTER_TOKEN}&reset")
    page.wait_for_function("window.jupyterapp && window.jupyterapp.started")
    page.evaluate("async () => { await window.jupyterapp.started; await window.jupyterapp.restored; }")
    page.locator("#jupyterlab-splash").wait_for(state="detached")
    if needs_kernel:
        wait_for_kernel(page)
    return page


def open_in_notebook(labs: Labs, name: str) -> Page:
    """Notebook 7."""
    page = labs.context().new_page()
    page.goto(f"{labs.server.url}/notebooks/{name}?token={JUPYTER_TOKEN}")
    page.wait_for_function("window.jupyterapp && window.jupyterapp.started")
    page.evaluate("async () => { await window.jupyterapp.started; await window.jupyterapp.restored; }")
    wait_for_kernel(page)
    return page


def wait_for_kernel(page: Page) -> None:
    """Cells that are run before it has said what it is are forgotten."""
    page.wait_for_function("window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel")
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.info")
    wait_until_idle(page)


def wait_until_idle(page: Page) -> None:
    """A notebook whose kernel is not chosen yet calls itself idle too."""
    page.wait_for_function(
        "() => document.querySelector(\".jp-Notebook-ExecutionIndicator[data-status='idle']\")"
        " && !document.querySelector('.jp-KernelName')?.textContent.includes('No Kernel')"
    )


def run_all(page: Page) -> None:
    """Every cell, to its end."""
    execute(page, "notebook:run-all-cells")
    wait_until_idle(page)


def output(page: Page, cell: int) -> Locator:
    """Of the cell with this number, from 0."""
    return page.locator(".jp-Notebook-cell").nth(cell).locator(".jp-Cell-outputArea")


def view(page: Page, cell: int) -> Locator:
    """The weaver that the cell shows."""
    return output(page, cell).locator(".lw-NotebookView")


def save(page: Page) -> None:
    execute(page, "docmanager:save")
    page.wait_for_function("!document.querySelector('.jp-mod-dirty')", timeout=PATIENCE_MS)


def run_cell(page: Page, code: str) -> None:
    """A new cell at the end."""
    last = page.locator(".jp-Notebook-cell").last
    last.locator(".cm-content").click()
    execute(page, "notebook:insert-cell-below")
    execute(page, "notebook:enter-edit-mode")
    page.keyboard.insert_text(code)
    execute(page, "notebook:run-cell")
