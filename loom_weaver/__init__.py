"""Weavers: ephemeral, owner-scoped REPL sessions. Importing this package imports nothing else."""

__version__ = "0.1.0"
