"""How late this machine is, for claims about time."""

import threading
import time


class Metronome:
    """Measures how much longer than requested a busy machine suspends a thread. Claims about time get
    three times that as slack: for the client, the worker, and whatever is between them."""

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
