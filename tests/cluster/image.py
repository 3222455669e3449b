#!/usr/bin/env python3
"""Makes a container image of one layer, as `docker save` writes it: image.py LAYER.tar NAME OUT.tar [CONFIG].

CONFIG is the JSON that a Dockerfile's ENTRYPOINT, CMD, USER, ENV and WORKDIR become.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
import tarfile
from pathlib import Path


def config_of(layer: bytes, settings: dict[str, object]) -> bytes:
    rootfs = {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]}
    config = {"architecture": "amd64", "os": "linux", "config": settings, "rootfs": rootfs, "history": [{}]}
    return json.dumps(config).encode()


def write(out: Path, name: str, layer: bytes, settings: dict[str, object]) -> None:
    config = config_of(layer, settings)
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    members = {"config.json": config, "layer.tar": layer, "manifest.json": json.dumps(manifest).encode()}
    with tarfile.open(out, "w") as archive:
        for member, content in members.items():
            entry = tarfile.TarInfo(member)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


if __name__ == "__main__":
    layer_path, image_name, out_path, *given = sys.argv[1:]
    write(Path(out_path), image_name, Path(layer_path).read_bytes(), json.loads(given[0]) if given else {})
