"""Answers as models, and what httpx raises as errors of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from loom_weaver.client.errors import CallTimeout, ConnectionFailed, NotALoomServer

Model = TypeVar("Model", bound=BaseModel)


def answer(model: type[Model], response: httpx.Response) -> Model:
    """Raises NotALoomServer for a success that says something else."""
    try:
        return model.model_validate_json(response.content)
    except ValidationError as error:
        raise NotALoomServer(
            f"{response.url} answers something else than a {model.__name__}: "
            "server and client do not fit together"
        ) from error


@contextmanager
def as_our_errors(url: str) -> Iterator[None]:
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise ConnectionFailed(f"cannot reach {url}: {_reason(error)}", sent=False) from error
    except httpx.TimeoutException as error:
        raise CallTimeout(f"{url} did not answer in time") from error
    except (httpx.HTTPError, httpx.StreamError) as error:
        raise ConnectionFailed(f"the connection to {url} broke: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
