"""As much of a Kubernetes API server as `kubectl get pods` asks for, answered out of memory."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from benchmarks.server import HOST

POD = {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": ["get", "list"]}
DISCOVERY: dict[str, Any] = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": [POD]},
}
COLUMNS = ("Name", "Ready", "Status", "Restarts", "Age")
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


@contextmanager
def pods_api(pods: int) -> Iterator[str]:
    """Its URL."""
    bodies = {path: json.dumps(body).encode() for path, body in DISCOVERY.items()}
    bodies["/api/v1/namespaces/default/pods"] = json.dumps(_table(pods)).encode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = bodies.get(urlsplit(self.path).path)
            self.send_response(200 if body else 404)
            self.send_header(
                "Content-Type", TABLE if self.path.startswith("/api/v1/") else "application/json"
            )
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer((HOST, 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://{HOST}:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def _table(pods: int) -> dict[str, Any]:
    columns = [
        {"name": name, "type": "string", "format": "", "description": "", "priority": 0} for name in COLUMNS
    ]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": "1"},
        "columnDefinitions": columns,
        "rows": [_row(f"loom-weaver-{number:016d}") for number in range(pods)],
    }


def _row(name: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default", "creationTimestamp": "2026-03-03T12:00:00Z"}
    return {
        "cells": [name, "1/1", "Running", "0", "5m"],
        "object": {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata},
    }
