"""How tests run."""

from __future__ import annotations

import asyncio
import inspect

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--runtime", action="append", help="Run the contract suite on this runtime (may be repeated)."
    )


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """A coroutine test has an event loop of its own; it opens what it needs with `async with`."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    asyncio.run(pyfuncitem.obj(**arguments))
    return True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test on a cluster waits until one is up, on a new machine until it is built."""
    own = (item for item in items if "kube" in getattr(item, "fixturenames", ()))
    contract = (item for item in items if "[kubernetes" in item.nodeid)
    for first in filter(None, (next(own, None), next(contract, None))):
        first.add_marker(pytest.mark.timeout(1800))
