"""
Whom a rule is explained for.
"""

from datetime import timedelta

import pytest

from cds.core.clauses import Place
from cds.workshop.testing.patients import NOW, CannotRead
from cds.workshop.testing.subjects import Subjects, patients_of, read_given
from tests.workshop.explained import RULES, shipped, snapshot_of, subjects


def test_words_are_read_as_in_a_case():
    """
    Lists and quotes as in YAML; numbers stay as they were written.
    """
    assert {"age": "52 years", "hba1c": ["5.70 %", "5 % 40 days ago"], "x": "124 mm[Hg]"} == (
        read_given("age: 52 years, hba1c: [5.70 %, 5 % 40 days ago], x: '124 mm[Hg]'", called="-")
    )


@pytest.mark.parametrize("text", ["hba1c 5", "hba1c: [", "a: 1, a: 2", "hba1c: &x 5"])
def test_words_that_are_no_data_are_refused(text):
    """
    Under the name of their option.
    """
    with pytest.raises(CannotRead, match="--given"):
        read_given(text, called="--given")


def test_the_patients_of_a_file():
    """
    By name; none where there are none.
    """
    place = shipped().cards["low_testosterone_unconfirmed"].place

    assert "238 ng/dL" == patients_of(RULES, place)["typical"]["total_testosterone"]
    assert {} == patients_of(RULES, shipped().indices["homa_ir"].place)


def test_a_file_that_cannot_be_read_has_no_patients(tmp_path):
    """
    It is somebody else's to say so.
    """
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yaml").write_text("[", "utf-8")

    assert {} == patients_of(tmp_path / "rules", Place("rules/a.yaml", 1, 1))


def test_a_record_can_be_otherwise():
    """
    What is named takes the place of what was there; days count from its own time.
    """
    record = snapshot_of("age: 52 years, sex: male, hba1c: 5 %, masld: present, alt: 20 U/L")
    later = record.as_of + timedelta(days=100)
    record = record.__class__(
        **{**{one: getattr(record, one) for one in record.__slots__}, "as_of": later}
    )
    but = {"hba1c": "6 % 30 days ago", "masld": "none", "sex": "female", "age": "40 years"}
    changed = subjects().changed(record, but)
    (result,) = changed.results["hba1c"]

    assert ("6", later.date() - timedelta(days=30)) == (
        str(result.value),
        result.when.start.date(),
    )
    assert "masld" not in changed.entries
    assert ("female", (40, 40)) == (changed.person.sex, changed.person.age(later))
    assert record.results["alt"] == changed.results["alt"]


def test_lists_and_groups_can_be_otherwise():
    """
    And what cannot be used.
    """
    record = snapshot_of("age: 52 years, masld: present, alt: 20")
    but = {"not_sent": ["medicines"], "group": "asian", "ast": "20", "pcos": "present 5 days ago"}
    changed = Subjects(shipped()).changed(record, but)

    assert not changed.state_of("medicines").complete
    assert "asian" == changed.person.group
    assert {"alt", "ast"} <= set(changed.unusable)
    assert 5 == changed.entries["pcos"][0].days
    assert record.as_of == changed.as_of == NOW
