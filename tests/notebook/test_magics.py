"""`%weaver` and `%%weaver` in a real kernel, against a real server."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from loom_weaver import Client
from tests.notebook.kernels import Notebook, Ran
from tests.server.running import wait_for


@pytest.fixture
def demo(notebook: Notebook) -> str:
    """The id of a weaver with the name demo; in the kernel it is `w`."""
    assert notebook.run("w = %weaver new --image python --name demo --tag project=docs").status == "ok"
    return notebook.value("w.id").strip("'")


def test_a_new_weaver_runs_and_is_what_was_asked_for(notebook: Notebook, client: Client) -> None:
    ran = notebook.run("%weaver new --image python --name demo -e GREETING=hello --ttl 2h -- sleep 600")
    (bundle,) = ran.bundles
    (weaver,) = client.list()
    assert weaver.status == "running"
    assert weaver.id in bundle["text/plain"]
    assert (weaver.tags, weaver.lifetime_hours, weaver.command) == ({"name": "demo"}, 2, ["sleep", "600"])
    assert client.exec(weaver.id, ["printenv", "GREETING"]).stdout == "hello\n"


def test_names_live_on_from_cell_to_cell_and_a_last_value_is_shown(notebook: Notebook, demo: str) -> None:
    ran = notebook.run("%%weaver demo\nimport os\nx = 41\nprint('héllo', os.environ['HOME'])")
    assert ran.text().startswith("héllo /")
    assert notebook.run("%%weaver\nx + 1").text() == "42\n"
    assert notebook.run(f"%%weaver {demo}\nx += 1").text() == ""
    assert notebook.run("%%weaver w\nx").text() == "42\n"


def test_both_streams_come_as_they_are(notebook: Notebook, demo: str) -> None:
    ran = notebook.run(
        "%%weaver\n"
        "import os, sys\n"
        "print('out'); print('err', file=sys.stderr)\n"
        "os.system('echo of a child; echo of a child >&2')\n"
        "print('no newline', end='')"
    )
    assert ran.text() == "out\nof a child\nno newline"
    assert ran.text("stderr") == "err\nof a child\n"


def test_output_comes_while_the_cell_runs(notebook: Notebook, demo: str, client: Client) -> None:
    """The cell waits for a file that is only made when its first line is here."""
    told: list[str] = []

    def answer(ran: Ran) -> None:
        if "waiting" in ran.text() and not told:
            told.append(ran.text())
            client.write_file(demo, "go", "")

    code = (
        "%%weaver\n"
        "import os, time\n"
        "print('waiting')\n"
        "while not os.path.exists('go'): time.sleep(0.01)\n"
        "print('done')"
    )
    assert notebook.run(code, seen=answer).text() == "waiting\ndone\n"
    assert [text.strip() for text in told] == ["waiting"]


def test_a_failure_shows_the_cells_own_traceback_and_stops_a_notebook(notebook: Notebook, demo: str) -> None:
    ran = notebook.run("%%weaver\ndef half(x):\n    return x / 0\nhalf(3)")
    assert ran.status == "error"
    assert 'File "<cell 1>", line 3, in half' not in ran.text("stderr")
    assert re.search(r"line 2, in half\n +return x / 0", ran.text("stderr"))
    assert "ZeroDivisionError" in ran.text("stderr")
    assert "resident" not in ran.text("stderr")
    assert ran.error == f"weaver: the cell ended with 1 in {demo}"
    assert notebook.value("_exit_code") == "1"


def test_an_exit_state_is_kept_where_nothing_shall_be_raised(notebook: Notebook, demo: str) -> None:
    assert notebook.run("%%weaver --no-raise-error\nimport sys; sys.exit(7)").status == "ok"
    assert notebook.value("_exit_code") == "7"
    assert notebook.run("%%weaver\nprint('a new interpreter')").text() == "a new interpreter\n"
    assert notebook.value("_exit_code") == "0"


def interrupting(notebook: Notebook, word: str, times: int = 1) -> Callable[[Ran], None]:
    """Interrupts the kernel each time that the cell has said `word` once more."""
    done = 0

    def look(ran: Ran) -> None:
        nonlocal done
        if done < min(times, ran.text().count(word)):
            done += 1
            notebook.interrupt()

    return look


def test_an_interrupt_reaches_the_weaver_and_names_live_on(notebook: Notebook, demo: str) -> None:
    code = "%%weaver\nimport time\nkept = 'kept'\nprint('sleeping')\ntime.sleep(600)"
    ran = notebook.run(code, seen=interrupting(notebook, "sleeping"))
    assert "KeyboardInterrupt" in ran.text("stderr")
    assert ran.error == f"weaver: the cell was interrupted in {demo}"
    assert notebook.value("_exit_code") == "130"
    assert notebook.run("%%weaver\nprint(kept)").text() == "kept\n"


def test_a_cell_that_takes_no_interrupt_is_ended_by_the_second(notebook: Notebook, demo: str) -> None:
    code = (
        "%%weaver\nimport signal, time\n"
        "signal.signal(signal.SIGINT, lambda *_: print('again'))\n"
        "print('again')\nwhile True: time.sleep(600)"
    )
    ran = notebook.run(code, seen=interrupting(notebook, "again", times=2))
    assert "interrupted again" in ran.error
    assert notebook.run("%%weaver\nprint('back')").text() == "back\n"


def test_a_shell_runs_a_cell(notebook: Notebook, demo: str) -> None:
    ran = notebook.run("%%weaver --sh --no-raise-error\nfor n in 1 2; do echo $n; done\nread x; exit 3")
    assert ran.text() == "1\n2\n"
    assert notebook.value("_exit_code") == "3"
    assert notebook.run("%%weaver --with 'python3 -'\nprint('of a program')").text() == "of a program\n"
    ran = notebook.run("%%weaver --with no-such-program\nx")
    assert "no-such-program" in ran.error


def test_an_interrupt_ends_a_shell(notebook: Notebook, demo: str) -> None:
    code = "%%weaver --sh --no-raise-error\necho sleeping; sleep 600"
    notebook.run(code, seen=interrupting(notebook, "sleeping"))
    assert notebook.value("_exit_code") == "130"


def test_a_new_weaver_for_one_cell_is_gone_after_it(notebook: Notebook, demo: str, client: Client) -> None:
    ran = notebook.run("%%weaver new --image shell --rm --sh -e A=b\necho $A")
    assert ran.text() == "b\n"
    wait_for(lambda: [weaver.id for weaver in client.list(mine=True)] == [demo], "the new one to be gone")
    assert notebook.run("%%weaver\nprint('the one before')").text() == "the one before\n"


def test_a_list_has_what_the_command_line_shows(notebook: Notebook, demo: str) -> None:
    table = notebook.run("%weaver ps --tag project=docs").text()
    assert re.search(rf"{demo} .*running.* python +name=demo,project=docs", table)
    assert notebook.value("%weaver ps --quiet") == f"['{demo}']"
    assert notebook.value("%weaver ps -q --tag project=other") == "[]"


def test_a_log_is_printed_and_followed_to_its_end(notebook: Notebook, client: Client) -> None:
    program = 'echo one; printf "1%%\\\\r2%%\\n"; echo "<b>&amp; bold"; read x; echo $x'
    notebook.run(f"%weaver new --image shell --name log -- sh -c '{program}'")
    wait_for(lambda: len(notebook.run("%weaver logs log").text().splitlines()) == 3, "its first lines")
    assert notebook.run("%weaver logs log --tail 2").text() == "2%\n<b>&amp; bold\n"
    assert re.fullmatch(r"\S+Z one", notebook.run("%weaver logs -t").text().splitlines()[0])

    def type_once(ran: Ran) -> None:
        if ran.text() == "<b>&amp; bold\n":
            with client.attach(client.list(tags={"name": "log"})[0].id) as terminal:
                terminal.send("typed\n")

    assert notebook.run("%weaver logs -f -n 1", seen=type_once).text().split() == [
        "<b>&amp;",
        "bold",
        "typed",
        "typed",
    ]


def test_following_a_log_stops_with_an_interrupt(notebook: Notebook) -> None:
    notebook.run("%weaver new --image shell --name log -- sh -c 'echo line; sleep 600'")
    ran = notebook.run("%weaver logs -f", seen=interrupting(notebook, "line"))
    assert (ran.status, ran.text()) == ("ok", "line\n")


def test_a_life_is_set_and_ended(notebook: Notebook, demo: str, client: Client) -> None:
    assert f"{demo} ends in 1d5h" in notebook.run("%weaver extend demo 30h").text()
    assert client.get(demo).lifetime_hours == 30
    assert notebook.run("%weaver delete demo").text() == f"{demo} is deleted\n"
    wait_for(lambda: not client.list(mine=True), "it to be gone")
    assert (
        notebook.run("%%weaver\n1").error
        == "weaver: name a weaver: none was used here yet; %weaver ps lists yours"
    )


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("%weaver bogus", "invalid choice: 'bogus'"),
        ("%weaver logs nothere", "there is no weaver 'nothere'"),
        ("%weaver logs demo --tail many", "'many' is no number of lines"),
        ("%weaver new --ttl soon", "'soon' is no lifetime"),
        ("%weaver new --image no/such:image", "no/such is not offered here"),
        ("%weaver extend demo 99h", "48"),
        ("%weaver delete", "name weavers"),
        ("%weaver ps -- ls", "only `new` takes a command"),
        ("%weaver logs 'demo", "the line cannot be read"),
        ("%%weaver demo --rm\n1", "only `%%weaver new`"),
    ],
)
def test_what_cannot_be_done_is_one_line_that_says_why(
    notebook: Notebook, demo: str, line: str, words: str
) -> None:
    ran = notebook.run(line)
    assert ran.status == "error"
    assert words in ran.error
    assert "Traceback" not in ran.error


def test_help_is_printed(notebook: Notebook) -> None:
    for line in ("%weaver", "%weaver --help", "%weaver new --help", "%%weaver --help\n1"):
        ran = notebook.run(line)
        assert ran.status == "ok"
        assert ran.text().startswith("usage: %")


def test_tab_completes_commands_options_and_weavers(notebook: Notebook, demo: str) -> None:
    assert notebook.complete("%weaver e") == ["extend"]
    assert "--memory" in notebook.complete("%weaver new --")
    assert notebook.complete("%weaver logs de") == ["demo"]
    assert notebook.complete(f"%weaver delete {demo[:12]}") == [demo]
    assert {"demo", demo, "new"} <= set(notebook.complete("%%weaver "))


def test_it_is_taken_out_again(notebook: Notebook) -> None:
    assert notebook.run("%unload_ext loom_weaver").status == "ok"
    assert "not found" in notebook.run("%weaver ps").error + notebook.run("%weaver ps").text("stderr")
    assert notebook.run("%load_ext loom_weaver").status == "ok"
    assert notebook.run("%weaver ps").status == "ok"
