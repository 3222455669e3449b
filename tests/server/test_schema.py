"""The API keeps what its OpenAPI document promises, for whatever is sent."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.running import RunningServer

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance,unsupported_method"
)
# They stream for ever.
STREAMS = r"/(events|logs)$"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_schemathesis(server: RunningServer, tmp_path: Path) -> None:
    people = server.add_people()
    command = [str(Path(sys.executable).parent / "schemathesis"), "run", f"{server.url}/api/openapi.json"]
    options = {
        "--url": server.url,
        "--header": f"Authorization: Bearer {people.admin.key}",
        "--checks": CHECKS,
        "--max-examples": "10",
        "--exclude-path-regex": STREAMS,
        "--request-timeout": "30",
        "--seed": "1",
    }
    flat = [word for option in options.items() for word in option]
    run = subprocess.run([*command, *flat], cwd=tmp_path, capture_output=True, text=True, check=False)
    server.delete_all_weavers()
    assert run.returncode == 0, run.stdout
