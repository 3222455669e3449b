"""Every operation of the OpenAPI document, with what it asks for, with what it does not, and in sequences.

`LOOM_WEAVER_FUZZ=20 pytest tests/fuzz` makes twenty times as many calls, and others each time.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.running import People, Person, RunningServer, serving

EFFORT = int(os.environ.get("LOOM_WEAVER_FUZZ", "1"))
EXAMPLES = 15 * EFFORT
REPRODUCIBLE = ["--generation-deterministic", "--seed", "20260303"] if EFFORT == 1 else []
ROOT = Path(__file__).parents[2]
# More is refused as one too many, which is documented, too.
FEW_WEAVERS = "c.Quotas.per_user = 12\n"
# Whoever follows its log always gets another event, and can leave.
TICKING = "while :; do echo tick; sleep 0.1; done"
ANSWERED = re.compile(r" (\d{3}) (GET|POST|PUT|PATCH|DELETE) (\S+) \(")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300 * EFFORT)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with serving(tmp_path_factory.mktemp("fuzz") / "data", config=FEW_WEAVERS) as running:
        yield running
        running.delete_all_weavers()


@pytest.mark.parametrize("role", ["admin", "owner"])
def test_the_api_does_what_its_document_says(server: RunningServer, role: str, tmp_path: Path) -> None:
    people = server.add_people()
    caller = people.all()[role]
    inside = role == "owner"
    org_id = people.org_id if inside else people.other_org_id
    colleague = people.member if inside else people.other
    weavers = [create_weaver(caller, org_id, script) for script in (TICKING, TICKING, "echo over")]
    keys = [key["id"] for key in caller.http.get("/api/keys").json()["keys"]]
    words = {
        "weavers": weavers,
        "orgs": [org_id],
        "repos": [furnish(people, org_id)],
        "users": [colleague.id, colleague.name],
        "images": ["shell", "ghcr.io/loom/weaver:latest"],
        "programs": ["true", "false", "cat", "echo"],
        "secrets": ["TOKEN", "_A1"],
        "paths": [".", "notes.txt", "/tmp"],
    }
    before = len(server.log())
    report = schemathesis(
        server,
        write_config(tmp_path, words),
        API_KEY=caller.key,
        PROTECTED_IDS=" ".join([caller.id, *keys, *weavers]),
    )
    said = server.log()[before:]
    assert report.returncode == 0, report.stdout + report.stderr
    assert "Traceback" not in said
    assert not unreached(caller, said, forgiven={403} if inside else set())


def create_weaver(caller: Person, org_id: str, script: str) -> str:
    weaver = {"image": "shell", "org_id": org_id, "command": ["sh", "-c", script]}
    return str(caller.http.post("/api/weaver", json=weaver).json()["id"])


def furnish(people: People, org_id: str) -> str:
    """The id of a repository; and an owner who stays, so that others can go."""
    org = f"/api/orgs/{org_id}"
    people.admin.http.post(f"{org}/members", json={"user": people.support.id, "role": "owner"})
    return str(people.admin.http.post(f"{org}/repos", json={"name": "repo"}).json()["id"])


def write_config(folder: Path, words: dict[str, list[str]]) -> Path:
    """What never changes, and a dictionary for each kind of word."""
    config = folder / "schemathesis.toml"
    dictionaries = [
        f"\n[dictionaries.{name}]\nvalues = {json.dumps(values)}\n" for name, values in words.items()
    ]
    config.write_text((Path(__file__).parent / "schemathesis.toml").read_text() + "".join(dictionaries))
    return config


def schemathesis(server: RunningServer, config: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "--no-color", "run"]
    return subprocess.run(
        [*command, f"{server.url}/api/openapi.json", "--max-examples", str(EXAMPLES), *REPRODUCIBLE],
        cwd=config.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def unreached(caller: Person, server_log: str, forgiven: set[int]) -> list[str]:
    """The operations that no call did what they are for: then the others tell little about them."""
    answers = [(int(status), verb.lower(), path) for status, verb, path in ANSWERED.findall(server_log)]
    missed = []
    for template, verbs in caller.http.get("/api/openapi.json").json()["paths"].items():
        pattern = re.compile(re.sub(r"\{\w+\}", "[^/]+", template))
        for verb, described in verbs.items():
            wanted = {int(status) for status in described["responses"] if "200" <= status < "300"}
            seen = {status for status, used, path in answers if used == verb and pattern.fullmatch(path)}
            if wanted and seen.isdisjoint(wanted | forgiven):
                missed.append(f"{verb} {template}: {sorted(seen)}")
    return missed
