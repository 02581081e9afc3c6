"""An upgrade or a reload hands the running engine over: no relay moves, nobody notices."""
import os
import signal
import unittest

import pigenny
from pigenny import Site, wait_until


def newest_main(site):
    """The guard that serves now: the old one's heir is no child of the test."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", encoding="ascii", errors="replace") as f:
                words = f.read().split("\0")
            with open(f"/proc/{pid}/comm", encoding="ascii") as f:
                name = f.read().strip()
        except OSError:
            continue
        if name == "genctld" and any(site.folder in w for w in words):
            if int(pid) != site.daemon.pid:
                return int(pid)
    return None


class Handover(unittest.TestCase):
    def handed_over(self, phase, by):
        with Site() as site:
            site.reach(phase)
            steps = len(pigenny.relay_steps(site.trace()))
            old = site.daemon
            os.kill(old.pid, by)
            heir = wait_until(lambda: old.poll() is not None and newest_main(site), 10,
                              "a new guard", site.log)
            site.wait_phase(phase, limit=10)
            self.assertEqual(len(pigenny.relay_steps(site.trace())), steps, site.log())
            if phase == "LOADED":
                site.order("stop")
            site.wait_phase("OFF", limit=30)
            os.kill(heir, signal.SIGTERM)
            wait_until(lambda: not os.path.exists(f"/proc/{heir}"), 10, "end of the new guard")

    def test_on_load_no_relay_moves(self):
        self.handed_over("LOADED", signal.SIGUSR2)

    def test_reload_in_cool_down_no_relay_moves_and_the_stop_goes_on(self):
        self.handed_over("COOLDOWN", signal.SIGHUP)

    def test_bad_configuration_leaves_the_old_one_at_work(self):
        with Site() as site:
            site.reach("LOADED")
            steps = len(pigenny.relay_steps(site.trace()))
            site.write_config("genctl.conf", "board = { kind = \"sim\"; };\ncrank = 99;\n")
            os.kill(site.daemon.pid, signal.SIGHUP)
            wait_until(lambda: "crank" in site.log(), 10, "the fault in the log", site.log)
            wait_until(site.answers, 10, "an answer", site.log)
            self.assertIsNone(site.daemon.poll())
            self.assertEqual(site.status()["phase"], "LOADED")
            self.assertEqual(len(pigenny.relay_steps(site.trace())), steps)


if __name__ == "__main__":
    unittest.main()
