"""What a notebook keeps of a weaver, for where nothing is live."""

from __future__ import annotations

from loom_weaver.models import WeaverObject
from loom_weaver.widgets.picture import LONGEST_LINE, MOST_LINES, picture


def weaver(**fields: object) -> WeaverObject:
    whole = {
        "id": "weaver_abc",
        "pod_name": "loom-weaver-abc",
        "status": "running",
        "created_at": "2026-03-03T12:00:00Z",
        "image": "python",
        "tags": {},
        "lifetime_hours": 24,
        "age_hours": 0.0,
        "owner_user_id": "user_1",
        "org_id": "550e8400-e29b-41d4-a716-446655440000",
        "repo_id": None,
        "resources": None,
        "command": None,
        "args": None,
        "workdir": None,
        "expires_at": "2026-03-04T12:00:00Z",
        "started_at": None,
        "finished_at": None,
        "exit_code": None,
        "reason": None,
        "detail": None,
        "isolation": {"kind": "none", "enforced": []},
        "timeline": [],
        "viewers": 0,
    }
    return WeaverObject.model_validate(whole | fields)


def test_a_state_is_told_by_a_shape_and_a_word() -> None:
    html = picture("weaver_abc", weaver(), "Weaver", None)
    assert "● running" in html
    assert "ends 2026-03-04 12:00 UTC" in html
    failed = weaver(status="failed", exit_code=137, reason="OOMKilled", detail="too much memory")
    html = picture("weaver_abc", failed, "Weaver", None)
    assert "✖ failed (137, OOMKilled)" in html
    assert "too much memory" in html


def test_whatever_people_write_is_text() -> None:
    tag = "<img src=x onerror=alert()>\x1b[2J"
    made = weaver(tags={"name": tag, "k": tag}, status="failed", reason="Error", detail=tag, image="a")
    html = picture("weaver_abc", made, "Weaver", [tag])
    assert html.count("&lt;img src=x onerror=alert()&gt;") == 4
    assert "<img" not in html
    assert "\x1b" not in html


def test_a_log_is_short_and_says_so() -> None:
    html = picture("weaver_abc", None, "Log of", [f"line {n}" for n in range(100)] + ["x" * 10_000])
    assert "line 99" in html
    assert f"line {100 - MOST_LINES}<" not in html
    assert "left out" in html
    assert "x" * (LONGEST_LINE + 1) not in html
    assert "1%" not in picture("weaver_abc", None, "Log of", ["1%\r2%"])
    assert "nothing yet" in picture("weaver_abc", None, "Log of", [])


def test_of_an_id_alone_the_id_is_shown() -> None:
    assert "<code>weaver_abc</code>" in picture("weaver_abc", None, "Terminal of", None)
