"""Runs the notebooks of `notebooks/` against a server of their own and keeps what they show.

`python scripts/notebooks.py` after a change to them; the tests run them too.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# A slow machine's first cell.
CELL_SECONDS = 120


def executed(path: Path, environment: Mapping[str, str]) -> nbformat.NotebookNode:
    """With the outputs of a fresh kernel; raises CellExecutionError for a cell that fails."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=CELL_SECONDS, kernel_name="python3", store_widget_state=True)
    with tempfile.TemporaryDirectory() as folder:
        env = {**environment, "IPYTHONDIR": folder}
        client.execute(env=env, cwd=folder)
    return notebook


def tidied(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Without what differs from run to run and tells a reader nothing."""
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.get("data", {}).get("application/vnd.loom-weaver.v1+json", {}).pop("model_id", None)
        if "outputs" in cell:
            cell["outputs"] = _joined(cell["outputs"])
    return notebook


def _joined(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Pieces of one stream as one, without colours."""
    joined: list[nbformat.NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream":
            output["text"] = re.sub(r"\x1b\[[\d;]*m", "", output["text"])
        last = joined[-1] if joined else None
        if last is not None and last.get("name", "") == output.get("name"):
            last["text"] += output["text"]
        else:
            joined.append(output)
    return joined


def main() -> None:
    """Write each notebook back as it has run."""
    sys.path.insert(0, str(ROOT))
    from tests.notebook.readers import readers_of
    from tests.server.running import serving

    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder) / "data") as server,
        readers_of(server) as environments,
    ):
        for path in NOTEBOOKS:
            nbformat.write(tidied(executed(path, environments[path.stem])), path)


if __name__ == "__main__":
    main()
