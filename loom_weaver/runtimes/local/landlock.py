"""Landlock: the kernel refuses files, signals and abstract sockets that a process was not given.

https://docs.kernel.org/userspace-api/landlock.html. Rules hold for the process and all it starts, for ever.
"""

import os
import stat
import struct

from loom_weaver.runtimes.local import linux

SYS_CREATE_RULESET, SYS_ADD_RULE, SYS_RESTRICT_SELF = 444, 445, 446
CREATE_RULESET_VERSION = 1
RULE_PATH_BENEATH = 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
REMOVE_DIR, REMOVE_FILE, MAKE_CHAR, MAKE_DIR = 1 << 4, 1 << 5, 1 << 6, 1 << 7
MAKE_REG, MAKE_SOCK, MAKE_FIFO, MAKE_BLOCK, MAKE_SYM = 1 << 8, 1 << 9, 1 << 10, 1 << 11, 1 << 12
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
BIND_TCP, CONNECT_TCP = 1 << 0, 1 << 1
SCOPE_ABSTRACT_SOCKETS, SCOPE_SIGNALS = 1 << 0, 1 << 1
# Each with the version of the interface that brought it.
FIRST_RIGHTS = (1 << 13) - 1
RIGHTS_SINCE = ((2, REFER), (3, TRUNCATE), (5, IOCTL_DEV))
NETWORK_SINCE, SCOPES_SINCE = 4, 6

READ = EXECUTE | READ_FILE | READ_DIR
WRITE = (
    READ | WRITE_FILE | TRUNCATE | REFER | REMOVE_DIR | REMOVE_FILE
    | MAKE_DIR | MAKE_REG | MAKE_SOCK | MAKE_FIFO | MAKE_SYM
)  # fmt: skip
DEVICE = READ_FILE | WRITE_FILE | TRUNCATE | IOCTL_DEV
# struct landlock_ruleset_attr: files, network, scopes. Made here so that a holder's memory stays shared.
ONLY_ABSTRACT_SOCKETS = struct.pack("=QQQ", 0, 0, SCOPE_ABSTRACT_SOCKETS)
# A rule about a file takes no right that only a folder can have.
FILE_RIGHTS = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV


def _version() -> int:
    try:
        return linux.syscall(SYS_CREATE_RULESET, None, 0, CREATE_RULESET_VERSION)
    except OSError:
        return 0


# Of the kernel's interface; 0 where there is none, or it is switched off.
VERSION = _version()


def known_rights(version: int) -> int:
    rights = FIRST_RIGHTS
    for since, right in RIGHTS_SINCE:
        if version >= since:
            rights |= right
    return rights


def restrict_files(rules: list[tuple[str, int]], *, network: bool) -> None:
    """Refuse every file but those beneath the paths of `rules`, and signals out of what starts from here.

    A path that does not exist gives nothing. Without `network` TCP is refused as well. All but the files only
    where the kernel can. Needs no_new_privileges.
    """
    known = known_rights(VERSION)
    tcp = 0 if network or VERSION < NETWORK_SINCE else BIND_TCP | CONNECT_TCP
    scopes = 0 if VERSION < SCOPES_SINCE else SCOPE_SIGNALS
    ruleset = _create(struct.pack("=QQQ", known, tcp, scopes))
    for path, rights in rules:
        _allow(ruleset, path, rights & known)
    _restrict(ruleset)
    os.close(ruleset)


def restrict_abstract_sockets() -> None:
    """Refuse those of others to this process and all that starts from here, where the kernel can."""
    if VERSION < SCOPES_SINCE:
        return
    ruleset = _create(ONLY_ABSTRACT_SOCKETS)
    try:
        _restrict(ruleset)
    except PermissionError:
        linux.no_new_privileges()
        _restrict(ruleset)
    finally:
        os.close(ruleset)


def _create(attributes: bytes) -> int:
    return linux.syscall(SYS_CREATE_RULESET, attributes, len(attributes), 0)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
    try:
        if not stat.S_ISDIR(os.fstat(parent).st_mode):
            rights &= FILE_RIGHTS
        linux.syscall(SYS_ADD_RULE, ruleset, RULE_PATH_BENEATH, struct.pack("=Qi", rights, parent), 0)
    finally:
        os.close(parent)


def _restrict(ruleset: int) -> None:
    linux.syscall(SYS_RESTRICT_SELF, ruleset, 0)
