"""
Random rule folders: small programs with everything the grammar of conditions knows.

What is written later may ask about what was written earlier, so nothing leans on itself.
"""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Final

from tests.reasoning.release import Release

__all__ = ["Author"]

_QUANTITIES: Final = {
    "hba1c": ("%", (5, 5.7, 6.5, 8)),
    "glucose": ("mg/dL", (70, 100, 126, 200)),
    "waist": ("cm", (80, 88, 94, 102)),
    "enzyme": ("U/L", (20, 33, 40, 55)),
    "ratio": ("1", (1, 2.5, 3, 7)),
}
_LISTS: Final = ("diabetes", "gout", "snoring", "statin", "diet")
_HOOKS: Final = ("patient-view", "order-sign", "problem-list-item-create", "medication-refill")
_UNKNOWN: Final = ("block", "hide", "show", "{warn: Look}", "{instead: other}")
_DAYS: Final = (0, 1, 7, 14, 84, 90, 365, 730)
_REASONS: Final = (
    "unit",
    "implausible",
    "conflict",
    "status",
    "pregnancy",
    "not known to be fasting",
)


class Author:
    """Writes one random folder; the same seed writes the same rules."""

    def __init__(self, folder: Path, rng: Random) -> None:
        self.release = Release(folder)
        self._rng = rng
        self._conditions: list[str] = []
        self._indices: dict[str, list[str]] = {}
        self._factors: dict[str, list[str]] = {}
        self._cards: list[str] = []
        self._labels: list[str] = []
        self._readings: dict[str, str] = {}
        self._inputs: dict[str, str] = {}

    def write(self) -> Release:
        """Write a folder: conditions and indices in turn, a factor, stages, cards."""
        rng = self._rng
        for number in range(rng.choice((2, 3))):
            self._condition(f"first{number}")
            self._index(f"index{number}")
        self._factor("factor0")
        self._condition("second0")
        self._stages()
        self._condition("third0")
        if rng.random() < 0.5:
            self._factor("factor1")
        for number in range(3):
            self._card(f"card{number}")
        if rng.random() < 0.3:
            require, more = self._body("population")
            if "thresholds" not in more and "stage" not in require:
                self.release.population(f"require: {self._plain_clause()}\n")
        return self.release

    # --- files --------------------------------------------------------------------

    def _condition(self, name: str) -> None:
        holds, more = self._body(name)
        ruled_out = ""
        if self._rng.random() < 0.5:
            ruled_out = f"ruled_out_if: {self._expr(2)}\n"
        self.release.condition(name, f"{self._status()}{more}holds_if: {holds}\n{ruled_out}")
        self._conditions.append(name)

    def _index(self, name: str) -> None:
        rng = self._rng
        _, more = self._body(name)
        kind = rng.choice(("formula", "formula", "pair", "count", "first", "highest", "ones"))
        first, other = rng.sample([*_QUANTITIES], 2)
        gates = self._gates()
        if kind == "formula":
            second = rng.choice([*self._indices]) if self._indices and rng.random() < 0.5 else ""
            inputs = f"a: {{index: {second}}}" if second else f"a: {{concept: {other}}}"
            self._inputs = {"b": first}
            text = f"inputs: {{b: {{concept: {first}}}, {inputs}}}\nformula: b / (a + 1)\n"
        elif kind == "pair":
            self._inputs = {"a": first, "b": other}
            text = (
                f"inputs: {{a: {{concept: {first}}}, b: {{concept: {other}, optional: true}}}}\n"
                f"same_draw: {{of: [a, b], within: {rng.choice((1, 30))} days}}\n"
                f"formula: max(ln(a[{_QUANTITIES[first][0]}]), 0) * 2\n"
            )
        elif kind == "count":
            self._inputs = {}
            text = f"count_of: {{x: {self._expr(1)}, y: {self._expr(1)}, z: {self._expr(1)}}}\n"
        elif kind == "first":
            self._inputs = {}
            names = [*rng.sample([*self._indices], min(1, len(self._indices))), first, other]
            text = f"first_of: {json.dumps(names)}\n"
        elif kind == "highest":
            self._inputs = {}
            names = [*rng.sample([*self._indices], min(1, len(self._indices))), first, other]
            text = f"highest_known_of: {json.dumps(names)}\n"
        else:
            self._inputs = {}
            text = f"conditions: {{x: {self._expr(1)}}}\nformula: 1 + 2 * one_if(x)\n"
        if self._inputs and rng.random() < 0.5:
            gates.append(self._input_gate())
        if gates:
            text += f"not_valid_if: [{', '.join(gates)}]\n"
        cut = rng.choice((1, 1.5, 2))
        if rng.random() < 0.4:
            more = more.replace(
                "thresholds:", "thresholds:\n  band_cut: " + self._cases("1", (1, 2))
            )
            text += "bands: [{name: low, below: band_cut}, {name: high, from: band_cut}]\n"
            bands = ["low", "high"]
        else:
            text += (
                f"bands: [{{name: low, below: {cut}}}, {{name: middle, from: {cut}, below: 3}}, "
                "{name: high, from: 3}]\n"
            )
            bands = ["low", "middle", "high"]
        self.release.index(name, self._status() + more + text)
        self._indices[name] = bands

    def _gates(self) -> list[str]:
        if self._rng.random() < 0.6:
            return []
        choice = self._rng.choice(("withhold", "compute"))
        return [f"{{id: gate, when: {self._expr(1)}, because: B., if_unknown: {choice}}}"]

    def _input_gate(self) -> str:
        rng = self._rng
        name, concept = rng.choice([*self._inputs.items()])
        unit, cuts = _QUANTITIES[concept]
        clause = f"{name} < {rng.choice(cuts)} {unit}"
        other = self._plain_clause()
        when = rng.choice(
            (
                f'"{clause}"',
                f'{{all: ["{clause}", "{other}"]}}',
                f'{{any: ["{clause}", {{not: "{other}"}}]}}',
                f'{{at_least: {{n: 2, of: ["{clause}", "{other}", "{clause}"]}}}}',
            )
        )
        choice = rng.choice(("withhold", "compute"))
        return f"{{id: chosen, when: {when}, because: B., if_unknown: {choice}}}"

    def _factor(self, name: str) -> None:
        rng = self._rng
        _, more = self._body(name)
        missing = ("ignore", "could_be_true")
        pieces = [
            f"{{id: e{at}, when: {self._expr(1)}, domain: d{rng.randrange(2)}, "
            f"points: {rng.randrange(1, 4)}, if_missing: {rng.choice(missing)}"
            + (f", at_least: {rng.choice(('high', 'middle'))}" if rng.random() < 0.4 else "")
            + "}"
            for at in range(3)
        ]
        against = [
            f"{{id: g{at}, when: {self._expr(1)}, at_most: {rng.choice(('middle', 'low'))}}}"
            for at in range(rng.choice((0, 1, 2)))
        ]
        text = f"evidence_for: [{', '.join(pieces)}]\n"
        if against:
            text += f"evidence_against: [{', '.join(against)}]\n"
        if rng.random() < 0.5:
            text += f"assess_if: {self._expr(1)}\n"
        if rng.random() < 0.5:
            choice = rng.choice(("assess", "hide"))
            relevant = f", when_relevant: {self._expr(0)}" if rng.random() < 0.5 else ""
            text += (
                f"exclude_if: [{{id: x, when: {self._expr(1)}, because: B., "
                f"if_unknown: {choice}{relevant}}}]\n"
            )
        text += f"if_conflict: {rng.choice(('newest', 'trust_against', 'say_conflicting'))}\n"
        text += "counts_once: [[e0, e1]]\n" if rng.random() < 0.5 else ""
        text += (
            "grades: {high: {points: 4, domains: 2}, middle: {points: 2}, "
            "low: {points_cannot_reach: 2}}\n"
        )
        self.release.factor(name, self._status() + more + text)
        self._factors[name] = ["high", "middle", "low", "undetermined"]

    def _stages(self) -> None:
        _, more = self._body("staging")
        labels = ["A", "B é", 'C "q"']
        lines = [f"{{label: {json.dumps(label)}, if: {self._expr(2)}}}" for label in labels]
        self.release.stages(
            f"{self._status()}{more}lines: [{', '.join(lines)}, {{label: Z, otherwise: true}}]\n"
        )
        self._labels = [*labels, "Z"]

    def _card(self, name: str) -> None:
        rng = self._rng
        show, more = self._body(name)
        text = f"hooks: [{', '.join(_HOOKS)}]\n{self._status()}"
        if rng.random() < 0.2:
            text += "needs_draft: true\n"
            show = f"{{any: [{show}, statin is present or ordered]}}"
        text += f"show_if: {show}\n"
        if rng.random() < 0.6:
            choice = rng.choice(("hide", "note", "show"))
            relevant = f", when_relevant: {self._expr(1)}" if rng.random() < 0.5 else ""
            text += (
                f"unless: [{{id: x, when: {self._expr(1)}, because: B., "
                f"if_unknown: {choice}{relevant}}}]\n"
            )
        text += (
            f"card: {{indicator: [{{critical: {self._expr(1)}}}, {{info: otherwise}}], "
            f"summary: [{{say: One, if: {self._expr(0)}}}, Two], source: {{cite: book}}}}\n"
        )
        guard = (
            f"{{id: g, block_if: {self._expr(1)}, because: B., if_unknown: {rng.choice(_UNKNOWN)}}}"
        )
        text += (
            f"suggestions: {{items: [{{id: main, action: advise, offer_if: {self._expr(0)}, "
            f"guards: [{guard}]}}, "
            "{id: other, action: refer, only_instead: true, guards: none}, "
            '{id: test, offer: "first of [order_hba1c, order_glucose] whose result is '
            'not raised", '
            f"raised_if: {{order_hba1c: {self._expr(0)}, order_glucose: {self._expr(1)}}}, "
            "guards: none}]}\n"
        )
        self.release.card(name, more + text)
        self._cards.append(name)

    def _status(self) -> str:
        """Put a rule on trial now and then."""
        return "status: trial\n" if self._rng.random() < 0.1 else ""

    # --- what every file has --------------------------------------------------------

    def _body(self, name: str) -> tuple[str, str]:
        """Give a condition and the thresholds and readings that this file declares."""
        rng = self._rng
        self._inputs = {}
        more = "thresholds:\n"
        for concept, (unit, cuts) in _QUANTITIES.items():
            more += f"  {concept}_cut: {self._cases(unit, cuts)}"
            more += f"  {concept}_top: {self._cases(unit, [cut * 2 for cut in cuts])}"
        self._readings = {}
        if rng.random() < 0.5:
            concept = rng.choice([*_QUANTITIES])
            kind, form = rng.choice(
                (
                    ("count", f"count days of: {concept}, where: at least {concept}_cut"),
                    (
                        "count",
                        f"count days of: {concept}, if latest: true, where: below {concept}_top",
                    ),
                    ("value", f"highest of: {concept}"),
                    ("value", f"lowest of: {concept}"),
                    ("value", f"average of last: 2, of: {concept}, on: different days"),
                    ("value", f"mean of: {concept}, on: different days"),
                    ("value", f"first of: {concept}"),
                    ("date", f"first of: {rng.choice(_LISTS)}"),
                    ("date", f"last end of: {rng.choice(_LISTS)}"),
                )
            )
            window = "" if kind == "date" else ", within: 365 days"
            more += f"readings: {{number: {{{form}{window}}}}}\n"
            self._readings = {"number": concept if kind == "value" else kind}
        return self._expr(3), more

    def _cases(self, unit: str, cuts: tuple[float, ...] | list[float]) -> str:
        """Write a threshold: one number, a pair, by sex, age or group, or several of these."""
        rng = self._rng

        def one() -> str:
            number = rng.choice(cuts)
            if unit == "mg/dL" and rng.random() < 0.5:
                return f"[{number} mg/dL, {number / 18:.1f} mmol/L]"
            return f"{number} {unit}" if unit != "1" else f"{number}"

        def single() -> str:
            number = one()
            return f"{'pair' if number.startswith('[') else 'value'}: {number}"

        def by_age(inner: bool = False) -> str:
            cut, top = rng.choice(((40, 65), (18, 30)))
            if rng.random() < 0.5:
                return f"below {cut} years: {one()}, from {cut} years: {one()}"
            return (
                f"below {cut} years: {one()}, from {cut} below {top} years: {one()}, "
                f"from {top} years: {one()}"
            )

        def by_sex() -> str:
            return f"male: {one()}, female: {one()}"

        shape = rng.random()
        if shape < 0.35:
            text = single()
        elif shape < 0.5:
            text = by_sex()
        elif shape < 0.65:
            text = by_age()
        elif shape < 0.75:
            text = f"male: {{{by_age()}}}, female: {{{by_age()}}}"
        elif shape < 0.85:
            text = f"{single()}, asian: {one()}"
        elif shape < 0.92:
            text = f"{by_sex()}, asian: {{{by_sex()}}}"
        else:
            text = f"{single()}, asian: {{{by_age()}}}, other: {{{by_sex()}}}"
        own = rng.choice(("", "", "", ", or_own: lower limit", ", or_own: upper limit"))
        return f"{{{text}{own}, cite: book}}\n"

    # --- conditions -----------------------------------------------------------------

    def _expr(self, depth: int) -> str:
        rng = self._rng
        if depth <= 0 or rng.random() < 0.3:
            return json.dumps(self._clause(), ensure_ascii=False)
        parts = [self._expr(depth - 1) for _ in range(rng.choice((2, 2, 3, 4)))]
        kind = rng.random()
        if kind < 0.35:
            return f"{{all: [{', '.join(parts)}]}}"
        if kind < 0.7:
            return f"{{any: [{', '.join(parts)}]}}"
        if kind < 0.85:
            return f"{{not: {parts[0]}}}"
        return f"{{at_least: {{n: {rng.randint(1, len(parts))}, of: [{', '.join(parts)}]}}}}"

    def _clause(self) -> str:
        rng = self._rng
        forms = [self._plain_clause, self._compare, self._compare, self._compare, self._changed]
        if self._conditions:
            forms.append(lambda: f"{rng.choice(self._conditions)} holds")
        if self._indices:
            forms += [self._of_index, self._of_index]
        if self._readings:
            forms += [self._of_reading, self._of_reading]
        if self._factors:
            forms.append(self._of_factor)
        if self._labels:
            forms.append(self._of_stage)
        if self._cards:
            forms.append(lambda: f"card {rng.choice(self._cards)} fires")
        return rng.choice(forms)()

    def _within(self, odds: float = 0.4) -> str:
        return f" within {self._rng.choice(_DAYS)} days" if self._rng.random() < odds else ""

    def _compare(self) -> str:
        concept = self._rng.choice([*_QUANTITIES])
        return self._range(concept, concept)

    def _range(self, name: str, concept: str) -> str:
        """Compare *name* with cut-offs of *concept*."""
        rng = self._rng
        unit, cuts = _QUANTITIES[concept]
        unit = "" if unit == "1" else f" {unit}"
        low = rng.choice((f"{concept}_cut", f"{rng.choice(cuts)}{unit}"))
        high = rng.choice((f"{concept}_top", f"{rng.choice(cuts) * 2}{unit}"))
        if rng.random() < 0.3:
            return f"{name} from {low} below {high}{self._within()}"
        return f"{name} {rng.choice(('>=', '>', '<', '<='))} {low}{self._within()}"

    def _amount(self) -> str:
        return self._rng.choice(("at least", "more than", "at most", "less than"))

    def _share_or_number(self, concept: str) -> str:
        """Write an amount of a change: a share, a number, or a threshold with cases of its own."""
        rng = self._rng
        unit, _ = _QUANTITIES[concept]
        unit = {"1": "", "%": " points"}.get(unit, f" {unit}")
        more = [] if unit == " points" else [f"{concept}_cut"]
        share = f"{rng.choice((0, 5, 20, 50))} percent"
        return rng.choice([share, share, f"{rng.choice((0, 1, 10))}{unit}", *more])

    def _changed(self) -> str:
        rng = self._rng
        concept = rng.choice([*_QUANTITIES])
        direction = rng.choice(("rose", "fell", "changed"))
        sign = rng.choice(("", "more than ", "less than "))
        amount = self._share_or_number(concept)
        return f"{concept} {direction} by {sign}{amount} within {rng.choice(_DAYS)} days"

    def _beside(self, concept: str, other: str) -> str:
        rng = self._rng
        pair = rng.sample((concept, other), 2)
        amount = f"{self._amount()} {self._share_or_number(concept)}"
        return f"{pair[0]} {amount} {rng.choice(('below', 'above'))} {pair[1]}"

    def _of_index(self) -> str:
        rng = self._rng
        name, bands = rng.choice([*self._indices.items()])
        return rng.choice(
            (
                f"{name} is {rng.choice(bands)}",
                f"{name} is one of [{', '.join(rng.sample(bands, 2))}]",
                f"{name} {rng.choice(('>=', '<'))} {rng.choice((1, 1.5, 3))}{self._within()}",
                f"{name} is known",
                f"{name} is unknown",
            )
        )

    def _of_reading(self) -> str:
        rng = self._rng
        ((name, concept),) = self._readings.items()
        if concept == "date":
            dated = rng.choice((*_QUANTITIES, "due_date"))
            return rng.choice(
                (
                    f"{name} >= {rng.choice(_DAYS)} days",
                    f"{name} is known",
                    f"{dated} {self._amount()} {rng.choice(_DAYS)} days after {name}",
                    f"{name} {self._amount()} {rng.choice(_DAYS)} days before {dated}",
                )
            )
        if concept in _QUANTITIES:
            return rng.choice((self._range(name, concept), self._beside(concept, name)))
        return rng.choice((f"{name} >= {rng.choice((1, 2))}", f"{name} < 1", f"{name} is known"))

    def _of_factor(self) -> str:
        rng = self._rng
        name, grades = rng.choice([*self._factors.items()])
        return f"{name} is {rng.choice(('', 'at least '))}{rng.choice(grades)}"

    def _of_stage(self) -> str:
        rng = self._rng
        labels = [label for label in self._labels if label.isalnum()]
        return rng.choice((f"stage is {rng.choice(labels)}", "stage is one of [A, Z]"))

    def _plain_clause(self) -> str:
        """Ask what needs no other rule: age, sex, lists, receipt."""
        rng = self._rng
        some = ", ".join(rng.sample(_LISTS, 2))
        data = ", ".join(rng.sample([*_QUANTITIES], 2))
        one = rng.choice([*_QUANTITIES])
        within = f"within {rng.choice(_DAYS)} days"
        reasons = ", ".join(rng.sample(_REASONS, 2))
        return rng.choice(
            (
                f"age {rng.choice(('>=', '<', '>', '<='))} {rng.choice((18, 35, 65))} years",
                "age from 18 below 65 years",
                "age is known",
                f"sex is {rng.choice(('male', 'female'))}",
                f"{rng.choice(_LISTS)} is present",
                f"{rng.choice(_LISTS)} is absent",
                f"{rng.choice(_LISTS)} is on record",
                f"{rng.choice(_LISTS)} is not on record",
                f"any of [{some}] is present {within}",
                f"none of [{some}] is present, ever",
                f"any of [{some}] is present {within}, undated counts",
                f"any of [{some}] is present {within}, ever",
                "statin is present, or ordered",
                "statin is newly ordered",
                f"{rng.choice(_LISTS)} within {rng.choice(_DAYS)} days, undated counts",
                f"{rng.choice(_LISTS)} began more than {rng.choice(_DAYS)} days ago",
                f"{rng.choice(_LISTS)} began at least {rng.choice(_DAYS)} days ago, ever",
                "due_date is in the future",
                f"{one} at least {rng.choice(_DAYS)} days after due_date",
                f"{one} more than {rng.choice(_DAYS)} days before {rng.choice([*_QUANTITIES])}",
                f"thirst is answered {rng.choice(('yes', 'no'))} {within}",
                f"any of [{data}] is known",
                f"all of [{data}] are known",
                f"none of [{data}] is known {within}",
                f"all of [{data}] are unknown",
                f"{rng.choice(('statin', 'diet'))} is {rng.choice(('newly ', ''))}ordered",
                f"any of [statin, diet] is {rng.choice(('newly ', ''))}ordered",
                f"{rng.choice(('statin', 'diet'))} is present or ordered {within}",
                f"any of [statin, diet] is on record, or ordered {rng.choice(('', ', ever'))}",
                f"statin is ordered by route {rng.choice(('oral', 'skin', 'oral or skin'))}",
                f"statin is newly ordered by route {rng.choice(('oral', 'skin'))}",
                f"statin is {rng.choice(('present', 'on record'))} by route oral {within}",
                "statin is present by route skin or ordered, undated counts",
                f"{rng.choice(('gout', 'diabetes'))} is being added",
                "statin is being refilled",
                f"{one} is known {within}",
                f"{one} is unknown",
                f"any of [{data}] was received {within}",
                f"none of [{data}] was received {within}",
                f"any of [{data}] is newer than {one}",
                f"none of [{data}] is newer than {one}",
                f"the {rng.choice(('problems', 'medicines', 'tests'))} list is complete",
                "the problems, medicines lists are complete",
                f"some result was not used because of [{reasons}] {within}",
                f"some result of [{data}] was not used because of [{reasons}] {within}",
            )
        )
