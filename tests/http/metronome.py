"""How late this machine is, for what is claimed to happen in time."""

import threading
import time


class Metronome:
    """Measures how much later than asked for a busy machine lets a thread go on. What is claimed to
    happen in time gets three times that on top: for the client, the worker, and who is between."""

    TICK = 0.05

    def __init__(self):
        self.longest = 0.0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        start = time.monotonic()
        while not self.ended.wait(self.TICK):
            now = time.monotonic()
            self.longest = max(self.longest, now - start - self.TICK)
            start = now

    @property
    def slack(self):
        return 3 * self.longest

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
