"""What the magics of one IPython share: a client, the cells' interpreters, and the weaver used last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loom_weaver.errors import BadRequest
from loom_weaver.magics.cells import Cells
from loom_weaver.names import is_weaver_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from loom_weaver.client.blocking import Client, Weaver


class House:
    """The client is made when it is first needed: `%load_ext` waits for no server."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        self._names = names
        """Of the user: `%%weaver w` may mean a variable."""
        self._client: Client | None = None
        self.cells = Cells()
        self.last: str | None = None

    def __repr__(self) -> str:
        return f"<House {self._client} last={self.last}>"

    @property
    def client(self) -> Client:
        if self._client is None:
            from loom_weaver.client.blocking import Client

            self._client = Client()
        return self._client

    def close(self) -> None:
        """Weavers go on."""
        self.cells.close()
        if self._client is not None:
            self._client.close()

    def find(self, name: str | None) -> str:
        """The id that is meant. Raises NotFound, and BadRequest where no name is given and none was used."""
        from loom_weaver.cli.weavers import WHOLE_ID, choose

        if name is None:
            if self.last is None:
                raise BadRequest("name a weaver: none was used here yet; %weaver ps lists yours")
            return self.last
        variable = getattr(self._names.get(name), "id", None)
        if isinstance(variable, str) and is_weaver_id(variable):
            return variable
        if WHOLE_ID.fullmatch(name):
            return name
        present = [weaver.model_dump() for weaver in self.client.list()]
        return str(choose(present, name)["id"])

    def weaver(self, name: str | None) -> Weaver:
        """It is the one used last from now on."""
        found = self.client.connect(self.find(name))
        self.last = found.id
        return found

    def delete(self, weaver_id: str) -> None:
        """End it, and what was run in it."""
        self.client.delete(weaver_id)
        self.cells.forget(weaver_id)
        if self.last == weaver_id:
            self.last = None
