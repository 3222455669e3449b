"""A weaver's terminal, over however many connections it takes."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from loom_weaver.client.items import Exit, TerminalItem


class AsyncAttachment:
    """An async iterator of Output, Attached, Detached, Presence, OutputGap and LifetimeWarning.

    Entering it attaches: from then on `send` works. It is iterating that takes what comes and that makes a broken
    link anew: Detached tells of one, Attached of the next. It ends when the weaver does; then `exit` is set.
    Raises NotFound, Forbidden, Unauthorized as any call, Conflict never: of a weaver that ended before the kept
    scrollback comes, then the end.
    """

    connected: bool
    position: str | None
    """`EPOCH:OFFSET` of the next byte: `attach(since=…)` goes on there."""
    access: str
    """`full`, or `read_only`: what is sent is dropped."""
    exit: Exit | None
    """How the weaver ended, once it has."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def __aiter__(self) -> Self: ...

    async def __anext__(self) -> TerminalItem: ...

    async def send(self, data: str | bytes) -> None:
        """Type. Raises ConnectionFailed while the link is down: nothing is queued, nothing typed twice."""

    async def resize(self, cols: int, rows: int) -> None:
        """Tell this viewer's size, 1 to 1,000; a link that is made anew tells it again."""

    async def aclose(self) -> None:
        """Detach; the weaver goes on."""
