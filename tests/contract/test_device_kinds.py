"""What every kind of hardware must do, whatever it is. A new kind is added to `EXAMPLES` and must pass all of it."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from device_rig import GPIO, PATIENT_S, SERIAL, Rig, eventually, running, settings
from pydantic import ValidationError

from config.settings import DeviceSettings
from devices.kinds import kinds, settings_by_kind
from firmware_py.core.health import Status

#: For each kind: settings on a simulated wire, and a real wire that this machine does not have.
EXAMPLES: dict[str, tuple[dict[str, Any], str]] = {
    "rating_panel_gpio": (GPIO, "gpio"),
    "rating_panel_serial": (SERIAL, "/dev/nucuoi-not-there"),
}

HOLD_S = 1.5  # of real time, long enough to look at a held button

every_kind = pytest.mark.parametrize("kind", sorted(kinds()))


def example(kind: str, **keys: Any) -> DeviceSettings:
    return settings(EXAMPLES[kind][0], **keys)


def test_every_kind_has_an_example_here():
    assert EXAMPLES.keys() == kinds().keys() == settings_by_kind().keys()


@every_kind
def test_settings_are_frozen_described_and_carry_their_units(kind):
    own = {
        name: field
        for name, field in settings_by_kind()[kind].model_fields.items()
        if name not in DeviceSettings.model_fields
    }
    assert settings_by_kind()[kind].model_config["frozen"] is True
    assert settings_by_kind()[kind].model_config["extra"] == "forbid"
    assert [name for name, field in own.items() if not field.description] == []
    # A measure in seconds says so in its name and its description.
    in_seconds = [name for name, field in own.items() if (field.description or "").endswith(", s")]
    assert in_seconds
    assert all(name.endswith("_s") for name in in_seconds)


@every_kind
def test_it_opens_simulated_and_is_available_and_ready(kind):
    with running(example(kind)) as rig:
        rig.available()
        rig.shows("ready")
        status = rig.status()
        assert (status.id, status.kind, status.wire, status.simulated) == ("panel", kind, "simulated", True)
        assert (status.reason, status.light, status.faults) == ("", "ready", ())
        assert status.since is not None
        assert rig.journal.availability == [("panel", True)]


@every_kind
@pytest.mark.parametrize("bounces", [0, 4])
def test_one_press_is_one_rating_at_its_counter_marked_simulated(kind, bounces):
    patient = {"debounce_s": PATIENT_S} if "debounce_s" in type(example(kind)).model_fields else {}
    with running(example(kind).model_copy(update=patient)) as rig:
        rig.available()
        for level in (3, 1):
            before = len(rig.journal.ratings)
            pressed_s = rig.clock.uptime_s()
            rig.far_end().press(level, bounces=bounces, hold_s=3 * PATIENT_S)
            eventually(lambda before=before: len(rig.journal.ratings) > before, "the press")
            rating = rig.journal.ratings[-1]
            assert (rating.source, rating.counter, rating.level) == ("panel", rig.status().counter, level)
            assert rating.simulated is True
            assert 0 <= rating.pressed_ago_s <= rig.clock.uptime_s() - pressed_s
        assert len(rig.journal.ratings) == 2


@every_kind
def test_a_press_alone_thanks_nobody(kind):
    """The thanks follow COMMIT: they come from outside, by `thank`."""
    with running(example(kind)) as rig:
        rig.available()
        rig.far_end().press(2, hold_s=0.05)
        eventually(lambda: rig.journal.ratings, "the press")
        rig.shows("ready")
        assert rig.status().light == "ready"


@every_kind
def test_the_light_goes_from_ready_to_thanks_and_back(kind):
    with running(example(kind)) as rig:
        rig.available()
        rig.shows("ready")
        assert rig.rack.thank("panel", rig.clock.uptime_s() + 0.3) is True
        rig.shows("thanks")
        assert rig.status().light == "thanks"
        rig.shows("ready")


@every_kind
def test_a_wrong_deadline_does_not_leave_the_thanks_on(kind):
    with running(example(kind, thanks_s=0.2)) as rig:
        rig.available()
        assert rig.rack.thank("panel", rig.clock.uptime_s() + 1e9) is True
        rig.shows("thanks")
        rig.shows("ready")


@every_kind
def test_while_the_journal_takes_nothing_the_light_says_not_available_and_nobody_is_thanked(kind):
    with running(example(kind)) as rig:
        rig.available()
        rig.rack.set_accepting(accepting=False)
        rig.shows("unavailable")
        assert rig.status().light == "unavailable"
        assert rig.rack.thank("panel", rig.clock.uptime_s() + 1) is False
        rig.rack.set_accepting(accepting=True)
        rig.shows("ready")


@every_kind
def test_a_press_that_the_journal_could_not_keep_shows_not_available(kind):
    with running(example(kind)) as rig:
        rig.available()
        rig.shows("ready")
        rig.journal.refusing = True
        rig.far_end().press(1, hold_s=0.05)
        rig.shows("unavailable")
        assert rig.lit() == ["unavailable"]


@every_kind
def test_unplugged_is_unavailable_with_its_reason_and_plugged_is_available_again(kind):
    with running(example(kind)) as rig:
        rig.available()
        rig.far_end().unplug()
        reason = rig.unavailable()
        assert "hãy kiểm tra" in reason.lower()
        assert rig.lit() == []
        assert rig.rack.thank("panel", rig.clock.uptime_s() + 1) is False
        rig.far_end().plug()
        rig.available()
        rig.far_end().press(2, hold_s=0.05)
        eventually(lambda: rig.journal.ratings, "a press after plugging")
        assert rig.journal.availability == [("panel", True), ("panel", False), ("panel", True)]
        assert len(rig.journal.ratings) == 1


@every_kind
def test_plugging_and_unplugging_is_no_press(kind):
    with running(example(kind)) as rig:
        for _ in range(2):
            rig.available()
            rig.far_end().unplug()
            rig.unavailable()
            rig.far_end().plug()
        rig.available()
        assert rig.journal.ratings == []


@every_kind
def test_the_self_test_passes_or_fails_with_the_reason(kind):
    with running(example(kind)) as rig:
        rig.available()
        (passed,) = rig.rack.self_tests()
        rig.far_end().unplug()
        reason = rig.unavailable()
        (failed,) = rig.rack.self_tests()
        assert (passed.status, failed.status, failed.text) == (Status.PASS, Status.FAIL, reason)
        assert passed.figures


@every_kind
def test_a_button_cannot_be_called_stuck_soon_after_it_was_pressed(kind):
    """The fault goes to the live stream: it must not tell whose press it was."""
    with pytest.raises(ValidationError, match="greater than or equal to 10"):
        example(kind, stuck_after_s=9.9)


@every_kind
def test_a_stuck_button_is_a_warning_and_the_others_are_live(kind):
    with running(example(kind, stuck_after_s=10)) as rig:
        rig.available()
        finger = threading.Thread(target=rig.far_end().press, args=(3,), kwargs={"hold_s": HOLD_S})
        finger.start()
        eventually(lambda: rig.journal.ratings, "the touch")
        assert rig.journal.faults == []
        rig.skip(10)
        eventually(lambda: rig.journal.faults == [(3, "stuck")], "stuck")
        (warned,) = rig.rack.self_tests()
        assert (warned.status, "nút 3 bị kẹt" in warned.text) == (Status.WARN, True)
        finger.join()
        eventually(lambda: rig.journal.faults == [(3, "stuck"), (3, None)], "stuck and well again")
        assert len(rig.journal.ratings) == 1  # the touch itself counted, once


@every_kind
def test_a_button_that_was_stuck_when_the_plug_was_pulled_is_met_anew(kind):
    with running(example(kind, stuck_after_s=10)) as rig:
        rig.available()
        finger = threading.Thread(target=rig.far_end().press, args=(3,), kwargs={"hold_s": HOLD_S})
        finger.start()
        eventually(lambda: rig.journal.ratings, "the touch")
        rig.skip(10)
        eventually(lambda: rig.status().faults == ("button 3 stuck",), "stuck")
        rig.far_end().unplug()
        rig.unavailable()
        finger.join()
        rig.far_end().plug()
        rig.available()
        eventually(lambda: rig.status().faults == (), "no fault any more")
        assert rig.journal.faults == [(3, "stuck"), (3, None)]


@every_kind
def test_closing_twice_is_closing_once(kind):
    with running(example(kind)) as rig:
        rig.available()
        rig.rack.close()
        rig.rack.close()


@every_kind
def test_a_real_wire_that_is_missing_is_unavailable_with_what_to_do_and_never_simulated(kind):
    with running(example(kind, wire=EXAMPLES[kind][1]), simulation=False) as rig:
        status = rig.status()
        assert (status.available, status.simulated) == (False, False)
        assert "Hãy" in status.reason
        assert rig.rack.simulated("panel") is None
        assert rig.rack.self_tests()[0].status is Status.FAIL
        assert rig.journal.availability == [("panel", False)]
        rig.rack.retry()
        assert rig.status().available is False
        assert rig.journal.availability == [("panel", False)]  # reported on change only


@every_kind
def test_a_device_that_fails_does_not_stop_another(kind):
    other = settings(SERIAL if kind != "rating_panel_serial" else GPIO, id="other")
    with running(example(kind, wire=EXAMPLES[kind][1]), other) as rig:
        rig.available("other")
        assert rig.status().available is False


@every_kind
def test_the_far_end_refuses_what_cannot_be_done(kind):
    with running(example(kind)) as rig:
        rig.available()
        with pytest.raises(OSError, match="không có nút 9"):
            rig.far_end().press(9)
        rig.far_end().unplug()
        with pytest.raises(OSError, match="rút dây"):
            rig.far_end().press(1)


@every_kind
def test_a_simulated_wire_is_marked_simulated_whatever_the_site_says_of_itself(kind):
    with running(example(kind), simulation=False) as rig:
        rig.available()
        rig.far_end().press(1, hold_s=0.05)
        eventually(lambda: rig.journal.ratings, "the press")
        assert all(command.simulated for command in rig.journal.commands)
        assert rig.status().simulated is True


@every_kind
def test_in_a_simulated_site_a_real_wire_is_still_marked_simulated(kind):
    rig = Rig([example(kind, wire=EXAMPLES[kind][1])], simulation=True)
    assert rig.status().simulated is True
    rig.rack.close()
