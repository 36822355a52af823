"""
The shipped rules, patients in the words of a rule file, and the reasons of their answers.
"""

from functools import cache
from pathlib import Path

from cds.reasoning.evaluator import Reasoner
from cds.rulefiles.loader import load_ruleset
from cds.workshop.testing.subjects import Subjects, patients_of, read_given
from cds.workshop.why.tracing import Tracer

ROOT = Path(__file__).parent.parent.parent
RULES = ROOT / "rules"


@cache
def shipped():
    """
    The shipped rules.
    """
    return load_ruleset(RULES)


@cache
def reasoner():
    """
    What evaluates them, all of them.
    """
    return Reasoner(shipped(), engine="reference", everything=True)


@cache
def subjects():
    """
    What reads patients for them.
    """
    return Subjects(shipped())


def snapshot_of(words, *, of=None, but=""):
    """
    A patient: *words* are data, or with *of* the name of a patient in that rule's file.
    """
    given = read_given(words, called="given") if of is None else patients_of(RULES, of.place)[words]
    given = {**given, **read_given(but, called="but")}
    return subjects().of_case({name: one for name, one in given.items() if one != "none"})


def run_of(words, **more):
    """
    The evaluation of such a patient.
    """
    return reasoner().start(snapshot_of(words, **more))


def tracer_of(words, *, depth=1, **more):
    """
    The reasons of that evaluation.
    """
    return Tracer(shipped(), run_of(words, **more), depth=depth)
