"""
Rules on trial, and windows beyond what is asked for.
"""

import pytest

SEARCHES = "concepts/searches.yaml"
CONDITION = "conditions/dysglycaemia.yaml"


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (400, []),
        (365, []),
        (364, ["glucose >= raised_glucose", "hba1c >= raised_a1c"]),
    ],
)
def test_windows_beyond_the_search(sample, days, expected):
    """
    A day more than the search asks for is too much.
    """
    bound = f'    lists: laboratory\n    parameters: {{date: "ge{{{{today() - {days} days}}}}"}}\n'
    found = sample.meant({SEARCHES: ("    lists: laboratory\n", bound)})
    texts = {one.headline.split("`")[1] for one in found if one.code == "CDS411"}

    assert set(expected) <= texts
    assert bool(expected) == bool(texts)


def test_more_results_than_are_asked_for(sample):
    """
    A mean of the last five from a page of three.
    """
    found = sample.found(
        {
            SEARCHES: ("    count: 60\n", "    count: 3\n"),
            CONDITION: (
                "    - glucose >= raised_glucose\n",
                "    - usual >= raised_glucose\n",
                "tests:\n",
                "readings:\n  usual: {average of last: 5, of: glucose, within: 365 days}\ntests:\n",
            ),
        }
    )

    assert "CDS411 `dysglycaemia.usual` needs more results than are asked for" in found


def test_active_rules_that_lean_on_a_trial(sample):
    """
    Each of them; one that is on trial itself may.
    """
    found = sample.meant(
        {
            CONDITION: ("status: active", "status: trial"),
            "stages/staging.yaml": ("status: active", "status: trial"),
        }
    )

    assert ["prediabetes", "resistance"] == sorted(
        one.headline.split("`")[1] for one in found if one.code == "CDS412"
    )
