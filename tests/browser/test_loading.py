"""The extension is there, in JupyterLab and in Notebook 7."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.running_lab import Labs

IS_ACTIVE = "id => window.jupyterapp.isPluginActivated(id)"


def test_jupyterlab_starts_it(lab: Page) -> None:
    assert lab.evaluate(IS_ACTIVE, "@loom/weaver-lab:weavers")


def test_notebook_7_starts_it(labs: Labs) -> None:
    assert labs.open(path="/tree").evaluate(IS_ACTIVE, "@loom/weaver-lab:weavers")
