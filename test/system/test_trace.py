"""The flight recorder of a real site: what it keeps, what outlives a crash, what audit says."""
import os
import re
import signal
import struct
import subprocess
import unittest

from pigenny import BIN, Site, concurrently, now_ms, wait_until

ROWS, HEAD, ROW = 65536, struct.Struct("<8sHHI36sI8x"), struct.Struct("<qIi6B2x")
SLACK_MS = 40   # between the board's acknowledgement and the row about it


def rows(text):
    """[(t_ms, acked, inputs, event)] of a trace as gencli prints it."""
    lines = text.splitlines()
    assert lines[0] == "t_ms,acked,contacts,inputs,event", lines[:2]
    out = []
    for line in lines[1:]:
        t, acked, contacts, inputs, event = line.split(",", 4)
        assert contacts == "", line
        out.append((int(t), int(acked, 16) if acked else None, inputs, event))
    return out


def events(trace):
    return [event for _, _, _, event in trace if event]


def fetch(site, *words):
    done = site.gencli("trace", *words)
    assert done.returncode == 0, done
    return rows(done.stdout)


def audit(site, text, *words):
    """gencli audit of this text, with the site's own times."""
    path = os.path.join(site.folder, "fetched.csv")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return run("audit", path, "--config", os.path.join(site.folder, "genctl.conf"), *words)


def run(*words, stdin=None, locale="C"):
    return subprocess.run([os.path.join(BIN, "gencli"), *words], capture_output=True, text=True,
                          input=stdin, timeout=60, check=False,
                          env={**os.environ, "LC_ALL": locale})


def kill_everything(site):
    victims = list(site.helpers().values()) + [site.main.pid]
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    site.main.wait()


def whole_log(site):
    with open(site.log_path, encoding="utf-8", errors="replace") as f:
        return f.read()


def ring_path(site):
    return os.path.join(site.config["runtime_dir"], "genctl.trace")


def write_ring(path, numbers):
    """A ring of this kernel's with these rows, each a deadline_ms= of its number."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as f:
        boot_id = f.read(36).encode()
    data = bytearray(ROWS * ROW.size)
    for n in numbers:
        ROW.pack_into(data, (n - 1) % ROWS * ROW.size, 0, n, n, 0, 0, 255, 0, 11, 0)
    with open(path, "wb") as f:
        f.write(HEAD.pack(b"PGTRACE", 1, ROW.size, ROWS, boot_id, max(numbers)) + data)


@concurrently(4)
class Trace(unittest.TestCase):
    def test_a_whole_run_is_kept_as_the_board_acknowledged_it(self):
        with Site(sim=["catch 1000", "rise 200"]) as site:
            site.reach("LOADED").close()
            site.order("stop")
            site.wait_phase("OFF", limit=40)
            wait_until(lambda: "phase=OFF" in events(fetch(site)), 5, "the last phase's row")
            text = site.gencli("trace").stdout
            trace = rows(text)
            seen = [row[:2] for row in trace if row[1] is not None]
            seen = [row for i, row in enumerate(seen) if i == 0 or row[1] != seen[i - 1][1]]
            true = [(row.t_ms, row.acked) for row in site.trace() if row.acked is not None]
            true = [row for i, row in enumerate(true) if i == 0 or row[1] != true[i - 1][1]]
            self.assertEqual([byte for _, byte in seen], [byte for _, byte in true])
            for (t, byte), (when, _) in zip(seen, true):
                self.assertLess(abs(t - when), SLACK_MS, f"{byte:02x}")
            self.assertEqual([e for e in events(trace) if not e.startswith("deadline_ms=")], [
                "boot", "mode=auto", "mode=operator_run", "phase=WAIT",
                "begin first by=operator age_ms=0", "permit", "phase=RESET", "phase=IGNITION",
                "phase=CRANK", "forced=S3", "phase=COAST", "phase=WARMUP", "phase=STABILISE",
                "phase=LOADED", "mode=operator_stop", "phase=COOLDOWN", "phase=STOPPING",
                "phase=OFF"])
            done = audit(site, text)
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertTrue(done.stdout.endswith("no rule was broken\n"), done.stdout)

    def test_while_a_relay_is_closed_there_is_a_row_each_second(self):
        with Site(sim=["catch 1000", "rise 200"]) as site:
            site.reach("LOADED").close()
            wait_until(lambda: [r for r in fetch(site) if r[1] == 0x0a][-1][0] -
                       [r for r in fetch(site) if r[1] == 0x0a][0][0] > 3000, 10, "3 s on load")
            times = [t for t, acked, _, _ in fetch(site) if acked]
            self.assertLess(max(b - a for a, b in zip(times, times[1:])), 1300)
            self.assertLess(len(times), 100)

    def test_the_rows_before_a_crash_of_every_process_are_there_after_it(self):
        with Site(sim=["catch 1000", "rise 200"]) as site:
            site.reach("LOADED").close()
            wait_until(lambda: fetch(site)[-1][1] == 0x0a, 5, "a row on load")
            before = fetch(site)
            kill_everything(site)
            died = now_ms()
            site.start()
            site.wait_phase("STABILISE", "LOADED")
            text = site.gencli("trace").stdout
            after = rows(text)
            self.assertEqual(after[:len(before)], before)
            later = [row for row in after if row[0] > died]
            self.assertEqual(events(later)[0], "boot")
            self.assertIn((8, "adopt"), [(row[1], row[3]) for row in later])
            self.assertIn("alarm=RESTARTED", events(later))
            site.order("stop")
            site.wait_phase("OFF", limit=40)
            done = audit(site, site.gencli("trace").stdout)
            self.assertEqual(done.returncode, 0, done.stdout)

    def test_a_crash_while_cranking_shows_the_starter_closed_and_then_opened(self):
        with Site(sim=["catch 11900"]) as site:
            site.reach("CRANK").close()
            wait_until(lambda: fetch(site)[-1][1] == 9, 5, "a row while cranking")
            site.unjudged = "no process was left to open the starter"
            kill_everything(site)
            site.start()
            site.wait_sim(lambda s: s["contacts"] == 0, 5, "all relays open")
            steps = [byte for byte in (row[1] for row in fetch(site)) if byte is not None]
            steps = [b for i, b in enumerate(steps) if i == 0 or b != steps[i - 1]]
            self.assertEqual((steps[:3], steps[-1]), ([0, 8, 9], 0), steps)

    def test_a_monitors_start_is_told_with_the_age_of_its_order(self):
        with Site(sim=["catch 1000", "rise 200"]) as site:
            monitor = site.client(role="MONITOR")
            lease = monitor.ask("acquire")
            monitor.ask("desired", run=True, for_s=600, reason="test", stamp={
                "boot_id": monitor.node["boot_id"], "epoch": lease["epoch"], "seq": 1,
                "age_ms": 1234})
            wait_until(lambda: "begin first by=monitor age_ms=1234" in events(fetch(site)), 10,
                       "the begin of a monitor's start", site.log)
            site.wait_phase("WARMUP", "STABILISE", "LOADED")
            self.assertRegex(" ".join(events(fetch(site))), r"deadline_ms=\d+")

    def test_a_control_that_dies_and_comes_back_is_told(self):
        with Site(sim=["catch 1000", "rise 200"]) as site:
            site.reach("LOADED").close()
            pid = site.pid("control")
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: site.whole() and site.pid("control") != pid, 15, "a new control")
            told = [e for e in events(fetch(site)) if e in ("orphan", "back") or "CONTROL" in e]
            self.assertEqual(told, ["orphan", "alarm=CONTROL_LOST", "back"])
            site.order("stop")
            site.wait_phase("OFF", limit=40)
            done = audit(site, site.gencli("trace").stdout)
            self.assertEqual(done.returncode, 0, done.stdout)

    def test_an_emergency_stop_and_its_clear_are_told(self):
        with Site(sim=["catch 1000", "rise 200"]) as site:
            site.reach("LOADED").close()
            site.order("estop")
            site.wait_sim(lambda s: s["contacts"] == 0 and not s["running"], 10, "rest")
            site.order("clear")
            wait_until(lambda: "clear" in events(fetch(site)), 5, "the clear's row")
            told = events(fetch(site))
            self.assertEqual(told[told.index("estop"):][:3],
                             ["estop", "alarm=EMERGENCY_STOP", "mode=estop"])
            self.assertEqual(told[told.index("clear"):][:2], ["clear", "mode=off"])

    def test_the_output_that_is_unknown_is_told_and_has_no_byte(self):
        with Site(sim=["catch 1000", "rise 200"]) as site:
            site.reach("LOADED").close()
            site.sim("nak 100000")
            site.order("stop")
            wait_until(lambda: "lost" in events(fetch(site)), 10, "the row of a lost output")
            self.assertEqual([row[1] for row in fetch(site) if row[3] == "lost"], [None])
            site.sim("nak 0")
            site.wait_sim(lambda s: s["contacts"] == 0, 10, "all relays open")
            wait_until(lambda: fetch(site)[-1][1] == 0, 10, "a byte that is known again")

    def test_since_leaves_out_what_is_older_and_begins_with_the_phase(self):
        with Site(sim=["catch 1000", "rise 200"]) as site:
            site.reach("LOADED").close()
            from_ms = fetch(site)[-1][0]
            wait_until(lambda: fetch(site)[-1][0] > from_ms + 2500, 10, "rows of 2.5 s")
            asked = now_ms()
            recent = fetch(site, "--since", "1s")
            self.assertTrue(all(row[0] >= asked - 1000 for row in recent), recent)
            self.assertIn(recent[0][3], ("phase=LOADED",) + tuple(
                e for e in events(recent[:1]) if e.startswith("deadline_ms=")))
            self.assertEqual(len(fetch(site, "--since", "2h")), len(fetch(site)))
            self.assertEqual(site.gencli("trace", "--since", "10").returncode, 2)

    def test_a_handover_goes_on_in_the_same_ring(self):
        with Site(sim=["catch 1000", "rise 200"]) as site:
            site.reach("LOADED").close()
            before = fetch(site)
            os.kill(site.main.pid, signal.SIGHUP)
            wait_until(lambda: "took over with relays" in whole_log(site), 15, "a handover",
                       site.log)
            wait_until(site.answers, 5, "the new program", site.log)
            after = fetch(site)
            self.assertEqual(after[:len(before)], before)
            told = [e for e in events(after[len(before):]) if not e.startswith("deadline")]
            self.assertEqual(told[:3], ["orphan", "handover", "back"])
            site.order("stop")
            site.wait_sim(lambda s: s["contacts"] == 0 and not s["running"], 20, "rest")
            done = audit(site, site.gencli("trace").stdout)
            self.assertEqual(done.returncode, 0, done.stdout)

    def test_a_full_ring_comes_whole_and_in_order_over_many_answers(self):
        with Site(start=False) as site:
            write_ring(ring_path(site), range(5, ROWS + 5))
            site.start()
            trace = fetch(site)
            old = [int(event[len("deadline_ms="):]) for t, _, _, event in trace if t == 0]
            self.assertGreater(len(old), ROWS - 100)
            self.assertEqual(old, list(range(ROWS + 5 - len(old), ROWS + 5)))
            self.assertEqual(len(trace), ROWS)
            self.assertEqual(trace[len(old)][3], "boot")

    def test_a_site_without_room_for_a_trace_runs_on_and_says_so_once(self):
        with Site(start=False, sim=["catch 1000", "rise 200"]) as site:
            os.makedirs(os.path.join(ring_path(site), "full"))
            site.start()
            site.reach("LOADED").close()
            with open(site.log_path, encoding="utf-8") as log:
                self.assertEqual(len(re.findall(r"going on without a trace", log.read())), 1)
            done = site.gencli("trace", "--format", "human")
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("There is no trace", done.stderr)
            self.assertEqual(os.listdir(site.config["runtime_dir"]).count("genctl.trace.new"), 0)

    def test_what_stands_in_the_rings_place_is_replaced(self):
        with Site(start=False) as site:
            with open(ring_path(site), "wb") as f:
                f.write(b"something else")
            site.start()
            self.assertEqual(events(fetch(site))[0], "boot")


GOOD = """t_ms,acked,contacts,inputs,event
# a start by hand
1000,,,,boot
1001,00,,00,mode=auto
20000,00,,,begin first by=operator age_ms=0
20001,00,,,permit
20002,08,,,phase=IGNITION
"""


class Audit(unittest.TestCase):
    """gencli audit and gencli rules by themselves: no node is asked."""

    def test_a_broken_rule_is_named_at_its_time_and_is_the_exit_status(self):
        done = run("audit", "-", stdin=GOOD + "20100,03,,02,\n")
        self.assertEqual(done.returncode, 1, done)
        self.assertRegex(done.stdout, r"\n20100 ms  S1  The starter closes only with [^\n]*\.  "
                                      r"acked: ")
        drawing, _, _ = done.stdout.partition("\n\n")
        self.assertRegex(drawing, r">>> S1 \w")

    def test_the_contacts_are_judged_where_there_are_any(self):
        done = run("audit", "-", stdin="1000,00,00,00,boot\n2000,00,01,00,\n3000,00,00,00,\n")
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("contacts: ", done.stdout)
        self.assertNotIn("acked: ", done.stdout)

    def test_time_that_runs_backwards_is_told(self):
        done = run("audit", "-", stdin="1000,00,,00,boot\n999,00,,00,\n")
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("  T1  ", done.stdout)

    def test_what_is_broken_for_long_is_one_line(self):
        done = run("audit", "-", stdin="1000,00,,00,boot\n" + "999,00,,00,\n" * 80)
        self.assertEqual(done.returncode, 1, done)
        self.assertRegex(done.stdout, r"\n\d+ ms  T1  .* \(80 times until \d+ ms\)\n")
        self.assertTrue(done.stdout.endswith("broken: T1\n"), done.stdout)

    def test_a_drawing_fits_the_page_and_says_each_change(self):
        for locale, on, off in ("C", "|", "."), ("C.UTF-8", "\u2503", "\u00b7"):
            done = run("audit", "-", stdin=GOOD + "20100,08,,02,\n27100,08,,BAD,\n", locale=locale)
            lines = done.stdout.partition("\n\n")[0].splitlines()
            self.assertLessEqual(max(map(len, lines)), 100)
            line = next(line for line in lines if "ignition closes" in line or "IGNITION" in line)
            self.assertEqual(line.split()[:5], ["0:00:19.002", on, off, off, off])
            self.assertRegex(done.stdout, r"0:00:19\.100 .*ignition seen\n")
            self.assertRegex(done.stdout, r"7\.0 s\n")
            self.assertRegex(done.stdout, r"0:00:26\.100 .*inputs do not answer\n")

    def test_a_bad_line_is_named_by_its_number(self):
        for line, why in (("x,00,,00,", "t_ms"), ("5,1f,,00,", "acked"), ("5,00,,zz,", "inputs"),
                          ("5,00,zz,00,", "contacts"), ("5", "t_ms"), ("a" * 600, "too long")):
            done = run("audit", "-", stdin=GOOD + line + "\n")
            self.assertEqual((done.returncode, done.stdout), (2, ""), line)
            self.assertRegex(done.stderr, rf"^gencli: standard input:8: .*{why}")

    def test_what_is_no_trace_is_a_wrong_use(self):
        for words, said in ((("audit",), "audit takes the file"),
                            (("audit", "/nowhere/x"), "No such file"),
                            (("audit", "/"), "directory"),
                            (("audit", "/dev/null"), "no row"),
                            (("audit", "-", "--config", "/nowhere/y"), "/nowhere/y"),
                            (("rules", "--since", "5m"), "use: rules"),
                            (("audit", "a", "b"), "use: audit")):
            done = run(*words, stdin="")
            self.assertEqual((done.returncode, done.stdout), (2, ""), words)
            self.assertIn(said, done.stderr)

    def test_the_rule_book_has_every_rule_once_with_its_sentence(self):
        lines = run("rules").stdout.splitlines()
        ids = [line.split()[0] for line in lines]
        self.assertEqual(len(ids), len(set(ids)))
        for rule in "S1 S9 F1 F3 G1 C1 C4 R1 R5 P1 P2 L1 L3 T1 M1 I1 I4".split():
            self.assertIn(rule, ids)
        self.assertTrue(all(line.endswith(".") for line in lines), lines)


if __name__ == "__main__":
    unittest.main()
