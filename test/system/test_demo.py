"""What `make run` shows: one cycle within about two minutes, and nothing left behind."""
import os
import re
import signal
import subprocess
import tempfile
import unittest

from pigenny import BIN, TOP, wait_until


def processes(folder):
    """{pid: command line} of those whose command line names a file below the folder."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                command = f.read()
        except OSError:
            continue
        if os.fsencode(folder) in command:
            found[pid] = command
    return found


class Demo(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pigenny-demo-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def demo(self, **env):
        return subprocess.Popen(
            [os.path.join(TOP, "scripts", "demo"), BIN], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True,
            env={**os.environ, "TMPDIR": self.folder, **env})

    def test_shows_one_whole_cycle_says_it_is_simulated_and_ends(self):
        demo = self.demo(DEMO_CYCLES="1")
        out, _ = demo.communicate(timeout=150)
        self.assertEqual(demo.returncode, 0, out)
        self.assertTrue(all(line.startswith("SIMULATED") for line in out.splitlines()[2:]), out)
        shown = [m.group(1) for m in re.finditer(r"\| ([A-Z]+) relays", out)]
        order = [p for i, p in enumerate(shown) if i == 0 or shown[i - 1] != p]
        for phase in "CRANK", "WARMUP", "LOADED", "COOLDOWN", "OFF":
            self.assertIn(phase, order)
            del order[:order.index(phase)]
        self.assertEqual(processes(self.folder), {})
        self.assertEqual(os.listdir(self.folder), [])

    def test_interrupt_ends_every_process_it_started(self):
        demo = self.demo()
        wait_until(lambda: any(b"monitord" in command
                               for command in processes(self.folder).values()), 30, "the pair")
        os.killpg(demo.pid, signal.SIGINT)
        demo.communicate(timeout=30)
        self.assertEqual(demo.returncode, 130)
        self.assertEqual(processes(self.folder), {})
        self.assertEqual(os.listdir(self.folder), [])


if __name__ == "__main__":
    unittest.main()
