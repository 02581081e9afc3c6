"""monitord as a process for system tests, with its files in the site's folder."""
import json
import os
import pathlib
import subprocess

from pigenny import BIN, libconfig, merged, wait_until

DEFAULTS = {
    "log_level": "debug", "poll_interval_s": 1,
    "inverter": {"gap_ms": 200, "timeout_ms": 4000},
    "generator": {"host": "127.0.0.1", "port": 1, "status_interval_s": 1},
    "autostart": {"debounce_readings": 2, "debounce_s": 0, "min_run_s": 0,
                  "min_between_s": 0},
    "csv": {"interval_s": 1},
}


class Monitor:
    """Its folder below `folder` is named `name`; two of one name share lock and socket."""

    def __init__(self, folder, config=None, name="monitor", args=()):
        self.folder = os.path.join(folder, name)
        os.makedirs(self.folder, exist_ok=True)
        self.csv_dir = os.path.join(self.folder, "csv")
        self.values = merged(merged(DEFAULTS, {
            "runtime_dir": self.folder, "manual_dir": self.folder,
            "inverter": {"device": os.path.join(folder, "inverter")},
            "csv": {"dir": self.csv_dir}}), config or {})
        self.config_path = os.path.join(self.folder, "monitor.conf")
        self.log_path = os.path.join(self.folder, "monitord.log")
        self.configure({})
        with open(self.log_path, "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [os.path.join(BIN, "monitord"), "--config", self.config_path, *args],
                stderr=log, stdin=subprocess.DEVNULL)

    def configure(self, over):
        self.values = merged(self.values, over)
        with open(self.config_path, "w", encoding="utf-8") as f:
            f.write(libconfig(self.values))

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def wait_log(self, text, limit=20, times=1):
        wait_until(lambda: self.log().count(text) >= times, limit, repr(text), self.log)

    def show(self, word):
        """What --status prints with this word, or None while it does not answer."""
        done = subprocess.run(
            [os.path.join(BIN, "monitord"), "--config", self.config_path, "--status", word],
            capture_output=True, text=True, timeout=10, check=False)
        return done.stdout if done.returncode == 0 else None

    def status(self):
        text = self.show("json")
        return json.loads(text) if text else None

    def wait_status(self, predicate, limit, what):
        def there():
            status = self.status()
            return status if status and predicate(status) else None
        return wait_until(there, limit, what, lambda: f"{self.status()}\n{self.log()[-3000:]}")

    def csv(self):
        """{name: bytes} of its CSV files."""
        return {path.name: path.read_bytes()
                for path in sorted(pathlib.Path(self.csv_dir).glob("*.csv"))}

    def rows(self):
        """The rows of all its CSV files, as dicts, with the header's names."""
        out = []
        for text in self.csv().values():
            lines = text.decode("ascii").split("\r\n")[:-1]
            out += [dict(zip(lines[0].split(","), line.split(","))) for line in lines[1:]]
        return out

    def stop(self, limit=10):
        """SIGTERM; its exit status."""
        self.process.terminate()
        return self.process.wait(limit)

    def close(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
