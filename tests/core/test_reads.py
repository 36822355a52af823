"""What a release really reads, from its active cards down."""

from dataclasses import replace

from cds.core.reads import (
    asked_by_rule,
    concepts_read,
    expressions_of,
    leaned_on,
    reached,
)

EPISODE = {"pregnancy", "due_date", "thirst"}  # bends how other data are read, so it always is


def test_only_what_an_active_card_leans_on_is_reached(release):
    """The rest is not worked out."""
    release.condition("asked", "holds_if: hba1c >= 6.5 %")
    release.condition("idle", "holds_if: waist >= 90 cm")
    release.card("one", "show_if: asked holds")
    release.card("two", "show_if: idle holds\nstatus: draft")

    rules = release.load()

    assert (("condition", "asked"), ("card", "one")) == reached(rules)
    assert EPISODE | {"hba1c"} == concepts_read(rules)


def test_every_clause_leads_to_what_it_names(release):
    """Through conditions, indices, readings, factors, other cards and stages."""
    release.index(
        "score",
        """
        inputs: {a: {concept: glucose}, years: {age: true}, n: {reading: days}}
        not_valid_if: [{id: g, when: gout is present, because: B., if_unknown: compute}]
        conditions: {c: snoring is present}
        formula: a + one_if(c) + years + n
        readings: {days: {count days of: enzyme, within: 365 days}}
        bands: [{name: low, below: 1}, {name: high, from: 1}]
        """,
    )
    release.index("either", "first_of: [score, ratio]")
    release.index("count", "count_of: {x: statin is present}")
    release.factor(
        "factor",
        """
        assess_if: age is known
        exclude_if:
          - {id: x, when: "any of [insulin_level, waist] was received within 9 days", because: B.,
             if_unknown: assess, when_relevant: sex is male}
        evidence_for: [{id: e, when: either >= 1, points: 1, if_missing: ignore}]
        evidence_against: [{id: f, when: score is high, at_most: low}]
        grades: {high: {points: 1}, low: {points_cannot_reach: 1}}
        """,
    )
    release.stages("lines: [{label: A, if: diet is present}, {label: Z, otherwise: true}]")
    release.condition(
        "c", "holds_if: count >= 1\nruled_out_if: thirst is answered no within 9 days"
    )
    release.card("lower", "show_if: {all: [c holds, stage is A]}")
    release.card(
        "upper",
        """
        show_if: {all: [card lower fires, factor is high, "all of [hba1c, age] are known"]}
        """,
    )

    rules = release.load()

    assert set(rules.order) == set(reached(rules))
    assert {
        "glucose", "gout", "snoring", "enzyme", "ratio", "statin", "insulin_level", "waist",
        "diet", "thirst", "hba1c", "pregnancy", "due_date",
    } == concepts_read(rules)  # fmt: skip


def test_times_of_results_are_read_as_well(release):
    """What is newer than what, and what was not used."""
    release.card(
        "one",
        """
        show_if:
          any:
            - any of [hba1c] is newer than glucose
            - some result of [waist] was not used because of [unit] within 9 days
        """,
    )

    assert {"hba1c", "glucose", "waist"} <= concepts_read(release.load())


def test_a_card_reads_what_it_prints_offers_and_drafts(release):
    """Inputs, drivers, results of its actions, and holes of their drafts."""
    release.index("goal", "inputs: {w: {concept: waist}}\nformula: w")
    release.index("unread", "inputs: {w: {concept: enzyme}}\nformula: w")
    release.factor(
        "driver",
        "evidence_for: [{id: e, when: ratio >= 1, points: 1, if_missing: ignore}]\n"
        "grades: {high: {points: 1}}",
    )
    release.write(
        "actions/more.yaml",
        """
kind: actions
id: more
actions:
  aim:
    label: Aim
    description: Draft a goal
    resources:
      - {resourceType: CarePlan, status: draft, intent: proposal, count: 3,
         description: "{{goal.value}} now", note: [{text: "for {{patient.id}}"}]}
""",
    )
    release.card(
        "one",
        """
        show_if: sex is male
        inputs: [insulin_level]
        drivers: [driver]
        suggestions:
          items:
            - {id: a, action: aim, guards: none}
            - id: b
              offer: first of [order_hba1c, order_glucose] whose result is not known
              guards: none
        """,
    )

    rules = release.load()

    assert {"insulin_level", "ratio", "waist", "hba1c", "glucose"} <= concepts_read(rules)
    assert "enzyme" not in concepts_read(rules)
    assert ("index", "goal") in reached(rules)
    assert ("index", "unread") not in reached(rules)


def test_an_action_nobody_wrote_reads_nothing(release):
    """The loader refuses it; a release made by hand is walked all the same."""
    release.card(
        "one",
        "show_if: sex is male\nsuggestions: {items: [{id: a, action: advise, guards: none}]}",
    )
    rules = release.load()

    assert EPISODE == concepts_read(replace(rules, actions={}))


def test_gates_of_the_population_are_read(release):
    """They apply to every card."""
    release.population(
        """
        require: age >= 18 years
        unless:
          - {id: x, when: gout is present, because: B., if_unknown: show,
             when_relevant: statin is present}
        """
    )

    assert {"gout", "statin"} <= concepts_read(release.load())


def test_company_that_proves_fasting_is_read(release):
    """A result may be fasting by what came with it."""
    release.write(
        "concepts/more.yaml",
        """
kind: concepts
id: more
concepts:
  sugar:
    {signal: s, title: Sugar, type: quantity, search: tests, unit: mg/dL, within: 9 days,
     codes_if_fasting: {loinc: [9-9]}, fasting_with: [waist], verified: V1}
""",
    )
    release.card("one", "show_if: sugar >= 100 mg/dL")

    assert {"sugar", "waist"} <= concepts_read(release.load())


def test_every_condition_of_a_card_is_walked(release):
    """Also those of texts, priorities, guards and offers."""
    release.card(
        "one",
        """
        show_if: age >= 1 years
        unless:
          - {id: x, when: age >= 2 years, because: B., if_unknown: hide,
             when_relevant: age >= 3 years}
          - {id: y, when: age >= 4 years, because: B., if_unknown: hide}
        priority: [{9: age >= 5 years}, {50: otherwise}]
        card:
          indicator: [{warning: age >= 6 years}, {info: otherwise}]
          summary: [{say: One, if: age >= 7 years}, Two]
          detail: [{say: Three, if: age >= 8 years}, Four]
          source: {cite: book}
        suggestions:
          items:
            - id: a
              action: advise
              offer_if: age >= 9 years
              guards:
                - {id: g, block_if: age >= 10 years, because: B., if_unknown: show,
                   when_relevant: age >= 11 years}
                - {id: h, block_if: age >= 12 years, because: B., if_unknown: show}
            - {id: b, action: advise, guards: none}
        """,
    )

    found = {one.text for one in expressions_of(release.load().cards["one"])}

    assert {f"age >= {number} years" for number in range(1, 13)} == found


def test_what_one_rule_leans_on(release):
    """In the order of the release; a card leans on the gates of the population too."""
    release.condition("heavy", "holds_if: waist >= 90 cm")
    release.condition("grown", "holds_if: age >= 18 years")
    release.condition("idle", "holds_if: hba1c >= 6.5 %")
    release.stages("lines: [{label: A, if: heavy holds}, {label: Z, otherwise: true}]")
    release.population("require: grown holds")
    release.card("one", "show_if: sex is female")

    rules = release.load()
    stages = rules.stages.id

    assert (("condition", "idle"),) == leaned_on(rules, "condition", "idle")
    assert (("condition", "heavy"), ("stages", stages)) == leaned_on(rules, "stages", stages)
    assert (("condition", "grown"),) == leaned_on(rules, "population", "adults")
    assert {"heavy", "grown", stages, "one"} == {
        name for _, name in leaned_on(rules, "card", "one")
    }


def test_what_a_rule_itself_asks_about(release):
    """Each once, and the stages only where it says so; not what those lean on."""
    release.condition("asked", "holds_if: {all: [hba1c >= 6.5 %, hba1c is known]}")
    release.stages("lines: [{label: A, if: diet is present}, {label: Z, otherwise: true}]")
    release.card("one", "show_if: asked holds")
    release.card("two", "show_if: {all: [stage is A, waist >= 90 cm]}")

    rules = release.load()

    assert (("concept", "hba1c"),) == asked_by_rule(rules, "condition", "asked")
    assert (("condition", "asked"),) == asked_by_rule(rules, "card", "one")
    assert {("concept", "waist"), ("stages", rules.stages.id)} == set(
        asked_by_rule(rules, "card", "two")
    )
    assert (("concept", "diet"),) == asked_by_rule(rules, "stages", rules.stages.id)


def test_a_release_without_stages_has_none_to_name(release):
    """Nor does a card that asks for nothing else."""
    release.card("one", "show_if: hba1c >= 6.5 %")

    assert (("concept", "hba1c"),) == asked_by_rule(release.load(), "card", "one")
