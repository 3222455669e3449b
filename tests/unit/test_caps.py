"""The largest resources that a runtime gives."""

from __future__ import annotations

from typing import Any

import pytest
from traitlets import TraitError

from loom_weaver.errors import BadRequest
from loom_weaver.models import CreateWeaver, Resources
from loom_weaver.runtimes.memory import MemoryRuntime

ORG = "550e8400-e29b-41d4-a716-446655440000"


def request(memory: str | None = None, cpu: str | None = None) -> CreateWeaver:
    return CreateWeaver(image="shell", org_id=ORG, resources=Resources(memory_limit=memory, cpu_limit=cpu))


def test_more_than_the_cap_is_refused_with_the_field_and_the_cap() -> None:
    runtime = MemoryRuntime(max_memory="1Gi", max_cpu="1500m")
    runtime.check_caps(request("1024Mi", "1.5"))
    runtime.check_caps(CreateWeaver(image="shell", org_id=ORG))
    with pytest.raises(BadRequest) as memory:
        runtime.check_caps(request("1025Mi"))
    assert memory.value.details[0] == ("resources.memory_limit", "must be at most 1Gi here")
    with pytest.raises(BadRequest) as cpu:
        runtime.check_caps(request(cpu="2"))
    assert cpu.value.details[0] == ("resources.cpu_limit", "must be at most 1500m here")


@pytest.mark.parametrize("cap", [{"max_memory": "4GB"}, {"max_cpu": "lots"}])
def test_a_cap_that_is_no_quantity_is_said_at_the_start(cap: dict[str, Any]) -> None:
    with pytest.raises(TraitError, match="quantity"):
        MemoryRuntime(**cap)
