"""Whole runs of genctld on a MOD-IO with stock firmware and an engine, over a real I2C adapter.

The adapter is the kernel's hid-cp2112; what answers on its bus is cp2112.c. The judge is its
trace: each transaction, each contact, what the engine did. Reactions pass at their limit and
the time in which the guest did not run, as its trace shows it.
"""
import re
import unittest

from guest import Guest, Node, missing   # it finds the modules of the system tests
import judge
from pigenny import opened_ms, parse_trace, pulses, relay_steps, wait_until

STARTER, CHARGER, IGNITION, ALL = 1, 2, 8, 15
RUNNING, IGNITED = 1, 2   # inputs
EARLY = ["catch 800", "rise 200"]
LATE = ["catch 3000", "rise 200"]
WRITE_RETRY_MS, ZERO_MS, BAD_MS, DEADMAN_MS = 60, 100, 500, 200
SLACK_MS = 100   # what processes and bridge of an emulated machine need


class Bench:
    """genctld on the bridge, with a fresh board and engine; both are gone at the end."""

    def __init__(self, guest, sim, config=None):
        self.guest = guest
        guest.trace.text = ""
        words = " ".join(f"'{word}'" for word in sim)
        guest.run(f"cp2112 /dev/trace {words} </dev/far 2>/dev/ttyS0 &")
        self.node = Node(guest, guest.adapter("CP2112"), config)

    def tell(self, command):
        """Carried out once the trace shows it; the guest's time then."""
        seen = len(self.trace())
        self.guest.far.send(command)
        return self.wait_row(lambda row: row.event.endswith(command), command, seen).t_ms

    def trace(self):
        return parse_trace(self.guest.trace.text)

    def wait_row(self, predicate, what, since=0, limit_s=30):
        return wait_until(lambda: next(filter(predicate, self.trace()[since:]), None), limit_s,
                          what, lambda: f"{self.trace()[-40:]}\n{self.guest.console()[-4000:]}")

    def crank(self):
        self.node.order("start")
        return self.wait_row(lambda row: row.contacts & STARTER, "starter that closes").t_ms

    def load(self):
        self.node.order("start", "--wait")
        closed = self.wait_row(lambda row: row.contacts & CHARGER, "charger that closes").t_ms
        self.wait_row(lambda row: row.t_ms > closed + 1000, "a second on load")

    def stall_ms(self, from_ms, to_ms):
        return sum(int(row.event.split()[1]) for row in self.trace()
                   if row.event.startswith("stall") and from_ms <= row.t_ms <= to_ms)

    def transactions(self, since_ms=0):
        """[(t_ms, packet, answer)] of all that the bridge put on the bus."""
        return [(row.t_ms, *row.event[4:].split(": ")) for row in self.trace()
                if row.event.startswith("i2c ") and row.t_ms >= since_ms]

    def close(self):
        wait_until(lambda: self.guest.ask("kill -9 $(pidof genctld cp2112)")[0] != 0, 20,
                   "end of all", self.guest.console)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.close()


@unittest.skipIf(missing(), missing())
class Modio(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.guest = Guest(["i2c-dev", "uhid", "hid-cp2112"])
        print(f"figure: {cls.guest.came_up()}")

    @classmethod
    def tearDownClass(cls):
        print(f"figure: guest: {cls.guest.now_ms() / 1000:.1f} s up at its end")
        cls.guest.close()

    def within(self, bench, from_ms, to_ms, limit_ms, what):
        self.assertIsNotNone(to_ms, what)
        stall_ms = bench.stall_ms(from_ms, to_ms + SLACK_MS)
        print(f"figure: {what}: {to_ms - from_ms} ms, limit {limit_ms} ms, stall {stall_ms} ms")
        self.assertLessEqual(to_ms - from_ms, limit_ms + stall_ms, what + "".join(
            f"\n{row}" for row in bench.trace() if from_ms - 50 <= row.t_ms <= to_ms + 50))

    def opened(self, bench, bit, since_ms):
        return wait_until(lambda: opened_ms(bench.trace(), bit, since_ms), 20,
                          f"open contact {bit}", self.guest.console)

    def assert_alarm(self, bench, code):
        bench.node.wait_log(f"alarm: {code}")
        self.assertIn(code, [a["code"] for a in bench.node.status()["alarms"]])

    def assert_orderly(self, bench):
        """The rules of the contacts, and of the bus: one answer of MOD-IO for one command."""
        trace = bench.trace()
        config = {**bench.node.config, "time_scale": 1}
        stall_ms = bench.stall_ms(0, trace[-1].t_ms)
        self.assertEqual(judge.judge(trace, judge.scaled(config), stall_ms=stall_ms), [])
        self.assertEqual([row for row in trace if row.contacts & CHARGER
                          and row.inputs != RUNNING | IGNITED], [])
        before = ("", "")
        for t_ms, packet, answer in bench.transactions():
            self.assertRegex(packet, r"^@58 (W 10 0[0-9a-f]|C 20|R)$|^@59 R$")
            if packet == "@58 R":
                self.assertEqual(before, ("@58 C 20", "A"), t_ms)
            if packet == "@59 R":
                self.assertEqual(before, ("@58 R", "A 00"), t_ms)
            before = packet, answer

    def test_a_whole_cycle(self):
        with Bench(self.guest, EARLY) as bench:
            bench.load()
            bench.node.order("stop", "--wait")
            trace = bench.trace()
            self.assertEqual([byte for _, byte in relay_steps(trace)],
                             [0x00, 0x08, 0x09, 0x08, 0x0a, 0x08, 0x00], relay_steps(trace))
            print("figure: relay bytes: " + " ".join(f"{byte:02x}@{t}" for t, byte in
                                             relay_steps(trace)))
            running = next(row.t_ms for row in trace if row.inputs and row.inputs & RUNNING)
            self.within(bench, running, self.opened(bench, STARTER, running), 50,
                        "starter open once the engine runs")
            self.assert_orderly(bench)
            self.assertEqual(bench.node.status()["alarms"], [])
            took_ms = trace[-1].t_ms - trace[0].t_ms
            print(f"figure: {len(bench.transactions())} transactions in {took_ms} ms, "
                  f"stalls of {bench.stall_ms(0, trace[-1].t_ms)} ms in all")

    def naks_that_are_borne(self, bench, n):
        errors = bench.node.order("health")["i2c_errors"]
        asked = bench.tell(f"nak {n}")
        bench.wait_row(lambda row: row.t_ms > asked and re.match(r"i2c @58 R: A", row.event),
                       "good read")
        self.assertEqual(len([t for t, packet, answer in bench.transactions(asked)
                              if answer == "N" and packet != "@59 R"]), n)
        self.assertGreaterEqual(bench.node.order("health")["i2c_errors"], errors + n)
        self.assertEqual(bench.node.status()["alarms"], [])

    def test_short_naks_are_borne_and_long_ones_stop_the_engine(self):
        with Bench(self.guest, EARLY) as bench:
            self.naks_that_are_borne(bench, 1)
            self.naks_that_are_borne(bench, 2)
            bench.load()
            self.naks_that_are_borne(bench, 1)
            self.naks_that_are_borne(bench, 2)
            loaded = pulses(bench.trace(), CHARGER)
            self.assertEqual((len(loaded), loaded[0][1]), (1, None))
            asked = bench.tell("nak-for 1500")
            self.assert_alarm(bench, "OUTPUT_UNKNOWN")
            self.within(bench, asked, self.opened(bench, ALL, asked),
                        1500 + ZERO_MS + SLACK_MS, "relays open after 1.5 s without a bus")
            tried = [packet for t, packet, answer in bench.transactions(asked)
                     if packet[4] == "W"]
            self.assertEqual(tried[:3], ["@58 W 10 08"] * 3)
            self.assertEqual(set(tried[3:]), {"@58 W 10 00"})

    def test_a_starter_write_that_is_not_acknowledged_is_tried_again(self):
        with Bench(self.guest, LATE) as bench:
            asked = bench.crank()
            bench.tell("nak-write 2")
            running = bench.wait_row(lambda row: row.t_ms > asked and row.inputs is not None
                                     and row.inputs & RUNNING, "running engine").t_ms
            self.within(bench, running, self.opened(bench, STARTER, running),
                        50 + 2 * WRITE_RETRY_MS + SLACK_MS, "starter open after two NAKs")
            self.assertEqual([(packet, answer) for _, packet, answer in
                              bench.transactions(running) if packet[4] == "W"][:3],
                             [("@58 W 10 08", "N")] * 2 + [("@58 W 10 08", "A")])
            bench.node.wait_log("phase: on load")
            self.assertEqual(bench.node.status()["alarms"], [])
            bench.node.order("stop", "--wait")

    def test_a_starter_write_that_fails_for_good_is_output_unknown(self):
        with Bench(self.guest, LATE) as bench:
            asked = bench.crank()
            bench.tell("nak-write 5")
            running = bench.wait_row(lambda row: row.t_ms > asked and row.inputs is not None
                                     and row.inputs & RUNNING, "running engine").t_ms
            self.assert_alarm(bench, "OUTPUT_UNKNOWN")
            self.within(bench, running, self.opened(bench, ALL, running),
                        50 + 2 * WRITE_RETRY_MS + 3 * ZERO_MS + SLACK_MS,
                        "relays open after five NAKs")
            self.assertEqual([packet[9:] + answer for _, packet, answer in
                              bench.transactions(running) if packet[4] == "W"][:6],
                             ["08N"] * 3 + ["00N"] * 2 + ["00A"])
            bench.wait_row(lambda row: row.event == "at rest" and row.t_ms > running,
                           "engine at rest")
            self.assertEqual(bench.node.gencli("start")[0], 1)
            bench.node.order("clear")
            self.assertEqual(bench.node.status()["mode"], "MODE_OFF")

    def test_a_bus_that_is_lost_while_cranking_opens_the_starter(self):
        with Bench(self.guest, LATE) as bench:
            bench.crank()
            asked = bench.tell("nak-for 900")
            self.within(bench, asked, self.opened(bench, STARTER, asked),
                        900 + ZERO_MS + SLACK_MS, "starter open after 0.9 s without a bus")
            self.assert_alarm(bench, "OUTPUT_UNKNOWN")
            first = next(t for t, packet, _ in bench.transactions(asked) if packet[4] == "W")
            self.within(bench, asked, first, BAD_MS + SLACK_MS, "first write of 0x00")
            self.assertEqual(relay_steps(bench.trace(), asked)[-1][1], 0)

    def test_a_bus_that_stays_dead_is_ended_by_the_reset_pin(self):
        with Bench(self.guest, LATE, {"board": {"reset_gpio": 0}}) as bench:
            self.assertEqual(bench.node.status()["third_crank_end"], "reset_gpio")
            bench.crank()
            asked = bench.tell("nak-for on")
            self.within(bench, asked, self.opened(bench, ALL, asked),
                        BAD_MS + 2 * WRITE_RETRY_MS + 2 * SLACK_MS, "relays open by RST")
            low = bench.wait_row(lambda row: row.event == "rst low", "reset").t_ms
            high = bench.wait_row(lambda row: row.event == "rst high", "end of the reset").t_ms
            self.assertGreaterEqual(high - low, 10)
            self.assert_alarm(bench, "OUTPUT_UNKNOWN")
            bench.tell("nak-for off")
            bench.node.wait_status(lambda s: s["relays_known"] and s["relays"] == 0,
                                   "known relays")

    def test_a_bus_held_low_on_load_is_told_by_the_canary(self):
        with Bench(self.guest, EARLY) as bench:
            bench.load()
            asked = bench.tell("stuck-bus 2500")
            bench.node.wait_log("alarm: MODIO_LOST")   # it may be over when asked for
            canaries = [answer for _, packet, answer in bench.transactions(asked)
                        if packet == "@59 R"]
            self.assertEqual(canaries[0], "A 00")
            bench.node.wait_status(lambda s: s["i2c"] == "OK" and not s["alarms"],
                                   "bus that is well")
            self.within(bench, asked, self.opened(bench, CHARGER, asked),
                        2500 + 200 + SLACK_MS, "charger open after 2.5 s of a bus held low")
            self.assertTrue(bench.node.status()["running"])
            bench.node.order("stop", "--wait")
            self.assertEqual(len(pulses(bench.trace(), IGNITION)), 1)

    def test_transfers_that_do_not_end_are_a_fault_and_hold_nobody_up(self):
        with Bench(self.guest, EARLY) as bench:
            asked = bench.tell("latency 60000")   # the driver cancels each
            self.assert_alarm(bench, "MODIO_LOST")
            self.assertEqual(bench.node.gencli("start")[0], 1)
            bench.tell("latency 0")
            bench.node.wait_status(lambda s: s["i2c"] == "OK" and not s["alarms"],
                                   "board that is well")
            self.assertEqual({row.contacts for row in bench.trace()}, {0})
            self.assertNotIn("@58 R", [packet for t, packet, _ in bench.transactions(asked)
                                       if t < asked + 1000])

    def test_a_guard_that_freezes_while_cranking_leaves_no_starter_closed(self):
        with Bench(self.guest, LATE) as bench:
            bench.crank()
            pid = bench.node.pid()
            out = self.guest.run(f"cat /proc/uptime; kill -STOP {pid}")
            frozen = round(float(out.split()[0]) * 1000)
            self.within(bench, frozen, self.opened(bench, STARTER, frozen),
                        DEADMAN_MS + SLACK_MS, "starter open by the deadman")
            self.assertEqual(bench.trace()[-1].contacts, 0)


if __name__ == "__main__":
    unittest.main()
