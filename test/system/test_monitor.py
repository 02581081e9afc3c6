"""monitord with an inverter and no engine node: what it reads, writes, refuses, survives."""
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from monitor import Monitor
from pigenny import BIN, SCALE, TOP, Sitesim, wait_until

HEADER = (b"timestamp,timestamp_unix,soc_pct,soh_pct,vbat_v,vpv1_v,vpv2_v,pv_power_w,"
          b"charge_power_w,discharge_power_w,generator_state,generator_running\r\n")


def run(*args):
    return subprocess.run([os.path.join(BIN, "monitord"), *args], capture_output=True,
                          text=True, timeout=30, check=False)


class WithInverter(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="pigenny-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.sim = Sitesim(self.folder, SCALE, ["soc 60"], [])
        self.addCleanup(self.sim.close)

    def monitor(self, config=None, **kwargs):
        monitor = Monitor(self.folder, config, **kwargs)
        self.addCleanup(monitor.close)
        return monitor

    def test_says_the_lines_the_document_tells_people_to_look_for(self):
        m = self.monitor(args=["--soc-start", "35", "--soc-stop", "85"])
        device = m.values["inverter"]["device"]
        m.wait_log(f" | INFO | Connected to inverter on {device}\n")
        m.wait_log(" | INFO | Connecting to generator server...\n")
        m.wait_log(" | INFO | SOC thresholds: start < 35%, stop >= 85%\n")
        m.wait_log("% | Voltage: ")

    def test_csv_has_header_once_and_a_row_each_interval(self):
        m = self.monitor()
        wait_until(lambda: len(m.rows()) >= 3, 20, "three rows", m.log)
        (name, text), = m.csv().items()
        self.assertRegex(name, r"^data_\d{8}\.csv$")
        self.assertTrue(text.startswith(HEADER))
        self.assertEqual(text.count(HEADER), 1)
        row = text.split(b"\r\n")[1]
        self.assertRegex(row, rb"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d,\d{10},(59|60),\d+,\d\d\.\d,"
                              rb"\d+\.\d,\d+\.\d,0,0,\d+,ERROR,$")

    def test_second_monitor_on_one_port_is_refused(self):
        self.monitor().wait_log("Connected to inverter")
        second = self.monitor(name="second")
        self.assertEqual(second.process.wait(20), 3)
        self.assertIn("only one monitord may run", second.log())

    def test_second_monitor_in_one_folder_is_refused(self):
        self.monitor().wait_log("Connected to inverter")
        second = self.monitor()
        self.assertEqual(second.process.wait(20), 3)
        self.assertIn("Another monitord runs already", second.log())

    def test_missing_inverter_and_engine_node_are_said_and_waited_for(self):
        link = os.path.join(self.folder, "later")
        m = self.monitor({"inverter": {"device": link}})
        m.wait_log(f"{link} cannot be opened: No such file or directory; check the adapter")
        m.wait_log("no connection to the generator server 127.0.0.1:1: Connection refused")
        os.symlink(os.path.realpath(os.path.join(self.folder, "inverter")), link)
        m.wait_log("Connected to inverter on")
        self.assertEqual(m.stop(), 0)

    def test_silent_inverter_is_said_once_and_found_again(self):
        m = self.monitor({"log_level": "info", "autostart": {"stale_s": 10}})
        m.wait_log("Connected to inverter")
        self.sim.tell("inverter silent")
        m.wait_log("does not answer well: ", limit=30)
        m.wait_log("INVERTER_SILENT", limit=30)
        self.assertEqual(m.log().count("does not answer well"), 1)
        wait_until(lambda: m.rows()[-1]["soc_pct"] == "", 10, "a row without SOC")
        self.sim.tell("inverter ok")
        m.wait_log("Connected to inverter", times=2, limit=30)

    def test_ends_at_once_on_request_even_while_it_waits_for_an_answer(self):
        self.sim.tell("inverter silent")
        m = self.monitor({"inverter": {"timeout_ms": 30000}})
        m.wait_log("SOC thresholds")
        wait_until(m.status, 10, "status")
        begin = time.monotonic()
        self.assertEqual(m.stop(), 0)
        self.assertLess(time.monotonic() - begin, 3)
        self.assertFalse(os.path.exists(os.path.join(m.folder, "monitord.sock")))

    def test_reload_takes_thresholds_and_a_bad_file_changes_nothing(self):
        m = self.monitor()
        m.wait_log("SOC thresholds: start < 25%, stop >= 80%")
        wait_until(m.status, 10, "status")
        m.configure({"autostart": {"soc_start_pct": 30}, "inverter": {"baud": 9600}})
        m.process.send_signal(signal.SIGHUP)
        m.wait_log("SOC thresholds: start < 30%, stop >= 80%")
        m.wait_log("inverter.baud: the new value needs a restart")
        m.configure({"autostart": {"soc_start_pct": 95}})
        m.process.send_signal(signal.SIGHUP)
        m.wait_log("nothing was reloaded; the old values hold")
        self.assertIsNone(m.process.poll())
        self.assertNotIn("start < 95%", m.log())

    def test_full_disk_is_said_once_and_the_rows_come_later_in_order(self):
        csv_dir = os.path.join(self.folder, "full")
        m = self.monitor({"csv": {"dir": csv_dir}, "log_level": "error"})
        m.csv_dir = csv_dir
        wait_until(m.rows, 20, "a first row", m.log)
        resource.prlimit(m.process.pid, resource.RLIMIT_FSIZE,  # the log is shorter than that
                         (len(HEADER) + 400, resource.RLIM_INFINITY))
        m.wait_log("free space on that disk; until then up to 144 rows wait")
        before = m.csv()
        begin = len(m.rows())
        wait_until(lambda: m.status()["inverter"]["age_ms"] >= 0, 10, "a poll")
        unwritten = time.time()
        wait_until(lambda: time.time() > unwritten + 3, 10, "rows that wait")
        self.assertEqual(m.csv(), before)
        resource.prlimit(m.process.pid, resource.RLIMIT_FSIZE,
                         (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        wait_until(lambda: len(m.rows()) >= begin + 4, 20, "the rows that waited", m.log)
        (text,) = m.csv().values()
        self.assertTrue(text.endswith(b"\r\n"))
        stamps = [int(row["timestamp_unix"]) for row in m.rows()]
        self.assertEqual(stamps, sorted(stamps))
        self.assertLess(max(b - a for a, b in zip(stamps, stamps[1:])), 4)
        self.assertEqual(m.log().count("cannot be written"), 1)

    def test_unwritable_log_folder_is_said_and_stops_nothing(self):
        blocked = os.path.join(self.folder, "file")
        with open(blocked, "w", encoding="ascii"):
            pass
        m = self.monitor({"csv": {"dir": os.path.join(blocked, "csv")}})
        m.wait_log("cannot be written: Not a directory. create the folder, or set csv.dir")
        m.wait_status(lambda s: s["inverter"]["age_ms"] >= 0, 10, "a poll")
        self.assertEqual(m.stop(), 0)

    def test_trial_of_the_inverter_prints_what_it_says(self):
        done = run("--config", "/dev/null", "--inverter-port",
                   os.path.join(self.folder, "inverter"), "--test-inverter")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("Connected to inverter on", done.stdout)
        self.assertTrue(re.search(r"^  soc +(59|60) %$", done.stdout, re.M), done.stdout)


class Alone(unittest.TestCase):
    def test_trials_without_a_far_end_fail_with_3(self):
        done = run("--config", "/dev/null", "--inverter-port", "/nonexistent",
                   "--test-inverter")
        self.assertEqual((done.returncode, "FAILED" in done.stdout), (3, True))
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as f:
            f.write('generator = { host = "127.0.0.1"; port = 1; };')
            f.flush()
            done = run("--config", f.name, "--test-generator")
        self.assertEqual((done.returncode, "FAILED" in done.stdout), (3, True))

    def test_every_fault_of_a_configuration_is_listed_with_file_and_line(self):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as f:
            f.write('poll_interval_s = 0;\nautostart = {\n  soc_strat_pct = 20;\n};\n'
                    'csv = { layout = "wide"; };\n')
            f.flush()
            done = run("--config", f.name, "--check-config")
        self.assertEqual(done.returncode, 2)
        for line in (f"{f.name}:1: poll_interval_s: 0 is outside 1..600 s",
                     f"{f.name}:3: autostart.soc_strat_pct: unknown key; the nearest known "
                     "one is autostart.soc_start_pct",
                     f"{f.name}:5: csv.layout: \"wide\" is not one of: standard extended"):
            self.assertIn(line, done.stderr)

    def test_contradicting_thresholds_are_refused(self):
        done = run("--config", "/dev/null", "--soc-start", "90", "--check-config")
        self.assertEqual(done.returncode, 2)
        self.assertIn("soc_stop must be above soc_start", done.stderr)

    def test_name_that_nobody_knows_is_refused_at_start(self):
        done = run("--config", "/dev/null", "--generator-host", "olimex.invalid")
        self.assertEqual(done.returncode, 2)
        self.assertIn("write its address", done.stderr)

    def test_sample_configuration_is_what_print_config_prints(self):
        done = run("--config", "/dev/null", "--print-config")
        with open(os.path.join(TOP, "etc", "monitor.conf"), encoding="ascii") as f:
            self.assertEqual(f.read(), done.stdout)

    def test_status_without_a_monitor_says_that_none_runs(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "monitor.conf")
            with open(path, "w", encoding="ascii") as f:
                f.write(f'runtime_dir = "{folder}";')
            done = run("--config", path, "--status", "screen")
        self.assertEqual(done.returncode, 3)
        self.assertIn("it does not run", done.stderr)


if __name__ == "__main__":
    unittest.main()
