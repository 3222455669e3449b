"""The chart, and the command that installs it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.kube_cluster import Kube, tool

DEPLOY = Path(__file__).parents[2] / "deploy"
CHART = DEPLOY / "helm/loom-weaver"


def helm(kube: Kube, *words: str) -> str:
    done = subprocess.run(
        [tool("helm"), "--kubeconfig", kube.kubeconfig, *words],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
