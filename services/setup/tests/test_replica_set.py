from __future__ import annotations

import pytest

from isotherm_common.process import ConfigurationError
from isotherm_setup.replica_set import Add, Done, Initiate, Seen, Wait, first_config, grown_config, next_step

A, B, C = "a:27017", "b:27017", "c:27017"
EMPTY = Seen(started_as_member=True, others={B: None, C: None})


def seen(*hosts: str, in_sync: tuple[str, ...] | None = None, has_primary: bool = True) -> Seen:
    return Seen(
        started_as_member=True,
        name="rs0",
        has_primary=has_primary,
        hosts=hosts,
        in_sync=frozenset(hosts if in_sync is None else in_sync),
    )


def test_three_members_come_one_after_the_other() -> None:
    """The first alone, then one at a time."""
    members = (A, B, C)
    assert next_step(EMPTY, "rs0", members) == Initiate(A)
    assert next_step(seen(A, has_primary=False), "rs0", members) == Wait("the replica set has no primary yet")
    assert next_step(seen(A), "rs0", members) == Add(B)
    assert isinstance(next_step(seen(A, B, in_sync=(A,)), "rs0", members), Wait)
    assert next_step(seen(A, B), "rs0", members) == Add(C)
    assert next_step(seen(A, B, C, in_sync=(A, B)), "rs0", members) == Done()


def test_one_member_is_initiated_alone() -> None:
    """There is nobody to ask first."""
    assert next_step(Seen(started_as_member=True), "rs0", (A,)) == Initiate(A)


def test_nothing_is_initiated_before_the_others_answer() -> None:
    """A first member that lost its volume must not found a second set beside the one that the others still have."""
    assert next_step(Seen(started_as_member=True, others={B: None}), "rs0", (A, B, C)) == Wait(
        "c:27017 does not answer yet"
    )
    back = next_step(Seen(started_as_member=True, others={B: "rs0", C: "rs0"}), "rs0", (A, B, C))
    assert isinstance(back, Wait)
    assert "came back empty" in back.reason


def test_a_set_that_somebody_else_keeps_is_left_alone() -> None:
    """Without members in the settings there is nothing to do."""
    assert next_step(seen(A), "rs0", ()) == Done()


def test_members_that_are_not_wanted_stay_and_are_named() -> None:
    """Taking a member away needs a person."""
    assert next_step(seen(A, B), "rs0", (A,)) == Done((B,))


@pytest.mark.parametrize(
    ("state", "members", "sentence"),
    [
        (Seen(started_as_member=False), (A,), "--replSet rs0"),
        (Seen(started_as_member=True), (), "MONGODB_ADMIN_MEMBERS"),
        (Seen(started_as_member=True, name="other", has_primary=True), (A,), "MONGODB_ADMIN_REPLICA_SET"),
    ],
)
def test_what_cannot_work_is_said_with_what_to_do(state: Seen, members: tuple[str, ...], sentence: str) -> None:
    """Waiting would not help."""
    with pytest.raises(ConfigurationError, match=sentence):
        next_step(state, "rs0", members)


def test_a_grown_configuration_keeps_everything_else() -> None:
    """The version rises by one and the new member has an id of its own."""
    config = {**first_config("rs0", A), "version": 4, "settings": {"x": 1}}
    config["members"].append({"_id": 3, "host": B, "priority": 0})
    grown = grown_config(config, C)
    assert grown["version"] == 5
    assert grown["settings"] == {"x": 1}
    assert grown["members"][:2] == config["members"]
    assert grown["members"][2] == {"_id": 4, "host": C}
