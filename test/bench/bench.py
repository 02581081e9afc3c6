#!/usr/bin/python3
"""Speed and memory of the pair beside bare baselines of the same run: `make bench`.

Absolute times drift on a shared machine, so each is printed beside that of something bare
that did the same work in turns with it, and the target is a ratio of the two medians.
Memory is PSS, which counts shared pages once. A missed target is printed and no failure;
the exit status is 1 when something could not be measured.
"""
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "test", "system"))
from pigenny import Refused, Site, wait_until  # noqa: E402

TOOLS = os.path.join(TOP, os.environ["B"], "test", "bench")

RTT_BATCHES, RTT_ROUNDS, IDLE = 40, 150, 30
POLL_BATCHES, POLLS = 20, 100
SITES, STARTS = 4, 6

# Short phases; the starter's own limits and the sampling are the shipped ones.
QUICK = {
    "sequence": {"ignition_ms": 2500, "coast_ms": 4000, "warmup_ms": 5000,
                 "cooldown_ms": 1000},
    "limits": {"crank_rest_ms": 5000, "at_rest_ms": 5000, "between_runs_ms": 0,
               "starts_per_hour": 8},
}
STARTER, RUNNING = 0x01, 0x01  # bits of the relay byte and of the input byte

ORIGINAL = """\
The original, measured on a 2-core x86 machine: PING 65 us, STATUS 111 us, connect+STATUS
325 us; 12.6 MB (engine node) and 22.4 MB (monitor); 0.79 ms CPU per poll; a starter that
stays on after the engine runs, to the end of its time."""


class Table:
    """Rows are printed as they are measured."""

    def __init__(self):
        self.complete = True

    @staticmethod
    def section(title, *columns):
        print(f"\n{title:<38}" + "".join(f"{c:>11}" for c in columns), flush=True)

    @staticmethod
    def row(name, *cells, value=None, target=None):
        verdict = "" if target is None else "ok" if value <= target else "MISSED"
        print(f"  {name:<36}" + "".join(f"{c:>11}" for c in cells) + f"  {verdict}",
              flush=True)

    def ratio(self, name, base, ours, target):
        ratio = ours[0] / base[0]
        times = [f"{ns / 1000:.1f}" for ns in (*base, *ours)]
        self.row(name, *times, f"{ratio:.2f}", f"{target:.2f}", value=ratio, target=target)

    def attempt(self, what, measure, *args):
        """measure's result; a failure is told and the bench goes on."""
        try:
            return measure(self, *args)
        except (AssertionError, OSError, ValueError, LookupError, RuntimeError, Refused,
                subprocess.SubprocessError) as fault:
            print(f"\n{what}: could not be measured: {fault}", flush=True)
            self.complete = False
            return None


def machine():
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as f:
        found = re.search(r"^(?:model name|Model)\s*:\s*(.*)", f.read(), re.M)
    model = found.group(1) if found else platform.machine()
    return f"{model}, {len(os.sched_getaffinity(0))} cores, Linux {platform.release()}"


def tool(name, *args):
    """{first words of a line: (median ns, p99 ns)} of what a measuring tool printed."""
    done = subprocess.run([os.path.join(TOOLS, name), *map(str, args)], capture_output=True,
                          text=True, timeout=100, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    rows = [line.rsplit(" ", 3) for line in done.stdout.splitlines()]
    return {name: (int(median), int(p99)) for name, median, p99, _ in rows}


def share_a_core(*pids):
    """Where the scheduler puts client and server makes more difference than all they do."""
    core = {max(os.sched_getaffinity(0))}
    for pid in pids:
        os.sched_setaffinity(pid, core)


def round_trips(table, site):
    cores = os.sched_getaffinity(0)
    with subprocess.Popen([os.path.join(TOOLS, "echo")], stdout=subprocess.PIPE,
                          text=True) as echo:
        try:
            port = echo.stdout.readline().strip()
            share_a_core(0, echo.pid, site.pid("control"))
            t = tool("rtt", RTT_BATCHES, RTT_ROUNDS, IDLE, site.port(), port)
        finally:
            echo.kill()
            os.sched_setaffinity(0, cores)
    names = {"ping": ("PING", 1.5), "status": ("STATUS", 2),
             "connect": ("connect + hello + STATUS", 2)}
    table.section("Round trips, us", "bare echo", "p99", "genctld", "p99", "ratio", "target")
    for key, (name, target) in names.items():
        table.ratio(name, t[key + " bare"], t[key + " ours"], target)
    table.section(f"... with {IDLE} idle clients, us", "without", "p99", "with", "p99",
                  "ratio", "target")
    for key, (name, _) in names.items():
        table.ratio(name, t[key + " ours"], t[key + " crowded"], 1.1)


def pss_mb(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        return int(re.search(r"^Pss:\s+(\d+) kB", f.read(), re.M).group(1)) * 1024 / 1e6


def genctld_memory(table, site):
    mb = {name: pss_mb(site.pid(name)) for name in ("guard", "control", "saver", "deadman")}
    table.section("Memory after these, PSS in MB", "PSS", "target")
    for name in mb:
        table.row(f"genctld, {name}", f"{mb[name]:.2f}")
    both, four = mb["guard"] + mb["control"], sum(mb.values())
    table.row("genctld, guard and control", f"{both:.2f}", "3.00", value=both, target=3)
    table.row("genctld, all four", f"{four:.2f}", "3.00", value=four, target=3)


def monitord_memory(table, site):
    """After a dozen requests to the inverter, some polls, and a link to genctld."""
    folder = site.folder
    before = site.sim("state")["requests"]
    site.start_monitor({
        "runtime_dir": folder, "manual_dir": folder, "poll_interval_s": 1,
        "inverter": {"device": os.path.join(folder, "inverter"), "gap_ms": 0},
        "generator": {"host": "127.0.0.1", "port": site.port()},
        "csv": {"dir": folder, "interval_s": 1},
    })
    wait_until(lambda: site.sim("state")["requests"] >= before + 12, 30, "polls of monitord")
    mb = pss_mb(site.monitor.pid)
    table.row("monitord", f"{mb:.2f}", "8.00", value=mb, target=8)


def poll_cpu(table, site):
    t = tool("poll", os.path.join(site.folder, "inverter"), POLL_BATCHES, POLLS)
    table.section("CPU of one inverter poll, us", "libmodbus", "p99", "driver", "p99",
                  "ratio", "target")
    table.ratio("three groups of registers", t["poll bare"], t["poll ours"], 3)


def openings_ms(trace):
    """How long the starter's contact stayed closed after each rise of the running wire."""
    out, risen_ms, before = [], None, 0
    for row in trace:
        inputs = row.inputs or 0
        if row.contacts & STARTER and inputs & RUNNING and not before & RUNNING:
            risen_ms = row.t_ms
        if risen_ms is not None and not row.contacts & STARTER:
            out.append(row.t_ms - risen_ms)
            risen_ms = None
        before = inputs
    return out


def starts(i):
    """One site's openings; each site's engine catches at other times."""
    sim = [f"catch {1500 + 130 * i} {1100 + 170 * i}", "rise 200", "run-on 500"]
    with Site(config=QUICK, sim=sim) as site, site.client() as client:
        for _ in range(STARTS):
            wait_until(lambda: client.ask("status")["start_ready_ms"] == 0, 20, "rest")
            client.ask("start", reason="bench")
            site.wait_phase("WARMUP")
            client.ask("stop")
            site.wait_phase("OFF")
        return openings_ms(site.trace())


def starter_opens(table):
    with ThreadPoolExecutor(SITES) as pool:
        ms = sorted(sum(pool.map(starts, range(SITES)), []))
    if len(ms) < 20:
        raise RuntimeError(f"only {len(ms)} starts were seen")
    table.section("Starter, from input high to open, ms", "median", "longest", "starts",
                  "target")
    table.row("simulated board", f"{statistics.median(ms):.0f}", f"{ms[-1]}", len(ms), "50",
              value=ms[-1], target=50)


def main():
    began = time.monotonic()
    table = Table()
    print(f"bench on {machine()}\ntimes are medians and 99th percentiles; "
          "ratios are of medians of the same run")

    def one_site(table):
        with Site(config={"log_level": "info"}, sim=["poll-ms 0"]) as site:
            table.attempt("Round trips", round_trips, site)
            table.attempt("Memory of genctld", genctld_memory, site)
            table.attempt("Memory of monitord", monitord_memory, site)
            if site.monitor:
                site.monitor.kill()
                site.monitor.wait()
            table.attempt("CPU of a poll", poll_cpu, site)

    table.attempt("The site", one_site)
    table.attempt("Starter", starter_opens)
    print(f"\n{ORIGINAL}\nTook {time.monotonic() - began:.0f} s.")
    return 0 if table.complete else 1


if __name__ == "__main__":
    sys.exit(main())
