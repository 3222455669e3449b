"""What a sandbox is asked to be, and the paths that follow from it. Standard library only."""

import os

from loom_weaver.runtimes.local.host_paths import covers

BUBBLEWRAP, LANDLOCK, NONE = "bubblewrap", "landlock", "none"
KINDS = (BUBBLEWRAP, LANDLOCK, NONE)
# As the weaver sees them under bubblewrap.
HOME, TMP = "/home/weaver", "/tmp"  # noqa: S108
# The machine's, where the sandbox has none of its own.
HOST_TMP = "/tmp"  # noqa: S108


class Plan:
    """What a sandbox is made of. Folders are the machine's, but `workdir` is as the weaver sees it."""

    __slots__ = (
        "cpu_limit",
        "env",
        "hidden",
        "home",
        "hostname",
        "hosts",
        "kind",
        "memory_limit",
        "network",
        "readable",
        "tmp",
        "workdir",
    )

    def __init__(  # noqa: PLR0913 - all by name, as it comes from JSON
        self,
        *,
        kind: str,
        home: str,
        tmp: str,
        hostname: str,
        env: dict[str, str],
        readable: list[str],
        hidden: list[str],
        workdir: str | None = None,
        memory_limit: int | None = None,
        cpu_limit: float | None = None,
        network: bool = True,
        hosts: str | None = None,
    ) -> None:
        """`readable` folders are read-only besides the system's; `hidden` ones are not seen even in those.

        `hosts` is a file that /etc/hosts shall be, where that is to be written later.
        """
        self.kind = kind
        self.home = home
        self.tmp = tmp
        self.hostname = hostname
        self.env = env
        self.readable = readable
        self.hidden = hidden
        self.workdir = workdir
        self.memory_limit = memory_limit
        self.cpu_limit = cpu_limit
        self.network = network
        self.hosts = hosts


def home_path(kind: str, home: str) -> str:
    """HOME as the weaver sees it."""
    return HOME if kind == BUBBLEWRAP else home


def tmp_path(kind: str, tmp: str) -> str:
    """TMPDIR as the weaver sees it."""
    return TMP if kind == BUBBLEWRAP else tmp


def shares_tmp(kind: str, home: str) -> bool:
    """Whether the weaver sees the machine's /tmp. Landlock cannot hide a data folder that is in it."""
    return kind == NONE or (kind == LANDLOCK and not covers((HOST_TMP,), os.path.realpath(home)))


def file_roots(kind: str, home: str) -> tuple[str, ...]:
    """The folders that are the weaver's own, as it sees them."""
    if kind == BUBBLEWRAP:
        return (HOME, TMP)
    return (home, HOST_TMP) if shares_tmp(kind, home) else (home,)
