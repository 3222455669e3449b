"""Lists of weavers, in pages of a bounded size."""

from __future__ import annotations

from loom_weaver.client.answers import answer
from loom_weaver.client.fields import ListFields
from loom_weaver.client.transport import Params, Transport
from loom_weaver.models import WeaverList, WeaverObject

PAGE = 500


async def listed(transport: Transport, fields: ListFields, page_size: int = PAGE) -> list[WeaverObject]:
    """The newest `limit` that `fields` ask for; all where there is no limit."""
    unknown = fields.keys() - ListFields.__annotations__.keys()
    if unknown:
        raise TypeError(f"list takes no {min(unknown)!r}")
    weavers: list[WeaverObject] = []
    limit = fields.get("limit")
    token: str | None = None
    while limit is None or len(weavers) < limit:
        size = page_size if limit is None else min(page_size, limit - len(weavers))
        params = [*_params(fields), ("limit", str(size)), *([("continue", token)] if token else [])]
        page = answer(WeaverList, await transport.call("GET", "/api/weavers", params=params))
        weavers += page.weavers
        token = page.continue_
        if token is None:
            break
    return weavers


def _params(fields: ListFields) -> Params:
    params: Params = [("tag", f"{key}:{value}") for key, value in fields.get("tags", {}).items()]
    if "status" in fields:
        params.append(("status", fields["status"]))
    if "org_id" in fields:
        params.append(("org_id", fields["org_id"]))
    if fields.get("mine"):
        params.append(("owner", "me"))
    return params
