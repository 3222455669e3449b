"""Kubernetes resource quantities, as `resources` takes them.

The grammar is that of k8s.io/apimachinery/pkg/api/resource: decimal digits with an optional fraction and a
binary suffix, a decimal suffix, or an exponent.
"""

from __future__ import annotations

import re
from decimal import Decimal

QUANTITY = re.compile(
    r"\+?([0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E|[eE][+-]?[0-9]{1,3})?",
    re.ASCII,
)
BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
DECIMAL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
# Kubernetes stores quantities as 64-bit integers.
LARGEST = 2**63 - 1
# Below this no interpreter starts.
MEMORY_FLOOR = 4 * 2**20
CPU_FLOOR = Decimal("0.001")


def parse_quantity(text: str) -> Decimal:
    """The number that `text` stands for; raises ValueError for anything Kubernetes would not take."""
    match = QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError("not a quantity")
    number, suffix = Decimal(match[1]), match[2]
    if suffix is None:
        value = number
    elif suffix in BINARY:
        value = number * 1024 ** BINARY[suffix]
    else:
        value = number.scaleb(DECIMAL[suffix] if suffix in DECIMAL else int(suffix[1:]))
    if value > LARGEST:
        raise ValueError("larger than any machine")
    return value


def memory_bytes(text: str) -> int:
    """Whole bytes of a memory quantity; raises ValueError with a sentence that names the right spelling."""
    value = _positive(text, "memory in bytes with a suffix such as 512Mi or 4Gi")
    if value < 1 or value != int(value):
        raise ValueError(
            "must be whole bytes; the suffix m means thousandths, write for example 512Mi or 4Gi"
        )
    if value < MEMORY_FLOOR:
        raise ValueError("must be at least 4Mi")
    return int(value)


def cpu_cores(text: str) -> Decimal:
    """Cores of a CPU quantity; raises ValueError with a sentence that names the right spelling."""
    value = _positive(text, "CPUs such as 2, 0.5 or 500m")
    if value < CPU_FLOOR:
        raise ValueError("must be at least 1m, a thousandth of a CPU")
    return value


def _positive(text: str, spelling: str) -> Decimal:
    try:
        value = parse_quantity(text)
    except ValueError:
        raise ValueError(f"must be a Kubernetes quantity: {spelling}") from None
    if value <= 0:
        raise ValueError(f"must be more than zero: {spelling}")
    return value
