"""Writes loom_weaver/client/blocking.py from the asynchronous classes: `python scripts/blocking.py`."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

CLIENT = Path(__file__).parent.parent / "loom_weaver" / "client"
PAGE = CLIENT / "blocking.py"
# Module -> class, in the order that they are written in.
SOURCES = {
    "logs": "AsyncLogs",
    "events": "AsyncEvents",
    "attachment": "AsyncAttachment",
    "exec_stream": "AsyncExecStream",
    "async_weaver": "AsyncWeaver",
    "async_client": "AsyncClient",
}
FACES = {name: name.removeprefix("Async") for name in SOURCES.values()}
# The base classes of the faces have these.
OF_THE_BASE = frozenset({"aclose", "batch"})
# Not to be called from another thread than the event loop's.
OF_THE_LOOP = frozenset({"send_at_once"})
WORDS = {
    "`async with": "`with",
    "An async iterator": "An iterator",
    "an async iterator": "an iterator",
    "any number of tasks of one event loop": "any number of threads",
    **FACES,
}
HEAD = '''\
"""The client without `await`. Written by scripts/blocking.py from the asynchronous classes."""

from __future__ import annotations

'''


def written() -> str:
    trees = {module: ast.parse((CLIENT / f"{module}.py").read_text()) for module in SOURCES}
    classes = [_face(_class(trees[module], name)) for module, name in SOURCES.items()]
    text = "\n\n".join([HEAD + "\n".join(_imports(trees)), *classes])
    return _formatted(text)


def _imports(trees: dict[str, ast.Module]) -> list[str]:
    """All that the modules import; ruff drops what is not used."""
    own = [f"from loom_weaver.client.{module} import {name}" for module, name in SOURCES.items()]
    theirs = [
        ast.unparse(node)
        for tree in trees.values()
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and not _gives_a_face(node)
    ]
    faces = "from loom_weaver.client.face import ClientFace, StreamFace, WeaverFace"
    return list(dict.fromkeys([*theirs, "from collections.abc import Iterator", faces, *own]))


def _gives_a_face(node: ast.ImportFrom) -> bool:
    return node.module == "__future__" or any(alias.name in FACES for alias in node.names)


def _class(tree: ast.Module, name: str) -> ast.ClassDef:
    return next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)


def _face(source: ast.ClassDef) -> str:
    methods = [
        _method(node, source.name)
        for node in source.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name not in OF_THE_BASE | OF_THE_LOOP
        and (not node.name.startswith("_") or (node.name == "__init__" and source.name == "AsyncClient"))
    ]
    head = f"class {FACES[source.name]}({_base(source)}):\n{_docstring(source, 4)}"
    return "\n\n".join([head, *methods])


def _base(source: ast.ClassDef) -> str:
    if source.name == "AsyncClient":
        return "ClientFace"
    if source.name == "AsyncWeaver":
        return "WeaverFace"
    item = ast.unparse(source.bases[0]).removeprefix("AsyncStream[").removesuffix("]")
    return f"StreamFace[{source.name}, {item}]"


def _method(node: ast.FunctionDef | ast.AsyncFunctionDef, owner: str) -> str:
    returned = ast.unparse(node.returns) if node.returns else "None"
    shown = _in_words(re.sub(r"AsyncGenerator\[(.*), None\]", r"Iterator[\1]", returned))
    signature = f"    def {node.name}({_in_words(ast.unparse(node.args))}) -> {shown}:"
    parts = [signature, _docstring(node, 8), f"        {_body(node, owner, returned)}"]
    if node.decorator_list:
        parts.insert(0, "    @property")
    return "\n".join(part for part in parts if part)


def _body(node: ast.FunctionDef | ast.AsyncFunctionDef, owner: str, returned: str) -> str:
    if node.name == "__init__":
        return f"super().__init__({owner}({_passed_on(node.args)}))"
    if node.decorator_list:
        return f"return self._it.{node.name}"
    call = f"self._it.{node.name}({_passed_on(node.args)})"
    if isinstance(node, ast.AsyncFunctionDef):
        call = f"self._loop.run({call})"
    if returned in FACES:
        return f"return {FACES[returned]}({call}, self._loop)"
    if returned.startswith("AsyncGenerator"):
        return f"return self._loop.iterate({call})"
    return call if returned == "None" else f"return {call}"


def _passed_on(arguments: ast.arguments) -> str:
    parts = [argument.arg for argument in arguments.args[1:]]
    parts += [f"{argument.arg}={argument.arg}" for argument in arguments.kwonlyargs]
    return ", ".join([*parts, *([f"**{arguments.kwarg.arg}"] if arguments.kwarg else [])])


def _docstring(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, indent: int) -> str:
    text = ast.get_docstring(node, clean=False)
    return f'{" " * indent}"""{_in_words(text)}"""' if text else ""


def _in_words(text: str) -> str:
    for theirs, ours in WORDS.items():
        text = re.sub(rf"(?<!\w){re.escape(theirs)}(?!\w)", ours, text)
    return text


def _formatted(text: str) -> str:
    ruff = [sys.executable, "-m", "ruff"]
    named = ["--stdin-filename", str(PAGE), "-"]
    for command in (["check", "--fix", "--quiet", "--select", "F401,I,UP"], ["format", "--quiet"]):
        run = subprocess.run(
            [*ruff, *command, *named], input=text, capture_output=True, text=True, check=False
        )
        if run.returncode:
            raise RuntimeError(run.stderr or run.stdout)
        text = run.stdout
    return text


if __name__ == "__main__":
    PAGE.write_text(written())
