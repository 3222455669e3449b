"""`loom-weaver extend`."""

from __future__ import annotations

from typing import Annotated

import typer

from loom_weaver.cli.api import Api
from loom_weaver.cli.arguments import Weaver
from loom_weaver.cli.lifetimes import hours
from loom_weaver.cli.output import say
from loom_weaver.cli.spans import until
from loom_weaver.cli.weavers import find, path_of

EXAMPLES = """\
  loom-weaver extend demo 48h    it ends two days after it was made
  loom-weaver extend demo 2      two hours: sooner, perhaps"""


def run(
    weaver: Weaver,
    lifetime: Annotated[
        str, typer.Argument(metavar="LIFETIME", help="Whole hours from its creation, 1 to 48: 12, 12h, 2d.")
    ],
) -> None:
    """Set how long a weaver lives, counted from its creation."""
    asked = hours(lifetime, "LIFETIME")
    api = Api()
    changed = api.patch(path_of(find(api, weaver)), {"lifetime_hours": asked})
    say(f"{changed['id']} ends in {until(changed['expires_at'])}, at {changed['expires_at']}")
