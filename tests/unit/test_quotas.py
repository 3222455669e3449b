"""How many weavers may be at once."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytest

from loom_weaver.errors import TooManyWeavers
from loom_weaver.lifetime import utc_now
from loom_weaver.models import Isolation, Status
from loom_weaver.names import new_id
from loom_weaver.quotas import Quotas
from loom_weaver.weaver import Weaver, WeaverSpec

NONE = Isolation(kind="none", enforced=[])


def spec(user: str = "u1", org: str = "o1") -> WeaverSpec:
    return WeaverSpec(
        id=new_id("weaver"),
        owner_user_id=user,
        org_id=org,
        image="python",
        created_at=utc_now(),
        lifetime_hours=1,
    )


def weaver(status: Status = "running", **fields: Any) -> Weaver:
    return Weaver.pending(spec(**fields), NONE).changed(status=status)


@pytest.mark.parametrize(
    ("limits", "refused", "let_in"),
    [
        ({"per_user": 1}, {"user": "u1", "org": "o2"}, {"user": "u2", "org": "o1"}),
        ({"per_org": 1}, {"user": "u2", "org": "o1"}, {"user": "u1", "org": "o2"}),
        ({"per_user": 2, "total": 1}, {"user": "u2", "org": "o2"}, None),
    ],
)
def test_each_limit(limits: dict[str, int], refused: dict[str, str], let_in: dict[str, str] | None) -> None:
    quotas = Quotas(**limits)
    with (
        pytest.raises(TooManyWeavers, match=r"already ha(ve|s) 1 of 1 weavers"),
        quotas.reservation(spec(**refused), [weaver()]),
    ):
        raise AssertionError("let in")
    if let_in:
        with quotas.reservation(spec(**let_in), [weaver()]):
            pass


@pytest.mark.parametrize(
    ("status", "counts"),
    [("pending", True), ("running", True), ("succeeded", False), ("failed", False), ("terminating", False)],
)
def test_what_counts(status: Status, counts: bool) -> None:
    quotas = Quotas(total=1)
    used = quotas.usage("u1", [weaver(status)])["per_user"]["used"]
    assert used == int(counts)


def test_a_reservation_counts_until_it_is_let_go() -> None:
    quotas = Quotas(total=2)
    with ExitStack() as stack:
        stack.enter_context(quotas.reservation(spec(), []))
        stack.enter_context(quotas.reservation(spec(), []))
        with pytest.raises(TooManyWeavers):
            stack.enter_context(quotas.reservation(spec(), []))
    with quotas.reservation(spec(), []):
        pass


def test_a_weaver_in_the_making_counts_once() -> None:
    quotas = Quotas(total=2)
    making = spec()
    with quotas.reservation(making, []):
        listed = [Weaver.pending(making, NONE)]
        with quotas.reservation(spec(), listed):
            pass


def test_zero_is_no_limit() -> None:
    with Quotas().reservation(spec(), [weaver() for _ in range(100)]):
        pass
