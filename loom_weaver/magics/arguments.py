"""The words behind `%weaver` and `%%weaver`: those of the command line."""

from __future__ import annotations

import argparse
import shlex
from typing import TYPE_CHECKING, Any, NoReturn

from loom_weaver.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

NEW = "new"
COMMANDS = (NEW, "ps", "logs", "attach", "extend", "delete")
WEAVER_HELP = "id, its beginning, tag `name`, or a variable; none: the last one used here"


class Helped(Exception):
    """The help was printed; there is nothing else to do."""


class Parser(argparse.ArgumentParser):
    """Raises instead of ending the kernel."""

    def error(self, message: str) -> NoReturn:
        raise BadRequest(f"{message}; see {self.prog} --help")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        raise Helped


def parsed(parser: argparse.ArgumentParser, line: str) -> argparse.Namespace:
    """Raises BadRequest for what the line does not allow, Helped after `--help`."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise BadRequest(f"the line cannot be read: {error}") from error
    before, command = _halves(words)
    found = parser.parse_args(before)
    if command and not hasattr(found, "command"):
        raise BadRequest("only `new` takes a command behind --")
    if command:
        found.command = command
    return found


def _halves(words: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    if "--" not in words:
        return words, []
    place = words.index("--")
    return words[:place], words[place + 1 :]


def line_parser() -> argparse.ArgumentParser:
    parser = Parser(prog="%weaver", description="Weavers from a notebook.")
    commands = parser.add_subparsers(dest="what", metavar="COMMAND", required=True, parser_class=Parser)
    new = commands.add_parser(NEW, help="create one, and wait until it runs")
    _takes_a_weaver_to_make(new)
    new.add_argument("-d", "--detach", action="store_true", help="do not wait until it runs")
    listing = commands.add_parser("ps", help="list weavers")
    _takes_tags(listing)
    listing.add_argument("-a", "--all", action="store_true", help="everybody's that you may see")
    listing.add_argument("-q", "--quiet", action="store_true", help="return their ids")
    _takes_a_log(commands.add_parser("logs", help="print what it has shown"))
    attach = commands.add_parser("attach", help="its terminal")
    _takes_a_weaver(attach)
    extend = commands.add_parser("extend", help="set how long it lives, from its creation")
    extend.add_argument("weaver", metavar="WEAVER", help=WEAVER_HELP)
    extend.add_argument("lifetime", metavar="LIFETIME", help="whole hours or days: 12, 12h, 2d")
    delete = commands.add_parser("delete", help="end weavers, and drop their logs and files")
    delete.add_argument("weavers", nargs="*", metavar="WEAVER", help=WEAVER_HELP)
    _takes_tags(delete)
    delete.add_argument("--all-mine", action="store_true", help="all of your own")
    return parser


def cell_parser() -> argparse.ArgumentParser:
    description = "Run the cell in a weaver; Python keeps its names from cell to cell."
    parser = Parser(prog="%%weaver", description=description)
    parser.add_argument(
        "weaver", nargs="?", metavar="WEAVER|new", help=f"{WEAVER_HELP}; `new` creates one first"
    )
    program = parser.add_mutually_exclusive_group()
    program.add_argument("--sh", dest="program", action="store_const", const="sh", help="by a shell")
    program.add_argument("--with", dest="program", metavar="PROGRAM", help="by what reads it as its input")
    parser.add_argument("--rm", action="store_true", help="with `new`: delete it after the cell")
    parser.add_argument(
        "--no-raise-error", action="store_true", help="leave a failure to `_exit_code`; later cells run"
    )
    _takes_a_weaver_to_make(parser)
    return parser


def _takes_a_weaver(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("weaver", nargs="?", metavar="WEAVER", help=WEAVER_HELP)


def _takes_tags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--tag", action="append", default=[], metavar="KEY=VALUE", help="only with this tag; may be repeated"
    )


def _takes_a_log(parser: argparse.ArgumentParser) -> None:
    _takes_a_weaver(parser)
    parser.add_argument("-f", "--follow", action="store_true", help="go on until the weaver ends")
    parser.add_argument("-n", "--tail", type=_count, metavar="LINES", help="only the last ones")
    parser.add_argument("--since", metavar="WHEN", help="30s, 10m, 2h, 1d ago, or RFC 3339")
    parser.add_argument("-t", "--timestamps", action="store_true", help="the time before each line")


def _takes_a_weaver_to_make(parser: argparse.ArgumentParser) -> None:
    own: dict[str, dict[str, Any]] = {
        "--image": {"metavar": "IMAGE", "help": "what it runs; by default the server's"},
        "--name": {"metavar": "NAME", "help": "the tag `name`, good as its id everywhere"},
        "--org": {"metavar": "ORG", "help": "organization, by id or name"},
        "--ttl": {"metavar": "TIME", "help": "lifetime: 2h, 1d, up to 48h; by default 24h"},
        "--cpu": {"metavar": "CPUS", "help": "limit: 2, 500m"},
        "--memory": {"metavar": "SIZE", "help": "limit: 512Mi, 4Gi"},
    }
    for name, options in own.items():
        parser.add_argument(name, **options)
    repeated: dict[str, Any] = {"action": "append", "default": []}
    parser.add_argument(
        "-e", "--env", metavar="KEY=VALUE", help="environment; KEY: the kernel's value", **repeated
    )
    parser.add_argument("--env-file", metavar="FILE", help="a file of such lines", **repeated)
    parser.add_argument("--tag", metavar="KEY=VALUE", help="may be repeated", **repeated)
    parser.add_argument("-w", "--workdir", metavar="PATH", help="absolute path; made if missing")
    parser.set_defaults(command=[])


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of lines")
    return int(text)
