"""Whole starts and stops of the real genctld on the simulated board, judged by its trace.

Times are the configuration's, divided by time_scale. A step may come late by what the two
processes and the machine need (LATE_MS, and the largest stall of the trial on top), never
early by more than the trace's resolution.
"""
import signal
import unittest

from pigenny import (SCALE, TIMES, Probe, Site, concurrently, now_ms, opened_ms, pulses,
                     relay_steps, wait_until)

LATE_MS = 60
EARLY_MS = 3
STARTER, CHARGER, GLOW, IGNITION = 1, 2, 4, 8
# The seed's times; only ignition is longer, because its three samples are never scaled.
SEED = {"sequence": {"reset_ms": 1000, "ignition_ms": 2500, "crank_ms": 10000,
                     "glow_assist_ms": 2000, "coast_ms": 4000, "warmup_ms": 60000,
                     "stabilise_ms": 20000, "cooldown_ms": 180000}}
EARLY = ["catch 1000", "rise 200"]
LATE = ["catch 11900", "rise 1000"]   # fires in the last 100 ms of cranking


def setUpModule():
    global probe
    probe = Probe()


def tearDownModule():
    probe.close()


def ms(name):
    return TIMES["sequence"][name] / SCALE


@concurrently(8)
class Cycle(unittest.TestCase):
    def assert_steps(self, trace, expected, from_ms, to_ms):
        """Each change of the acknowledged byte: (byte, ms after the one before or None)."""
        steps = relay_steps(trace, from_ms)
        self.assertEqual([f"{byte:02x}" for _, byte in steps],
                         [f"{byte:02x}" for byte, _ in expected], steps)
        stall = probe.stall_ms(from_ms, to_ms)
        for (before, _), (at, byte), (_, after) in zip(steps, steps[1:], expected[1:]):
            if after is None:
                continue
            self.assertGreaterEqual(at - before, after - EARLY_MS, (hex(byte), steps))
            self.assertLessEqual(at - before, after + LATE_MS + stall, (hex(byte), steps))

    def within(self, taken_ms, limit_ms, from_ms, what):
        stall = probe.stall_ms(from_ms, from_ms + limit_ms)
        self.assertIsNotNone(taken_ms, what)
        self.assertLessEqual(taken_ms, limit_ms + stall, what)

    def test_an_engine_that_catches_late_gives_the_timing_table(self):
        with Site(config=SEED, sim=LATE) as site:
            client = site.reach("RESET")
            reset = site.status()
            site.wait_phase("LOADED", limit=40)
            client.close()
            t = {k: v / SCALE for k, v in SEED["sequence"].items()}
            self.assertEqual(reset["relays"], 0)
            site.order("stop")
            site.wait_phase("OFF", limit=60)
            # t = 0 is the second write of 0x00: the first is the one of genctld's own start.
            zero = [row.t_ms for row in site.trace() if row.acked == 0][1]
            self.assert_steps([row for row in site.trace() if row.t_ms >= zero], [
                (0x00, 0), (0x08, t["reset_ms"]), (0x09, t["ignition_ms"]),
                (0x0d, t["crank_ms"]), (0x08, t["glow_assist_ms"]),
                (0x0a, t["coast_ms"] + t["warmup_ms"] + t["stabilise_ms"]),
                (0x08, None), (0x00, t["cooldown_ms"])], zero, now_ms())

    def test_reset_lasts_its_time_between_the_end_of_wait_and_ignition(self):
        with Site(sim=EARLY) as site:
            client = site.client()
            client.ask("subscribe")
            client.ask("start")
            at = {}
            while "IGNITION" not in at:
                event = client.next_event()
                if event["kind"] == "phase":
                    at[event["phase"]] = event["mono_ms"]
            taken = at["IGNITION"] - at["RESET"]
            self.assertGreaterEqual(taken, ms("reset_ms") - EARLY_MS)
            self.within(taken, ms("reset_ms") + LATE_MS, at["RESET"], "reset")

    def test_an_engine_that_catches_early_drops_the_starter_at_once(self):
        with Site(sim=EARLY) as site:
            site.reach("WARMUP").close()
            trace = site.trace()
            caught = next(row.t_ms for row in trace if (row.inputs or 0) & 1)
            self.within(opened_ms(trace, STARTER, caught) - caught, 100, caught,
                        "starter open after the engine caught")
            self.assertEqual(len(pulses(trace, STARTER)), 1)
            self.assertEqual(pulses(trace, GLOW), [])

    def test_three_failed_attempts_lock_out_until_an_operator_clears(self):
        with Site(sim=["stuck on"]) as site:
            began = now_ms()
            done = site.gencli("start", "--wait", "--format", "human")
            self.assertEqual(done.returncode, 1, done)
            self.assertIn("FAIL_TO_START", done.stderr)
            status = site.wait_phase("LOCKOUT")
            trace = site.trace()
            cranks = pulses(trace, STARTER)
            self.assertEqual(len(cranks), 3)
            for (_, opened), (closed, _) in zip(cranks, cranks[1:]):
                self.assertGreaterEqual(closed - opened,
                                        TIMES["limits"]["crank_rest_ms"] / SCALE - 10)
            for closed, opened in cranks:
                self.within(opened - closed, ms("crank_ms") + ms("glow_assist_ms") + LATE_MS,
                            began, "one crank")
            self.assertEqual(trace[-1].contacts, 0)
            self.assertGreater(status["lockout_left_s"], 0)
            refused = site.gencli("start", "--format", "human")
            self.assertEqual(refused.returncode, 1, refused)
            self.assertTrue(refused.stderr.startswith("REFUSED: "), refused)
            cleared = site.gencli("clear")
            self.assertEqual(cleared.returncode, 0, cleared)
            self.assertEqual(site.wait_phase("OFF")["mode"], "MODE_OFF")

    def test_stop_while_idle_changes_no_relay(self):
        with Site() as site:
            site.wait_phase("OFF")
            before = len(site.trace())
            self.assertEqual(site.gencli("stop").returncode, 0)
            self.assertEqual(site.wait_phase("OFF")["mode"], "OPERATOR_STOP")
            site.order("ping")
            self.assertEqual(len(site.trace()), before)

    @staticmethod
    def opened(site, bit, since_ms):
        """How long after since_ms this contact opened, as soon as the trace shows it."""
        opened = wait_until(lambda: opened_ms(site.trace(), bit, since_ms), 5,
                            f"open contact {bit}", site.log)
        return opened - since_ms

    def stop_in(self, phase, sim):
        with Site(sim=sim) as site:
            site.reach(phase).close()
            asked = now_ms()
            site.order("stop")
            answered = now_ms()
            if phase in ("WAIT", "RESET", "IGNITION", "CRANK", "ASSIST"):
                self.within(self.opened(site, 15, asked), 150 + answered - asked, asked,
                            "all relays open")
                site.wait_phase("OFF")
                self.assertEqual(site.trace()[-1].contacts, 0)
                return
            site.wait_phase("COOLDOWN")
            self.within(self.opened(site, STARTER | CHARGER, asked), 150 + answered - asked,
                        asked, "charger open")
            site.wait_phase("OFF")
            rows = [r for r in site.trace() if r.t_ms > answered + 150]
            self.assertEqual({r.contacts for r in rows}, {0x08, 0x00})
            closed = next(r.t_ms for r in rows if r.contacts == 0)
            self.assertGreaterEqual(closed - answered, ms("cooldown_ms") - 200)

    def test_stop_in_wait_begins_nothing(self):
        self.stop_in("WAIT", EARLY)

    def test_stop_in_reset_begins_nothing(self):
        self.stop_in("RESET", EARLY)

    def test_stop_in_ignition_opens_every_relay_at_once(self):
        self.stop_in("IGNITION", EARLY)

    def test_stop_while_cranking_opens_every_relay_at_once(self):
        self.stop_in("CRANK", LATE)

    def test_stop_while_cranking_with_glow_opens_every_relay_at_once(self):
        self.stop_in("ASSIST", LATE)

    def test_stop_while_coasting_cools_down(self):
        self.stop_in("COAST", EARLY)

    def test_stop_in_warm_up_cools_down(self):
        self.stop_in("WARMUP", EARLY)

    def test_stop_while_stabilising_cools_down(self):
        self.stop_in("STABILISE", EARLY)

    def test_stop_on_load_cools_down(self):
        self.stop_in("LOADED", EARLY)

    def test_a_new_request_in_cool_down_goes_back_on_load_through_stabilise(self):
        with Site(sim=EARLY) as site:
            client = site.reach("COOLDOWN")
            asked = now_ms()
            client.ask("start")
            Site._await_event(client, "STABILISE", 10)
            Site._await_event(client, "LOADED", 40)
            rows = [r for r in site.trace() if r.t_ms >= asked]
            self.assertEqual({r.contacts for r in rows} - {0x0a}, {0x08})
            closed = wait_until(lambda: [t for t, _ in pulses(site.trace(), CHARGER)
                                         if t > asked], 5, "the charger closed")
            self.assertGreaterEqual(closed[0] - asked, ms("stabilise_ms") - EARLY_MS)

    def terminate_in(self, phase, sim):
        with Site(sim=sim) as site:
            site.reach(phase).close()
            asked = now_ms()
            site.daemon.send_signal(signal.SIGTERM)
            self.assertEqual(site.daemon.wait(30), 0)
            trace = site.trace()
            self.assertEqual(trace[-1].contacts, 0)
            if phase in ("IGNITION", "CRANK", "ASSIST"):
                self.within(opened_ms(trace, STARTER, asked) - asked, 150, asked,
                            "starter open")
                return
            self.within(opened_ms(trace, CHARGER, asked) - asked, 250, asked, "charger open")
            self.assertGreaterEqual(opened_ms(trace, IGNITION, asked) - asked,
                                    ms("cooldown_ms") * (phase != "COOLDOWN") - EARLY_MS)

    def test_sigterm_while_idle_ends_at_once(self):
        with Site() as site:
            site.daemon.send_signal(signal.SIGTERM)
            self.assertEqual(site.daemon.wait(8), 0)
            self.assertEqual(site.trace()[-1].contacts, 0)

    def test_sigterm_in_ignition_opens_every_relay(self):
        self.terminate_in("IGNITION", EARLY)

    def test_sigterm_while_cranking_opens_the_starter_at_once(self):
        self.terminate_in("CRANK", LATE)

    def test_sigterm_while_cranking_with_glow_opens_the_starter_at_once(self):
        self.terminate_in("ASSIST", LATE)

    def test_sigterm_in_warm_up_finishes_the_cool_down(self):
        self.terminate_in("WARMUP", EARLY)

    def test_sigterm_on_load_finishes_the_cool_down(self):
        self.terminate_in("LOADED", EARLY)

    def test_sigterm_in_cool_down_finishes_it(self):
        self.terminate_in("COOLDOWN", EARLY)

    def test_an_engine_that_others_run_is_told_and_left_alone(self):
        with Site(sim=["latency 3"]) as site:   # as a read over I2C takes
            site.sim("external on")
            wait_until(lambda: "EXTERNAL_RUN" in [a["code"] for a in site.status()["alarms"]],
                       10, "EXTERNAL_RUN", site.log)
            self.assertEqual(site.gencli("start").returncode, 1)
            self.assertEqual({row.contacts for row in site.trace()}, {0})

    def test_an_engine_that_dies_in_warm_up_never_gets_the_charger(self):
        with Site(sim=EARLY + ["run-on 100"]) as site:
            site.reach("WARMUP").close()
            site.sim("fuel-out on")
            site.wait_sim(lambda s: s["contacts"] == 0, 10, "all relays open")
            self.assertEqual(pulses(site.trace(), CHARGER), [])
            codes = [a["code"] for a in site.wait_phase("OFF", "LOCKOUT", "REST_PHASE",
                                                        "WAIT")["alarms"]]
            self.assertIn("UNEXPECTED_STOP", codes)

    def test_an_engine_that_dies_on_load_loses_the_charger_first(self):
        with Site(sim=EARLY + ["run-on 100"]) as site:
            site.reach("LOADED").close()
            site.wait_sim(lambda s: s["contacts"] == 0x0a, 5, "the charger closed")
            died = now_ms()
            site.sim("fuel-out on")
            site.wait_sim(lambda s: s["contacts"] == 0, 10, "all relays open")
            trace = site.trace()
            low = next(r.t_ms for r in trace if r.t_ms >= died and r.inputs == 2)
            self.within(opened_ms(trace, CHARGER, low) - low, 250, low, "charger open")
            self.assertGreater(opened_ms(trace, IGNITION, low), opened_ms(trace, CHARGER, low))

    def test_gencli_waits_through_a_whole_run(self):
        with Site(sim=EARLY) as site:
            started = site.gencli("start", "--wait", "--format", "human")
            self.assertEqual(started.returncode, 0, started)
            self.assertTrue(started.stdout.endswith("OK: on load\n"), started)
            for phase in "reset", "ignition", "crank", "coast", "warm-up", "stabilise":
                self.assertRegex(started.stdout, rf"(?m)^{phase}\b")
            self.assertEqual(site.status()["phase"], "LOADED")
            stopped = site.gencli("stop", "--wait", "--format", "human")
            self.assertEqual(stopped.returncode, 0, stopped)
            self.assertTrue(stopped.stdout.endswith("OK: off\n"), stopped)
            self.assertEqual(site.trace()[-1].contacts, 0)

    def test_diagnose_passes_a_good_site_and_names_a_loose_wire(self):
        with Site(sim=EARLY, config={"ign_feedback": "present"}) as site:
            good = site.gencli("diagnose", "--for", "1s", "--format", "human")
            self.assertEqual(good.returncode, 0, good)
            self.assertIn("Every phase read as it must.", good.stdout)
            site.wait_phase("OFF")
            site.order("auto")
            site.sim("in 4 0")   # the starter's sense wire
            loose = site.gencli("diagnose", "--for", "1s", "--format", "human")
            self.assertEqual(loose.returncode, 1, loose)
            self.assertRegex(loose.stdout, r"crank +10 or 11 .*FAIL")


if __name__ == "__main__":
    unittest.main()
