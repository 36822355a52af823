"""
How cards behave: alarms, ways out, silence, order.
"""

import pytest

CARD = "cards/prediabetes.yaml"
HIGH = "cards/high_glucose.yaml"
GROUP = "groups/sugar.yaml"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (("indicator: info", "indicator: critical"),
         ["CDS508 `prediabetes` is critical, and nothing it offers is urgent"]),
        (("indicator: info", "indicator: [{critical: hba1c >= 6.5 %}, {info: otherwise}]"),
         ["CDS508 `prediabetes` is critical, and nothing it offers is urgent"]),
        (("indicator: info", "indicator: critical",
          "hooks: [patient-view]", "hooks: [patient-view, order-sign]"), []),
        (("override_reasons: all\n", ""),
         ["CDS510 `prediabetes` offers something, and no reason to decline it"]),
        (("quiet: {repeat_after: 180 days}", "quiet: none"), []),
        (("quiet: {repeat_after: 180 days}\n", ""),
         ["CDS511 `prediabetes` comes back each time the chart is opened"]),
        (("quiet: {repeat_after: 180 days}\n", "", "[patient-view]", "[order-sign]"), []),
        (("priority: 30", "priority: 20"),
         ["CDS512 `prediabetes` and `high_glucose` have one priority in the group `sugar`"]),
        (("code: IR-STG-01", "code: IR-STG-02"),
         ["CDS208 `IR-STG-02` is already the code of `high_glucose`"]),
        (("code: IR-STG-01", "code: IR-STG-02",
          "status: active", "status: retired\nbecause: Done."), []),
    ],
)  # fmt: skip
def test_how_a_card_behaves(sample, changes, expected):
    """
    Each finding with its neighbour that is in order.
    """
    found = [one for one in sample.found({CARD: changes}) if not one.startswith("CDS306")]

    assert expected == found


def test_something_urgent_is_offered(sample):
    """
    Then a card may be critical.
    """
    assert [] == sample.found(
        {
            CARD: ("indicator: info", "indicator: critical"),
            "actions/library.yaml": (
                "intent: proposal\n        code",
                "intent: proposal\n        priority: urgent\n        code",
            ),
        }
    )


def test_the_case_that_is_critical_is_marked(sample):
    """
    Not the whole list.
    """
    drawn = sample.drawn(
        {
            CARD: (
                "indicator: info",
                "indicator: [{critical: dysglycaemia holds}, {info: otherwise}]",
            )
        }
    )

    assert "indicator: [{critical: dysglycaemia holds}, {info: otherwise}]" in drawn
    assert "                ^^^^^^^^\n" in drawn


def test_a_group_that_is_merged_needs_no_order(sample):
    """
    Nothing of it is dropped.
    """
    assert [] == sample.found(
        {
            CARD: ("priority: 30", "priority: 20"),
            GROUP: ("when_several_fire: show_one", "when_several_fire: merge"),
        }
    )
