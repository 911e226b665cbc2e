"""Regular expressions as tables of a finite automaton over bytes.

Taken is what means the same in ECMA-262 (what JSON Schema wants, with the u flag) and in POSIX
extended syntax, so that every client's library reads it alike: literal ASCII, \\ before a syntax
character, [classes] without backslashes, [^classes], groups, |, ^, $ and the quantifiers * + ? {n}
{n,} {n,m}. Refused: '.', \\d and its like, lookaround, back references, lazy quantifiers, bytes
beyond ASCII. A class excludes by character: [^ ] takes "é" as one.
"""

from collections import namedtuple

LENGTH_MAX = 1024
REPEAT_MAX = 1000
STATES_MAX = 256  # a state is a byte in the tables

# next has a row a state and a column a class; classes gives each byte's. State 0 is the first.
Automaton = namedtuple("Automaton", "source classes class_count next accepts")

LEADS = ("set", frozenset(range(0xC2, 0xF5)))
TRAILS = ("set", frozenset(range(0x80, 0xC0)))
WIDE = ("sequence", [LEADS, ("repeat", TRAILS, 1, None)])  # one character beyond ASCII


class Parser:
    def __init__(self, source):
        self.source = source
        self.at = 0

    def peek(self):
        return self.source[self.at : self.at + 1]

    def take(self):
        self.at += 1
        return self.source[self.at - 1]

    def parse(self):
        tree = self.alternatives()
        if self.peek():
            raise ValueError("a ) without its (")
        return tree

    def alternatives(self):
        forms = [self.sequence()]
        while self.peek() == "|":
            self.take()
            forms.append(self.sequence())
        return ("either", forms)

    def sequence(self):
        parts = []
        while self.peek() and self.peek() not in "|)":
            if self.peek() in "*+?{":
                raise ValueError("a quantifier has nothing to repeat")
            part = self.atom()
            if self.peek() and self.peek() in "*+?{" and part[0] not in ("start", "end"):
                part = ("repeat", part, *self.quantifier())
            parts.append(part)
        return ("sequence", parts)

    def atom(self):
        character = self.take()
        if character == "\\":
            return self.escape()
        if character == "[":
            return self.character_class()
        if character == "(":
            return self.group()
        if character in "^$":
            return ("start",) if character == "^" else ("end",)
        if character == ".":
            raise ValueError("'.' differs between dialects; name the characters")
        if character in "]}":
            raise ValueError("] and } need a \\")
        if not " " <= character <= "~":
            raise ValueError("only visible ASCII")
        return ("set", frozenset([ord(character)]))

    def escape(self):
        if not self.peek() or self.peek() not in "^$\\.*+?()[]{}|/":
            raise ValueError("\\ may only stand before a syntax character")
        return ("set", frozenset([ord(self.take())]))

    def group(self):
        if self.peek() == "?":
            if self.source[self.at : self.at + 2] != "?:":
                raise ValueError("the only (? group is (?:")
            self.at += 2
        tree = self.alternatives()
        if not self.peek():
            raise ValueError("a ( is not closed")
        self.take()
        return tree

    def character_class(self):
        negated = self.peek() == "^"
        start = self.at + negated
        end = self.source.find("]", start)
        if end == start:
            raise ValueError("a class must not begin with ]")
        if end < 0:
            raise ValueError("a class is not closed")
        inside = self.source[start:end]
        self.at = end + 1
        if "\\" in inside:
            raise ValueError("no \\ inside a class")
        if any(not " " <= character <= "~" for character in inside):
            raise ValueError("only visible ASCII inside a class")
        if any(name in inside for name in ("[:", "[.", "[=")):
            raise ValueError("no POSIX names inside a class")
        members = frozenset(_members(inside))
        if not negated:
            return ("set", members)
        return ("either", [("set", frozenset(range(0x80)) - members), WIDE])

    def quantifier(self):
        simple = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        character = self.take()
        if character in simple:
            counts = simple[character]
        else:
            end = self.source.find("}", self.at)
            lowest, comma, highest = self.source[self.at : max(end, 0)].partition(",")
            self.at = end + 1
            if not _is_count(lowest) or not (highest == "" or _is_count(highest)):
                raise ValueError("a {quantifier} must be {n}, {n,} or {n,m}, at most 1000")
            counts = int(lowest), int(highest or lowest) if highest or not comma else None
            if counts[1] is not None and counts[1] < counts[0]:
                raise ValueError("a {quantifier} must be {n}, {n,} or {n,m}, at most 1000")
        return counts


def _is_count(text):
    return text.isascii() and text.isdigit() and int(text) <= REPEAT_MAX


def _members(inside):
    at = 0
    while at < len(inside):
        first = last = ord(inside[at])
        if inside[at + 1 : at + 2] == "-" and at + 2 < len(inside):
            last = ord(inside[at + 2])
            at += 2
        if last < first:
            raise ValueError("a range runs backwards")
        yield from range(first, last + 1)
        at += 1


class Machine:
    """A nondeterministic automaton: steps on bytes, and jumps that may need the start or end."""

    def __init__(self):
        self.steps = []
        self.jumps = []

    def state(self):
        if len(self.steps) > 64 * STATES_MAX:
            raise ValueError("needs too many states")
        self.steps.append([])
        self.jumps.append([])
        return len(self.steps) - 1

    def add(self, tree, start):
        """Adds what the tree matches after a state; returns the state after it."""
        kind, *rest = tree
        if kind == "sequence":
            for part in rest[0]:
                start = self.add(part, start)
            return start
        if kind == "repeat":
            return self.add_repeat(*rest, start)
        end = self.state()
        if kind == "set":
            self.steps[start].append((rest[0], end))
        elif kind == "either":
            for form in rest[0]:
                self.jumps[self.add(form, start)].append((None, end))
        else:
            self.jumps[start].append((kind, end))
        return end

    def add_repeat(self, tree, lowest, highest, start):
        for _ in range(lowest):
            start = self.add(tree, start)
        if highest is None:
            loop = self.state()
            self.jumps[start].append((None, loop))
            self.jumps[self.add(tree, loop)].append((None, loop))
            return loop
        end = self.state()
        for _ in range(highest - lowest):
            self.jumps[start].append((None, end))
            start = self.add(tree, start)
        self.jumps[start].append((None, end))
        return end

    def reach(self, states, *conditions):
        """All states that jumps reach under these conditions."""
        reached, todo = set(states), list(states)
        while todo:
            for condition, target in self.jumps[todo.pop()]:
                if (condition is None or condition in conditions) and target not in reached:
                    reached.add(target)
                    todo.append(target)
        return frozenset(reached)


def _byte_classes(machine):
    sets = {members for steps in machine.steps for members, _ in steps}
    names, classes = {}, []
    for byte in range(256):
        signature = frozenset(members for members in sets if byte in members)
        classes.append(names.setdefault(signature, len(names)))
    return classes, len(names)


def compile_pattern(source):
    """Raises ValueError with the reason if the expression is not supported."""
    if len(source) > LENGTH_MAX:
        raise ValueError("longer than 1024 bytes")
    machine = Machine()
    first = machine.state()
    final = machine.add(Parser(source).parse(), first)
    classes, count = _byte_classes(machine)
    samples = [classes.index(number) for number in range(count)]
    # What was found once stays found.
    found = frozenset([final])

    def settle(states):
        return found if final in states else states

    rows, accepts = [], []
    order = [settle(machine.reach([first], "start"))]
    for states in order:
        at_start = ("start",) if not rows else ()
        accepts.append(final in machine.reach(states, "end", *at_start))
        row = []
        for byte in samples:
            steps = (step for state in states for step in machine.steps[state])
            ahead = {first, *(end for members, end in steps if byte in members)}
            target = found if states == found else settle(machine.reach(ahead))
            # The first state alone knows that it is at the start.
            if target not in order[1:]:
                order.append(target)
            row.append(order.index(target, 1))
        if len(order) > STATES_MAX:
            raise ValueError("needs too many states")
        rows.append(row)
    return Automaton(source, classes, count, rows, accepts)
