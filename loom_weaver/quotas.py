"""How many weavers may run at once. Counts are computed, never kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from traitlets import Int
from traitlets.config import LoggingConfigurable

from loom_weaver.errors import TooManyWeavers
from loom_weaver.weaver import Weaver, WeaverSpec

# Somebody has to delete a weaver, or one has to end, before the next try can succeed.
RETRY_AFTER = 30


class Counted(Protocol):
    """What takes a place: a weaver, one in the making, or one that another server makes."""

    @property
    def id(self) -> str: ...

    @property
    def owner_user_id(self) -> str: ...

    @property
    def org_id(self) -> str: ...


class Quotas(LoggingConfigurable):
    """Refuses the weaver that would be one too many; pending and running ones count."""

    per_user = Int(0, min=0, config=True, help="Weavers that one user may have at once; 0 means no limit.")
    per_org = Int(
        0, min=0, config=True, help="Weavers that one organization may have at once; 0 means no limit."
    )
    total = Int(
        0, min=0, config=True, help="Weavers that the whole server may have at once; 0 means no limit."
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._reserved: dict[str, WeaverSpec] = {}

    @contextmanager
    def reservation(self, spec: WeaverSpec, present: Iterable[Weaver]) -> Iterator[None]:
        """Hold a place for `spec` while it is made; raises TooManyWeavers where there is none.

        Check and reservation happen with no await in between, so two creates never share the last place.
        """
        self._check(spec, self._counted(present))
        self._reserved[spec.id] = spec
        try:
            yield
        finally:
            del self._reserved[spec.id]

    @property
    def limited(self) -> bool:
        return bool(self.per_user or self.per_org or self.total)

    def check_among(self, spec: WeaverSpec, present: Collection[Weaver], places: Iterable[Counted]) -> None:
        """Raise TooManyWeavers where `present` and those `places` that are not seen yet leave none."""
        known = {weaver.id for weaver in present}
        counted: dict[str, Counted] = {weaver.id: weaver for weaver in present if weaver.active}
        counted.update({place.id: place for place in places if place.id not in known})
        counted.pop(spec.id, None)
        self._check(spec, counted)

    def usage(self, user_id: str, present: Iterable[Weaver]) -> dict[str, dict[str, int | None]]:
        """The limits and what counts against them, as `GET /api/weavers/me` tells a user."""
        counted = self._counted(present).values()
        return {
            "per_user": {
                "limit": self.per_user or None,
                "used": sum(each.owner_user_id == user_id for each in counted),
            },
            "per_org": {"limit": self.per_org or None},
            "total": {"limit": self.total or None},
        }

    def _counted(self, present: Iterable[Weaver]) -> dict[str, Weaver | WeaverSpec]:
        """A weaver in the making is in both; it counts once."""
        return {**self._reserved, **{weaver.id: weaver for weaver in present if weaver.active}}

    def _check(self, spec: WeaverSpec, counted: Mapping[str, Counted]) -> None:
        own = sum(each.owner_user_id == spec.owner_user_id for each in counted.values())
        org = sum(each.org_id == spec.org_id for each in counted.values())
        for limit, used, whose in (
            (self.per_user, own, "You already have"),
            (self.per_org, org, "This organization already has"),
            (self.total, len(counted), "This server already has"),
        ):
            if limit and used >= limit:
                raise TooManyWeavers(
                    f"{whose} {used} of {limit} weavers; delete one, or wait until one ends",
                    retry_after=RETRY_AFTER,
                )
