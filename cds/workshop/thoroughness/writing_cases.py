"""
Suggested cases as the text of a rule file, and into the file where its layout stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from cds.core.concepts import Concept
from cds.core.rules import Ruleset
from cds.workshop.thoroughness.suggesting import Suggested

__all__ = ["appended", "as_yaml", "end_of_tests"]

_PLAIN: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_ ./%+*()^-]*[A-Za-z0-9_/%)])?")
_AMBIGUOUS: Final = frozenset({"yes", "no", "on", "off", "y", "n", "none", "null", "true", "false"})
_REVIEW: Final = "# expects what the rule answers now: read it before you keep it"
_WIDE: Final = 110


def as_yaml(
    rules: Ruleset,
    suggested: Sequence[Suggested],
    patients: Mapping[str, Mapping[str, Any]],
    taken: Iterable[str] = (),
    *,
    review: bool = True,
) -> str:
    """
    Write cases as they stand under `tests:`; *patients* are those of the file.

    Cases that change the same things of the same patient become one test with `each`.
    """
    names = set(taken)
    groups: dict[tuple[str, tuple[str, ...]], list[tuple[Suggested, dict[str, Any]]]] = {}
    for one in suggested:
        use, but = _told(one.given, patients)
        key = (use, tuple(sorted(but)) if use else tuple(sorted(one.given)))
        groups.setdefault(key, []).append((one, but))
    lines: list[str] = []
    for (use, _), members in groups.items():
        lines += _test(rules, use, members, names, review=review)
    return "\n".join(lines) + "\n" if lines else ""


def _told(
    given: Mapping[str, Any], patients: Mapping[str, Mapping[str, Any]]
) -> tuple[str, dict[str, Any]]:
    """Tell a patient by one of the file's and what is otherwise; else whole."""
    best, told = "", dict(given)
    for name, patient in patients.items():
        but = {key: value for key, value in given.items() if patient.get(key) != value}
        but |= {key: "none" for key in patient if key not in given}
        if len(but) < len(told):
            best, told = name, but
    return best, told


def _test(
    rules: Ruleset,
    use: str,
    members: Sequence[tuple[Suggested, dict[str, Any]]],
    names: set[str],
    *,
    review: bool,
) -> Iterator[str]:
    first, but = members[0]
    alone = len(members) == 1
    name = _free(_sentence(rules, use, first, but) if alone else _theme(rules, members), names)
    yield f"  - name: {_scalar(name)}"
    if review:
        yield f"    {_REVIEW}"
    if use:
        yield f"    use: {use}"
    if alone:
        word = "but" if use else "given"
        if but:
            yield f"    {word}: {_flow(but)}"
        yield f"    expect: {_flow(first.expect)}"
        return
    if not use:
        common = {
            key: value
            for key, value in members[0][1].items()
            if all(other.get(key) == value for _, other in members)
        }
        if common:
            yield f"    given: {_flow(common)}"
    else:
        common = {}
    yield "    each:"
    for one, other in members:
        rest = {key: value for key, value in other.items() if key not in common}
        yield f"      - {{but: {_flow(rest)}, expect: {_flow(one.expect)}}}"


def _sentence(rules: Ruleset, use: str, one: Suggested, but: Mapping[str, Any]) -> str:
    parts = (
        [_words(rules, key, value) for key, value in but.items()]
        if use
        else [
            _words(rules, change.name, "none" if change.value is None else change.value)
            for change in one.changes
        ]
    )
    text = ", ".join(parts) or "as given"
    return text if len(text) <= _WIDE else text[: _WIDE - 4] + " ..."


def _theme(rules: Ruleset, members: Sequence[tuple[Suggested, dict[str, Any]]]) -> str:
    """Name what the cases of one test have in common."""
    changes = [change for one, _ in members for change in one.changes]
    titles = ", ".join(dict.fromkeys(_title(rules, one.name) for one in changes))
    values = [str(one.value) for one in changes]
    if all("days ago" in one for one in values):
        return f"{titles}: the last days on which it counts"
    if any(any(char.isdigit() for char in one) for one in values):
        return f"{titles}: either side of the cut-off"
    return f"{titles}: on record, in the past, not known"


def _title(rules: Ruleset, name: str) -> str:
    concept: Concept | None = rules.concepts.get(name)
    if concept is not None:
        return concept.title
    return {"not_sent": "searches not sent", "not_complete": "searches not complete"}.get(
        name, name
    )


def _words(rules: Ruleset, name: str, value: Any) -> str:
    title = _title(rules, name)
    if name in {"not_sent", "not_complete"}:
        lists = ", ".join(map(str, value if isinstance(value, list) else [value]))
        return f"{lists} not sent" if name == "not_sent" else f"{lists} sent in part"
    if name == "sex":
        return {"male": "a man", "female": "a woman"}.get(str(value), "sex not on record")
    if name == "age":
        return "no birth date" if value == "none" else f"aged {value}"
    if value == "none":
        return f"{title} not known"
    if isinstance(value, list):
        return f"{title} {' and '.join(map(str, value))}"
    text = str(value)
    for word, said in (("present", "on record"), ("history", "in the past")):
        if text.startswith(word):
            return f"{title} {said}{text.removeprefix(word)}"
    return f"{title} {text}"


def _free(name: str, names: set[str]) -> str:
    found, number = name, 2
    while found in names:
        found, number = f"{name}, again {number}", number + 1
    names.add(found)
    return found


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(one) for one in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return _scalar(str(value))


def _scalar(text: str) -> str:
    """Write a text plain where YAML leaves it a text."""
    if _PLAIN.fullmatch(text) and text.casefold() not in _AMBIGUOUS and text == text.strip():
        return text
    if text in {"none", "yes", "no"}:
        return f'"{text}"' if text != "none" else "none"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def appended(text: str, cases: str) -> str:
    """Put cases at the end of the `tests:` of a file, and leave everything else as it is."""
    end = end_of_tests(text)
    if end is None:
        return text.rstrip("\n") + "\n\ntests:\n" + cases
    return text[:end].rstrip("\n") + "\n" + cases + text[end:]


def end_of_tests(text: str) -> int | None:
    """Give the offset behind the last line of the `tests:` of a file; None where it has none."""
    lines = text.splitlines(keepends=True)
    start = next((at for at, line in enumerate(lines) if line.startswith("tests:")), None)
    if start is None:
        return None
    end = start + 1
    for at in range(start + 1, len(lines)):
        if lines[at].strip() and not lines[at].startswith((" ", "#", "-")):
            break
        if lines[at].strip():
            end = at + 1
    return sum(map(len, lines[:end]))
