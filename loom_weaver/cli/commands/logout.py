"""`loom-weaver logout`."""

from __future__ import annotations

from loom_weaver.cli.output import remark

EXAMPLES = """\
  loom-weaver logout"""


def run() -> None:
    """Forget what `login` stored; the key itself stays good until it is revoked."""
    from loom_weaver.client.login import forget_login

    remark("Forgotten." if forget_login() else "Nothing was stored.")
