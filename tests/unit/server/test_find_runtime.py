"""The runtime that a server is told to use, and what it says where it cannot."""

from __future__ import annotations

import subprocess
import sys

import pytest

# A process that has everything but one package.
WITHOUT = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {package!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
from loom_weaver.errors import Unavailable
from loom_weaver_server.app import LoomWeaverApp
try:
    LoomWeaverApp(runtime="kubernetes").find_runtime()
except Unavailable as error:
    print(error.message)
"""


@pytest.mark.parametrize("package", ["aiohttp", "kubernetes"])
def test_a_runtime_whose_packages_are_missing_says_what_to_install(package: str) -> None:
    code = WITHOUT.format(package=package)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == f"the kubernetes runtime needs {package}: pip install 'loom-weaver[kubernetes]'\n"
