"""Create, list, get, extend and delete weavers; clean up; who am I."""

from __future__ import annotations

from typing import cast

from jupyter_server.utils import url_path_join

from loom_weaver.errors import BadRequest
from loom_weaver.listing import ListQuery, parse_continue, parse_tag
from loom_weaver.models import (
    STATUSES,
    CleanupReport,
    CreateWeaver,
    ExtendWeaver,
    Me,
    Status,
    WeaverList,
    WeaverObject,
)
from loom_weaver.names import is_uuid
from loom_weaver_server.handlers.base import WeaverAPIHandler
from loom_weaver_server.metrics import CREATES
from loom_weaver_server.operations import Argument, Operation, operation
from loom_weaver_server.query import Query

IN_THE_DEFAULT_ORG = {
    "image": "$response.body#/runtime/default_image",
    "org_id": "$response.body#/default_org_id",
}
LONGEST_IDEMPOTENCY_KEY = 255
OF_THIS_WEAVER = {"weaver_id": "$response.body#/id"}
IDEMPOTENCY_KEY = Argument(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": LONGEST_IDEMPOTENCY_KEY},
    "The same key and body within 24 hours gets the first answer again",
    place="header",
)
TAG = Argument(
    "tag",
    {"type": "array", "items": {"type": "string", "pattern": "^[^:]+:"}},
    "KEY:VALUE; several must all hold",
)
LIST_ARGUMENTS = (
    TAG,
    Argument("status", {"enum": list(STATUSES)}, "Only weavers in this state"),
    Argument("org_id", {"type": "string", "format": "uuid"}, "Only weavers of this organization"),
    Argument("owner", {"enum": ["me"]}, "Only the caller's own"),
    Argument("limit", {"type": "integer", "minimum": 1}, "Most weavers in one page; without it, all"),
    Argument("continue", {"type": "string"}, "Where the page before ended"),
)


class WeaverRootHandler(WeaverAPIHandler):
    @operation(
        Operation(
            "Create a weaver",
            body=CreateWeaver,
            arguments=(IDEMPOTENCY_KEY,),
            answers={201: WeaverObject},
            errors=(409, 429, 502, 504),
            links={
                "get_weaver": OF_THIS_WEAVER,
                "patch_weaver": OF_THIS_WEAVER,
                "delete_weaver": OF_THIS_WEAVER,
                "get_weaver_logs": OF_THIS_WEAVER,
                "post_weaver_exec": OF_THIS_WEAVER,
                "get_weaver_files": OF_THIS_WEAVER,
            },
        )
    )
    async def post(self) -> None:
        self.query.expect(())
        request = await self.json_body(CreateWeaver)
        weaver = await self.service.create(self.principal, request, self._idempotency_key())
        CREATES.inc()
        self.set_header("Location", url_path_join(self.base_url, "api/weaver", weaver.id))
        self.reply(weaver, 201)

    def _idempotency_key(self) -> str | None:
        key = self.request.headers.get("Idempotency-Key")
        if key is not None and not 1 <= len(key) <= LONGEST_IDEMPOTENCY_KEY:
            raise BadRequest(
                f"must have 1 to {LONGEST_IDEMPOTENCY_KEY} characters; send a UUID", field="Idempotency-Key"
            )
        return key


class WeaverHandler(WeaverAPIHandler):
    @operation(Operation("Get a weaver", answers={200: WeaverObject}))
    def get(self, weaver_id: str) -> None:
        self.query.expect(())
        weaver = self.service.find(self.principal, "get", weaver_id)
        self.reply(self.service.json(weaver))

    @operation(
        Operation(
            "Extend or shorten a weaver's lifetime",
            body=ExtendWeaver,
            answers={200: WeaverObject},
            errors=(409, 502, 504),
        )
    )
    async def patch(self, weaver_id: str) -> None:
        self.query.expect(())
        request = await self.json_body(ExtendWeaver)
        weaver = await self.service.extend(self.principal, weaver_id, request)
        self.reply(self.service.json(weaver))

    @operation(Operation("Delete a weaver", answers={204: None}, errors=(502, 504)))
    async def delete(self, weaver_id: str) -> None:
        self.query.expect(())
        await self.service.delete(self.principal, weaver_id)
        self.set_status(204)
        self.finish()


class WeaversHandler(WeaverAPIHandler):
    @operation(Operation("List weavers", arguments=LIST_ARGUMENTS, answers={200: WeaverList}))
    async def get(self) -> None:
        query = self._list_query(self.query)
        self.reply(await self.service.list(self.principal, query))

    def _list_query(self, query: Query) -> ListQuery:
        query.expect([argument.name for argument in LIST_ARGUMENTS])
        org_id = query.text("org_id")
        if org_id is not None and not is_uuid(org_id):
            raise BadRequest("must be a UUID", field="org_id")
        token = query.text("continue")
        return ListQuery(
            tags=tuple(parse_tag(tag) for tag in query.all("tag")),
            status=cast("Status | None", query.choice("status", STATUSES)),
            org_id=org_id and org_id.lower(),
            owner_user_id=query.choice("owner", ("me",)) and self.principal.user_id,
            limit=query.integer("limit", minimum=1),
            after=None if token is None else parse_continue(token),
        )


class CleanupHandler(WeaverAPIHandler):
    @operation(
        Operation(
            "Delete the weavers whose lifetime is over",
            arguments=(Argument("dry_run", {"type": "boolean", "default": False}, "Only name them"),),
            answers={200: CleanupReport},
        )
    )
    async def post(self) -> None:
        self.query.expect(("dry_run",))
        dry_run = self.query.boolean("dry_run")
        self.reply(await self.service.cleanup(self.principal, dry_run=dry_run))


class MeHandler(WeaverAPIHandler):
    @operation(
        Operation(
            "Who is calling, and what may be asked for",
            answers={200: Me},
            links={"post_weaver": {}},
            link_bodies={"post_weaver": IN_THE_DEFAULT_ORG},
        )
    )
    async def get(self) -> None:
        self.query.expect(())
        self.reply(await self.service.me(self.principal))
