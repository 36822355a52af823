"""
The pages about checks, as what they are: a small folder of rules, and what to change in it.

`python -m tests.check_pages` writes the output shown on each page, and the index, anew.
"""

import re
import shutil
import textwrap
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from cds.rulefiles.checks import CHECKS
from cds.rulefiles.diagnostics import Report
from cds.rulefiles.loader import load_ruleset
from cds.rulefiles.nodes import Source
from cds.rulefiles.rendering import render
from cds.workshop.changes.comparing import compare
from cds.workshop.checks.checking import THOROUGH, check_folder
from cds.workshop.checks.pages import what_it_does
from cds.workshop.checks.sensitivity import check_score
from cds.workshop.editing.formatting import format_source
from cds.workshop.testing.cases import every_rule
from cds.workshop.testing.lab import Lab
from cds.workshop.thoroughness.mutation import score_of

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "checks"
SAMPLE = ROOT / "tests" / "check_sample" / "rules"
AS_OF = date(2026, 11, 21)

FAMILIES = {
    "1": "File",
    "2": "Names",
    "3": "Quantities",
    "4": "Logic",
    "5": "Cards",
    "6": "Evidence and upkeep",
    "7": "Tests",
    "8": "Profiles",
    "9": "Engine",
}
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TARGET = re.compile(r"# (?:in|part of) (rules/\S+)\n")
_WITHOUT = re.compile(r"^# without (\w+)\n", re.MULTILINE)
_KEY = re.compile(r"^(?=[\w\"'?])", re.MULTILINE)


def section(page, title):
    """
    What stands under a heading.
    """
    match = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    return match[1] if match else ""


def fragments(text):
    """
    The pieces of rule files in a section, each with the path it belongs to.

    A piece that begins with `kind:` is a whole file, also one that cannot be read; another
    one takes the place of the keys that it writes.
    """
    for language, body in _BLOCK.findall(text):
        target = _TARGET.match(body)
        if language == "yaml" and target:
            yield target[1], body[target.end() :]


def changed(before, piece):
    """
    A file in which the keys of a piece are written as the piece has them.

    They are keys of the file itself, or of a block inside it; `# without KEY` takes one out.
    """
    if not before or piece.startswith("kind:"):
        return piece
    parts = {part.partition(":")[0]: part for part in _KEY.split(before) if part}
    for key in _WITHOUT.findall(piece):
        del parts[key]
    for part in _KEY.split(_WITHOUT.sub("", piece)):
        key = part.partition(":")[0]
        inside = re.search(rf"^( +){re.escape(key)}:.*\n(?:\1 +.*\n)*", before, re.MULTILINE)
        if part.strip() and key not in parts and inside:
            return before.replace(inside[0], textwrap.indent(part, inside[1]))
        if part.strip():
            parts[key] = part
    return "".join(parts.values())


def checked(text):
    """
    What `cds check` finds in the sample with the pieces of a section.
    """
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "rules"
        shutil.copytree(SAMPLE, folder)
        for path, piece in fragments(text):
            target = Path(scratch) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            before = target.read_text("utf-8") if target.exists() else ""
            target.write_bytes(changed(before, piece).encode())
        found = check_folder(folder, as_of=AS_OF, thorough="--thorough" in text)
        found = replace(found, findings=tuple(one for one in found.findings if is_meant(one, text)))
        if "--mutate" in text:
            return replace(found, findings=(*found.findings, *noticing_nothing(folder, text)))
        if "cds diff" not in text:
            return found
        # This one is about two versions of a rule: the sample is the older.
        compared = compare(load_ruleset(SAMPLE), load_ruleset(folder), [])
        return replace(found, findings=(*found.findings, *compared.findings))


def noticing_nothing(folder, text):
    """
    What `cds test --mutate` finds in the cases of a section.
    """
    report = Report()
    with closing(Lab(load_ruleset(folder), engine="reference")) as lab:
        for rule in every_rule(lab.rules):
            if rule.place.path in dict(fragments(text)):
                check_score(score_of(lab, rule), report)
    return report.sorted()


def lay_out(folder):
    """
    Give every file of a folder the one layout: the sample itself is written closer.
    """
    for path in folder.rglob("*.yaml"):
        path.write_text(format_source(Source(path.name, path.read_text("utf-8"))).text, "utf-8")


def is_meant(finding, text):
    """
    Tell whether a section is about a finding.

    Pieces of files are laid out as a reader likes, and the other files are hardly tested.
    """
    if finding.code in THOROUGH:
        return finding.place.path in dict(fragments(text))
    return finding.code != "CDS108" or (
        "CDS108" in text and finding.place.path in dict(fragments(text))
    )


def shown(found):
    """
    Findings as a page shows them.
    """
    return "\n\n".join(render(one, found.loaded.sources) for one in found.findings) + "\n"


def output(text):
    """
    The output that a section shows.
    """
    return next((body for language, body in _BLOCK.findall(text) if language == "console"), None)


def index():
    """
    The page that lists the pages.
    """
    out = [
        "# What `cds check` finds",
        "",
        "Each finding prints a code; `cds explain CODE` prints its page.",
        "An error keeps the exit code from being 0, a warning does so with `--strict`.",
        "The loader's own errors also keep the service from starting.",
        "",
    ]
    for digit, family in FAMILIES.items():
        codes = [
            one for one in sorted(CHECKS) if one[3] == digit and (PAGES / f"{one}.md").exists()
        ]
        if codes:
            out += [
                f"## {family}",
                "",
                "| code | name | | what it says |",
                "| --- | --- | --- | --- |",
            ]
            out += [
                f"| [{code}]({code}.md) | {CHECKS[code].name} | {CHECKS[code].severity} "
                f"| {what_it_does(code).partition('. ')[0].rstrip('.')} |"
                for code in codes
            ]
            out.append("")
    return "\n".join(out)


def write():
    """
    Put the real output into every page, and the index beside them.
    """
    for path in sorted(PAGES.glob("CDS*.md")):
        page = path.read_text("utf-8")
        avoid = section(page, "Avoid")
        old = output(avoid)
        if old is not None:
            new = avoid.replace(f"```console\n{old}```", f"```console\n{shown(checked(avoid))}```")
            path.write_text(page.replace(avoid, new), "utf-8")
    (PAGES / "README.md").write_text(index(), "utf-8")


if __name__ == "__main__":
    write()
