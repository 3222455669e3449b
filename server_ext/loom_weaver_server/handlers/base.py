"""What every handler stands on: JSON in and out, request ids, and who is calling."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import traceback
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.prometheus.log_functions import prometheus_log_method
from pydantic import BaseModel
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, RequestHandler, stream_request_body

from loom_weaver.errors import Forbidden, LoomError, PayloadTooLarge, UnsupportedMediaType
from loom_weaver.identity.principal import Principal
from loom_weaver.json_input import parse_json, validate
from loom_weaver_server import errors
from loom_weaver_server.authentication import authenticate
from loom_weaver_server.metrics import ERRORS
from loom_weaver_server.origins import is_allowed_origin
from loom_weaver_server.query import Query
from loom_weaver_server.secrets_in_text import scrub

if TYPE_CHECKING:
    from loom_weaver.identity.store import IdentityStore
    from loom_weaver.service import WeaverService
    from loom_weaver_server.house import House

Model = TypeVar("Model", bound=BaseModel)
REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
JSON_BODY_BYTES = 2 * 1024 * 1024
# Parsing more than this takes milliseconds, which belong to a thread.
PARSED_IN_PLACE = 64 * 1024
# So much of a body that nobody wants is read and thrown away, so that its sender gets to see the answer;
# a longer one meets a closed connection.
DISCARDED_BYTES = 64 * 1024 * 1024
FOREIGN_ORIGIN = (
    "Requests from this Origin are not allowed; open the page from this server or set ServerApp.allow_origin"
)
XSRF_REFUSED = (
    "The XSRF token is missing or wrong; send the _xsrf cookie's value as X-XSRFToken, or use an API key"
)
FOREIGN_HOST = "This Host is not served here; set ServerApp.allow_remote_access to allow it"


class JSONHandler(JupyterHandler):
    """Request ids, errors as JSON, and log lines without credentials; also for WebSocket handlers."""

    def initialize(self) -> None:
        self.caller: Principal | None = None

    @property
    def house(self) -> House:
        return cast("House", self.settings["loom_weaver_house"])

    @property
    def service(self) -> WeaverService:
        return self.house.service

    @property
    def identity(self) -> IdentityStore:
        return self.house.identity

    @property
    def request_id(self) -> str:
        if not hasattr(self, "_request_id"):
            given = self.request.headers.get("X-Request-Id", "")
            self._request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        return self._request_id

    @property
    def query(self) -> Query:
        if not hasattr(self, "_query"):
            self._query = Query(self.request.query)
        return self._query

    @property
    def content_security_policy(self) -> str:
        return super().content_security_policy + "; default-src 'none'"

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("X-Request-Id", self.request_id)
        self.set_header("Cache-Control", "no-store")
        self.clear_header("Server")

    def compute_etag(self) -> str | None:
        """None: nobody may keep an answer (`no-store`), so nobody could ask whether it still holds."""
        return None

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """What is no UTF-8 is no id either: the lookup answers 404, where Tornado would end with 400."""
        return value.decode(errors="replace")

    def admit_host(self) -> None:
        """Jupyter's own protection against DNS rebinding."""
        if not self.check_host():
            raise Forbidden(FOREIGN_HOST)

    def admit_origin(self) -> None:
        if not is_allowed_origin(self.request, self.settings):
            raise Forbidden(FOREIGN_ORIGIN)

    def allowed_methods(self) -> list[str]:
        return [
            method
            for method in self.SUPPORTED_METHODS
            if getattr(type(self), method.lower()) is not getattr(RequestHandler, method.lower())
        ]

    def reply(self, content: BaseModel | dict[str, Any] | str, status: int = 200) -> None:
        """`content` as JSON; text is JSON already."""
        if isinstance(content, str):
            body = content
        elif isinstance(content, BaseModel):
            body = content.model_dump_json(warnings=False)
        else:
            body = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.finish(body)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        raised = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(raised, StreamClosedError):
            return
        error = errors.translate(raised or HTTPError(status_code))
        status = errors.status_of(error)
        ERRORS.labels(LoomError.code if error is None else error.code).inc()
        for name, value in errors.headers_of(error).items():
            self.set_header(name, value)
        if status == 405:
            self.set_header("Allow", ", ".join(self.allowed_methods()))
        self.reply(errors.body_of(error), status)

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Tornado would write the whole URL, tokens and all."""
        if isinstance(value, StreamClosedError):
            self.log.debug("%s: the caller left", self.request_id)
        elif errors.translate(value) is not None:
            self.log.debug("%s: %s", self.request_id, scrub(str(value)))
        else:
            story = "".join(traceback.format_exception(typ, value, tb))
            self.log.error("%s %s failed\n%s", self.request_id, self.request.method, scrub(story))

    def _log(self) -> None:
        """Jupyter would write query and Referer; here goes neither."""
        status = self.get_status()
        level = self.log.debug if status < 400 else self.log.error if status == 500 else self.log.warning
        caller = self.caller.user_id if self.caller else "-"
        took = 1000 * self.request.request_time()
        level(
            "%d %s %s (%s@%s) %.2fms %s",
            status,
            self.request.method,
            scrub(self.request.path),
            caller,
            self.request.remote_ip,
            took,
            self.request_id,
        )
        if self.serverapp is not None and self.serverapp.record_http_request_metrics:
            prometheus_log_method(self)  # type: ignore[no-untyped-call]


@stream_request_body
class WeaverAPIHandler(JSONHandler):
    """A call of the HTTP API: its caller is known, or has got 401, before a verb's method runs.

    A subclass that reads more than JSON overrides `body_limit`, or `data_received` itself.
    """

    public = False
    body_limit = JSON_BODY_BYTES

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Tell Jupyter's startup check that `prepare` looks after authentication in all verbs."""
        super().__init_subclass__(**kwargs)
        for method in cls.SUPPORTED_METHODS:
            verb = method.lower()
            if verb in vars(cls):
                setattr(cls, verb, allow_unauthenticated(vars(cls)[verb]))

    def initialize(self) -> None:
        super().initialize()
        self._body = bytearray()
        self._received = 0

    @property
    def principal(self) -> Principal:
        return cast("Principal", self.caller)

    async def prepare(self) -> None:  # type: ignore[override]
        """Admit the caller.

        Tornado reads the body only after this, and an error raised here would close the connection under
        a client that still sends, which then never sees the answer. So a refusal takes the verb's place.
        """
        self._bound_body()
        try:
            await self._admit()
        except LoomError as refusal:
            self._refuse(refusal)

    async def _admit(self) -> None:
        self.admit_host()
        if self.request.method == "OPTIONS":
            return
        if not self.public:
            self.caller = await authenticate(self, self.house)
            self._admit_write()
        if self.request.headers.get("Origin"):
            self.set_cors_headers()

    def _admit_write(self) -> None:
        """A cookie is sent by the browser, whoever asks; a token only by who has it."""
        if self.token_authenticated:
            return
        self.admit_origin()
        if self.request.method not in {"GET", "HEAD", "OPTIONS"}:
            try:
                self.check_xsrf_cookie()
            except HTTPError as error:
                raise Forbidden(XSRF_REFUSED) from error

    def _bound_body(self) -> None:
        limit = max(self.body_limit, DISCARDED_BYTES)
        length = self.request.headers.get("Content-Length", "0")
        if length.isdigit() and int(length) > limit:
            raise self._too_large()
        self.request.connection.set_max_body_size(limit)  # type: ignore[union-attr]

    def _refuse(self, refusal: LoomError) -> None:
        def refuse(*_: str) -> None:
            raise refusal

        self.data_received = self._discard  # type: ignore[method-assign]
        setattr(self, str(self.request.method).lower(), refuse)

    def _discard(self, chunk: bytes) -> None:
        pass

    def _too_large(self) -> PayloadTooLarge:
        return PayloadTooLarge(f"The body is larger than {self.body_limit} bytes; send less")

    def data_received(self, chunk: bytes) -> None:
        self._received += len(chunk)
        if self._received <= self.body_limit:
            self._body += chunk
        else:
            self._body.clear()

    async def json_body(self, model: type[Model]) -> Model:
        """The body as a `model`."""
        if self._received > self.body_limit:
            raise self._too_large()
        if self._received:
            self._check_content_type()
        body = bytes(self._body)
        if len(body) > PARSED_IN_PLACE:
            return await asyncio.to_thread(_parse, model, body)
        return _parse(model, body)

    def _check_content_type(self) -> None:
        given = self.request.headers.get("Content-Type", "application/json")
        if given.partition(";")[0].strip().lower() != "application/json":
            raise UnsupportedMediaType("The body must be JSON; send it with Content-Type: application/json")

    @allow_unauthenticated
    def options(self, *_: str) -> None:
        self.set_header("Allow", ", ".join(self.allowed_methods()))
        self.set_header("Access-Control-Allow-Methods", ", ".join(self.allowed_methods()))
        self.set_header(
            "Access-Control-Allow-Headers",
            "accept, authorization, content-type, idempotency-key, last-event-id, x-request-id, x-xsrftoken",
        )
        self._allow_preflight()
        self.set_status(204)
        self.finish()

    def _allow_preflight(self) -> None:
        """A preflight carries no credential: the true request behind it is still judged by its own."""
        if self.request.headers.get("Origin") and (self.allow_origin or self.allow_origin_pat):
            self.set_cors_headers()


def _parse(model: type[Model], body: bytes) -> Model:
    return validate(model, parse_json(body))
