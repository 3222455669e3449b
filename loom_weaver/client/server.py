"""A server to call. Light: a command line loads it for a single call."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import ssl

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Server:
    """Where to call, and as whom. `found_by` tells people where this is from."""

    url: str
    key: str = field(repr=False)
    found_by: str

    @property
    def is_local(self) -> bool:
        return urlsplit(self.url).hostname in LOOPBACK

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}

    def tls(self) -> ssl.SSLContext | None:
        """Loading the authorities of the system takes a while: only where they are needed."""
        if not self.url.startswith("https:"):
            return None
        import ssl

        return ssl.create_default_context()
