"""
Decision diagrams over variables with a few states each: one node for one meaning.

A node splits the states of its variable into parts, each with what is left to decide.
Equal nodes are one, so two conditions mean the same exactly where they are the same
node, and a condition that nothing fulfils is `NEVER`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

__all__ = ["ALWAYS", "NEVER", "Diagrams", "TooLargeError"]

NEVER: Final = 0
"""The condition that no state fulfils."""

ALWAYS: Final = 1
"""The condition that every state fulfils."""

_Parts = tuple[tuple[int, int], ...]


class _Search(NamedTuple):
    """One search for a way: the steps left, what led nowhere, which states go first."""

    steps: list[int]
    failed: set[frozenset[int]]
    order: int


class TooLargeError(Exception):
    """A proof would need more nodes than it may have."""


class Diagrams:
    """
    Makes and joins diagrams; a diagram is a number.

    A set of states is a number too, one bit for each state. *most* bounds the nodes that
    one proof may add, see `begin`.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._limit = most
        self._full: list[int] = []
        self._level = [0, 0]
        self._parts: list[_Parts] = [(), ()]
        self._unique: dict[tuple[int, _Parts], int] = {}
        self._joined: dict[tuple[int, int], int] = {}
        self._turned: dict[int, int] = {NEVER: ALWAYS, ALWAYS: NEVER}
        self._levels: dict[int, frozenset[int]] = {}

    def begin(self) -> None:
        """Begin a proof: from here on so many nodes may be added."""
        self._limit = len(self._level) + self._most

    def variable(self, size: int) -> int:
        """Add a variable with so many states; it is decided after those added before."""
        self._full.append((1 << size) - 1)
        return len(self._full) - 1

    def where(self, level: int, states: int) -> int:
        """Make the condition that a variable is in one of *states*."""
        return self.choose(level, ((states, ALWAYS),))

    def choose(self, level: int, parts: Iterable[tuple[int, int]]) -> int:
        """Make the condition that goes on differently for each part; what is left out fails."""
        grouped: dict[int, int] = {}
        for states, then in parts:
            if states:
                grouped[then] = grouped.get(then, 0) | states
        rest = self._full[level]
        for states in grouped.values():
            rest &= ~states
        if rest:
            grouped[NEVER] = grouped.get(NEVER, 0) | rest
        return self._node(level, grouped)

    def _node(self, level: int, grouped: Mapping[int, int]) -> int:
        """Give the one node of these parts; children stand for themselves where all agree."""
        if len(grouped) == 1:
            return next(iter(grouped))
        parts = tuple(sorted(zip(grouped.values(), grouped, strict=True)))
        key = (level, parts)
        found = self._unique.get(key)
        if found is None:
            found = len(self._level)
            if found > self._limit:
                raise TooLargeError
            self._level.append(level)
            self._parts.append(parts)
            self._unique[key] = found
        return found

    def negated(self, one: int) -> int:
        """Make the opposite."""
        found = self._turned.get(one)
        if found is None:
            grouped = {self.negated(then): states for states, then in self._parts[one]}
            found = self._node(self._level[one], grouped)
            self._turned[one] = found
            self._turned[found] = one
        return found

    def both(self, one: int, other: int) -> int:
        """Join two conditions with "and"."""
        if one > other:
            one, other = other, one
        if one in {NEVER, other}:
            return one
        if one == ALWAYS:
            return other
        key = (one, other)
        found = self._joined.get(key)
        if found is None:
            found = self._joined[key] = self._both(one, other)
        return found

    def _both(self, one: int, other: int) -> int:
        level, beside = self._level[one], self._level[other]
        grouped: dict[int, int] = {}
        if level == beside:
            for states, then in self._parts[one]:
                for others, after in self._parts[other]:
                    shared = states & others
                    if shared:
                        joined = self.both(then, after)
                        grouped[joined] = grouped.get(joined, 0) | shared
            return self._node(level, grouped)
        if level > beside:
            level, one, other = beside, other, one
        for states, then in self._parts[one]:
            joined = self.both(then, other)
            grouped[joined] = grouped.get(joined, 0) | states
        return self._node(level, grouped)

    def either(self, one: int, other: int) -> int:
        """Join two conditions with "or"."""
        return self.negated(self.both(self.negated(one), self.negated(other)))

    def if_then(self, one: int, other: int) -> int:
        """Make the condition that holds unless *one* does and *other* does not."""
        return self.negated(self.both(one, self.negated(other)))

    def same(self, one: int, other: int) -> int:
        """Make the condition that both hold or neither."""
        return self.both(self.if_then(one, other), self.if_then(other, one))

    def every(self, several: Iterable[int]) -> int:
        """Join any number of conditions with "and"; those decided last are joined first."""
        found = ALWAYS
        for one in sorted(several, key=lambda node: -self._level[node]):
            found = self.both(found, one)
        return found

    def some(self, several: Iterable[int]) -> int:
        """Join any number of conditions with "or"."""
        parts = list(several)
        if len(parts) == 1:
            return parts[0]
        return self.negated(self.every([self.negated(one) for one in parts]))

    def at_least(self, count: int, several: Iterable[int]) -> int:
        """Make the condition that *count* or more of several hold."""
        # reached[n]: n or more of those seen so far.
        reached = [ALWAYS, *([NEVER] * count)]
        for one in several:
            for number in range(count, 0, -1):
                more = self.both(reached[number - 1], one)
                reached[number] = self.either(reached[number], more)
        return reached[count]

    def implies(self, one: int, other: int) -> bool:
        """Tell whether *other* holds wherever *one* does."""
        return self.both(one, self.negated(other)) == NEVER

    def levels(self, one: int) -> frozenset[int]:
        """Name the variables that a condition depends on."""
        known = self._levels.get(one)
        if known is not None:
            return known
        seen: set[int] = set()
        found: set[int] = set()
        todo = [one]
        while todo:
            node = todo.pop()
            if node > ALWAYS and node not in seen:
                seen.add(node)
                found.add(self._level[node])
                todo.extend([then for _, then in self._parts[node]])
        self._levels[one] = frozenset(found)
        return self._levels[one]

    def fulfils(self, way: Mapping[int, int], one: int) -> bool:
        """Tell whether a way fulfils a condition; what it leaves out is in its first state."""
        while one > ALWAYS:
            state = way.get(self._level[one], 0)
            for states, then in self._parts[one]:
                if states >> state & 1:
                    one = then
                    break
        return one == ALWAYS

    def way(
        self, several: Iterable[int], most: int = 0, *, plain: bool = True
    ) -> dict[int, int] | None:
        """
        Give one way to fulfil all of several conditions: a state of each variable asked.

        None where there is no way. Looked for without joining them: a way is mostly found
        soon, while the join of all would be large. The first states go first, so that a
        way is as plain as its variables put it; the last go first where it need not be
        *plain*. Raises `TooLargeError` after *most* steps.
        """
        left = frozenset(several) - {ALWAYS}
        found: dict[int, int] = {}
        search = _Search([most or self._most], set(), 1 if plain else -1)
        return found if self._find(left, found, search) else None

    def _find(
        self,
        left: frozenset[int],
        found: dict[int, int],
        search: _Search,
    ) -> bool:
        if not left:
            return True
        if NEVER in left or left in search.failed:
            return False
        search.steps[0] -= 1
        if search.steps[0] < 0:
            raise TooLargeError
        level = min(self._level[one] for one in left)
        later = frozenset(one for one in left if self._level[one] != level)
        branches: dict[frozenset[int], int] = {later: self._full[level]}
        for one in left - later:
            branches = self._branched(branches, one)
        order = search.order
        for then, states in sorted(branches.items(), key=lambda one: order * (one[1] & -one[1])):
            if self._find(then - {ALWAYS}, found, search):
                found[level] = (states & -states).bit_length() - 1
                return True
        search.failed.add(left)
        return False

    def _branched(
        self, branches: Mapping[frozenset[int], int], one: int
    ) -> dict[frozenset[int], int]:
        """Split the branches of a variable by what is left of one more condition."""
        found: dict[frozenset[int], int] = {}
        for then, states in branches.items():
            for others, after in self._parts[one]:
                shared = states & others
                if shared and after != NEVER:
                    both = then | {after}
                    found[both] = found.get(both, 0) | shared
        return found
