"""JSON as RFC 8259 has it, and a model's faults as our BadRequest.

Python's own reader takes `NaN`, keeps the last of two equal keys and dies of deep nesting; here all three are
the caller's error.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from loom_weaver.errors import BadRequest, FieldError

Model = TypeVar("Model", bound=BaseModel)
# What pydantic's own messages lack: the way out.
HINTS = {
    "extra_forbidden": "is not a known field",
    "missing": "is required",
    "string_type": "must be a string",
    "int_type": "must be an integer",
    "dict_type": "must be an object",
    "list_type": "must be an array",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "too_short": "must not be empty",
    "bool_type": "must be true or false",
}


def parse_json(body: bytes) -> Any:
    """The value in `body`; raises BadRequest for anything but strict JSON in UTF-8."""
    try:
        return json.loads(body.decode(), object_pairs_hook=_object, parse_constant=_refuse_constant)
    except BadRequest:
        raise
    except RecursionError as error:
        raise BadRequest("the body is nested too deeply; send a flat JSON object") from error
    except ValueError as error:
        raise BadRequest("the body is not valid JSON in UTF-8; send a JSON object") from error


def validate(model: type[Model], value: object) -> Model:
    """`value` as a `model`; raises BadRequest whose details name each field."""
    if not isinstance(value, dict):
        raise BadRequest("the body must be a JSON object")
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise bad_request(error) from error


def bad_request(error: ValidationError) -> BadRequest:
    details = []
    for entry in error.errors(include_url=False, include_input=False):
        path = ".".join(str(part) for part in entry["loc"] if part != "[key]")
        field = entry.get("ctx", {}).get("field") or path
        details.append(FieldError(field, HINTS.get(entry["type"]) or _lower_first(entry["msg"])))
    first = details[0]
    return BadRequest(f"{first.field}: {first.message}", details=details)


def _lower_first(message: str) -> str:
    return message[:1].lower() + message[1:]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise BadRequest(f"the key {json.dumps(key)} stands twice in one object; send it once")
        result[key] = value
    return result


def _refuse_constant(name: str) -> NoReturn:
    raise BadRequest(f"{name} is not JSON; send a number, or null where the field allows it")
