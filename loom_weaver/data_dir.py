"""The data directory: where the identity database and the local runtime's weavers are kept."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from loom_weaver.errors import Unavailable

OTHER_DIRECTORY = "give another one with --data-dir"


def default_data_dir() -> Path:
    from jupyter_core.paths import jupyter_data_dir

    return Path(jupyter_data_dir()) / "loom-weaver"


def prepare_data_dir(given: str = "") -> Path:
    """The absolute path of the data directory, made for its owner alone where it is missing.

    Raises Unavailable where it cannot be used.
    """
    path = Path(given).expanduser() if given else default_data_dir()
    try:
        path = path.absolute()
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not any(path.iterdir()):
            path.chmod(0o700)
    except (OSError, ValueError) as error:
        raise Unavailable(
            f"the data directory {path} cannot be made: {_reason(error)}; {OTHER_DIRECTORY}"
        ) from error
    _check(path)
    return path


def _check(path: Path) -> None:
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise Unavailable(
            f"the data directory {path} cannot be written; {OTHER_DIRECTORY}, or make it writable"
        )
    if path.stat().st_mode & stat.S_IWOTH:
        raise Unavailable(
            f"everybody may write to the data directory {path}; {OTHER_DIRECTORY}, or run: chmod 700 {path}"
        )


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
