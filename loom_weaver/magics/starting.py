"""A new weaver, and words for who waits for it."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from loom_weaver.cli.asking import Wanted, fields_but_org, org_id
from loom_weaver.cli.spans import span
from loom_weaver.cli.starts import SILENT_SECONDS, progress
from loom_weaver.client.errors import WaitTimeout

if TYPE_CHECKING:
    import argparse

    from loom_weaver.client.blocking import Client, Weaver


def create(client: Client, options: argparse.Namespace) -> Weaver:
    """A weaver with what the options ask for, still pending."""
    wanted = wanted_by(options)
    fields = fields_but_org(wanted)
    if wanted.org is not None:
        fields["org_id"] = org_id(client.me().orgs, wanted.org)
    return client.connect(client.create(options.image, **fields).id)


def wanted_by(options: argparse.Namespace) -> Wanted:
    return Wanted(
        command=tuple(options.command),
        name=options.name,
        org=options.org,
        env=tuple(options.env),
        env_files=tuple(options.env_file),
        tags=tuple(options.tag),
        ttl=options.ttl,
        cpu=options.cpu,
        memory=options.memory,
        workdir=options.workdir,
    )


def asks_for_a_new_one(options: argparse.Namespace) -> bool:
    return options.image is not None or wanted_by(options) != Wanted()


def wait_until_running(weaver: Weaver) -> None:
    """A start that takes longer than a moment is told, on one line. Raises WeaverEnded."""
    if weaver.refresh().status != "pending":
        return
    began = time.monotonic()
    line = _Line()
    while True:
        try:
            weaver.wait(timeout=SILENT_SECONDS)
        except WaitTimeout:
            line.show(progress(weaver.refresh()))
        else:
            line.end(f"{weaver.id} is running, after {span(time.monotonic() - began)}")
            return


class _Line:
    """One line that is written over; a start that was silent stays so."""

    def __init__(self) -> None:
        self._width = 0

    def show(self, words: str) -> None:
        sys.stdout.write("\r" + words.ljust(self._width))
        sys.stdout.flush()
        self._width = len(words)

    def end(self, words: str) -> None:
        if self._width:
            self.show(words)
            sys.stdout.write("\n")
            sys.stdout.flush()
