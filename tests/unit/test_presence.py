"""Who watches a terminal, its size, and who answers its queries."""

from __future__ import annotations

from loom_weaver.presence import Presence, PresenceByWeaver


def test_nobody_has_no_size_and_no_primary() -> None:
    presence = Presence()
    assert (len(presence), presence.size, presence.primary) == (0, None, None)


def test_the_size_is_the_smallest_of_those_who_may_resize_and_told_one() -> None:
    presence = Presence()
    first = presence.join("u1", "ann", "full")
    second = presence.join("u2", "bob", "full")
    looker = presence.join("u3", "cy", "read_only")
    presence.join("u4", "dee", "full")
    presence.resize(first, (100, 20))
    presence.resize(second, (80, 50))
    presence.resize(looker, (10, 5))
    assert presence.size == (80, 20)
    presence.leave(second)
    assert presence.size == (100, 20)
    presence.leave(first)
    assert presence.size is None


def test_the_primary_viewer_is_who_typed_last_else_who_came_first() -> None:
    presence = Presence()
    looker = presence.join("u0", "cy", "read_only")
    assert presence.snapshot()[0]["primary"] is False
    first, second, third = (presence.join(f"u{number}", "ann", "full") for number in range(3))
    assert presence.primary == first
    assert presence.type(third)
    assert not presence.type(third)
    assert presence.type(second)
    assert presence.primary == second
    presence.leave(second)
    assert presence.primary == third
    presence.leave(third)
    assert presence.primary == first
    assert not presence.type(looker)
    assert presence.primary == first


def test_each_viewer_hears_of_changes_and_none_of_its_own_leaving() -> None:
    heard: list[str] = []
    presence = Presence()
    first = presence.join("u1", "ann", "full", lambda: heard.append("first"))
    second = presence.join("u2", "bob", "full", lambda: heard.append("second"))
    assert heard == ["first", "first", "second"]
    heard.clear()
    presence.type(second)
    assert heard == ["first", "second"]
    heard.clear()
    presence.leave(first)
    presence.leave(first)
    assert heard == ["second"]


def test_a_snapshot_names_everybody() -> None:
    presence = Presence()
    presence.join("u1", "ann", "read_only")
    presence.join("u2", "bob", "full")
    assert presence.snapshot() == [
        {"id": 1, "user": {"id": "u1", "name": "ann"}, "access": "read_only", "primary": False},
        {"id": 2, "user": {"id": "u2", "name": "bob"}, "access": "full", "primary": True},
    ]


def test_an_id_is_never_given_twice() -> None:
    presence = Presence()
    presence.leave(presence.join("u1", "ann", "full"))
    assert presence.join("u1", "ann", "full") == 2


def test_weavers_without_viewers_cost_nothing() -> None:
    presences = PresenceByWeaver()
    viewer = presences.at("weaver_a").join("u1", "ann", "full")
    presences.at("weaver_a").join("u2", "bob", "full")
    assert presences.viewers("weaver_a") == 2
    presences.drop_empty("weaver_a")
    assert presences.viewers("weaver_a") == 2
    presences.at("weaver_a").leave(viewer)
    presences.at("weaver_a").leave(2)
    presences.drop_empty("weaver_a")
    assert presences.viewers("weaver_a") == 0
    assert repr(presences) == "<PresenceByWeaver {}>"
