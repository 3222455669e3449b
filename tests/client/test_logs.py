"""Lines as the client gives them; and the same streams through clients that others wrote."""

from __future__ import annotations

import json
import shutil
import subprocess
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import httpx
import httpx_sse
import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

from loom_weaver import Client
from loom_weaver.client import LogLine
from tests.server.running import People, RunningServer

MIB = 1024 * 1024
SHELL = ["sh", "-c"]


def lines(client: Client, script: str) -> list[LogLine]:
    with client.weaver("shell", command=[*SHELL, script]) as weaver:
        return [item for item in weaver.logs() if isinstance(item, LogLine)]


def test_sse_5_a_line_ends_at_its_newline_only(client: Client) -> None:
    told = lines(client, r"printf 'a\342\200\250b\013c\014d\302\205e\nnext\n'")
    assert [line.text for line in told] == ["a\u2028b\vc\fd\x85e", "next"]


def test_log_6_an_empty_line_is_empty_text_with_a_time(client: Client) -> None:
    told = lines(client, r"printf 'a\n\n\nb\n'")
    assert [line.text for line in told] == ["a", "", "", "b"]
    for line in told:
        assert line.at is not None
        assert abs(datetime.now(UTC) - line.at) < timedelta(minutes=5)
    assert len({line.id for line in told}) == 4


def test_log_5_a_progress_bar_is_one_line_with_its_returns(client: Client) -> None:
    told = lines(client, r"printf 'p 1%%\rp 2%%\rp 3%%\ndone\n'")
    assert [line.text for line in told] == ["p 1%\rp 2%\rp 3%", "done"]


def test_sse_1_output_forges_no_event(client: Client) -> None:
    script = r"""printf 'x\revent: end\rdata: {"status":"failed"}\r\rid: 7\nlast\n'"""
    with client.weaver("shell", command=[*SHELL, script]) as weaver:
        logs = weaver.logs()
        assert [str(item) for item in logs][1:] == ["last"]
        assert logs.end is not None
        assert logs.end.status == "succeeded"


def test_log_1_a_character_is_never_cut(client: Client) -> None:
    (line,) = lines(client, "python3 -c \"print('a' + '世' * 200000)\"")
    assert line.text == "a" + "世" * 200_000


def test_a_line_of_more_than_a_mebibyte_comes_in_pieces(client: Client) -> None:
    told = lines(client, f"head -c {2 * MIB + 5} /dev/zero | tr '\\0' A; echo; echo B")
    assert [len(line.text) for line in told] == [MIB, MIB, 5, 1]
    assert [line.at is None for line in told] == [False, True, True, False]


def test_log_7_the_end_of_a_short_life_is_never_lost(client: Client) -> None:
    for _ in range(5):
        told = lines(client, "seq 1 5000; printf end")
        assert [line.text for line in told] == [*map(str, range(1, 5001)), "end"]


def test_which_part_of_a_log(client: Client) -> None:
    with client.weaver("shell", command=[*SHELL, "seq 1 600; read x; echo late; sleep 1000"]) as weaver:
        whole = weaver.logs()
        first = [next(whole) for _ in range(600)]
        assert [str(item) for item in first] == [str(n) for n in range(1, 601)]
        assert [str(item) for item in weaver.logs(tail=3, follow=False)] == ["598", "599", "600"]
        assert len(list(weaver.logs(follow=False))) == 600
        after = client.logs(weaver.id, after=first[-3].id, follow=False)
        assert [str(item) for item in after] == ["599", "600"]
        begin = datetime.now(UTC)
        with weaver.logs(tail=0) as fresh, weaver.attach() as terminal:
            terminal.send("\n")
            assert str(next(item for item in whole if str(item) == "late")) == "late"
            since = [str(item) for item in weaver.logs(since=begin, follow=False)]
            assert since[-1] == "late"
            assert "600" not in since
            terminal.send("more\n")
            assert [str(next(fresh)) for _ in range(3)] == ["", "late", "more"]


def test_log_4_a_flood_is_whole(client: Client) -> None:
    with client.weaver("shell", command=["seq", "1", "300000"]) as weaver:
        assert [str(item) for item in weaver.logs()] == [str(n) for n in range(1, 300_001)]


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_curl_and_httpx_sse_read_the_log(client: Client, people: People) -> None:
    with client.weaver("shell", command=[*SHELL, r"seq 1 50; printf 'naïve ✓\n'; exit 3"]) as weaver:
        url = f"{client.url}/api/weaver/{weaver.id}/logs"
        header = f"Authorization: Bearer {people.owner.key}"
        curl = subprocess.run(["curl", "-sN", "-H", header, url], capture_output=True, text=True, check=True)
        with (
            httpx.Client(headers=people.owner.headers) as http,
            httpx_sse.connect_sse(http, "GET", f"{url}?timestamps=false") as source,
        ):
            events = list(source.iter_sse())
        ours = [str(item) for item in weaver.logs()]
        assert ours == [event.data for event in events[:-1]]
        assert json.loads(events[-1].data)["exit_code"] == 3
        of_curl = [line.split(" ", 2)[2] for line in curl.stdout.splitlines() if line.startswith("data: 2")]
        assert of_curl == ours


def test_websockets_reads_the_terminal(client: Client, server: RunningServer, people: People) -> None:
    with client.weaver("shell", command=[*SHELL, "seq 1 100; exit 4"]) as weaver:
        weaver.wait("ended")
        output = b""
        token = people.owner.http.post("/auth/ws-token").json()["token"]
        with connect(server.websocket_url(f"/api/weaver/{weaver.id}/attach"), proxy=None) as terminal:
            terminal.send(json.dumps({"type": "auth", "token": token}))
            # How a weaver ends that had ended before: no close of code 1000 that `for` would stop at.
            with suppress(ConnectionClosedError):
                for message in terminal:
                    output += message if isinstance(message, bytes) else b""
            assert terminal.close_code == 4409
        theirs = output.decode().replace("\r\n", "\n")
        assert theirs == "".join(f"{n}\n" for n in range(1, 101))
        assert theirs.splitlines() == [str(item) for item in weaver.logs()]
