"""Debian's Prometheus, with the cluster's configuration, on a free port of this machine."""

import json
import shutil
import subprocess
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path

from testbed import ROOT, Process, free_ports, wait_until

RULES = ROOT / "k8s/monitoring/prometheus/rules.yaml"


class Prometheus:
    def __init__(self, bed):
        self.bed = bed
        self.port = free_ports(1)[0]
        self.directory = Path(tempfile.mkdtemp(prefix="prometheus-", dir="/tmp"))
        self.process = Process("prometheus", self.directory / "log", "KILL")

    def configure(self):
        """As the cluster's, but that a test cannot wait for quarter minutes."""
        targets = [f"{s.name}=127.0.0.1:{s.health_port}" for s in self.bed.services.values()]
        text = subprocess.run(
            [ROOT / "scripts/prometheus-config.sh", str(self.port), *targets],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        assert text.count("interval: 15s") == 2
        path = self.directory / "prometheus.yaml"
        text = text.replace("interval: 15s", "interval: 1s").replace("timeout: 10s", "timeout: 1s")
        path.write_text(text)
        return path

    def __enter__(self):
        self.process.start(
            [
                "prometheus",
                f"--config.file={self.configure()}",
                f"--storage.tsdb.path={self.directory}/data",
                f"--web.listen-address=127.0.0.1:{self.port}",
            ],
            {},
            self.directory,
        )
        try:
            wait_until(self.ready, 60, "Prometheus is ready")
        except BaseException:
            print(self.process.logged())
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.end(15)
        shutil.rmtree(self.directory)

    def ready(self):
        try:
            return bool(self.ask("targets")["activeTargets"])
        except OSError:
            return False

    def ask(self, what, **parameters):
        query = urllib.parse.urlencode(parameters)
        url = f"http://127.0.0.1:{self.port}/api/v1/{what}?{query}"
        with urllib.request.urlopen(url, timeout=30) as response:
            answer = json.load(response)
        assert answer["status"] == "success", answer
        return answer["data"]

    def query(self, expression):
        """{labels as a frozen set: value} of the samples that are numbers."""
        samples = self.ask("query", query=expression)["result"]
        return {
            frozenset(sample["metric"].items()): float(sample["value"][1])
            for sample in samples
            if sample["value"][1] != "NaN"
        }
