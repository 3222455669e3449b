"""Weavers that this process runs itself and forgets when it ends: for tests and for trying things out."""

from loom_weaver.runtimes.memory.runtime import MemoryRuntime

__all__ = ["MemoryRuntime"]
