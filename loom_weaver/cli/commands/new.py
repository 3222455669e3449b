"""`loom-weaver new`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from loom_weaver.cli.detach_keys import DEFAULT, parse_detach_keys

if TYPE_CHECKING:
    from loom_weaver.client.async_client import AsyncClient

SETTINGS = {"allow_interspersed_args": False}
EXAMPLES = """\
  loom-weaver new                                        a REPL, entered at once
  loom-weaver new --image shell --rm -- make test        run, and leave nothing behind
  loom-weaver new --name demo --ttl 2h --detach          only its id is printed
  loom-weaver new -e DEBUG=1 -e HOME_PAGE --env-file .env --tag project=demo
  loom-weaver new --cpu 500m --memory 2Gi --org engine-room"""


def run(  # noqa: PLR0913, PLR0917 - what a weaver can be given
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="COMMAND…", help="Instead of the image's own, behind --; no shell is added."),
    ] = None,
    image: Annotated[
        str | None,
        typer.Option(
            metavar="IMAGE", help="What it runs; `whoami` lists the images. [default: the server's]"
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="The tag `name`, good as its id in every command.")
    ] = None,
    org: Annotated[
        str | None,
        typer.Option(metavar="ORG", help="Organization, by id or name. [default: your own, or first]"),
    ] = None,
    env: Annotated[
        list[str] | None,
        typer.Option("--env", "-e", metavar="KEY=VALUE", help="Environment; only KEY: our own value."),
    ] = None,
    env_file: Annotated[
        list[str] | None,
        typer.Option("--env-file", metavar="FILE", help="A file of such lines; # begins a comment."),
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", metavar="KEY=VALUE", help="For `ps --tag`.")
    ] = None,
    ttl: Annotated[
        str | None, typer.Option(metavar="TIME", help="Lifetime: 2h, 1d, up to 48h. [default: 24h]")
    ] = None,
    cpu: Annotated[
        str | None, typer.Option(metavar="CPUS", help="Limit, as Kubernetes writes it: 2, 500m.")
    ] = None,
    memory: Annotated[str | None, typer.Option(metavar="SIZE", help="Limit: 512Mi, 4Gi.")] = None,
    workdir: Annotated[
        str | None, typer.Option("--workdir", "-w", metavar="PATH", help="Absolute path; made if missing.")
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Print its id and leave it alone.")] = False,
    rm: Annotated[bool, typer.Option("--rm", help="Delete it when its program ends.")] = False,
    detach_keys: Annotated[
        str, typer.Option(metavar="KEYS", help="Keys that leave the weaver running; empty: none.")
    ] = DEFAULT,
) -> None:
    """Create a weaver and enter its terminal; the exit code is its program's."""
    from loom_weaver.cli.asking import Wanted, fields_of
    from loom_weaver.cli.creating import create_and_attach
    from loom_weaver.cli.streaming import stream
    from loom_weaver.client.discovery import find_server
    from loom_weaver.errors import BadRequest

    if detach and rm:
        raise BadRequest("needs somebody who sees the end; leave --detach out", field="--rm")
    keys = parse_detach_keys(detach_keys)
    wanted = Wanted(
        command=tuple(command or ()),
        name=name,
        org=org,
        env=tuple(env or ()),
        env_files=tuple(env_file or ()),
        tags=tuple(tag or ()),
        ttl=ttl,
        cpu=cpu,
        memory=memory,
        workdir=workdir,
    )

    async def created(client: AsyncClient) -> int:
        fields = await fields_of(client, wanted)
        return await create_and_attach(client, image, fields, keys, detach=detach, remove=rm)

    raise typer.Exit(stream(find_server(), created))
