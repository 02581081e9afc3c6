"""The closed loop: a low battery starts the engine, a full one stops it, the CSV says so.

Real sitesim, genctld and monitord over a pty and TCP; nobody but monitord gives orders.
"""
import contextlib
import functools
import os
import signal
import socket
import threading
import unittest

from monitor import Monitor
from pigenny import SCALE, Site, concurrently, merged, now_ms, relay_steps, wait_until

# Own times of the engine, as the document has them. Ignition is longer by 2 s, because the
# three samples that must confirm it are not scaled.
DOCUMENT = {"sequence": {"reset_ms": 1000, "ignition_ms": 2500, "crank_ms": 10000,
                         "glow_assist_ms": 2000, "coast_ms": 4000, "warmup_ms": 60000,
                         "stabilise_ms": 20000, "cooldown_ms": 180000}}
START_TABLE = [(0, 0x00), (1000, 0x08), (3500, 0x09), (13500, 0x0d), (15500, 0x08),
               (99500, 0x0a)]
STOP_TABLE = [(0, 0x08), (180000, 0x00)]
LATE_MS = 250  # of one byte, on a busy machine, not scaled

BATTERY = ["capacity 2000", "load 600", "charger 6000"]
THRESHOLDS = {"soc_start_pct": 40, "soc_stop_pct": 50}


class Proxy:
    """A TCP line that can be cut and mended, in front of one port."""

    def __init__(self, port):
        self.target = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.pairs = []
        self.is_cut = False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            if self.is_cut:
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self.target))
            self.pairs += [near, far]
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(a, b), daemon=True).start()

    @staticmethod
    def _pump(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass

    def cut(self):
        self.is_cut = True
        for s in self.pairs:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()
        self.pairs = []

    def mend(self):
        self.is_cut = False

    def close(self):
        self.cut()
        self.listener.close()


def closing(cls):
    """Class decorator: what a test puts on self.stack is closed when it ends."""
    def closed(test):
        @functools.wraps(test)
        def body(self):
            with contextlib.ExitStack() as self.stack:
                test(self)
        return body

    for name in dir(cls):
        if name.startswith("test"):
            setattr(cls, name, closed(getattr(cls, name)))
    return cls


@concurrently(3)
@closing
class Cycle(unittest.TestCase):
    def site(self, soc, config=None, **kwargs):
        site = Site(config, sim=BATTERY + [f"soc {soc}"],
                    sim_args=["--speed", "60"] + kwargs.pop("sim_args", []), **kwargs)
        self.stack.callback(site.close)
        return site

    def monitor(self, site, config=None, port=None, **kwargs):
        m = Monitor(site.folder, merged({
            "generator": {"port": port or site.port()}, "autostart": THRESHOLDS},
            config or {}), **kwargs)
        self.stack.callback(m.close)
        return m

    def matches(self, steps, table):
        self.assertEqual([byte for _, byte in steps], [byte for _, byte in table])
        for (got_ms, _), (own_ms, byte) in zip(steps, table):
            self.assertGreaterEqual(got_ms, own_ms / SCALE - 30, f"0x{byte:02X} came early")
            self.assertLessEqual(got_ms, own_ms / SCALE + LATE_MS, f"0x{byte:02X} came late")

    def test_low_battery_runs_the_documents_cycle_byte_for_byte(self):
        # Catches late and shows it later still: the starter runs its whole 12 s.
        site = self.site(42, DOCUMENT)
        site.sim("catch 11500")
        site.sim("rise 1200")
        m = self.monitor(site)
        site.wait_phase("LOADED", limit=60)
        site.wait_phase("OFF", limit=90)
        trace = site.trace()
        begin = next(row.t_ms for row in trace if row.acked == 0x08)
        steps = relay_steps(trace, begin - 1000)
        loaded = next(i for i, (_, byte) in enumerate(steps) if byte == 0x0a)
        reset_ms = DOCUMENT["sequence"]["reset_ms"] / SCALE
        start = [(0, 0x00)] + [(t + reset_ms, b) for t, b in steps[:loaded + 1]]
        stop = [(t - steps[loaded + 1][0], b) for t, b in steps[loaded + 1:loaded + 3]]
        self.matches(start, START_TABLE)
        self.matches(stop, STOP_TABLE)
        self.csv_tells(m)
        self.assertIn("is below 40 % for 2 readings; starting", m.log())
        self.assertEqual(m.stop(), 0)

    def csv_tells(self, m):
        rows = m.rows()
        states = [row["generator_state"] for row in rows]
        order = [s for i, s in enumerate(states) if i == 0 or states[i - 1] != s]
        while order[0] in ("ERROR", "IDLE"):
            del order[0]
        self.assertEqual(order[:3], ["STARTING", "RUNNING", "STOPPING"], order)
        running = [row for row in rows if row["generator_state"] == "RUNNING"]
        self.assertTrue(all(row["generator_running"] == "1" for row in running))
        self.assertGreater(int(running[-1]["soc_pct"]), int(running[0]["soc_pct"]))
        self.assertGreaterEqual(max(int(row["soc_pct"]) for row in rows), 50)

    def test_restarted_monitor_takes_the_running_engine_on_and_stops_it(self):
        site = self.site(39)
        m = self.monitor(site, {"autostart": {"soc_stop_pct": 60}})
        site.wait_phase("LOADED", limit=40)
        m.process.send_signal(signal.SIGKILL)
        m.process.wait()
        killed_ms = now_ms()
        m = self.monitor(site, {"autostart": {"soc_stop_pct": 60}}, name="second")
        m.wait_status(lambda s: s["wish"] == "run" and s["generator"]["holder"], 40,
                      "the engine taken on")
        self.assertEqual(relay_steps(site.trace(), killed_ms), [])
        site.wait_phase("COOLDOWN", limit=60)
        m.wait_log("% is at or above 60 %; stopping: SOC has reached its stop")
        site.wait_phase("OFF", limit=30)

    def test_silent_inverter_starts_nothing(self):
        site = self.site(43)
        m = self.monitor(site, {"autostart": {"stale_s": 10}})
        m.wait_status(lambda s: s["generator"]["link"] and s["inverter"]["age_ms"] >= 0, 20,
                      "both ends heard")
        site.sim("inverter silent")
        m.wait_log("INVERTER_SILENT", limit=40)
        self.assertEqual({row.acked for row in site.trace()} - {None, 0}, set())

    def test_silent_inverter_on_load_ends_the_run_in_bounded_time(self):
        site = self.site(39)
        m = self.monitor(site, {"autostart": {"stale_s": 10, "blind_run_s": 12,
                                              "soc_stop_pct": 99}})
        site.wait_phase("LOADED", limit=40)
        site.sim("inverter silent")
        m.wait_log("running on without readings, for a bounded time", limit=30)
        self.assertEqual(site.status()["phase"], "LOADED")
        m.wait_log("BLIND_RUN_ENDED", limit=40)
        site.wait_phase("OFF", limit=30)

    def test_cut_line_is_no_stall_and_the_run_goes_on_when_it_is_mended(self):
        site = self.site(39)
        proxy = Proxy(site.port())
        self.stack.callback(proxy.close)
        m = self.monitor(site, {"autostart": {"soc_stop_pct": 90}}, port=proxy.port)
        site.wait_phase("LOADED", limit=40)
        cut_ms = now_ms()
        proxy.cut()
        m.wait_status(lambda s: not s["generator"]["link"], 20, "the loss seen")
        wait_until(lambda: now_ms() > cut_ms + 5000, 10, "five seconds without a line")
        proxy.mend()
        m.wait_status(lambda s: s["generator"]["link"] and s["generator"]["holder"] and
                      s["wish"] == "run", 60, "the lease again")
        self.assertEqual(relay_steps(site.trace(), cut_ms), [])
        self.assertNotIn("UNEXPECTED_STOP", m.log())
        self.assertEqual(m.status()["generator"]["phase"], "LOADED")

    def test_second_monitor_with_an_own_line_to_the_inverter_gives_no_orders(self):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        site = self.site(39, sim_args=["--modbus-tcp", f"127.0.0.1:{port}"])
        first = self.monitor(site)
        site.wait_phase("LOADED", limit=40)
        second = self.monitor(site, {"inverter": {"device": f"tcp:127.0.0.1:{port}"},
                                     "autostart": {"soc_start_pct": 10, "soc_stop_pct": 20}},
                              name="second")
        second.wait_log("no lease: ")
        second.wait_status(lambda s: s["generator"]["link"] and s["inverter"]["age_ms"] >= 0,
                           20, "both ends heard")
        self.assertFalse(second.status()["generator"]["holder"])
        self.assertTrue(first.status()["generator"]["holder"])
        self.assertEqual(site.status()["phase"], "LOADED")  # it would have stopped it

    def test_files_of_charge_on_and_force_stop_are_obeyed(self):
        site = self.site(70)
        m = self.monitor(site)
        charge = os.path.join(m.folder, "pigenny_force_charge")
        stop = os.path.join(m.folder, "pigenny_force_stop")
        m.wait_status(lambda s: s["generator"]["link"] and s["inverter"]["age_ms"] >= 0, 20,
                      "both ends heard")
        self.make(charge)
        site.wait_phase("LOADED", limit=40)
        m.wait_log("State: RUNNING (MANUAL)")
        os.remove(charge)
        self.make(stop)
        site.wait_phase("COOLDOWN", limit=20)
        wait_until(lambda: not os.path.exists(stop), 20, "the stop file gone", m.log)

    @staticmethod
    def make(path):
        with open(path, "w", encoding="ascii"):
            pass

    def test_why_shows_both_sides(self):
        site = self.site(70)
        self.monitor(site).wait_log("holding the lease")
        why = wait_until(lambda: (w := site.gencli("why", "--format", "human").stdout) and
                         "is at or above 40 %" in w and w, 20, "the monitor's reason")
        self.assertIn("start when SOC is below 40 %", why)


if __name__ == "__main__":
    unittest.main()
