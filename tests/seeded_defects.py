"""
Mistakes sown into the shipped rules: which of them does `cds check` find, and where?

Each operator is one way to get a rule file wrong, with the code that should say so. It
is tried on every shipped file where it fits, at places drawn with a fixed seed.
`python -m tests.seeded_defects` sows them all and lists what was missed, by operator.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from random import Random

from cds.rulefiles.diagnostics import Diagnostic, Report
from cds.rulefiles.loader import load_every
from cds.rulefiles.nodes import Block, Items, Node, Scalar, Source
from cds.rulefiles.source import Memory, read_source
from cds.workshop.checks import logic
from cds.workshop.checks.checking import FAMILIES, check_folder
from cds.workshop.checks.context import Context

RULES = Path(__file__).resolve().parent.parent / "rules"
AS_OF = date(2026, 11, 21)
KINDS = ("condition", "index", "stages", "factor", "card")
MOST = 2
"""Seeds of one operator in one file."""


@dataclass(frozen=True)
class Edit:
    """What stands at (line, column) for *width* characters is replaced; lines from one."""

    line: int
    column: int
    width: int
    new: str


@dataclass(frozen=True)
class Seed:
    """
    One mistake: the whole text of the file, and where it should be found.

    *lines* are those on which the finding may stand: where a mistake is made of two
    lines, either.
    """

    operator: str
    path: str
    text: str
    codes: frozenset[str]
    lines: frozenset[int]


class File:
    """A rule file and the ways around in it."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.lines = text.splitlines()
        self.root = read_source(Source(path, text), Report())
        assert self.root is not None
        self.kind = self.root.text("kind")

    def scalars(self, node: Node | None = None) -> Iterator[tuple[str, Scalar]]:
        """
        Every plain text with the key above it.
        """
        yield from _scalars("", self.root if node is None else node)

    def conditions(self) -> Iterator[Scalar]:
        """
        Every clause on one line.
        """
        for key in ("show_if", "unless", "holds_if", "ruled_out_if", "assess_if", "exclude_if",
                    "evidence_for", "evidence_against", "lines", "not_valid_if", "suggestions",
                    "card", "count_of", "conditions"):  # fmt: skip
            node = self.root.get(key)
            if node is not None:
                for name, one in _scalars(key, node):
                    if name in _CLAUSES and one.start.line == one.end.line and " " in one.text:
                        yield one

    def blocks(self) -> Iterator[tuple[str, Block]]:
        """
        Every block below the root, with the key above it.
        """
        yield from _blocks("", self.root)

    def seed(self, operator: str, codes: str, *edits: Edit, at: int | None = None) -> Seed:
        """
        Make the edits.
        """
        lines = list(self.lines)
        for one in sorted(edits, key=lambda edit: (edit.line, edit.column), reverse=True):
            if not (one.width or one.new):
                continue  # only marks a place
            line = lines[one.line - 1]
            first = one.column - 1
            lines[one.line - 1] = line[:first] + one.new + line[first + one.width :]
        text = "\n".join(lines) + "\n"
        places = frozenset([at] if at else [one.line for one in edits])
        return Seed(operator, self.path, text, frozenset(codes.split()), places)


_CLAUSES = frozenset(
    {"show_if", "when", "if", "all", "any", "of", "not", "holds_if", "ruled_out_if", "assess_if",
     "block_if", "offer_if", "when_relevant", "count_of", "conditions", "items"}
)  # fmt: skip


def _scalars(key: str, node: Node) -> Iterator[tuple[str, Scalar]]:
    if isinstance(node, Scalar):
        yield key, node
    elif isinstance(node, Items):
        for one in node.items:
            yield from _scalars(key, one)
    else:
        for name, one in node.entries():
            yield from _scalars(name.text, one)


def _blocks(key: str, node: Node) -> Iterator[tuple[str, Block]]:
    if isinstance(node, Block):
        yield key, node
        for name, one in node.entries():
            yield from _blocks(name.text, one)
    elif isinstance(node, Items):
        for one in node.items:
            yield from _blocks(key, one)


def over(node: Scalar, new: str) -> Edit:
    """
    Write *new* over a text, quotes and all.
    """
    place = node.place
    return Edit(place.line, place.column, place.width, new)


def word_of(node: Scalar, word: str, new: str) -> Edit | None:
    """
    Write *new* over the first *word* of a text.
    """
    found = re.search(rf"(?<![\w.]){re.escape(word)}(?![\w.])", node.text)
    if found is None:
        return None
    place = node.span(*found.span())
    return Edit(place.line, place.column, place.width, new)


def insert(line: int, text: str) -> Edit:
    """
    Put a line of its own before *line*.
    """
    return Edit(line, 1, 0, text + "\n")


def misspelt(word: str) -> str:
    """
    Leave a letter out of the middle.
    """
    at = len(word) // 2
    return word[:at] + word[at + 1 :]


Operator = Callable[[File], Iterator[Seed]]
OPERATORS: dict[str, Operator] = {}


def operator(works: Operator) -> Operator:
    """
    Enter an operator under its name.
    """
    OPERATORS[works.__name__] = works
    return works


# --- files ------------------------------------------------------------------------------


@operator
def misspell_a_key(file: File) -> Iterator[Seed]:
    """
    `show_fi`.
    """
    for name in ("title", "status", "about", "upkeep", "tests"):
        if name in file.root:
            key = file.root.keys[name]
            yield file.seed("misspell_a_key", "CDS102", over(key, misspelt(name)))


@operator
def misspell_an_inner_key(file: File) -> Iterator[Seed]:
    """
    `explenation`.
    """
    about = file.root.block("about")
    for name in ("purpose", "explanation", "limits") if about else ():
        key = about.keys[name]
        yield file.seed("misspell_an_inner_key", "CDS102", over(key, misspelt(name)))


@operator
def write_a_key_twice(file: File) -> Iterator[Seed]:
    """
    A second title.
    """
    key = file.root.keys["title"]
    line = key.place.line
    yield file.seed("write_a_key_twice", "CDS103", insert(line + 1, "title: Another"), at=line + 1)


@operator
def leave_a_key_out(file: File) -> Iterator[Seed]:
    """
    No version.
    """
    line = file.root.keys["version"].place.line
    edit = Edit(line, 1, len(file.lines[line - 1]), "# no version")
    yield file.seed("leave_a_key_out", "CDS104", edit, at=file.root.keys["kind"].place.line)


@operator
def write_a_text_for_a_list(file: File) -> Iterator[Seed]:
    """
    Limits as a sentence.
    """
    upkeep = file.root.block("upkeep")
    authors = upkeep.get("authors") if upkeep else None
    if authors is not None:
        place = authors.place
        edit = Edit(place.line, place.column, place.width, "somebody")
        yield file.seed("write_a_text_for_a_list", "CDS105", edit)


@operator
def write_yes_for_true(file: File) -> Iterator[Seed]:
    """
    `inferred: yes`.
    """
    for key, one in file.scalars():
        if key in {"inferred", "recommended", "todo", "only_instead"} and one.text == "true":
            yield file.seed("write_yes_for_true", "CDS106", over(one, "yes"))


@operator
def write_a_version_as_a_number(file: File) -> Iterator[Seed]:
    """
    `version: 1.0`.
    """
    version = file.root.get("version")
    yield file.seed("write_a_version_as_a_number", "CDS106", over(version, "1.0"))


@operator
def call_a_file_otherwise(file: File) -> Iterator[Seed]:
    """
    The id is not that of the file.
    """
    one = file.root.get("id")
    yield file.seed("call_a_file_otherwise", "CDS107", over(one, one.text + "_new"))


@operator
def indent_by_a_tab(file: File) -> Iterator[Seed]:
    """
    As some editors do.
    """
    line = file.root.keys["about"].place.line + 1
    yield file.seed("indent_by_a_tab", "CDS101", Edit(line, 1, 2, "\t"))


@operator
def leave_a_bracket_open(file: File) -> Iterator[Seed]:
    """
    A list without an end.
    """
    for at, line in enumerate(file.lines, start=1):
        if line.rstrip().endswith("]") and ": [" in line:
            edit = Edit(at, len(line.rstrip()), 1, "")
            yield file.seed("leave_a_bracket_open", "CDS101", edit, Edit(at + 1, 1, 0, ""))


@operator
def use_an_anchor(file: File) -> Iterator[Seed]:
    """
    As YAML allows, and we do not.
    """
    title = file.root.get("title").place
    yield file.seed("use_an_anchor", "CDS101", Edit(title.line, title.column, 0, "&title "))


@operator
def leave_blanks_at_the_end(file: File) -> Iterator[Seed]:
    """
    Not the layout of all.
    """
    line = file.root.keys["status"].place.line
    edit = Edit(line, len(file.lines[line - 1]) + 1, 0, "   ")
    yield file.seed("leave_blanks_at_the_end", "CDS108", edit)


# --- clauses and names ------------------------------------------------------------------


@operator
def say_too_much(file: File) -> Iterator[Seed]:
    """
    A word too many at the end of a clause.
    """
    for one in file.conditions():
        if one.text.endswith((" holds", " present", " known")):
            edit = word_of(one, one.text.rpartition(" ")[2], one.text.rpartition(" ")[2] + " today")
            if edit:
                yield file.seed("say_too_much", "CDS110", edit)


@operator
def leave_out_is(file: File) -> Iterator[Seed]:
    """
    `NAME present`.
    """
    for one in file.conditions():
        edit = word_of(one, "is", "")
        if edit and " is " in one.text:
            yield file.seed("leave_out_is", "CDS110", edit)


@operator
def count_in_years(file: File) -> Iterator[Seed]:
    """
    Windows are counted in days.
    """
    for one in file.conditions():
        found = re.search(r"within \d+ days", one.text)
        if found:
            place = one.span(*found.span())
            edit = Edit(place.line, place.column, place.width, "within 2 years")
            yield file.seed("count_in_years", "CDS110", edit)


@operator
def misspell_a_name(file: File) -> Iterator[Seed]:
    """
    A concept, index, condition or factor that nothing is called.
    """
    for one in file.conditions():
        name = one.text.partition(" ")[0]
        if re.fullmatch(r"[a-z][a-z0-9_]{6,}", name):
            edit = word_of(one, name, misspelt(name))
            if edit:
                yield file.seed("misspell_a_name", "CDS201", edit)


@operator
def misspell_a_threshold(file: File) -> Iterator[Seed]:
    """
    In the clause that uses it.
    """
    names = [key.text for key, _ in file.root.pairs("thresholds")]
    for one in file.conditions():
        for name in names:
            if len(name) > 4 and (edit := word_of(one, name, misspelt(name))):
                yield file.seed("misspell_a_threshold", "CDS202", edit)


@operator
def misspell_an_action(file: File) -> Iterator[Seed]:
    """
    One that the library does not have.
    """
    for key, one in file.scalars():
        if key == "action" and "_" in one.text:
            yield file.seed("misspell_an_action", "CDS201", over(one, misspelt(one.text)))


@operator
def misspell_a_group(file: File) -> Iterator[Seed]:
    """
    One that no file declares.
    """
    one = file.root.get("group")
    if file.kind == "card" and isinstance(one, Scalar):
        yield file.seed("misspell_a_group", "CDS201", over(one, one.text + "z"))


@operator
def misspell_a_source(file: File) -> Iterator[Seed]:
    """
    One that the evidence library does not hold.
    """
    for key, one in file.scalars():
        if key == "cite":
            yield file.seed("misspell_a_source", "CDS602", over(one, misspelt(one.text)))


@operator
def name_two_alike(file: File) -> Iterator[Seed]:
    """
    Two suggestions, or two exclusions, of one id.
    """
    for _, block in file.blocks():
        for key in ("items", "unless", "evidence_for", "not_valid_if", "guards"):
            named = [one for one in block.blocks(key) if isinstance(one.get("id"), Scalar)]
            if len(named) > 1:
                first, second = named[0].get("id"), named[1].get("id")
                edit = over(second, first.text)
                lines = Edit(first.place.line, 1, 0, "")
                yield file.seed("name_two_alike", "CDS203", edit, lines)


@operator
def declare_what_nobody_uses(file: File) -> Iterator[Seed]:
    """
    A threshold too many.
    """
    if "thresholds" in file.root:
        line = file.root.keys["thresholds"].place.line + 1
        edit = insert(line, "  nobody_asks: {value: 5, cite: project_convention}")
        yield file.seed("declare_what_nobody_uses", "CDS204", edit, at=line)


@operator
def ask_the_wrong_question(file: File) -> Iterator[Seed]:
    """
    Whether a condition is present, or a problem holds.
    """
    for one in file.conditions():
        if one.text.endswith(" holds"):
            edit = word_of(one, "holds", "is present")
        elif re.fullmatch(r"\w+ is present", one.text):
            edit = word_of(one, "is present", "holds")
        else:
            continue
        if edit:
            yield file.seed("ask_the_wrong_question", "CDS205 CDS110", edit)


@operator
def lean_on_oneself(file: File) -> Iterator[Seed]:
    """
    A condition that asks whether it holds.
    """
    name = file.root.text("id")
    for one in file.conditions():
        if file.kind == "condition" and re.fullmatch(r"\w+ holds", one.text):
            edit = over(one, f"{name} holds")
            line = Edit(file.root.get("id").place.line, 1, 0, "")
            yield file.seed("lean_on_oneself", "CDS210", edit, line)


# --- quantities -------------------------------------------------------------------------


def _values(file: File) -> Iterator[tuple[str, Scalar]]:
    for name, node in file.root.pairs("thresholds"):
        if isinstance(node, Block) and isinstance(node.get("value"), Scalar):
            yield name.text, node.get("value")


def _uses(file: File, name: str) -> list[Scalar]:
    return [one for one in file.conditions() if re.search(rf"\b{name}\b", one.text)]


def _found_at(file: File, name: str, value: Scalar) -> list[Edit]:
    """
    A number is wrong where it stands, or where it is compared.
    """
    lines = {value.place.line, *(one.place.line for one in _uses(file, name))}
    return [Edit(line, 1, 0, "") for line in lines]


@operator
def write_another_unit(file: File) -> Iterator[Seed]:
    """
    Of another dimension.
    """
    for name, value in _values(file):
        number, _, unit = value.text.partition(" ")
        if unit and _uses(file, name):
            new = over(value, f"{number} {'kg' if unit != 'kg' else 'mm[Hg]'}")
            yield file.seed(
                "write_another_unit", "CDS301 CDS303", new, *_found_at(file, name, value)
            )


@operator
def leave_the_unit_out(file: File) -> Iterator[Seed]:
    """
    A number that could be anything.
    """
    for name, value in _values(file):
        number, _, unit = value.text.partition(" ")
        if unit and _uses(file, name):
            new = over(value, number)
            yield file.seed("leave_the_unit_out", "CDS302", new, *_found_at(file, name, value))


@operator
def mistake_the_unit(file: File) -> Iterator[Seed]:
    """
    The two units of a pair changed over.
    """
    for name, node in file.root.pairs("thresholds"):
        pair = node.get("pair") if isinstance(node, Block) else None
        if not isinstance(pair, Items) or not _uses(file, name.text):
            continue
        first, second = pair.items
        if isinstance(first, Scalar) and isinstance(second, Scalar):
            one, _, unit = first.text.partition(" ")
            other, _, second_unit = second.text.partition(" ")
            edits = [over(first, f"{one} {second_unit}"), over(second, f"{other} {unit}")]
            places = _found_at(file, name.text, first)
            yield file.seed("mistake_the_unit", "CDS305", *edits, *places)


@operator
def write_the_number_itself(file: File) -> Iterator[Seed]:
    """
    A cut-off without a name, so nobody can cite it.
    """
    for name, value in _values(file):
        for one in _uses(file, name):
            edit = word_of(one, name, value.text)
            quoted = one.quoted or "[" not in value.text
            if edit and quoted:
                yield file.seed("write_the_number_itself", "CDS306", edit)


@operator
def forget_one_sex(file: File) -> Iterator[Seed]:
    """
    A cut-off for men only.
    """
    for _, node in file.root.pairs("thresholds"):
        if isinstance(node, Block) and "female" in node and "male" in node:
            key = node.keys["female"]
            text = file.lines[key.place.line - 1]
            found = re.search(r"(, )?female: (\[[^\]]*\]|[^,}]*(\[[^\]]*\])?[^,}]*)", text)
            if found:
                edit = Edit(key.place.line, found.start() + 1, len(found[0]), "")
                yield file.seed("forget_one_sex", "CDS415", edit)


# --- logic ------------------------------------------------------------------------------


@operator
def turn_a_range_round(file: File) -> Iterator[Seed]:
    """
    From the higher to below the lower.
    """
    for one in file.conditions():
        found = re.search(r"from (\S+) below (\S+)", one.text)
        if found:
            place = one.span(*found.span())
            edit = Edit(place.line, place.column, place.width, f"from {found[2]} below {found[1]}")
            yield file.seed("turn_a_range_round", "CDS401", edit)


_JOINED = re.compile(r"^(\s*)- ([a-z]\w+ (?:holds|is present))$")


def _items(file: File, word: str) -> Iterator[tuple[int, str, str]]:
    """
    Lines of an `all:` or `any:` that are one simple clause: line, indent, clause.
    """
    inside = ""
    for at, line in enumerate(file.lines, start=1):
        opened = re.match(r"^\s*(?:-\s*)?(all|any):\s*$", line)
        if opened:
            inside = opened[1]
        found = _JOINED.match(line)
        if found and inside == word:
            yield at, found[1], found[2]


@operator
def ask_for_both(file: File) -> Iterator[Seed]:
    """
    Something and its opposite.
    """
    for at, indent, clause in _items(file, "all"):
        edit = insert(at + 1, f"{indent}- not: {clause}")
        yield file.seed("ask_for_both", "CDS401", edit, Edit(at, 1, 0, ""))


@operator
def ask_for_either(file: File) -> Iterator[Seed]:
    """
    Something or its opposite.
    """
    for at, indent, clause in _items(file, "any"):
        edit = insert(at + 1, f"{indent}- not: {clause}")
        yield file.seed("ask_for_either", "CDS402", edit, Edit(at, 1, 0, ""))


@operator
def say_it_twice(file: File) -> Iterator[Seed]:
    """
    The same clause again.
    """
    for word in ("all", "any"):
        for at, indent, clause in _items(file, word):
            edit = insert(at + 1, f"{indent}- {clause}")
            yield file.seed("say_it_twice", "CDS403", edit, Edit(at, 1, 0, ""))


@operator
def guard_twice(file: File) -> Iterator[Seed]:
    """
    A guard under another name.
    """
    for _, block in file.blocks():
        guards = block.blocks("guards")
        for one in guards[:1]:
            first, last = one.place.line, max(one.end.line, one.start.line + 1)
            lines = file.lines[first - 1 : last]
            while lines and not lines[-1].strip():
                lines.pop()
            copy = "\n".join(lines).replace(one.text("id"), one.text("id") + "_again", 1)
            edit = insert(first + len(lines), copy)
            places = [Edit(at, 1, 0, "") for at in range(first, first + 2 * len(lines))]
            yield file.seed("guard_twice", "CDS404 CDS403", edit, *places)


@operator
def leave_a_gap_between_bands(file: File) -> Iterator[Seed]:
    """
    The next band begins later.
    """
    yield from _band_moved(file, "leave_a_gap_between_bands", "CDS405", 1.1)


@operator
def let_bands_overlap(file: File) -> Iterator[Seed]:
    """
    The next band begins earlier.
    """
    yield from _band_moved(file, "let_bands_overlap", "CDS406", 0.9)


def _band_moved(file: File, name: str, code: str, times: float) -> Iterator[Seed]:
    """
    Begin a band at another number than the one where the band before ends.
    """
    thresholds = {key.text: node for key, node in file.root.pairs("thresholds")}
    for block in file.root.blocks("bands"):
        start = block.get("from")
        node = thresholds.get(start.text) if isinstance(start, Scalar) else None
        value = node.get("value") if isinstance(node, Block) else None
        if isinstance(value, Scalar):
            number, _, unit = value.text.partition(" ")
            line = file.root.keys["thresholds"].place.line + 1
            new = f"{float(number) * times:.2f} {unit}".strip()
            extra = insert(line, f'  moved: {{value: "{new}", cite: project_convention}}')
            sown = file.seed(name, code, over(start, "moved"), extra)
            yield replace(sown, lines=_shifted(start, line))


def _shifted(node: Scalar, inserted: int) -> frozenset[int]:
    """
    The line of a node, and those beside it, after a line was put in before it or behind.
    """
    line = node.place.line + (1 if inserted <= node.place.line else 0)
    return frozenset({line - 1, line, line + 1})


@operator
def ask_of_what_is_out_of_reach(file: File) -> Iterator[Seed]:
    """
    A grade above all the points there are.
    """
    grades = file.root.block("grades")
    for name, node in grades.entries() if grades else ():
        points = node.get("points") if isinstance(node, Block) else None
        if isinstance(points, Scalar) and points.text.isdigit():
            del name
            yield file.seed("ask_of_what_is_out_of_reach", "CDS408", over(points, "99"))


@operator
def stand_behind_oneself(file: File) -> Iterator[Seed]:
    """
    A line of the stages that an earlier one has taken.
    """
    for at, line in enumerate(file.lines, start=1):
        if file.kind == "stages" and re.match(r"\s+if: \w+ holds$", line):
            start = at
            while not file.lines[start - 1].lstrip().startswith("- label"):
                start -= 1
            copy = list(file.lines[start - 1 : at])
            copy[0] = "  - label: LATER"
            edit = insert(at + 1, "\n".join(["", *copy]))
            lines = [Edit(one, 1, 0, "") for one in range(start, at + 2 + len(copy))]
            yield file.seed("stand_behind_oneself", "CDS407", edit, *lines)


@operator
def exclude_whom_it_is_for(file: File) -> Iterator[Seed]:
    """
    An exclusion that is the condition itself.
    """
    show = file.root.get("show_if")
    if file.kind == "card" and isinstance(show, Scalar):
        line = file.root.keys["show_if"].place.line
        new = "\n".join(
            [
                "unless:",
                "  - id: swallowed",
                f"    when: {file.lines[line - 1].partition(': ')[2]}",
                "    because: Not for them.",
                "    if_unknown: hide",
            ]
        )
        if "unless" not in file.root:
            edit = insert(line + 1, new)
            lines = [Edit(at, 1, 0, "") for at in range(line, line + 6)]
            yield file.seed("exclude_whom_it_is_for", "CDS407 CDS401 CDS409", edit, *lines)


@operator
def say_nothing_of_the_unknown(file: File) -> Iterator[Seed]:
    """
    No `if_unknown`.
    """
    for _, block in file.blocks():
        if "if_unknown" in block and ("when" in block or "block_if" in block):
            edit = _without(file, block, "if_unknown")
            if edit:
                lines = [Edit(at, 1, 0, "") for at in range(block.place.line, edit.line + 1)]
                yield file.seed("say_nothing_of_the_unknown", "CDS420 CDS104", edit, *lines)


@operator
def say_nothing_of_the_missing(file: File) -> Iterator[Seed]:
    """
    No `if_missing`.
    """
    for key, block in file.blocks():
        if key == "evidence_for" and "if_missing" in block:
            edit = _without(file, block, "if_missing")
            if edit:
                lines = [Edit(at, 1, 0, "") for at in range(block.place.line, edit.line + 1)]
                yield file.seed("say_nothing_of_the_missing", "CDS421", edit, *lines)


def _without(file: File, block: Block, key: str) -> Edit | None:
    """
    Take out a key with its value, of a block on one line or on many.
    """
    node, name = block.values[key], block.keys[key]
    if not isinstance(node, Scalar) or node.start.line != name.start.line:
        return None
    line = file.lines[name.start.line]
    end = node.place.column - 1 + node.place.width
    if line[: name.start.column].strip(" -"):
        start = line.rindex(",", 0, name.start.column)
        return Edit(name.start.line + 1, start + 1, end - start, "")
    if line[: name.start.column].strip():
        return None  # the first key of an item: the dash would be left alone
    return Edit(name.start.line + 1, 1, end, "")


# --- cards ------------------------------------------------------------------------------


def _says(file: File, key: str) -> Iterator[tuple[Scalar, bool]]:
    """
    Texts of the summary or the detail, and whether each has a condition.
    """
    card = file.root.block("card")
    node = card.get(key) if card else None
    for one in node.items if isinstance(node, Items) else [node]:
        if isinstance(one, Scalar):
            yield one, False
        elif isinstance(one, Block) and isinstance(one.get("say"), Scalar):
            yield one.get("say"), "if" in one


@operator
def write_a_long_summary(file: File) -> Iterator[Seed]:
    """
    More than CDS Hooks has room for.
    """
    for one, _ in _says(file, "summary"):
        place = one.place
        edit = Edit(place.line, place.column + place.width - 1, 0, " and so on" * 14)
        if one.style == '"':
            yield file.seed("write_a_long_summary", "CDS501", edit)


@operator
def leave_a_hole_that_names_nothing(file: File) -> Iterator[Seed]:
    """
    A misspelt name between braces.
    """
    for part in ("summary", "detail"):
        for one, _ in _says(file, part):
            found = re.search(r"\{\{(\w{5,})\.", one.text)
            if found and one.start.line == one.end.line:
                edit = word_of_hole(one, found)
                yield file.seed("leave_a_hole_that_names_nothing", "CDS502", edit)


def word_of_hole(node: Scalar, found: re.Match[str]) -> Edit:
    """
    Misspell the name in a hole.
    """
    place = node.span(*found.span(1))
    return Edit(place.line, place.column, place.width, misspelt(found[1]))


@operator
def say_it_without_knowing(file: File) -> Iterator[Seed]:
    """
    A hole that may stay empty: the `if` is gone.
    """
    card = file.root.block("card")
    for part in ("summary", "detail"):
        for one in card.blocks(part) if card else ():
            say, when = one.get("say"), one.get("if")
            if not (isinstance(say, Scalar) and isinstance(when, Scalar)):
                continue
            name = when.text.partition(" is known")[0]
            if part == "detail" and f"{{{{{name}.value" in say.text:
                edit = _without(file, one, "if")
                if edit:
                    line = Edit(say.place.line, 1, 0, "")
                    yield file.seed("say_it_without_knowing", "CDS503", edit, line)


@operator
def write_markup(file: File) -> Iterator[Seed]:
    """
    HTML in a card.
    """
    for one, _ in _says(file, "detail"):
        if one.style == '"':
            place = one.place
            edit = Edit(place.line, place.column + 1, 0, "<b>Now</b> ")
            yield file.seed("write_markup", "CDS509", edit)


@operator
def cry_wolf(file: File) -> Iterator[Seed]:
    """
    Everything is critical.
    """
    card = file.root.block("card")
    one = card.get("indicator") if card else None
    if isinstance(one, Scalar) and one.text == "info":
        yield file.seed("cry_wolf", "CDS508", over(one, "critical"))


@operator
def leave_no_way_out(file: File) -> Iterator[Seed]:
    """
    Suggestions without reasons to refuse them.
    """
    node = file.root.get("override_reasons")
    if isinstance(node, Scalar) and "suggestions" in file.root:
        line = file.root.keys["override_reasons"].place.line
        edit = Edit(line, 1, len(file.lines[line - 1]), "")
        lines = Edit(file.root.keys["suggestions"].place.line, 1, 0, "")
        seed = file.seed("leave_no_way_out", "CDS510 CDS104", edit, lines)
        every = frozenset({*seed.lines, 1})
        yield Seed(seed.operator, seed.path, seed.text, seed.codes, every)


@operator
def say_nothing_of_guards(file: File) -> Iterator[Seed]:
    """
    A suggestion that does not say what guards it.
    """
    for _, block in file.blocks():
        if "guards" in block and "action" in block:
            edit = _without(file, block, "guards")
            if edit:
                lines = [Edit(at, 1, 0, "") for at in range(block.place.line, edit.line)]
                yield file.seed("say_nothing_of_guards", "CDS104 CDS105 CDS420", edit, *lines)


@operator
def call_at_another_hook(file: File) -> Iterator[Seed]:
    """
    One that does not exist.
    """
    hooks = file.root.get("hooks")
    if isinstance(hooks, Items):
        place = hooks.place
        edit = Edit(place.line, place.column, place.width, "[patient-opened]")
        yield file.seed("call_at_another_hook", "CDS105 CDS201", edit)


# --- evidence, upkeep, tests ------------------------------------------------------------


@operator
def cite_nothing(file: File) -> Iterator[Seed]:
    """
    A cut-off without a source.
    """
    for _, node in file.root.pairs("thresholds"):
        if isinstance(node, Block) and "cite" in node:
            edit = _without(file, node, "cite")
            if edit:
                yield file.seed("cite_nothing", "CDS601", edit)


@operator
def note_no_limits(file: File) -> Iterator[Seed]:
    """
    As if it were never wrong.
    """
    about = file.root.block("about")
    limits = about.get("limits") if about else None
    if isinstance(limits, Items) and limits.start.line > about.keys["limits"].start.line:
        first = about.keys["limits"].place.line
        last = limits.items[-1].end.line + 1
        edits = [Edit(at, 1, len(file.lines[at - 1]), "") for at in range(first + 1, last + 1)]
        edits.append(Edit(first, 1, len(file.lines[first - 1]), "  limits: []"))
        if all(one.start.line == one.end.line for one in limits.items):
            yield file.seed("note_no_limits", "CDS606", *edits)


@operator
def review_oneself(file: File) -> Iterator[Seed]:
    """
    The reviewer is the author.
    """
    upkeep = file.root.block("upkeep")
    review = upkeep.get("clinical_review") if upkeep else None
    if isinstance(review, Scalar):
        author = upkeep.texts("authors")[0]
        line = review.place.line
        edits = [
            over(review, "2026-06-01"),
            insert(line + 1, f"  reviewers: [{author}]\n  reviewed: 2026-06-01"),
        ]
        near = [Edit(at, 1, 0, "") for at in (line - 1, line, line + 2)]
        yield file.seed("review_oneself", "CDS604", *edits, *near)


@operator
def forget_to_look_again(file: File) -> Iterator[Seed]:
    """
    A review that was due long ago.
    """
    upkeep = file.root.block("upkeep")
    due = upkeep.get("review_by") if upkeep else None
    if isinstance(due, Scalar):
        yield file.seed("forget_to_look_again", "CDS605", over(due, "2025-06-01"))


@operator
def test_nothing(file: File) -> Iterator[Seed]:
    """
    No tests at all.
    """
    if "tests" in file.root:
        first = file.root.keys["tests"].place.line
        edits = [
            Edit(at, 1, len(file.lines[at - 1]), "") for at in range(first, len(file.lines) + 1)
        ]
        seed = file.seed("test_nothing", "CDS701", *edits)
        places = frozenset({1, file.root.get("id").place.line})
        yield Seed(seed.operator, seed.path, seed.text, seed.codes, places)


@operator
def name_two_tests_alike(file: File) -> Iterator[Seed]:
    """
    So that a report cannot tell them apart.
    """
    tests = file.root.blocks("tests")
    if len(tests) > 1 and tests[1].get("name").start.line == tests[1].get("name").end.line:
        first, second = tests[0].get("name"), tests[1].get("name")
        yield file.seed("name_two_tests_alike", "CDS705", over(second, f'"{first.text}"'))


@operator
def use_a_patient_nobody_knows(file: File) -> Iterator[Seed]:
    """
    A misspelt `use`.
    """
    for test in file.root.blocks("tests"):
        use = test.get("use")
        if isinstance(use, Scalar):
            yield file.seed("use_a_patient_nobody_knows", "CDS201", over(use, misspelt(use.text)))


# --- sowing -----------------------------------------------------------------------------


def files() -> list[File]:
    """
    Every shipped rule.
    """
    found = []
    for path in sorted(RULES.rglob("*.yaml")):
        name = f"rules/{path.relative_to(RULES).as_posix()}"
        one = File(name, path.read_text("utf-8"))
        if one.kind in KINDS:
            found.append(one)
    return found


def seeds(most: int = MOST) -> list[Seed]:
    """
    Sow every operator in every file where it fits, *most* times in each.
    """
    rng = Random(2026)  # noqa: S311 - keeps no secret
    found = []
    for file in files():
        for works in OPERATORS.values():
            possible = list(works(file))
            found.extend(rng.sample(possible, min(most, len(possible))))
    return found


def is_found(sown: Seed, findings: Iterable[Diagnostic]) -> bool:
    """
    Tell whether one of the findings is the right one, on a line of the seed.
    """
    return any(
        one.code in sown.codes and one.place.path == sown.path and one.place.line in sown.lines
        for one in findings
    )


def found_soon(buffers: dict[str, str], memory: Memory) -> Iterator[Diagnostic]:
    """
    What loading says, and then one family of checks after the other, the slow one at last.

    Whoever has seen enough need not wait for the rest.
    """
    loaded = load_every(RULES, buffers=buffers, memory=memory)
    yield from loaded.diagnostics
    for family in sorted(FAMILIES, key=lambda one: one is logic.check):
        context = Context(loaded, Report(loaded.sources), AS_OF)
        family(context)
        yield from context.report.sorted()


def missed(sown: Seed, memory: Memory) -> str:
    """
    What `cds check` makes of a seed: nothing where it finds it, else what it says.
    """
    buffers = {sown.path: sown.text}
    if is_found(sown, found_soon(buffers, memory)):
        return ""
    found = check_folder(RULES, as_of=AS_OF, buffers=buffers, memory=memory).findings
    if is_found(sown, found):
        return ""
    said = [f"{one.code}:{one.place.line}" for one in found if one.code != "CDS611"]
    return f"{sorted(sown.codes)} on {sorted(sown.lines)[:4]}, said {said[:6]}"


def main() -> None:
    """
    Sow all, and list what was missed.
    """
    memory = Memory()
    count: Counter[str] = Counter()
    lost: dict[str, list[str]] = {}
    only = sys.argv[1:]
    for one in seeds():
        if only and one.operator not in only:
            continue
        count[one.operator] += 1
        why = missed(one, memory)
        if why:
            lost.setdefault(one.operator, []).append(f"{one.path}: {why}")
    for name in OPERATORS:
        gone = lost.get(name, [])
        print(f"{name:<36} {count[name] - len(gone):>4} of {count[name]:>4}")  # noqa: T201
        for line in gone[:5]:
            print(f"    {line}")  # noqa: T201
    total = sum(count.values())
    misses = sum(map(len, lost.values()))
    print(f"{total - misses} of {total} found")  # noqa: T201


if __name__ == "__main__":
    main()
