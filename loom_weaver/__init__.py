"""Weavers: ephemeral, owner-scoped REPL sessions. Importing this package imports nothing else."""

__version__ = "0.1.0"

# What a weaver's holder process does without `typing` for.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from loom_weaver.client import AsyncClient as AsyncClient
    from loom_weaver.client import Client as Client
else:

    def __getattr__(name):
        if name in ("AsyncClient", "Client"):
            from importlib import import_module

            return getattr(import_module("loom_weaver.client"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load_ipython_extension(ipython: object) -> None:
    """`%load_ext loom_weaver`."""
    from importlib import import_module

    import_module("loom_weaver.magics").load(ipython)


def unload_ipython_extension(ipython: object) -> None:
    from importlib import import_module

    import_module("loom_weaver.magics").unload(ipython)
