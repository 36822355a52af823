"""
What a file allows, and what becomes of lines that allow nothing.
"""

import pytest

from cds.workshop.editing.mending import differences, mend
from tests.check_pages import AS_OF

FILE = "conditions/dysglycaemia.yaml"
NO_LIMITS = ("limits: [It is a sample.]", "limits: []")
ALLOW = "allow:\n  - {check: unnoted-limits, at: about, because: They come.}\n"
TESTS = "tests:\n  - name: raised\n"


def allowing(*lines, limits=True):
    """
    The sample with `allow:` lines before its tests.
    """
    text = "allow:\n" + "".join(f"  - {line}\n" for line in lines)
    return {FILE: (*(NO_LIMITS if not limits else ()), TESTS, text + TESTS)}


def is_about_allow(found):
    """
    The layout of the changed file is another matter.
    """
    return found.code == "CDS608"


@pytest.mark.parametrize("at", ["", "at: about, ", "at: limits, "])
@pytest.mark.parametrize("check", ["unnoted-limits", "CDS606"])
def test_a_warning_is_allowed(sample, check, at):
    """
    By name or code, at a place or in the whole file.
    """
    line = f"{{check: {check}, {at}because: They come.}}"

    assert [] == sample.found(allowing(line, limits=False))


def test_an_allowance_speaks_for_its_place_only(sample):
    """
    What is found elsewhere stays, and the line is then of no use.
    """
    line = "{check: unnoted-limits, at: upkeep, because: They come.}"

    assert [
        "CDS606 no limits are noted",
        "CDS608 no `unnoted-limits` is found here",
    ] == sample.found(allowing(line, limits=False))


def test_a_place_is_an_id_a_name_or_a_label(sample):
    """
    Whatever the author calls it.
    """
    other = "{check: unnoted-limits, at: nobody, because: They come.}"

    assert ["CDS201 `nobody` is nothing in this file"] == sample.found(allowing(other))
    assert ["CDS608 no `unnoted-limits` is found here"] == sample.found(
        {FILE: ("nobody", "raised")}
    )


def test_a_check_that_there_is_not(sample):
    """
    The nearest is proposed.
    """
    line = "{check: unnoted-limit, because: They come.}"
    (found,) = sample.meant(allowing(line))

    assert ("CDS201", "did you mean `unnoted-limits`?") == (found.code, found.help)


def test_an_error_cannot_be_allowed(sample):
    """
    The error stays, and the line points at it.
    """
    line = "{check: unknown-source, because: We know it.}"
    changes = allowing(line)
    changes[FILE] += (
        "raised_a1c: {value: 5.7 %, cite: standards}",
        "raised_a1c: {value: 5.7 %, cite: nowhere}",
    )

    assert [
        "CDS602 `nowhere` is not a source of the evidence library",
        "CDS608 `unknown-source` is an error here, and an error cannot be allowed",
    ] == sample.found(changes)


def test_a_pending_review_cannot_be_allowed(sample):
    """
    It is printed as before.
    """
    line = "{check: pending-review, because: Nobody has time.}"
    changes = allowing(line)
    changes[FILE] += ("clinical_review: by a second person", "clinical_review: pending")

    assert [
        "CDS611 no clinician has reviewed `dysglycaemia` yet",
        "CDS608 a pending review cannot be allowed, only done",
    ] == sample.found(changes)


def test_the_last_line_goes_with_its_key(sample):
    """
    The fix leaves no empty `allow:` behind.
    """
    sample.put(allowing("{check: unnoted-limits, because: They come.}"))

    mended = mend(sample.folder, is_about_allow, as_of=AS_OF, unsafe=False)

    assert ["-allow:", "-  - {check: unnoted-limits, because: They come.}"] == [
        line for line in differences(mended).splitlines()[2:] if line.startswith(("-", "+"))
    ]


def test_one_line_of_several_goes_alone(sample):
    """
    The others stay.
    """
    sample.put(
        allowing(
            "{check: unnoted-limits, because: They come.}",
            "{check: missing-unit, because: It is a sample.}",
            limits=False,
        )
    )

    mended = mend(sample.folder, is_about_allow, as_of=AS_OF, unsafe=False)

    assert ["-  - {check: missing-unit, because: It is a sample.}"] == [
        line for line in differences(mended).splitlines()[2:] if line.startswith(("-", "+"))
    ]
