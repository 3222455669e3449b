"""Weavers in a notebook's cells: `WeaverPanel`, `WeaverLogs`, `WeaverTerminal`.

What they show comes to the browser from the Jupyter server itself, not through the kernel; the kernel knows a
weaver's id, and hears `status`, `exit_code` and `lines_seen`. An output holds the id too, as
`application/vnd.loom-weaver.v1+json`, so that a notebook that is opened again shows the same weaver.
"""

from loom_weaver.widgets.display import mimebundle
from loom_weaver.widgets.weaver_widgets import WeaverLogs, WeaverPanel, WeaverTerminal

__all__ = ["WeaverLogs", "WeaverPanel", "WeaverTerminal", "mimebundle"]
