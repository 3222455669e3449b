"""What the quantities of `resources` stand for."""

from __future__ import annotations

from decimal import Decimal

import pytest

from loom_weaver.quantities import cpu_cores, memory_bytes, parse_quantity


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("4Gi", 4_294_967_296),
        ("1.5Gi", 1_610_612_736),
        ("129e6", 129_000_000),
        ("1e9", 1_000_000_000),
        ("1E9", 1_000_000_000),
        ("4G", 4_000_000_000),
        ("+5Mi", 5_242_880),
        ("5242880", 5_242_880),
        ("5242880000m", 5_242_880),
    ],
)
def test_in_1_memory_in_bytes(text: str, number: int) -> None:
    assert memory_bytes(text) == number


def test_in_1_what_is_too_little_to_start_in_is_a_quantity_all_the_same() -> None:
    assert parse_quantity("100k") == 100_000
    with pytest.raises(ValueError, match="at least 4Mi"):
        memory_bytes("100k")


@pytest.mark.parametrize(
    ("text", "cores"),
    [("0.5", "0.5"), ("500m", "0.5"), ("1e0", "1"), (".5", "0.5"), ("2.", "2"), ("1m", "0.001")],
)
def test_in_1_cpus(text: str, cores: str) -> None:
    assert cpu_cores(text) == Decimal(cores)


@pytest.mark.parametrize("text", ["10E", "1e19", "1e999", "1" * 40])
def test_larger_than_any_machine(text: str) -> None:
    with pytest.raises(ValueError, match="Kubernetes quantity"):
        memory_bytes(text)
