"""
CDS108: files that are laid out otherwise.
"""

from cds.rulefiles.fixes import applied

GROUP = "groups/sugar.yaml"
LOOSE = "kind: group\nid:  sugar\nwhen_several_fire: merge # why\n"
TIDY = "kind: group\nid: sugar\nwhen_several_fire: merge  # why\n"


def found_in(sample, text):
    """
    What is said of the layout of a file with a text.
    """
    checked = sample.check({GROUP: text})
    return [
        one
        for one in checked.findings
        if one.code == "CDS108" and one.place.path == f"rules/{GROUP}"
    ]


def test_a_file_that_is_laid_out_otherwise(sample):
    """
    At its first line that differs, with the layout as a safe fix.
    """
    (found,) = found_in(sample, LOOSE)

    assert 2 == found.place.line
    assert "`cds fmt` would lay this file out otherwise" == found.headline
    assert found.fix.safe
    assert TIDY == applied(LOOSE, found.fix.edits)


def test_a_file_that_is_as_it_should_be(sample):
    """
    Nothing is said of it.
    """
    assert [] == found_in(sample, TIDY)


def test_a_file_that_cannot_be_read(sample):
    """
    Its layout is the smallest of its troubles; so of one that the layout cannot hold.
    """
    assert [] == found_in(sample, "kind: group\nkind:  group\nid: sugar\n")
    assert [] == found_in(sample, LOOSE + f"? {'x' * 2000}\n: 1\n")
