"""What a magic raises: one line in the cell instead of a traceback through our own code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from loom_weaver.cli.exits import WAYS_OUT
from loom_weaver.errors import LoomError


class WeaverMagicError(Exception):
    """A `%weaver` or `%%weaver` that could not be done; the cells behind it do not run."""

    title = "weaver"

    def _render_traceback_(self) -> list[str]:
        """As IPython asks an exception for its picture."""
        return [f"\x1b[31m{self.title}\x1b[0m: {self}"]


class CellFailed(WeaverMagicError):
    """The cell's code failed in the weaver, where it has told why; `_exit_code` has its `exit_code` too."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@contextmanager
def as_one_line() -> Iterator[None]:
    try:
        yield
    except LoomError as error:
        raise WeaverMagicError(explained(error)) from error


def explained(error: LoomError) -> str:
    """Its message, and the way out where one is known that it does not name."""
    message = " ".join(error.message.split())
    way_out = WAYS_OUT.get(error.code)
    if way_out is None or "loom-weaver login" in message:
        return message
    return f"{message.rstrip('.')}; {way_out}"
