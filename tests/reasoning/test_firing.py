"""Which cards fire, and with what: exclusions, gates, texts, suggestions and guards."""

from dataclasses import replace

import pytest

from cds.core.facts import Gap, ListState
from tests.reasoning.release import conflict, patient, result

PARTS = {
    name: ListState(complete=False, reason=Gap.INCOMPLETE)
    for name in ("tests", "problems", "medicines", "plans")
}


def outcome(release, text, snapshot):
    """Say what becomes of one card."""
    release.card("one", text)
    return release.conclude(snapshot).cards["one"]


class TestState:
    """Fires, no, unknown, withheld."""

    @pytest.mark.parametrize(
        ("state", "results"),
        [("fires", {"hba1c": "7 %"}), ("no", {"hba1c": "5 %"}), ("unknown", {})],
    )
    def test_the_condition(self, release, state, results):
        """An unknown one says what could decide."""
        found = outcome(release, "show_if: hba1c >= 6 %", patient(**results))

        assert (state, ("hba1c",) if state == "unknown" else ()) == (
            found.state,
            tuple(need.name for need in found.needs),
        )

    @pytest.mark.parametrize(
        ("state", "because", "notes", "choice", "snapshot"),
        [
            ("withheld", "Gout.", (), "show", patient(hba1c="7 %", listed=("gout",))),
            ("withheld", "Gout. (not known)", (), "hide", patient(hba1c="7 %", lists=PARTS)),
            ("fires", "", ("gout",), "note", patient(hba1c="7 %", lists=PARTS)),
            ("fires", "", (), "show", patient(hba1c="7 %", lists=PARTS)),
            ("fires", "", (), "hide", patient(hba1c="7 %")),
            ("no", "", (), "hide", patient(lists=PARTS)),
            ("unknown", "", (), "show", patient(lists=PARTS)),
        ],
    )
    def test_exclusions(self, release, state, because, notes, choice, snapshot):
        """Proved they stop; unknown they hide, are noted, or are passed over."""
        found = outcome(
            release,
            "show_if: hba1c >= 6 %\n"
            f"unless: [{{id: x, when: gout is present, because: Gout., if_unknown: {choice}}}]",
            snapshot,
        )

        assert (state, because) == (found.state, found.because)
        assert notes == (found.finding.notes if found.finding else ())

    def test_a_note_without_a_name_is_that_of_the_exclusion(self, release):
        """A condition that nothing decides names itself nowhere."""
        release.condition("c", "holds_if: sex is male\nruled_out_if: age < 18 years")
        rules_of = (
            "show_if: hba1c >= 6 %\nunless: [{id: x, when: c holds, because: B., if_unknown: note}]"
        )

        found = outcome(release, rules_of, patient(hba1c="7 %"))

        assert ("c",) == found.finding.notes

    @pytest.mark.parametrize(
        ("state", "relevant"),
        [("fires", "sex is male"), ("withheld", "sex is female"), ("withheld", "waist >= 90 cm")],
    )
    def test_relevance(self, release, state, relevant):
        """An exclusion is asked unless it is proved not to matter."""
        found = outcome(
            release,
            "show_if: hba1c >= 6 %\n"
            "unless: [{id: x, when: gout is present, because: B., if_unknown: hide, "
            f"when_relevant: {relevant}}}]",
            patient(hba1c="7 %", listed=("gout",)),
        )

        assert state == found.state

    @pytest.mark.parametrize(("notes", "lists"), [((), None), (("snoring",), PARTS)])
    def test_what_is_not_on_record_may_not_have_been_sent(self, release, notes, lists):
        """A list in parts is noted on the card."""
        found = outcome(
            release,
            "show_if: {all: [hba1c >= 6 %, snoring is not on record, gout is absent]}"
            if lists is None
            else "show_if: {all: [hba1c >= 6 %, snoring is not on record]}",
            patient(hba1c="7 %", lists=lists),
        )

        assert notes == found.finding.notes


class TestPopulation:
    """Gates for every card but those that are named."""

    GATE = """
        require: age >= 18 years
        unless:
          - {id: x, when: gout is present, because: Gout., if_unknown: show, except: [IR-SAFE-*]}
        """

    @pytest.mark.parametrize(
        ("state", "because", "code", "snapshot"),
        [
            ("withheld", "Adults only.", "IR-STG-01", patient(age=10, hba1c="7 %")),
            ("withheld", "Adults only.", "IR-STG-01", patient(age=None, hba1c="7 %")),
            ("withheld", "Gout.", "IR-STG-01", patient(hba1c="7 %", listed=("gout",))),
            ("fires", "", "IR-SAFE-01", patient(hba1c="7 %", listed=("gout",))),
            ("fires", "", "IR-STG-01", patient(hba1c="7 %")),
        ],
    )
    def test_gates(self, release, state, because, code, snapshot):
        """What is required must be proved; exemptions are by code."""
        release.population(self.GATE)

        found = outcome(release, f"show_if: hba1c >= 6 %\ncode: {code}", snapshot)

        assert (state, because) == (found.state, found.because)


class TestFinding:
    """What its text and actions need."""

    TEXT = """
        show_if: {{all: [hba1c >= 5 %, {{any: {{id: why, of: {of}}}}}]}}
        priority: [{{10: waist >= 90 cm}}, {{20: otherwise}}]
        card:
          indicator: [{{critical: hba1c >= 9 %}}, {{warning: hba1c >= 7 %}}, {{info: otherwise}}]
          summary: [{{say: Very, if: hba1c >= 9 %}}, {{say: Quite, if: hba1c >= 7 %}}, A bit]
          detail: [{{say: Wide, if: waist >= 90 cm}}, Always, {{say: Old, if: age >= 60 years}}]
          source: {{cite: book}}
        """
    OF = (
        "[{when: waist >= 90 cm, as: the waist}, sex is female, {not: sex is male}, "
        "{all: [age >= 1 years]}]"
    )

    @pytest.mark.parametrize(
        ("indicator", "priority", "summary", "details", "results"),
        [
            ("critical", 20, 0, (1,), {"hba1c": "9 %"}),
            ("warning", 20, 1, (1,), {"hba1c": "7 %"}),
            ("info", 10, 2, (0, 1), {"hba1c": "5 %", "waist": "95 cm"}),
            ("info", 20, 2, (1, 2), {"hba1c": "5 %", "age": 70}),
        ],
    )
    def test_the_first_that_is_proved(
        self, release, indicator, priority, summary, details, results
    ):
        """Details are all that are."""
        found = outcome(release, self.TEXT.format(of=self.OF), patient(**results)).finding

        assert (indicator, priority, summary, details) == (
            found.indicator,
            found.priority,
            found.summary,
            found.details,
        )

    def test_blocks_of_every_condition(self, release):
        """In exclusions and texts as well as in `show_if`; of two of one name the first."""
        found = outcome(
            release,
            "show_if: {any: {id: why, of: [{when: sex is female, as: a woman}]}}\n"
            "unless: [{id: x, when: {all: {id: no, of: [{when: age < 60 years, as: young}, "
            "gout is present]}}, because: B., if_unknown: hide}]\n"
            "card: {indicator: [{warning: {any: {id: why, of: [age >= 1 years]}}}, "
            '{info: otherwise}], summary: "{{met(why)}} {{met(no)}}", source: {cite: book}}',
            patient(),
        )

        assert {"why": ("a woman",), "no": ("young",)} == found.finding.met

    def test_what_was_met(self, release):
        """By label, else by the author's words."""
        found = outcome(release, self.TEXT.format(of=self.OF), patient(hba1c="7 %", waist="95 cm"))

        assert {"why": ("the waist", "sex is female", "", "")} == found.finding.met

    def test_a_block_inside_a_not(self, release):
        """Blocks are found wherever they stand."""
        found = outcome(
            release,
            "show_if: {not: {all: {id: both, of: [sex is male, sex is female]}}}",
            patient(),
        )

        assert {"both": ("sex is female",)} == found.finding.met


class TestOffers:
    """Suggestions after their guards."""

    def offers(self, release, items, snapshot):
        """Give (suggestion, action, offered, blocked by, warnings) of each."""
        found = outcome(
            release, f"show_if: age >= 1 years\nsuggestions: {{items: [{items}]}}", snapshot
        )
        return [
            (one.suggestion, one.action, one.offered, one.blocked_by, one.warnings)
            for one in found.finding.offers
        ]

    @pytest.mark.parametrize(
        ("expected", "when"), [(1, "sex is female"), (0, "sex is male"), (0, "hba1c >= 6 %")]
    )
    def test_offered_where_that_is_proved(self, release, expected, when):
        """Unknown offers nothing."""
        items = f"{{id: a, action: advise, offer_if: {when}, guards: none}}"

        assert expected == len(self.offers(release, items, patient()))

    OTHER = "{id: b, action: refer, only_instead: true, guards: none}"
    GUARDED = (
        "{{id: a, action: advise, guards: [{{id: g, block_if: gout is present, because: B., "
        "if_unknown: {choice}{more}}}]}}"
    )
    FREE = ("a", "advise", True, "", ())
    BLOCKED = ("a", "advise", False, "g", ())
    INSTEAD = ("b", "refer", True, "", ())

    @pytest.mark.parametrize(
        ("expected", "choice", "listed", "lists"),
        [
            ([FREE], "block", (), None),
            ([BLOCKED], "block", ("gout",), None),
            ([BLOCKED], "show", ("gout",), None),
            ([BLOCKED], "block", (), PARTS),
            ([FREE], "show", (), PARTS),
            ([("a", "advise", True, "", ("Look.",))], "{warn: Look.}", (), PARTS),
            ([BLOCKED, INSTEAD], "{instead: b}", (), PARTS),
            ([BLOCKED], "{instead: b}", ("gout",), None),
            ([], "hide", (), PARTS),
            ([BLOCKED], "hide", ("gout",), None),
            ([FREE], "hide", (), None),
        ],
    )
    def test_guards(self, release, expected, choice, listed, lists):
        """Proved they block; unknown they block, show, warn or offer something else."""
        items = f"{self.GUARDED.format(choice=choice, more='')}, {self.OTHER}"

        assert expected == self.offers(release, items, patient(listed=listed, lists=lists))

    @pytest.mark.parametrize(
        ("expected", "relevant"), [(FREE, "sex is male"), (BLOCKED, "ratio >= 1")]
    )
    def test_a_guard_may_not_matter(self, release, expected, relevant):
        """Then it is not asked."""
        items = self.GUARDED.format(choice="block", more=f", when_relevant: {relevant}")

        assert [expected] == self.offers(release, items, patient(listed=("gout",)))

    def test_the_other_may_not_be_offered_either(self, release):
        """Its own condition counts."""
        other = "{id: b, action: refer, only_instead: true, offer_if: sex is male, guards: none}"
        items = f"{self.GUARDED.format(choice='{instead: b}', more='')}, {other}"

        assert [self.BLOCKED] == self.offers(release, items, patient(lists=PARTS))

    def test_one_after_the_other(self, release):
        """What stands in for one may itself give way to a third."""
        other = self.GUARDED.format(choice="{instead: c}", more="").replace("id: a", "id: b")
        other = other.replace("id: b,", "id: b, only_instead: true,")
        third = "{id: c, action: refer, only_instead: true, guards: none}"
        items = f"{self.GUARDED.format(choice='{instead: b}', more='')}, {other}, {third}"

        found = self.offers(release, items, patient(lists=PARTS))

        assert [("a", False), ("b", False), ("c", True)] == [(one[0], one[2]) for one in found]

    @pytest.mark.parametrize(
        ("state", "because", "listed"),
        [("fires", "", ()), ("withheld", "Nothing is left.", ("gout",))],
    )
    def test_a_card_that_needs_an_offer(self, release, state, because, listed):
        """Its message does not stand alone."""
        texts = "texts: {no_offer: Nothing is left., pending: Not yet reviewed.}"
        profile = (release.folder / "profiles/default.yaml").read_text()
        release.write(
            "profiles/default.yaml",
            profile.replace("texts: {pending: Not yet reviewed.}", texts),
        )
        items = self.GUARDED.format(choice="block", more="")

        found = outcome(
            release,
            f"needs_offer: true\nshow_if: age >= 1 years\nsuggestions: {{items: [{items}]}}",
            patient(listed=listed),
        )

        assert (state, because) == (found.state, found.because)

    def test_the_other_is_offered_once(self, release):
        """Although two guards name it, or it was offered anyway."""
        guarded = self.GUARDED.format(choice="{instead: b}", more="")
        items = f"{{id: b, action: refer, guards: none}}, {guarded}"

        assert [self.INSTEAD, self.BLOCKED] == self.offers(release, items, patient(lists=PARTS))

    CHOICE = (
        '{id: a, offer: "first of [order_hba1c, order_glucose] whose result is not known", '
        "guards: none}"
    )

    @pytest.mark.parametrize(
        ("expected", "snapshot"),
        [
            ("order_hba1c", patient()),
            ("order_hba1c", patient(hba1c=[result("hba1c", "7 %", 400)])),
            ("order_hba1c", patient(unusable={"hba1c": conflict("hba1c", "6 %", "9 %")})),
            ("order_glucose", patient(hba1c="7 %")),
            (None, patient(hba1c="7 %", glucose="90 mg/dL")),
        ],
    )
    def test_the_first_whose_result_is_not_known(self, release, expected, snapshot):
        """None where all of them are."""
        found = self.offers(release, self.CHOICE, snapshot)

        assert ([("a", expected, True, "", ())] if expected else []) == found

    def test_an_action_without_a_result_is_always_open(self, release):
        """The loader wants one; without it nothing can be known."""
        release.card("one", f"show_if: age >= 1 years\nsuggestions: {{items: [{self.CHOICE}]}}")
        reasoner = release.reasoner(engine="reference")
        actions = {name: replace(one, result="") for name, one in reasoner.rules.actions.items()}
        reasoner.rules = replace(reasoner.rules, actions=actions)

        found = reasoner.conclude(patient(hba1c="7 %")).cards["one"].finding

        assert ("order_hba1c",) == tuple(one.action for one in found.offers)
