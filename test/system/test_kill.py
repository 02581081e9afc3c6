"""Each of genctld's four processes killed and stopped in each phase of a run.

The judge is the simulator's trace of the contacts: while cranking the starter is open within
250 ms, the relays' rules hold before and after, a running engine keeps a deadline, and the
service is whole again by itself. The guard's own death is a service manager's business, as
in its unit: genctld is started again, and only it.

A reaction passes at its limit and the largest stall that the probe saw around it. Where that
was over 100 ms the trial is repeated; more than 5 % of such repeats fail the whole.
"""
import fcntl
import os
import signal
import threading
import unittest

from blows import (CHARGER, IGNITION, REACTION_MS, REPEATS_PCT, SIGNALS, STALL_MS, STARTER,
                   VICTIMS, audit, scaled)
from pigenny import Probe, Site, concurrently, now_ms, opened_ms, pulses, wait_until

WORDS = {"IGNITION": "in_ignition", "CRANK": "while_cranking", "ASSIST": "while_cranking_with_glow",
         "COAST": "while_coasting", "WARMUP": "in_warm_up", "STABILISE": "while_stabilising",
         "LOADED": "on_load", "COOLDOWN": "in_cool_down"}


class Trial:
    """One process struck in one phase; counts how often a stall of the machine spoils it."""
    lock = threading.Lock()
    trials = repeats = 0

    def __init__(self, test, victim, sig, phase):
        self.test, self.victim, self.sig, self.phase = test, victim, sig, phase

    def run(self):
        while True:
            with Trial.lock:
                Trial.trials += 1
            if self.once():
                return
            with Trial.lock:
                Trial.repeats += 1
                self.test.assertLessEqual(Trial.repeats, 64 * REPEATS_PCT // 100,
                                          "this machine stalls too often to judge")

    def once(self):
        late = self.phase in ("CRANK", "ASSIST")
        with Site(supervise=True, sim=["catch 11900" if late else "catch 1000",
                                       "rise 200"]) as site:
            site.reach(self.phase).close()
            pid = site.pid(self.victim)
            struck = now_ms()
            os.kill(pid, self.sig)
            wait_until(lambda: site.whole() and site.pid(self.victim) not in (None, pid), 20,
                       f"whole service after the {self.victim} was struck", site.log)
            stall = probe.stall_ms(struck - REACTION_MS, struck + 2 * REACTION_MS)
            if late and stall > STALL_MS:
                return False
            self.judge(site, struck, stall)
            self.end(site)
        return True

    def judge(self, site, struck, stall):
        trace = site.trace()
        if self.phase in ("CRANK", "ASSIST"):
            opened = opened_ms(trace, STARTER, struck)
            self.test.assertIsNotNone(opened, site.log())
            self.test.assertLessEqual(opened - struck, REACTION_MS + stall, site.log())
        self.test.assertEqual(audit(trace), [], site.log())
        status = site.status()
        if status["running"]:
            self.test.assertGreater(status["run_left_s"], 0, status)

    def end(self, site):
        """What runs still obeys, and comes to rest."""
        site.order("stop")
        site.wait_sim(lambda s: s["contacts"] == 0 and not s["running"], 20, "engine at rest")
        self.test.assertEqual(audit(site.trace()), [], site.log())


def ended(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
            return f.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def setUpModule():
    global probe
    probe = Probe()


def tearDownModule():
    probe.close()


class Struck(unittest.TestCase):
    pass


def _add(victim, word, phase):
    def test(self):
        Trial(self, victim, SIGNALS[word], phase).run()
    setattr(Struck, f"test_{word}_the_{victim}_{WORDS[phase]}_harms_nothing", test)


for _victim in VICTIMS:
    for _word in SIGNALS:
        for _phase in WORDS:
            _add(_victim, _word, _phase)
Struck = concurrently(8)(Struck)


@concurrently(8)
class Alone(unittest.TestCase):
    """No service manager: what the deadman and the guard do by themselves."""

    def test_without_a_new_guard_the_deadman_opens_the_starter(self):
        with Site(sim=["catch 11900"]) as site:
            site.reach("CRANK").close()
            struck = now_ms()
            site.daemon.kill()
            site.wait_sim(lambda s: s["contacts"] == 0, 5, "all relays open")
            stall = probe.stall_ms(struck, now_ms())
            self.assertLessEqual(opened_ms(site.trace(), STARTER, struck) - struck,
                                 REACTION_MS + stall)

    def test_without_a_new_guard_an_attempt_ends_before_its_crank_too(self):
        with Site() as site:
            site.reach("IGNITION").close()
            site.wait_sim(lambda s: s["contacts"] == 0x08, 5, "fuel on")
            site.daemon.kill()
            site.wait_sim(lambda s: s["contacts"] == 0, 2, "fuel off")

    def test_a_new_guard_that_dies_before_it_has_looked_leaves_a_deadman_that_knows(self):
        with Site(sim=["catch 1000", "rise 200"]) as site:
            site.reach("LOADED").close()
            site.wait_sim(lambda s: s["contacts"] == 0x0a, 5, "the charger closed")
            first = site.pid("deadman")
            site.daemon.kill()
            site.daemon.wait()
            site.sim("noise 128")  # so that it looks for as long as it may, 2 s
            steps = len(site.trace())
            site.daemon = site.spawn()
            wait_until(lambda: site.pid("deadman") and ended(first), 2,
                       "deadman in place of the first", site.log)
            struck = now_ms()
            site.daemon.kill()
            site.daemon.wait()
            self.assertEqual(len(site.trace()), steps, "it was killed too late")
            site.sim("noise 0")
            site.wait_sim(lambda s: s["contacts"] == 0, 90, "all relays open")
            cooling = opened_ms(site.trace(), CHARGER, struck)
            self.assertGreaterEqual(cooling - struck, 59000)

    def test_without_a_new_guard_a_frozen_attempt_ends_within_a_second(self):
        with Site() as site:
            site.reach("IGNITION").close()
            site.wait_sim(lambda s: s["contacts"] == 0x08, 5, "fuel on")
            os.kill(site.daemon.pid, signal.SIGSTOP)
            site.wait_sim(lambda s: s["contacts"] == 0, 3, "fuel off")

    def test_a_dead_guards_lock_that_goes_late_is_not_taken_for_a_new_guard(self):
        with Site(sim=["catch 1000", "rise 200"]) as site:
            site.reach("LOADED").close()
            site.wait_sim(lambda s: s["contacts"] == 0x0a, 5, "the charger closed")
            with open(site.config["board"]["socket"] + ".lock", "rb") as lock:
                taker = threading.Thread(target=fcntl.flock, args=(lock, fcntl.LOCK_EX))
                taker.start()   # it gets the lock when the guard's end lets it go
                struck = now_ms()
                site.daemon.kill()
                site.daemon.wait()
                taker.join()
                wait_until(lambda: now_ms() > struck + 800, 1, "end of the lock's stay")
            site.wait_sim(lambda s: s["contacts"] == 0x08, 90, "the charger open")
            site.wait_sim(lambda s: s["contacts"] == 0, 10, "all relays open")

    def test_without_a_new_guard_the_deadman_cools_down_and_stops(self):
        with Site(sim=["catch 1000", "rise 200"]) as site:
            site.reach("LOADED").close()
            site.wait_sim(lambda s: s["contacts"] == 0x0a, 5, "the charger closed")
            struck = now_ms()
            site.daemon.kill()
            site.wait_sim(lambda s: s["contacts"] == 0, 90, "all relays open")
            trace = site.trace()
            cooling = opened_ms(trace, CHARGER, struck)
            self.assertGreaterEqual(cooling - struck, 59000)
            self.assertGreaterEqual(opened_ms(trace, IGNITION, struck) - cooling,
                                    scaled("sequence", "cooldown_ms") - 10)
            self.assertEqual(audit(trace), [])

    def test_a_control_that_dies_again_and_again_ends_in_a_cool_down(self):
        with Site(sim=["catch 1000", "rise 200"]) as site:
            site.reach("LOADED").close()
            for _ in range(5):
                pid = wait_until(lambda: site.helpers().get("control"), 10, "a control")
                os.kill(pid, signal.SIGKILL)
                wait_until(lambda: site.helpers().get("control") not in (None, pid), 15,
                           "another control", site.log)
            site.wait_sim(lambda s: s["contacts"] == 0 and not s["running"], 30,
                          "engine at rest")
            self.assertEqual(audit(site.trace()), [])
            wait_until(site.whole, 15, "whole service", site.log)

    def test_an_adopted_engine_goes_back_on_load_and_obeys_stop(self):
        with Site(supervise=True, sim=["catch 1000", "rise 200"]) as site:
            site.reach("LOADED").close()
            site.main.kill()
            wait_until(lambda: site.service.starts == 2 and site.whole(), 10, "a new guard",
                       site.log)
            opened = [r for r in site.trace() if not r.contacts & IGNITION]
            self.assertEqual(len([r for r in opened if r.t_ms > pulses(site.trace(),
                                                                       IGNITION)[0][0]]), 0)
            site.wait_phase("STABILISE", "LOADED")
            site.order("stop")
            site.wait_phase("OFF", limit=30)

    def restarted_on_load(self, word):
        """The guard dies on load and the next control hears this word at once."""
        site = Site(supervise=True, sim=["catch 1000", "rise 200"])
        site.reach("LOADED").close()
        site.wait_sim(lambda s: s["contacts"] == 0x0a, 5, "the charger closed")
        site.main.kill()
        wait_until(lambda: site.service.starts == 2 and site.answers(), 10, "a new guard",
                   site.log)
        self.struck = now_ms()
        site.order(word)
        return site

    def test_a_stop_given_while_a_new_guard_still_audits_is_obeyed_with_its_cool_down(self):
        with self.restarted_on_load("stop") as site:
            site.wait_sim(lambda s: s["contacts"] == 0 and not s["running"], 20,
                          "engine at rest")
            trace = site.trace()
            cooling = opened_ms(trace, CHARGER, self.struck)
            self.assertGreaterEqual(opened_ms(trace, IGNITION, self.struck) - cooling,
                                    scaled("sequence", "cooldown_ms") - 10)

    def test_an_emergency_stop_given_while_a_new_guard_still_audits_opens_all_at_once(self):
        with self.restarted_on_load("estop") as site:
            site.wait_sim(lambda s: s["contacts"] == 0, 1, "all relays open")
            self.assertIn("EMERGENCY_STOP", [a["code"] for a in site.status()["alarms"]])


if __name__ == "__main__":
    unittest.main()
