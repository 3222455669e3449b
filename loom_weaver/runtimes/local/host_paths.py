"""Which of the machine's files a weaver may read, whatever keeps it in."""

import os
import sys

# Programs and libraries; the last two are where Nix and Guix keep theirs.
SYSTEM_FOLDERS = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store",
)  # fmt: skip
DEVICES = tuple(f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "tty"))
# What programs look up about the machine, and nothing that is secret on any of them.
ETC = tuple(
    f"/etc/{name}"
    for name in (
        "alternatives",
        "bash.bashrc",
        "crypto-policies",
        "fonts",
        "inputrc",
        "java-17-openjdk",
        "java-21-openjdk",
        "ld.so.cache",
        "localtime",
        "mime.types",
        "nsswitch.conf",
        "os-release",
        "pki/ca-trust",
        "pki/tls/certs",
        "profile",
        "profile.d",
        "protocols",
        "resolv.conf",
        "services",
        "ssl/certs",
        "ssl/openssl.cnf",
        "terminfo",
        "timezone",
    )
)


def covers(folders: tuple[str, ...], path: str) -> bool:
    """Whether `path` is one of the folders or in one."""
    return any(path == folder or path.startswith(folder.rstrip("/") + "/") for folder in folders)


def hidden_in(folder: str, hidden: list[str]) -> list[str]:
    """Where the hidden folders are, of those that are in this one, whatever links lead to them."""
    real = os.path.realpath(folder)
    inside = [os.path.relpath(path, real) for path in map(os.path.realpath, hidden) if covers((real,), path)]
    return [os.path.normpath(os.path.join(folder, path)) for path in inside]


def python_folders() -> list[str]:
    """What this Python needs to run: its environment, its installation, and what their links lead to."""
    executable = os.path.dirname(os.path.realpath(sys.executable))
    given = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix, executable}
    folders = sorted(given | {os.path.realpath(path) for path in given})
    return [path for path in folders if not covers((*SYSTEM_FOLDERS, *_others(folders, path)), path)]


def _others(folders: list[str], one: str) -> list[str]:
    return [folder for folder in folders if folder != one]
