"""The same rows on two sides, loaded in turns, and what the second makes of the first."""

from load import failures, measure_interleaved
from report import at_least, table


class Pair:
    """names: of the sides. Each has rows by key; plan: which are measured at which connections."""

    def __init__(self, names, first, second, plan):
        self.names = names
        self.sides = (first, second)
        self.plan = plan

    def measure(self, rounds, seconds, say):
        for connections in dict.fromkeys(self.plan.values()):
            keys = [key for key, planned in self.plan.items() if planned == connections]
            rows = [side[key] for key in keys for side in self.sides]
            say(f"{', '.join(keys)}: {' and '.join(self.names)}")
            measure_interleaved(rows, connections, rounds, seconds, say)

    def failures(self):
        return sum(failures(side.values()) for side in self.sides)

    def _cells(self, key, connections):
        return [side[key].cells[connections] for side in self.sides]

    def ratio(self, key, connections):
        first, second = self._cells(key, connections)
        return second.rate / first.rate

    def floor(self, text, key, connections, lowest):
        title = self.sides[0][key].title
        return at_least(f"{title}: {text}, c={connections}", self.ratio(key, connections), lowest)

    def table(self):
        first, second = self.names
        header = ["", f"a second, {first}", second, "ratio", f"p50 ms, {first}", second]
        header += [f"p99 ms, {first}", second, f"CPU µs, {first}", second, "failed"]
        lines = []
        for key, planned in self.plan.items():
            for connections in planned:
                one, other = self._cells(key, connections)
                lines.append(
                    [
                        f"{self.sides[0][key].title}, c={connections}",
                        f"{one.rate:,.0f}",
                        f"{other.rate:,.0f}",
                        f"{self.ratio(key, connections):.2f}",
                        f"{one.p50_ms:.2f}",
                        f"{other.p50_ms:.2f}",
                        f"{one.p99_ms:.2f}",
                        f"{other.p99_ms:.2f}",
                        f"{one.cpu_us:.0f}",
                        f"{other.cpu_us:.0f}",
                        f"{one.failures + other.failures}",
                    ]
                )
        return table(header, lines)
