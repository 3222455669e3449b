"""The cluster that tests run on, where it is our own: what users run, and closed to everybody else."""

from __future__ import annotations

import subprocess

import pytest

from tests.kube_cluster import CACHE, SCRIPTS, WEAVER_IMAGE, Kube


@pytest.fixture
def ours(kube: Kube) -> Kube:
    if not kube.is_ours:
        pytest.skip("this is about the cluster of tests/cluster")
    return kube


def test_it_is_current(ours: Kube) -> None:
    version = ours.get("--raw", "/version")
    assert (int(version["major"]), int(version["minor"])) >= (1, 34)


def test_a_second_start_finds_it_running(ours: Kube) -> None:
    printed = subprocess.run([SCRIPTS / "up"], check=True, capture_output=True, text=True).stdout
    assert printed.splitlines() == [str(ours.kubeconfig.resolve())]


def test_its_servers_listen_on_this_machine_alone(ours: Kube) -> None:
    del ours
    pids = {path.read_text().strip() for path in (CACHE / "run/pids").iterdir()}
    sockets = subprocess.run(["ss", "-ltnpH"], check=True, capture_output=True, text=True).stdout.splitlines()
    of_the_cluster = [line.split()[3] for line in sockets if any(f"pid={pid}," in line for pid in pids)]
    assert len(of_the_cluster) >= 6
    assert all(address.startswith(("127.0.0.1:", "[::1]:")) for address in of_the_cluster)


def test_the_weaver_image_has_what_it_is_said_to_have_and_no_rights(ours: Kube) -> None:
    script = "id -u; python -c 'print(6 * 7)'; for c in bash git ipython3 tar tini; do command -v $c; done"
    with ours.namespace(labels={}) as namespace:
        said = ours.kubectl(
            *("run", "look", f"--image={WEAVER_IMAGE}", "--image-pull-policy=Never", "--restart=Never"),
            *("--namespace", namespace, "--attach", "--quiet", "--", "bash", "-c", script),
        )
    uid, answer, *found = said.split()
    assert (uid, answer) == ("1000", "42")
    assert [path.rpartition("/")[2] for path in found] == ["bash", "git", "ipython3", "tar", "tini"]
