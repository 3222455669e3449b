"""What a child does to its signals before its exec, by ctypes. Light: holders load it, before any fork."""

import ctypes
import os

# <signal.h>; `signal` itself would weigh a holder down.
SIG_SETMASK, NSIG = 2, 65
# nptl(7): signals of the threads of libc, whose signal() refuses them; an ancestor may ignore them yet.
LIBC_SIGNALS = 32, 33
# Kernel headers: <asm/unistd.h>.
SYS_RT_SIGACTION = {"x86_64": 13, "aarch64": 134}.get(os.uname().machine)
# struct sigaction of the kernel, SIG_DFL with no flags, and the size of its mask.
DEFAULT_ACTION, MASK_SIZE = bytes(32), 8
# sigset_t of libc.
EMPTY_SET = bytes(128)

# A name resolved and a type converted here is time saved in every child.
_libc = ctypes.CDLL(None)
_signal, _sigprocmask, _syscall = _libc.signal, _libc.sigprocmask, _libc.syscall
_signal.argtypes = [ctypes.c_int, ctypes.c_void_p]
_sigprocmask.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p]
_syscall.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_long]


def default_signals() -> None:
    """No signal ignored, none blocked: both would outlive an exec."""
    for number in range(1, NSIG):
        _signal(number, None)
    if SYS_RT_SIGACTION is not None:
        for number in LIBC_SIGNALS:
            _syscall(SYS_RT_SIGACTION, number, DEFAULT_ACTION, None, MASK_SIZE)
    _sigprocmask(SIG_SETMASK, EMPTY_SET, None)
