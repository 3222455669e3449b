"""The OpenAPI document says all that the routes do."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tornado.web import RequestHandler

from loom_weaver_server.handlers.docs import DocsHandler
from loom_weaver_server.openapi import document
from loom_weaver_server.operations import Operation
from loom_weaver_server.routes import PREFIXES, ROUTES, pattern

VERBS = ("get", "post", "put", "patch", "delete")
DOCUMENT = document(ROUTES)
# A page for people.
UNDESCRIBED = {("get", "docs"), ("get", "docs_file")}


def operations() -> dict[str, dict[str, Any]]:
    return {each["operationId"]: each for path in DOCUMENT["paths"].values() for each in path.values()}


def test_every_verb_of_every_route_is_described() -> None:
    undescribed = {
        (verb, route.name)
        for route in ROUTES
        for verb in VERBS
        if getattr(route.handler, verb) is not getattr(RequestHandler, verb)
        and not isinstance(getattr(getattr(route.handler, verb), "operation", None), Operation)
    }
    assert undescribed == UNDESCRIBED


def test_every_reference_leads_somewhere() -> None:
    references = re.findall(r"'#/components/schemas/([^']+)'", str(DOCUMENT))
    assert references
    assert set(references) <= DOCUMENT["components"]["schemas"].keys()


def test_every_link_names_an_operation_and_its_parameters() -> None:
    known = operations()
    for each in known.values():
        for response in each["responses"].values():
            for link in response.get("links", {}).values():
                target = known[link["operationId"]]
                assert link["parameters"].keys() <= {given["name"] for given in target["parameters"]}


def test_every_operation_tells_its_errors() -> None:
    for name, each in operations().items():
        assert {"400", "401", "403", "500", "503"} <= each["responses"].keys(), name
        if "requestBody" in each:
            assert {"413", "415"} <= each["responses"].keys(), name


@pytest.mark.parametrize(
    ("path", "text", "values"),
    [
        ("/api/weaver/{weaver_id}", "/api/weaver/weaver_a", ("weaver_a",)),
        ("/api/weaver/{weaver_id}", "/api/weaver/", ("",)),
        ("/api/weaver/{weaver_id}/logs", "/api/weaver/a/logs", ("a",)),
        ("/api/openapi.json", "/api/openapi.json", ()),
    ],
)
def test_patterns(path: str, text: str, values: tuple[str, ...]) -> None:
    match = re.fullmatch(pattern(path), text)
    assert match
    assert match.groups() == values


def test_a_dot_is_a_dot() -> None:
    assert not re.fullmatch(pattern("/api/openapi.json"), "/api/openapiXjson")


def test_what_is_ours_answers_for_all_below_it() -> None:
    for route in ROUTES:
        if route.handler is not DocsHandler and route.path not in ("/health", "/api/openapi.json"):
            assert any(route.path == prefix or route.path.startswith(f"{prefix}/") for prefix in PREFIXES)
