"""The local runtime on systems that it cannot run on."""

from __future__ import annotations

import subprocess
import sys

ELSEWHERE = """
import sys
sys.platform = "darwin"
from loom_weaver.errors import Unavailable
try:
    import loom_weaver.runtimes.local.runtime
except Unavailable as error:
    print(error.message)
"""


def test_elsewhere_than_on_linux_it_says_so_and_offers_kubernetes() -> None:
    command = [sys.executable, "-c", ELSEWHERE]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "needs Linux" in said
    assert "kubernetes" in said
