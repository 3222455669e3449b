"""The OpenAPI 3.1 document, from the table of routes and the models of the wire."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from http.client import responses
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from loom_weaver import __version__
from loom_weaver.models import Error
from loom_weaver_server.operations import Argument, Operation
from loom_weaver_server.routes import Route

REFERENCE = "#/components/schemas/{model}"
DESCRIPTION = "Weavers are ephemeral, owner-scoped REPL sessions."
# Any call may have a bad query, no credential, a foreign Origin; the server may fail, or be starting.
ALWAYS = frozenset({400, 401, 403, 500, 503})
WITH_PATH_PARAMETERS = frozenset({404})
WITH_BODY = frozenset({413, 415})
SECURITY_SCHEMES = {
    "apiKey": {"type": "http", "scheme": "bearer", "description": "An API key, loom_sk_…"},
    "jupyterToken": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "The Jupyter server's token, as `token …`",
    },
}
REQUEST_ID = {"schema": {"type": "string"}, "description": "Names this request in the server's log"}
PATH_SCHEMAS: dict[str, dict[str, Any]] = {
    "weaver_id": {"type": "string", "pattern": "^weaver_[a-z0-9]{1,40}$"},
    "org_id": {"type": "string", "format": "uuid"},
}
JSON = "application/json"
References = Mapping[tuple[Any, JsonSchemaMode], dict[str, Any]]


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """All operations that the handlers of `routes` describe."""
    described = [(route, verb, found) for route in routes for verb, found in _operations(route)]
    references, schemas = _schemas([found for _, _, found in described])
    paths: dict[str, dict[str, Any]] = {}
    for route, verb, found in described:
        paths.setdefault(route.path, {})[verb] = _operation(route, verb, found, references)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Weaver API", "version": __version__, "description": DESCRIPTION},
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": SECURITY_SCHEMES},
        "security": [{scheme: []} for scheme in SECURITY_SCHEMES],
    }


def _operations(route: Route) -> Iterator[tuple[str, Operation]]:
    for verb in ("get", "post", "put", "patch", "delete"):
        found = getattr(getattr(route.handler, verb), "operation", None)
        if isinstance(found, Operation):
            yield verb, found


def _schemas(operations: Iterable[Operation]) -> tuple[References, dict[str, Any]]:
    """Where each model's schema is referred to, and all schemas."""
    wanted: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(Error, "serialization"): None}
    for found in operations:
        if found.body is not None:
            wanted[found.body, "validation"] = None
        for answer in found.answers.values():
            if isinstance(answer, type):
                wanted[answer, "serialization"] = None
    references, definitions = models_json_schema(list(wanted), ref_template=REFERENCE)
    schemas: dict[str, Any] = definitions["$defs"]
    return references, schemas


def _operation(route: Route, verb: str, found: Operation, references: References) -> dict[str, Any]:
    path_parameters = [_path_parameter(name) for name in re.findall(r"\{(\w+)\}", route.path)]
    described: dict[str, Any] = {
        "operationId": f"{verb}_{route.name}",
        "summary": found.summary,
        "parameters": [*path_parameters, *(_parameter(argument) for argument in found.arguments)],
        "responses": {
            **_answers(found, references),
            **_errors(found, bool(path_parameters), references[Error, "serialization"]),
        },
    }
    if found.has_body:
        schema = references[found.body, "validation"] if found.body else {}
        described["requestBody"] = {
            # Of bytes there may be none.
            "required": found.body is not None,
            "content": {media_type: {"schema": schema} for media_type in found.body_types},
        }
    if getattr(route.handler, "public", False) or 101 in found.answers:
        described["security"] = []
    return described


def _path_parameter(name: str) -> dict[str, Any]:
    schema = PATH_SCHEMAS.get(name, {"type": "string", "minLength": 1})
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _parameter(argument: Argument) -> dict[str, Any]:
    return {
        "name": argument.name,
        "in": argument.place,
        "description": argument.description,
        "schema": argument.schema,
    }


def _answers(found: Operation, references: References) -> dict[str, Any]:
    described: dict[str, Any] = {}
    for status, answer in found.answers.items():
        entry = described[str(status)] = _response(status)
        if answer is not None:
            plain = isinstance(answer, str)
            content = {} if plain else {"schema": references[answer, "serialization"]}
            entry["content"] = {answer if plain else JSON: content, **{also: {} for also in found.also}}
        if found.links:
            entry["links"] = {target: _link(found, target) for target in found.links}
    return described


def _link(found: Operation, target: str) -> dict[str, Any]:
    link: dict[str, Any] = {"operationId": target, "parameters": dict(found.links[target])}
    if target in found.link_bodies:
        link["requestBody"] = dict(found.link_bodies[target])
    return link


def _errors(found: Operation, has_path_parameters: bool, reference: dict[str, Any]) -> dict[str, Any]:
    statuses = {*ALWAYS, *found.errors}
    if has_path_parameters:
        statuses |= WITH_PATH_PARAMETERS
    if found.has_body:
        statuses |= WITH_BODY
    return {
        str(status): {**_response(status), "content": {JSON: {"schema": reference}}}
        for status in sorted(statuses)
    }


def _response(status: int) -> dict[str, Any]:
    return {"description": responses[status], "headers": {"X-Request-Id": REQUEST_ID}}
