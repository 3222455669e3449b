"""`signal` without its enumerations, for holders: see `light_json` for why."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
else:
    import _signal as signal

__all__ = ["name_of", "signal"]


def name_of(number: int) -> str | None:
    """As `signal.Signals` has it: of several names the first one."""
    names = [
        name
        for name, value in vars(signal).items()
        if value == number and name.startswith("SIG") and not name.startswith("SIG_")
    ]
    return min(names, default=None)
