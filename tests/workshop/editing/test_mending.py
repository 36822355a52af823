"""
Fixes made: in a copy, until nothing is left, and then in the folder.
"""

import pytest

from cds.workshop.editing.mending import differences, mend, write
from tests.check_pages import AS_OF, lay_out

FILE = "conditions/dysglycaemia.yaml"
ALLOW = "allow:\n  - {check: unnoted-limits, because: They come.}\n"
TESTS = "\ntests:\n  - name: raised\n"


@pytest.fixture(autouse=True)
def _laid_out(sample):
    """
    Nothing is to be mended but what a test puts there.
    """
    lay_out(sample.folder)


def everything(_):
    """
    Every finding is wanted.
    """
    return True


def test_nothing_to_mend(sample):
    """
    A clean folder stays as it is.
    """
    mended = mend(sample.folder, everything, as_of=AS_OF, unsafe=True)

    assert (0, {}, {}, "") == (mended.count, mended.before, mended.after, differences(mended))


def test_nothing_is_written_before_it_is_asked_for(sample):
    """
    The copy is mended, the folder when that was looked at.
    """
    sample.put({FILE: (TESTS, ALLOW + TESTS)})
    before = (sample.folder / FILE).read_text("utf-8")

    mended = mend(sample.folder, everything, as_of=AS_OF, unsafe=False)
    untouched = (sample.folder / FILE).read_text("utf-8")
    write(sample.folder, mended)

    assert before == untouched
    assert before.replace(ALLOW, "") == (sample.folder / FILE).read_text("utf-8")
    assert 1 == mended.count
    assert [] == sample.found()


def test_only_what_is_wanted_is_mended(sample):
    """
    As `--select` and the names of files say.
    """
    sample.put({FILE: (TESTS, ALLOW + TESTS)})

    assert 0 == mend(sample.folder, lambda _: False, as_of=AS_OF, unsafe=True).count


def test_line_ends_and_a_byte_order_mark_stay(sample):
    """
    A fix changes its own words and no others.
    """
    sample.put({FILE: (TESTS, ALLOW + TESTS)})
    text = "\ufeff" + (sample.folder / FILE).read_text("utf-8").replace("\n", "\r\n")
    (sample.folder / FILE).write_bytes(text.encode())

    def is_ours(found):
        return found.code == "CDS608"

    write(sample.folder, mend(sample.folder, is_ours, as_of=AS_OF, unsafe=False))

    assert (sample.folder / FILE).read_bytes().decode() == text.replace(
        ALLOW.replace("\n", "\r\n"), ""
    )


def test_a_file_that_cannot_be_read_is_left_alone(sample):
    """
    It has no text to mend.
    """
    (sample.folder / "conditions" / "latin.yaml").write_bytes(b"kind: condition # \xe9\n")

    assert 0 == mend(sample.folder, everything, as_of=AS_OF, unsafe=True).count
