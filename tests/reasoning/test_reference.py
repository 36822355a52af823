"""Every form of a clause: yes, no, and unknown with its reason, by both evaluators."""

from dataclasses import replace

import pytest

from cds.core.facts import Gap, ListState
from tests.reasoning.release import conflict, entry, patient, result, unusable

NOTHING = patient(age=None, sex="unknown", lists={})
PARTS = {
    name: ListState(complete=False, reason=Gap.INCOMPLETE)
    for name in ("tests", "problems", "medicines", "plans")
}


def reasons(release, clause, snapshot):
    """Give what is not known of a clause, and why."""
    return [(need.name, str(need.reason)) for need in release.truths(clause, snapshot)[0].needs]


UNREAD = ListState(complete=False, reason=Gap.UNREADABLE)


def ordered(name, *others, act="ordered", **more):
    """Make a patient of whom one thing is being ordered, added or refilled."""
    return listed(entry(name, act=act, **more), *others, name=name)


def listed(*entries, name="gout"):
    """Make a patient with these entries."""
    return patient(listed={name: entries})


class TestNumbers:
    """Comparisons with what was measured or worked out."""

    @pytest.mark.parametrize(
        ("expected", "snapshot"),
        [
            (("hba1c", "not sent"), patient(lists={})),
            (("hba1c", "list not complete"), patient(lists=PARTS)),
            (("hba1c", "never measured"), patient()),
            (("hba1c", "stale"), patient(hba1c=[result("hba1c", "7 %", 400)])),
            (("hba1c", "unit"), patient(unusable={"hba1c": (unusable("hba1c", Gap.UNIT),)})),
            (("hba1c", "conflict"), patient(unusable={"hba1c": conflict("hba1c", "6 %", "8 %")})),
            (("hba1c", "known within bounds only"), patient(hba1c="< 8 %")),
        ],
    )
    def test_why_a_result_is_not_known(self, release, expected, snapshot):
        """The newest fact about it decides."""

        assert [expected] == reasons(release, "hba1c >= 6.5 %", snapshot)

    def test_a_conflict_proves_what_holds_for_both(self, release):
        """7 and 9 are both in the diabetes range."""
        snapshot = patient(unusable={"hba1c": conflict("hba1c", "7 %", "9 %")})

        assert ["yes"] == release.ask("hba1c >= 6.5 %", snapshot)

    def test_a_window(self, release):
        """The last day counts."""
        people = [patient(hba1c=[result("hba1c", "7 %", days)]) for days in (30, 31)]

        assert ["yes", "unknown"] == release.ask("hba1c >= 6.5 % within 30 days", *people)

    def test_age(self, release):
        """A birth date that is not exact may be on both sides."""
        people = [patient(age=age) for age in (18, 17, (17, 18), None)]

        assert ["yes", "no", "unknown", "unknown"] == release.ask("age >= 18 years", *people)
        assert [("age", "date not exact")] == reasons(release, "age >= 18 years", people[2])
        assert [("age", "not recorded")] == reasons(release, "age >= 18 years", people[3])

    INDEX = """
        inputs: {w: {concept: waist}}
        formula: w
        not_valid_if: [{id: g, when: sex is male, because: B., if_unknown: compute}]
        bands:
          - {name: low, below: 80}
          - {name: middle, from: 80, below: 100}
          - {name: high, from: 100}
        """

    @pytest.mark.parametrize(
        ("expected", "needs", "clause", "snapshot"),
        [
            ("yes", [], "score >= 80", patient(waist="90 cm")),
            ("unknown", [("waist", "never measured")], "score >= 80", patient()),
            (
                "unknown",
                [("score", "not valid")],
                "score >= 80",
                patient(waist="90 cm", sex="male"),
            ),
            (
                "unknown",
                [("score", "known within bounds only")],
                "score >= 80",
                patient(waist="> 70 cm"),
            ),
            (
                "unknown",
                [("score", "stale")],
                "score >= 80 within 9 days",
                patient(waist=[result("waist", "90 cm", 10)]),
            ),
            ("yes", [], "score is middle", patient(waist="90 cm")),
            ("no", [], "score is one of [low, high]", patient(waist="90 cm")),
            ("unknown", [("score", "between bands")], "score is middle", patient(waist="> 90 cm")),
            ("no", [], "score is low", patient(waist="> 90 cm")),
            ("unknown", [("waist", "never measured")], "score is middle", patient()),
            (
                "unknown",
                [("score", "not valid")],
                "score is low",
                patient(waist="90 cm", sex="male"),
            ),
        ],
    )
    def test_indices_and_bands(self, release, expected, needs, clause, snapshot):
        """Unknown inputs are named, and an index that is not valid names itself."""
        release.index("score", self.INDEX)

        (found,) = release.truths(clause, snapshot)

        assert expected == found.word
        assert needs == [(need.name, str(need.reason)) for need in found.needs]

    def test_an_index_with_one_band(self, release):
        """Whatever is known lies in it."""
        release.index("score", "inputs: {w: {concept: waist}}\nformula: w\nbands: [{name: every}]")

        assert ["yes", "unknown"] == release.ask(
            "score is every", patient(waist="90 cm"), patient()
        )

    def test_a_count_says_what_could_add_to_it(self, release):
        """As long as it could."""
        more = "readings: {n: {count days of: hba1c, within: 365 days}}"

        (found,) = release.truths("n >= 1", patient(lists=PARTS), more=more)

        assert [("hba1c", "list not complete")] == [(one.name, one.reason) for one in found.needs]


class TestKnown:
    """Yes or no, never unknown."""

    @pytest.mark.parametrize(
        ("expected", "clause"),
        [
            ("yes", "hba1c is known"),
            ("no", "waist is known"),
            ("yes", "waist is unknown"),
            ("no", "hba1c is known within 3 days"),
            ("no", "ratio is known"),
            ("no", "enzyme is known"),
            ("yes", "any of [hba1c, waist] is known"),
            ("no", "all of [hba1c, waist] are known"),
            ("no", "none of [hba1c, waist] is known"),
            ("yes", "age is known"),
            ("yes", "score is known"),
            ("yes", "n is known"),
        ],
    )
    def test_known(self, release, expected, clause):
        """Usable, without conflict, and inside its window."""
        release.index("score", "inputs: {h: {concept: hba1c}}\nformula: h")
        snapshot = patient(
            hba1c=[result("hba1c", "7 %", 9)],
            ratio=[result("ratio", "7", 900)],
            unusable={"enzyme": conflict("enzyme", "1 U/L", "9 U/L")},
        )
        more = "readings: {n: {count days of: hba1c, within: 365 days}}"

        assert [expected] == release.ask(clause, snapshot, more=more)


class TestLists:
    """Entries, and what their absence means."""

    @pytest.mark.parametrize(
        ("expected", "clause", "snapshot"),
        [
            ("yes", "gout is present", listed(entry("gout"))),
            ("no", "gout is present", patient()),
            ("unknown", "gout is present", patient(lists=PARTS)),
            ("no", "gout is present", listed(entry("gout", active=False))),
            ("yes", "gout is present, ever", listed(entry("gout", active=False))),
            ("no", "gout is absent", listed(entry("gout"))),
            ("unknown", "snoring is present", patient()),
            ("no", "snoring is on record", patient()),
            ("yes", "snoring is not on record", patient(lists=PARTS)),
            ("yes", "gout is present within 9 days", listed(entry("gout", 9))),
            ("no", "gout is present within 9 days", listed(entry("gout", 10))),
            ("unknown", "gout is present within 9 days", listed(entry("gout", None))),
            ("yes", "gout is present within 9 days, undated counts", listed(entry("gout", None))),
            ("no", "gout is on record within 9 days", listed(entry("gout", None))),
            ("yes", "any of [gout, diabetes] is present", patient(listed=("diabetes",))),
            ("no", "none of [gout, diabetes] is present", patient(listed=("diabetes",))),
            ("no", "statin is present", listed(entry("statin", act="ordered"), name="statin")),
            (
                "yes",
                "statin is newly ordered",
                listed(entry("statin", act="ordered"), name="statin"),
            ),
            ("no", "statin is newly ordered", listed(entry("statin"), name="statin")),
            ("no", "statin is newly ordered", ordered("statin", entry("statin"))),
            ("yes", "any of [statin, diet] is newly ordered", ordered("statin")),
            ("unknown", "statin is newly ordered", replace(ordered("statin"), lists=PARTS)),
            ("no", "statin is ordered", patient(lists=PARTS)),
            ("unknown", "statin is ordered", replace(patient(), drafts=UNREAD)),
            ("unknown", "statin is present, or ordered", replace(patient(), drafts=UNREAD)),
            ("no", "statin is present", replace(patient(), drafts=UNREAD)),
            ("no", "statin is being refilled", ordered("statin")),
            ("yes", "statin is being refilled", ordered("statin", act="refilled")),
            ("yes", "statin is present", ordered("statin", act="refilled")),
            ("no", "statin is ordered", ordered("statin", act="refilled")),
            ("yes", "gout is being added", ordered("gout", act="added")),
            ("yes", "gout is present", ordered("gout", act="added")),
            ("yes", "statin is ordered by route oral", ordered("statin", routes=("oral",))),
            ("no", "statin is ordered by route oral", ordered("statin", routes=("skin",))),
            ("unknown", "statin is ordered by route oral", ordered("statin")),
            ("yes", "statin is ordered by route oral or skin", ordered("statin", routes=("skin",))),
            (
                "yes",
                "statin is newly ordered by route oral",
                ordered("statin", entry("statin", routes=("skin",)), routes=("oral",)),
            ),
            (
                "no",
                "statin is present by route oral",
                listed(entry("statin", routes=()), name="statin"),
            ),
            (
                "yes",
                "statin is present by route oral or ordered",
                ordered("statin", routes=("oral",)),
            ),
            (
                "no",
                "statin is on record by route oral",
                listed(entry("statin", routes=("skin",)), name="statin"),
            ),
            (
                "unknown",
                "statin is on record by route oral",
                listed(entry("statin"), name="statin"),
            ),
            (
                "yes",
                "statin is present, or ordered",
                listed(entry("statin", act="ordered"), name="statin"),
            ),
            ("yes", "thirst is answered no within 9 days", patient(listed=("thirst:no",))),
            ("unknown", "thirst is answered yes within 9 days", patient(listed=("thirst:no",))),
        ],
    )
    def test_listed(self, release, expected, clause, snapshot):
        """No is proved by a whole list only, and only where absence means no."""

        assert [expected] == release.ask(f'"{clause}"', snapshot)

    @pytest.mark.parametrize(
        ("expected", "clause", "snapshot"),
        [
            ("list not complete", "gout is present", patient(lists=PARTS)),
            ("not recorded", "snoring is present", patient()),
            ("undated", "gout is present within 9 days", listed(entry("gout", None))),
        ],
    )
    def test_why_nobody_knows(self, release, expected, clause, snapshot):
        """The list, the concept, or the entry."""

        assert [expected] == [reason for _, reason in reasons(release, clause, snapshot)]

    def test_completeness_is_yes_or_no(self, release):
        """Of every list that is named."""
        half = patient(lists={"problems": ListState(complete=True)})

        assert ["yes", "no", "no"] == release.ask(
            "the problems, medicines lists are complete", patient(), half, NOTHING
        )


class TestReceipt:
    """What arrived, usable or not."""

    @pytest.mark.parametrize(
        ("expected", "snapshot"),
        [
            ("yes", patient(hba1c=[result("hba1c", "7 %", 9)])),
            ("no", patient(hba1c=[result("hba1c", "7 %", 10)])),
            ("yes", patient(unusable={"waist": (unusable("waist", Gap.UNIT, 9),)})),
            ("yes", patient(unusable={"waist": (unusable("waist", Gap.UNIT, None),)})),
            ("no", patient(unusable={"waist": (unusable("waist", Gap.UNIT, 10),)})),
            ("no", patient(unusable={"waist": (unusable("waist", Gap.NOT_FASTING, 1),)})),
            ("no", patient()),
            ("unknown", patient(lists=PARTS)),
        ],
    )
    def test_received(self, release, expected, snapshot):
        """No only where every search came whole."""

        assert [expected] == release.ask(
            "any of [hba1c, waist] was received within 9 days", snapshot
        )

    @pytest.mark.parametrize(
        ("expected", "results"),
        [
            ("yes", {"hba1c": [result("hba1c", "7 %", 1)], "waist": [result("waist", "90 cm", 2)]}),
            ("no", {"hba1c": [result("hba1c", "7 %", 2)], "waist": [result("waist", "90 cm", 2)]}),
            ("no", {"hba1c": [result("hba1c", "7 %", 2)]}),
            ("no", {"waist": [result("waist", "90 cm", 2)]}),
        ],
    )
    def test_newer(self, release, expected, results):
        """Yes or no; what is not there is not newer, and nothing is newer than it."""

        assert [expected] == release.ask(
            "any of [hba1c, ratio] is newer than waist", patient(**results)
        )

    @pytest.mark.parametrize(
        ("expected", "clause"),
        [
            ("yes", "some result was not used because of [unit, status] within 9 days"),
            ("no", "some result was not used because of [unit] within 8 days"),
            ("no", "some result was not used because of [conflict] within 9 days"),
            ("yes", "some result of [waist] was not used because of [unit] within 9 days"),
            ("no", "some result of [ratio] was not used because of [unit] within 9 days"),
            ("yes", "some result was not used because of [future] within 9 days"),
        ],
    )
    def test_not_used(self, release, expected, clause):
        """Yes or no."""
        found = {
            "waist": (unusable("waist", Gap.UNIT, 9),),
            "hba1c": (unusable("hba1c", Gap.FUTURE, None),),
        }

        assert [expected] == release.ask(clause, patient(unusable=found))


class TestNamed:
    """Sex, stage, conditions and cards."""

    def test_sex(self, release):
        """Unknown where it is not on record."""
        people = [patient(sex=sex) for sex in ("male", "female", "unknown")]

        assert ["yes", "no", "unknown"] == release.ask("sex is male", *people)
        assert [("sex", "not recorded")] == reasons(release, "sex is male", people[2])

    def test_stage(self, release):
        """It compares the label that was given."""
        release.stages("lines: [{label: A, if: hba1c >= 6 %}, {label: Z, otherwise: true}]")

        assert ["yes", "no"] == release.ask("stage is A", patient(hba1c="7 %"), patient())
        assert ["yes", "yes"] == release.ask(
            "stage is one of [A, Z]", patient(hba1c="7 %"), patient()
        )

    def test_a_condition_answers_for_its_own(self, release):
        """Yes, no and unknown."""
        release.condition("c", "holds_if: hba1c >= 6 %")

        assert ["yes", "no", "unknown"] == release.ask(
            "c holds", patient(hba1c="7 %"), patient(hba1c="5 %"), patient()
        )

    @pytest.mark.parametrize(
        ("expected", "snapshot"),
        [
            ("yes", patient(hba1c="7 %")),
            ("yes", patient(hba1c="7 %", waist="80 cm")),
            ("no", patient(waist="80 cm")),
            ("unknown", patient(hba1c="5 %", waist="95 cm")),
            ("unknown", patient(hba1c="5 %")),
            ("unknown", patient()),
        ],
    )
    def test_ruled_out_if_alone_proves_no(self, release, expected, snapshot):
        """That the condition does not hold proves nothing."""
        release.condition("c", "holds_if: hba1c >= 6 %\nruled_out_if: waist < 90 cm")

        assert [expected] == release.ask("c holds", snapshot)

    def test_a_condition_that_is_neither_says_so(self, release):
        """Without a gap to name, it names itself."""
        release.condition("c", "holds_if: hba1c >= 6 %\nruled_out_if: waist < 90 cm")

        assert [("c", "not recorded")] == reasons(release, "c holds", patient(hba1c="5 %"))

    @pytest.mark.parametrize(
        ("expected", "snapshot"),
        [
            ("yes", patient(hba1c="7 %")),
            ("no", patient(hba1c="5 %")),
            ("no", patient(hba1c="7 %", listed=("gout",))),
            ("unknown", patient()),
            ("unknown", patient(hba1c="7 %", lists=PARTS)),
        ],
    )
    def test_card_fires(self, release, expected, snapshot):
        """Its logic holds: conditions and hard exclusions."""
        release.card(
            "other",
            "show_if: hba1c >= 6 %\n"
            "unless: [{id: x, when: gout is present, because: B., if_unknown: hide}]",
        )
        release.card("one", "show_if: card other fires")
        release.card("two", "show_if: {not: card other fires}")

        found = release.conclude(snapshot).cards

        word = {"fires": "yes", "no": "no", "unknown": "unknown"}[found["one"].state]
        assert expected == word
        assert ("fires" if expected == "no" else found["two"].state) == found["two"].state

    @pytest.mark.parametrize(
        ("expected", "more", "snapshot"),
        [
            ("fires", "if_unknown: note", patient(hba1c="7 %", lists=PARTS)),
            ("no", "if_unknown: note", patient(hba1c="7 %", listed=("gout",))),
            (
                "fires",
                "if_unknown: hide, when_relevant: sex is male",
                patient(hba1c="7 %", listed=("gout",)),
            ),
        ],
    )
    def test_soft_exclusions_of_another_card(self, release, expected, more, snapshot):
        """The reference alone can ask: unknown is no fact of the engine."""
        release.card(
            "other",
            "show_if: hba1c >= 6 %\n"
            f"unless: [{{id: x, when: gout is present, because: B., {more}}}]",
        )
        release.card("one", "show_if: card other fires")

        found = release.reasoner(engine="reference").conclude(snapshot)

        assert expected == found.cards["one"].state


class TestJoins:
    """Words that join."""

    @pytest.mark.parametrize(
        ("expected", "clause"),
        [
            ("no", "{all: [hba1c >= 6 %, sex is male]}"),
            ("unknown", "{all: [hba1c >= 6 %, sex is female]}"),
            ("yes", "{any: [hba1c >= 6 %, sex is female]}"),
            ("unknown", "{any: [hba1c >= 6 %, sex is male]}"),
            ("unknown", "{not: hba1c >= 6 %}"),
            ("yes", "{at_least: {n: 1, of: [hba1c >= 6 %, sex is female, sex is male]}}"),
            ("unknown", "{at_least: {n: 2, of: [hba1c >= 6 %, sex is female, sex is male]}}"),
            ("no", "{at_least: {n: 3, of: [hba1c >= 6 %, sex is female, sex is male]}}"),
            ("yes", "{at_least: {n: -1, of: [hba1c >= 6 %]}}"),
        ],
    )
    def test_of_unknown_yes_and_no(self, release, expected, clause):
        """Kleene's tables."""

        assert [expected] == release.ask(clause, patient())

    def test_equal_conditions_are_worked_out_once(self, release):
        """Whatever they are called."""
        release.condition("a", "holds_if: hba1c >= 6 %")
        release.condition("b", "holds_if: hba1c >= 6.0 %")

        snapshot = patient()

        run = release.reasoner(engine="reference").start(snapshot)

        assert run.answers["a.holds_if"] is run.answers["b.holds_if"]
        assert snapshot is run.snapshot


def test_another_text_of_one_rule_is_tried_on_what_is_known(release):
    """Numbers, grades and stage stay; only the rule itself is worked out again."""
    release.condition("c", "holds_if: hba1c >= 6 %")
    release.index("score", "inputs: {w: {concept: waist}}\nformula: w")
    release.factor(
        "factor",
        "evidence_for: [{id: e, when: c holds, points: 1, if_missing: could_be_true}]\n"
        "grades: {high: {points: 1}, low: {points_cannot_reach: 1}}",
    )
    release.stages(
        "lines: [{label: A, if: hba1c >= 6 %}, {label: B, if: waist >= 90 cm},"
        " {label: Z, otherwise: true}]"
    )
    release.card("one", "show_if: {any: [c holds, factor is high, score >= 90, stage is A]}")
    rules = release.load()
    reasoner = release.reasoner()
    known, unclear = (reasoner.start(patient(**one)) for one in ({"hba1c": "7 %"}, {}))
    card = rules.cards["one"]
    other = replace(rules, cards={"one": replace(card, show_if=card.show_if.of[3])})
    open_before = unclear.might(card.show_if)
    again = unclear.instead(other, "card", "one")
    factor = replace(rules.factors["factor"], grades=rules.factors["factor"].grades[1:])
    graded = known.instead(replace(rules, factors={"factor": factor}), "factor", "factor")
    index = replace(rules.indices["score"], inputs=())
    indexed = known.instead(replace(rules, indices={"score": index}), "index", "score")
    reasoner.close()

    assert "yes" == known.instead(other, "card", "one").ask("one.show_if").word
    assert ("unknown", "unknown") == (
        open_before.word,
        again.might(other.cards["one"].show_if).word,
    )
    assert "undetermined" == graded.conclude().grades["factor"].grade
    assert "high" == known.conclude().grades["factor"].grade
    assert "unknown" == indexed.conclude().numbers["score"].state


def test_a_run_tells_tools_what_it_compared(release):
    """Whom it faces, the number that a clause looks at, and what rules a condition out."""
    release.index("score", "inputs: {w: {concept: waist}}\nformula: w")
    release.condition("c", "holds_if: score >= 90\nruled_out_if: age < 18 years")
    release.condition("d", "holds_if: hba1c >= 6 %")
    rules = release.load()
    score, age, hba1c = (
        rules.conditions["c"].holds_if,
        rules.conditions["c"].ruled_out_if,
        rules.conditions["d"].holds_if,
    )
    reasoner = release.reasoner()
    run = reasoner.start(patient(age=17, hba1c="7 %", waist="80 cm"))
    nobody = reasoner.start(patient(age=None))
    reasoner.close()

    assert ("no", (17, 17)) == (run.holds("c").word, run.facing.ages)
    assert [80, 17, 7] == [int(run.number_of(one).value) for one in (score, age, hba1c)]
    assert [None, None, None] == [nobody.number_of(one) for one in (score, age, hba1c)]
