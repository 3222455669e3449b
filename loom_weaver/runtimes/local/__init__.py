"""Weavers as processes of this machine."""

import sys

if sys.platform != "linux":
    from loom_weaver.errors import Unavailable

    raise Unavailable("The local runtime needs Linux; on this system choose the kubernetes runtime")
