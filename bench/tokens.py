"""What verifying a token costs, from the cache or not, and what a forged one does; and what is left of
that in a whole request."""

import load
from guarded import Guarded
from report import at_most, prose, table
from stack import BUILT

HIT_MOST = 2  # µs
FORGED_MOST = 100  # µs
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")


class Tokens:
    def __init__(self, stack, scale, say):
        say("what tokens cost")
        self.guarded = Guarded(stack, scale, say)
        self.us = load.run([BUILT / "tokens"])

    def failures(self):
        return self.guarded.failures()

    def floors(self):
        forged = max(self.us[f"{name} forged"] for name in ALGORITHMS)
        return [
            at_most(f"token from the cache ≤ {HIT_MOST} µs", self.us["cached"], HIT_MOST, " µs"),
            at_most(f"forged token ≤ {FORGED_MOST} µs", forged, FORGED_MOST, " µs"),
            *self.guarded.floors(),
        ]

    def sections(self):
        lines = [
            [name, f"{self.us[name]:.1f}", f"{self.us[f'{name} forged']:.1f}"] for name in ALGORITHMS
        ]
        lines.append(["from the cache", f"{self.us['cached']:.2f}", ""])
        about = prose(
            """
            `bench/tokens.c` verifies one token of a usual provider over and over, in one thread: its
            signature, its claims, and without the cache's help where the first column does not say so. A
            forged token has another signature; it is never cached. RSA keys have 2048 bits."""
        )
        header = ["", "CPU µs", "forged"]
        cost = f"{about}\n\n{table(header, lines)}"
        return [f"## Cost of tokens\n\n{cost}\n\n{self.guarded.section()}"]


measure = Tokens
