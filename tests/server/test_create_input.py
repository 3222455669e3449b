"""What a create takes and refuses; each refusal names the field."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.server.running import People, RunningServer, raw_request

Create = Callable[..., dict[str, Any]]
ANY_DIGEST = "sha256:" + "0" * 64


def post(people: People, **fields: Any) -> httpx.Response:
    body = {"image": "python", "org_id": people.org_id, **fields}
    return people.owner.http.post("/api/weaver", content=json.dumps(body))


def refused(reply: httpx.Response, field: str) -> str:
    """The message of a 400 that names `field`, which created nothing."""
    assert reply.status_code == 400, reply.text
    body = reply.json()
    assert body["error"] == "bad_request"
    assert field in [detail["field"] for detail in body["details"]], body
    assert field in body["message"]
    message: str = next(each["message"] for each in body["details"] if each["field"] == field)
    return message


def taken(people: People, reply: httpx.Response) -> None:
    assert reply.status_code == 201, reply.text
    people.owner.http.delete(f"/api/weaver/{reply.json()['id']}")


@pytest.mark.parametrize("quantity", ["4Gi", "1.5Gi", "129e6", "1e9", "100000k"])
def test_in_1_memory_quantities(people: People, quantity: str) -> None:
    taken(people, post(people, resources={"memory_limit": quantity}))


@pytest.mark.parametrize(
    "quantity",
    [
        "4GB",
        "4gb",
        "4 Gi",
        " 4Gi",
        "100K",
        "3500m",
        "0",
        "-1",
        "+",
        "",
        "Gi",
        "1e",
        "0x10",
        "NaN",
        "Infinity",
        "１２",
        "1_000",
        "100k",
        4,
        True,
        "4Gi\n",
    ],
)
def test_in_1_not_a_memory_quantity(people: People, quantity: object) -> None:
    message = refused(post(people, resources={"memory_limit": quantity}), "resources.memory_limit")
    assert not isinstance(quantity, str) or any(right in message for right in ("4Gi", "4Mi")), message


@pytest.mark.parametrize(("quantity", "status"), [("0.5", 201), ("500m", 201), ("1e0", 201)])
def test_in_1_cpu_quantities(people: People, quantity: str, status: int) -> None:
    taken(people, post(people, resources={"cpu_limit": quantity}))


@pytest.mark.parametrize("quantity", ["0", "-1", "half", "1 ", "", 1, 0.5])
def test_in_1_not_a_cpu_quantity(people: People, quantity: object) -> None:
    refused(post(people, resources={"cpu_limit": quantity}), "resources.cpu_limit")


@pytest.mark.parametrize("value", [True, 1, 1.5, None, ["x"], {}])
def test_in_3_env_values_are_strings(people: People, value: object) -> None:
    assert "string" in refused(post(people, env={"DEBUG": value}), "env.DEBUG")


@pytest.mark.parametrize("name", ["4K", "A-B", "A.B", "", " A", "A=B", "Ä", "A\n"])
def test_in_4_names_that_are_no_env_names(people: People, name: str) -> None:
    refused(post(people, env={name: "x"}), f"env.{name}")


def test_in_4_env_names(people: People) -> None:
    taken(people, post(people, env={"_": "x", "a1": "x", "A_B": "x"}))


def test_pod_6_one_env_entry_too_long(people: People) -> None:
    taken(people, post(people, env={"BIG": "x" * 131_067}))
    refused(post(people, env={"BIG": "x" * 131_068}), "env.BIG")


@pytest.mark.parametrize("hours", [1, 48])
def test_in_9_lifetimes(people: People, hours: int) -> None:
    taken(people, post(people, lifetime_hours=hours))


@pytest.mark.parametrize("hours", [0, 49, -1, 12.5, 12.0, "12", True, None, 10**30])
def test_in_9_not_a_lifetime(people: People, create: Create, hours: object) -> None:
    refused(post(people, lifetime_hours=hours), "lifetime_hours")
    weaver = create()
    extended = people.owner.http.patch(f"/api/weaver/{weaver['id']}", json={"lifetime_hours": hours})
    refused(extended, "lifetime_hours")


@pytest.mark.parametrize(
    "image",
    [
        "Ubuntu:22.04",
        "${IMG}",
        "http://x/y",
        "a b",
        "a:b:c",
        "",
        "-x",
        "ubuntu:",
        "ubuntu@sha256:12",
        "ghcr.io/../x",
        "x/y:" + "t" * 129,
        None,
        1,
    ],
)
def test_in_10_image_names_that_can_never_work(people: People, image: object) -> None:
    refused(post(people, image=image), "image")


def test_in_10_a_refused_create_leaves_nothing(people: People) -> None:
    before = people.owner.http.get("/api/weavers").json()["weavers"]
    refused(post(people, image="Ubuntu:22.04"), "image")
    refused(post(people, image="ubuntu"), "image")
    refused(post(people, lifetime_hours=49), "lifetime_hours")
    after = people.owner.http.get("/api/weavers").json()["weavers"]
    assert {weaver["id"] for weaver in after} <= {weaver["id"] for weaver in before}


@pytest.mark.parametrize("image", ["ubuntu", "localhost:5000/a/b:1", f"ghcr.io/x/y:T-1@{ANY_DIGEST}"])
def test_in_10_an_image_that_is_not_offered_names_those_that_are(people: People, image: str) -> None:
    assert "python" in refused(post(people, image=image), "image")


@pytest.mark.parametrize(
    "image", ["python", "python:3", f"python@{ANY_DIGEST}", "ghcr.io/loom/weaver:latest"]
)
def test_images(people: People, image: str) -> None:
    taken(people, post(people, image=image))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"unknown": 1}, "unknown"),
        ({"org_id": "not-a-uuid"}, "org_id"),
        ({"org_id": None}, "org_id"),
        ({"env": None}, "env"),
        ({"tags": None}, "tags"),
        ({"tags": {"a:b": "x"}}, "tags.a:b"),
        ({"tags": {"": "x"}}, "tags."),
        ({"tags": {"k" * 64: "x"}}, "tags." + "k" * 64),
        ({"tags": {"k": "v" * 257}}, "tags.k"),
        ({"tags": {f"k{n}": "v" for n in range(65)}}, "tags"),
        ({"tags": {"k": 1}}, "tags.k"),
        ({"command": "ls"}, "command"),
        ({"command": [1]}, "command.0"),
        ({"args": ["a\0b"]}, "args.0"),
        ({"command": ["x" * 131_072]}, "command.0"),
        ({"workdir": "relative"}, "workdir"),
        ({"env": {"A": "\0"}}, "env.A"),
        ({"env": {"A": "\ud800"}}, "env.A"),
        ({"resources": {"memory": "4Gi"}}, "resources.memory"),
    ],
)
def test_other_fields(people: People, fields: dict[str, Any], field: str) -> None:
    refused(post(people, **fields), field)


def test_null_means_not_given(people: People) -> None:
    fields = dict.fromkeys(("repo_id", "resources", "command", "args", "workdir"))
    taken(people, post(people, **fields))


def test_all_values_together_have_a_limit(people: People) -> None:
    refused(post(people, env={f"V{n}": "x" * 100_000 for n in range(3)}), "env")


def test_a_repo_of_nobody_is_forbidden(people: People) -> None:
    reply = post(people, repo_id="repo_0000000000000000")
    assert reply.status_code == 403
    assert reply.json()["error"] == "forbidden"


BODIES = {
    "NaN": ('{"lifetime_hours": NaN}', 400),
    "Infinity": ('{"lifetime_hours": Infinity}', 400),
    "two equal keys": ('{"image": "python", "image": "shell"}', 400),
    "two equal keys inside": ('{"env": {"A": "1", "A": "2"}}', 400),
    "an array": ("[]", 400),
    "a string": ('"x"', 400),
    "null": ("null", 400),
    "nothing": ("", 400),
    "1e400": ('{"lifetime_hours": 1e400}', 400),
    "a byte-order mark": ('\ufeff{"image": "python"}', 400),
    "deep nesting": ("[" * 100_000, 400),
    "deep nesting of objects": ('{"a":' * 100_000, 400),
    "a long number": ('{"lifetime_hours": ' + "9" * 100_000 + "}", 400),
    "trailing text": ('{"image": "python"} x', 400),
    "a little over 2 MiB": ('{"image": "' + "x" * 2 * 1024 * 1024 + '"}', 413),
}
ERROR_OF = {400: "bad_request", 413: "payload_too_large", 415: "unsupported_media_type"}


@pytest.mark.parametrize("name", BODIES)
def test_in_8_json_beyond_the_standard(people: People, name: str) -> None:
    body, status = BODIES[name]
    headers = {"Content-Type": "application/json"}
    reply = people.owner.http.post("/api/weaver", content=body.encode(), headers=headers)
    assert (reply.status_code, reply.json()["error"]) == (status, ERROR_OF[status])


def test_bytes_that_are_no_utf_8(people: People) -> None:
    reply = people.owner.http.post("/api/weaver", content=b'{"image": "\xff"}')
    assert (reply.status_code, reply.json()["error"]) == (400, "bad_request")


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx"]
)
def test_in_8_a_body_of_another_type(people: People, media_type: str) -> None:
    body = json.dumps({"image": "python", "org_id": people.org_id}).encode()
    reply = people.owner.http.post("/api/weaver", content=body, headers={"Content-Type": media_type})
    assert (reply.status_code, reply.json()["error"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("media_type", [None, "application/json; charset=utf-8", "Application/JSON"])
def test_json_by_its_other_names(people: People, media_type: str | None) -> None:
    headers = {"Content-Type": media_type} if media_type else {}
    body = json.dumps({"image": "python", "org_id": people.org_id}).encode()
    taken(people, people.owner.http.post("/api/weaver", content=body, headers=headers))


@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "in chunks"])
@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
def test_in_8_fifty_megabytes(server: RunningServer, people: People, chunked: bool, known: bool) -> None:
    """The sender sees its answer, whoever it is, and others are answered meanwhile."""
    piece = b"x" * 2**20
    body = (piece for _ in range(50)) if chunked else piece * 50
    key = people.owner.key if known else "loom_sk_wrong"
    answered: list[float] = []
    over = threading.Event()

    def ask_meanwhile() -> None:
        with server.http(None) as http:
            while not over.is_set():
                assert http.get("/health").status_code == 200
                answered.append(time.monotonic())

    asking = threading.Thread(target=ask_meanwhile)
    asking.start()
    with server.http(f"Bearer {key}") as http:
        reply = http.post("/api/weaver", content=body)
    over.set()
    asking.join()
    assert reply.status_code == (413 if known else 401)
    assert reply.json()["error"] == ("payload_too_large" if known else "unauthorized")
    assert answered


def test_a_body_beyond_all_measure_is_refused_at_once(server: RunningServer, people: People) -> None:
    headers = {**people.owner.headers, "Content-Length": str(10**12)}
    status, _, body = raw_request(server, "POST", "/api/weaver", headers)
    assert (status, json.loads(body)["error"]) == (413, "payload_too_large")
