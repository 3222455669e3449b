"""A real kernel, and the cells that a front end would run in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

# A machine that does much else starts a kernel slowly.
PATIENCE = 60.0
Message = dict[str, Any]


@dataclass
class Ran:
    """What became of a cell."""

    status: str = ""
    messages: list[Message] = field(default_factory=list, repr=False)

    def of(self, *kinds: str) -> list[dict[str, Any]]:
        """The contents of its messages of these kinds."""
        return [message["content"] for message in self.messages if message["msg_type"] in kinds]

    def text(self, stream: str = "stdout") -> str:
        return "".join(each["text"] for each in self.of("stream") if each["name"] == stream)

    @property
    def error(self) -> str:
        """As it is drawn, without colours."""
        drawn = "\n".join(line for each in self.of("error") for line in each["traceback"])
        return drawn.replace("\x1b[31m", "").replace("\x1b[0m", "")

    @property
    def bundles(self) -> list[dict[str, Any]]:
        """What it displays: MIME types and their data."""
        return [each["data"] for each in self.of("execute_result", "display_data")]


class Notebook:
    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager = manager
        self._client = client

    def run(self, code: str, *, cell: str | None = None, seen: Callable[[Ran], object] | None = None) -> Ran:
        """Run a cell to its end; `seen` is called after each message of it, with what there is so far."""
        request = self._client.session.msg(
            "execute_request",
            {"code": code, "silent": False, "store_history": True, "user_expressions": {}},
            metadata={"cellId": cell} if cell else {},
        )
        self._client.shell_channel.send(request)
        ran = Ran()
        while True:
            message = self._client.get_iopub_msg(timeout=PATIENCE)
            if message["parent_header"].get("msg_id") != request["header"]["msg_id"]:
                continue
            ran.messages.append(message)
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                break
            if seen is not None:
                seen(ran)
        ran.status = self._reply(request)["status"]
        return ran

    def value(self, expression: str) -> str:
        """The text of an expression's value."""
        ran = self.run(expression)
        assert ran.status == "ok", ran.error
        return str(ran.bundles[-1]["text/plain"])

    def complete(self, code: str) -> list[str]:
        """What Tab offers at the end of `code`."""
        request_id = self._client.complete(code, len(code))
        while True:
            reply = self._client.get_shell_msg(timeout=PATIENCE)
            if reply["parent_header"].get("msg_id") == request_id:
                return list(reply["content"]["matches"])

    def interrupt(self) -> None:
        self.manager.interrupt_kernel()

    def _reply(self, request: Message) -> dict[str, Any]:
        while True:
            reply = self._client.get_shell_msg(timeout=PATIENCE)
            if reply["parent_header"].get("msg_id") == request["header"]["msg_id"]:
                content: dict[str, Any] = reply["content"]
                return content


@contextmanager
def kernel(environment: Mapping[str, str]) -> Iterator[Notebook]:
    manager = KernelManager()
    manager.start_kernel(env=dict(environment))
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=PATIENCE)
        yield Notebook(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()
        client.context.destroy()
