"""Each alarm of the engine node that can be brought about in minutes: its class, whether it
latches, whether it came first, in status, events and text; and when a clear is refused.

What doc/failures.md says of class and latch is the judge.
"""
import os
import re
import signal
import subprocess
import unittest

from contract import TOP
from monitor import Monitor
from pigenny import Site, concurrently, libconfig, wait_until

RUNS = ["catch 1000", "rise 200"]
SHIM = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec *t)
{
	int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
	int rc = real(id, t);

	if (id == CLOCK_REALTIME)
		t->tv_sec = 5;
	return rc;
}
"""


def documented():
    """{code: (class, latches)} of the page's table."""
    with open(os.path.join(TOP, "doc", "failures.md"), encoding="utf-8") as f:
        page = f.read().partition("## Alarms of the engine node")[2].partition("\n## ")[0]
    return {code: (words[0], "latched" in words) for code, words in
            ((code, words.split(", ")) for code, words in
             re.findall(r"^\| `(\w+)` \| ([\w, ]+) \|", page, re.MULTILINE))}


DOCUMENTED = documented()


def standing(site, code):
    return next((a for a in site.status()["alarms"] if a["code"] == code), None)


def on_load(site):
    """Polled: a start that a stalling machine spoils is tried again."""
    site.order("start")
    site.wait_phase("LOADED", limit=60)


def whole_log(site):
    with open(site.log_path, encoding="utf-8", errors="replace") as f:
        return f.read()


@concurrently(4)
class Alarms(unittest.TestCase):
    def raised(self, site, code, limit=20):
        """Waits for it and compares it with the page; then with the event and the text. It
        came first unless another shutdown or trip was told before, as on a machine that stalls."""
        alarm = wait_until(lambda: standing(site, code), limit, code, site.log)
        kind, latches = DOCUMENTED[code]
        self.assertEqual((alarm["alarm_class"].lower(), alarm["latched"]), (kind, latches))
        before = [e["code"] for e in self.events(site) if e["kind"] == "alarm"
                  and e["alarm_class"] in ("TRIP", "SHUTDOWN")]
        self.assertEqual(alarm["first"], before[:1] == [code], before)
        with_it = ", first" if alarm["first"] else ""
        word = "LATCHED" if latches else "ALARM"
        self.assertRegex(site.gencli("why", "--format", "human").stdout,
                         rf"{word} {code} \({kind}{with_it}[,)]")
        told = wait_until(lambda: [e for e in self.events(site) if e["code"] == code
                                   and e["kind"] == "alarm"], 5, "its event")
        self.assertEqual((told[-1]["alarm_class"], told[-1]["first"]),
                         (alarm["alarm_class"], alarm["first"]))
        self.assertRegex(site.gencli("events", "--format", "human").stdout,
                         rf"{code} \({kind}{with_it}\): ")
        return alarm

    @staticmethod
    def events(site):
        return site.client().ask("events")["event"]

    def over(self, site, code, limit=10):
        wait_until(lambda: not standing(site, code), limit, f"end of {code}", site.log)
        told = [e for e in self.events(site) if e["code"] == code][-1]
        self.assertEqual((told["kind"], told["alarm_class"].lower()),
                         ("cleared", DOCUMENTED[code][0]))

    def clear_is_refused(self, site, code):
        done = site.gencli("clear")
        self.assertEqual(done.returncode, 1, done)
        self.assertRegex(done.stderr, rf"^REFUSED: {code}: ")
        self.assertTrue(standing(site, code)["latched"])

    def clears(self, site, code):
        site.order("clear")
        self.over(site, code)
        self.assertEqual(site.status()["mode"], "MODE_OFF")

    def test_a_start_that_fails_latches_and_clears(self):
        with Site(config={"sequence": {"attempts": 1}}, sim=["fuel-out on"]) as site:
            site.order("start")
            self.raised(site, "FAIL_TO_START")
            self.assertEqual(site.gencli("start").returncode, 1)
            self.clears(site, "FAIL_TO_START")

    def test_an_engine_that_dies(self):
        with Site(sim=RUNS) as site:
            on_load(site)
            site.sim("fuel-out on")
            self.raised(site, "UNEXPECTED_STOP")

    def test_an_engine_that_does_not_stop_forbids_a_clear_until_it_does(self):
        with Site(sim=RUNS + ["run-on 600000"]) as site:
            site.order("start")
            site.wait_phase("WARMUP", "STABILISE", "LOADED", limit=40)
            site.order("stop")
            self.raised(site, "FAIL_TO_STOP", 30)
            self.clear_is_refused(site, "FAIL_TO_STOP")
            site.sim("run-on 0")
            site.sim("in 1 0")
            wait_until(lambda: site.gencli("inputs", "--format", "human").stdout.startswith(
                "IN1=0"), 5, "rest")
            self.clears(site, "FAIL_TO_STOP")

    def test_a_welded_starter_forbids_a_clear_while_its_input_is_high(self):
        with Site(sim=RUNS + ["weld on"]) as site:
            site.order("start")
            self.raised(site, "STARTER_STUCK", 30)
            site.sim("in 4 1")
            self.clear_is_refused(site, "STARTER_STUCK")
            site.sim("weld off")
            site.sim("in 4 0")
            wait_until(lambda: "IN4=0" in site.gencli("inputs", "--format", "human").stdout, 5,
                       "the starter's input low")
            self.clears(site, "STARTER_STUCK")

    def test_a_starter_without_feedback(self):
        with Site(sim=["fuel-out on", "in 4 0"]) as site:
            site.order("start")
            self.raised(site, "STARTER_NO_FEEDBACK")
            self.clears(site, "STARTER_NO_FEEDBACK")

    def test_an_ignition_that_is_not_seen(self):
        with Site(sim=RUNS + ["in 2 0"]) as site:
            site.order("start")
            self.raised(site, "IGN_FEEDBACK")
            self.clears(site, "IGN_FEEDBACK")

    def test_an_emergency_button_forbids_a_clear_while_it_is_pressed(self):
        with Site(config={"board": {"in3": "estop_nc"}}, sim=RUNS + ["in 3 1"]) as site:
            site.sim("in 3 0")
            self.raised(site, "EMERGENCY_STOP")
            self.clear_is_refused(site, "EMERGENCY_STOP")
            site.sim("in 3 1")
            wait_until(lambda: "IN3=1" in site.gencli("inputs", "--format", "human").stdout, 5,
                       "the button released")
            self.clears(site, "EMERGENCY_STOP")

    def test_an_unknown_output_forbids_a_clear_until_the_board_answers(self):
        with Site(sim=RUNS) as site:
            on_load(site)
            site.sim("nak-for on")
            site.order("stop")
            self.raised(site, "OUTPUT_UNKNOWN")
            self.clear_is_refused(site, "OUTPUT_UNKNOWN")
            site.sim("nak-for off")
            site.wait_sim(lambda s: s["contacts"] == 0 and not s["running"], 10, "rest")
            wait_until(lambda: site.status()["relays_known"], 5, "relays known")
            self.clears(site, "OUTPUT_UNKNOWN")

    def test_the_first_of_several_is_told_from_what_followed(self):
        with Site(sim=RUNS) as site:
            wait_until(lambda: site.status()["relays_known"], 5, "a first byte")
            site.sim("nak-for on")
            self.raised(site, "MODIO_LOST")
            site.order("estop")
            self.raised(site, "EMERGENCY_STOP")
            self.assertEqual([a["code"] for a in site.status()["alarms"] if a["first"]],
                             ["MODIO_LOST"])
            site.sim("nak-for off")
            self.over(site, "MODIO_LOST")

    def test_a_bus_that_does_not_answer(self):
        with Site() as site:
            site.sim("nak-for on")
            self.raised(site, "MODIO_LOST")
            site.sim("nak-for off")
            self.over(site, "MODIO_LOST")

    def test_a_board_that_resets_while_cranking(self):
        with Site(sim=["fuel-out on"]) as site:
            site.reach("CRANK").close()
            site.wait_sim(lambda s: s["contacts"] & 1, 5, "the starter closed")
            wait_until(lambda: "IN4=1" in site.gencli("inputs", "--format", "human").stdout, 5,
                       "the starter's input high")
            site.sim("reset")
            self.raised(site, "MODIO_RESET")

    def test_inputs_that_contradict_each_other(self):
        with Site() as site:
            site.sim("in 2 1")
            self.raised(site, "INPUT_IMPLAUSIBLE")
            site.sim("in 2 auto")
            self.over(site, "INPUT_IMPLAUSIBLE")

    def test_a_run_without_an_end(self):
        with Site(config={"limits": {"max_run_ms": 60000}}, sim=RUNS) as site:
            on_load(site)
            self.raised(site, "MAX_RUN", 30)

    def test_a_monitor_that_falls_silent_and_is_back(self):
        with Site(sim=RUNS) as site:
            def acquired():
                monitor = site.client(role="MONITOR")
                return monitor, monitor.ask("acquire")
            monitor, lease = acquired()
            monitor.ask("desired", run=True, for_s=600, reason="test", stamp={
                "boot_id": monitor.node["boot_id"], "epoch": lease["epoch"], "seq": 1})
            site.wait_phase("WARMUP", "STABILISE", "LOADED")
            self.assertIsNone(standing(site, "LEASE_LOST"))
            monitor.close()
            self.raised(site, "LEASE_LOST")
            self.assertTrue(site.status()["running"])
            acquired()
            self.over(site, "LEASE_LOST")

    def test_an_engine_that_somebody_else_runs(self):
        with Site() as site:
            site.sim("external on")
            self.raised(site, "EXTERNAL_RUN")
            site.sim("external off")
            self.over(site, "EXTERNAL_RUN")

    def test_a_deadman_that_hangs(self):
        with Site() as site:
            os.kill(site.pid("deadman"), signal.SIGSTOP)
            self.raised(site, "DEADMAN_LOST")
            self.over(site, "DEADMAN_LOST")

    def test_a_restart_on_load(self):
        with Site(supervise=True, sim=RUNS) as site:
            on_load(site)
            site.main.kill()
            wait_until(lambda: site.service.starts == 2 and site.answers(), 10, "a new guard")
            self.raised(site, "RESTARTED")

    def test_a_bad_configuration_at_a_reload_and_a_good_one(self):
        with Site() as site:
            wait_until(lambda: site.status()["relays_known"], 10, "a first byte")
            site.write_config("genctl.conf", "listen = 5;\n")
            os.kill(site.main.pid, signal.SIGHUP)
            self.raised(site, "CONFIG_REJECTED")
            site.write_config("genctl.conf", libconfig(site.config))
            os.kill(site.main.pid, signal.SIGHUP)
            wait_until(lambda: "took over with relays" in whole_log(site), 15, "a handover",
                       site.log)
            wait_until(site.answers, 5, "the new program", site.log)
            self.assertIsNone(standing(site, "CONFIG_REJECTED"))

    def test_a_clock_that_was_never_set(self):
        with Site(start=False) as site:
            source, shim = (os.path.join(site.folder, name) for name in ("shim.c", "shim.so"))
            with open(source, "w", encoding="ascii") as f:
                f.write(SHIM)
            subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)
            site.daemon = site.spawn({"LD_PRELOAD": shim,
                                       "ASAN_OPTIONS": "verify_asan_link_order=0"})
            wait_until(site.answers, 10, "genctld that answers", site.log)
            self.raised(site, "CLOCK_UNSET")
            self.assertEqual({e["unix_ms"] for e in self.events(site)}, {0})


class Mirror(unittest.TestCase):
    """The engine node's alarms as monitord shows and logs them."""

    def test_the_monitor_shows_and_logs_what_the_engine_node_says(self):
        with Site() as site:
            with Monitor(site.folder, {"generator": {"port": site.port()}}) as monitor:
                monitor.wait_status(lambda s: s["generator"]["link"], 20, "the link")
                site.sim("nak-for on")
                site.order("estop")
                seen = monitor.wait_status(
                    lambda s: len(s["generator"].get("alarms", [])) > 1, 20, "two alarms")
                mine = {a["code"]: a for a in seen["generator"]["alarms"]}
                true = {a["code"]: a for a in site.status()["alarms"]}
                self.assertEqual(set(mine), set(true))
                for code, a in mine.items():
                    self.assertEqual(
                        (a["class"], a["latched"], a["first"], a["text"]),
                        (true[code]["alarm_class"].lower(), true[code]["latched"],
                         true[code]["first"], true[code]["text"]))
                    self.assertLessEqual(abs(a["age_s"] - true[code]["age_s"]), 3)
                first = next(code for code, a in mine.items() if a["first"])
                self.assertRegex(monitor.show("line"), rf"\| ALARM {first} and \d more\n$")
                self.assertRegex(monitor.show("screen"),
                                 rf"ALARM      {first} \(engine node, \w+(, latched)?, first\): ")
                monitor.wait_log("alarm: engine node: EMERGENCY_STOP (shutdown, latched")
                site.sim("nak-for off")
                wait_until(lambda: site.status()["relays_known"], 10, "relays known")
                site.order("clear")
                monitor.wait_log("alarm: engine node: EMERGENCY_STOP is over")
                self.assertEqual(monitor.log().count("engine node: EMERGENCY_STOP (shutdown"), 1)


class Table(unittest.TestCase):
    def test_class_and_latch_of_every_alarm_stand_in_the_document(self):
        with open(os.path.join(TOP, "node-genctl", "alarm.c"), encoding="utf-8") as f:
            rows = re.findall(r"ROW\((\w+), (\w+), (\d),", f.read())
        self.assertGreater(len(rows), 20)
        self.assertEqual({code: (kind.lower(), latch == "1") for code, kind, latch in rows},
                         DOCUMENTED)


if __name__ == "__main__":
    unittest.main()
