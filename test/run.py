#!/usr/bin/python3
"""Runs the tests and counts them.

    B=build/x86_64-linux-gnu BIN=build/bin test/run.py [--only unit|system|kernel] [WORD...]

Suites are the cmocka programs under $B/test/unit and $B/test/scenario, the fuzz targets under
$B/test/fuzz, which replay their corpus, and the unittest modules test/system/test_*.py; those of
test/kernel run only when asked for. A WORD picks those with it in their name. Two run at a time;
a module with `SERIAL = True` runs alone. Each suite has a process group of its own, which is
ended with it. A line "figure: ..." of its output is repeated. A crash, a suite over its time and
one that ran nothing are one failure each. Where CI=true, a test may be skipped only for want of
the data folder. RUNNER is put before
each program (an emulator). The last line is "N passed, M failed, K skipped".
"""
import argparse
import glob
import importlib.util
import os
import queue
import re
import select
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import unittest

PARALLEL = 2
LIMIT_S = {"unit": 180, "system": 420, "kernel": 420}
TAIL_LINES = 150
NO_DATA = re.compile(r"PIGENNY_DATA|data folder", re.IGNORECASE)
NAMES = {"passed": "ok", "failed": "FAILED", "skipped": "SKIPPED"}


class Suite:
    """One program or module: what it is, and once run what came of it."""

    def __init__(self, kind, path):
        self.kind = kind
        self.path = path
        self.name = os.path.splitext(os.path.basename(path))[0]
        self.counts = dict.fromkeys(NAMES, 0)
        self.skips = []
        self.output = ""
        self.wall_s = 0

    def serial(self):
        if self.kind != "system":
            return False
        with open(self.path, encoding="utf-8") as source:
            return re.search(r"^SERIAL = True", source.read(), re.MULTILINE) is not None

    def command(self):
        if self.kind != "unit":
            return [sys.executable, os.path.abspath(__file__), "--module", self.path]
        return shlex.split(os.environ.get("RUNNER", "")) + [self.path]


class Running:
    """The suites' process groups, so that all are ended however the runner ends."""

    def __init__(self):
        self.lock = threading.Lock()
        self.groups = set()
        self.stopped = False

    def start(self, command, output):
        with self.lock:
            if self.stopped:
                raise InterruptedError
            p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output,
                                 stderr=subprocess.STDOUT, start_new_session=True)
            self.groups.add(p.pid)
            return p

    def end(self, p):
        """Before p is reaped, so that its group's number is still its own."""
        with self.lock:
            kill_group(p.pid)
            self.groups.discard(p.pid)
        return p.wait()

    def end_all(self):
        with self.lock:
            self.stopped = True
            for group in self.groups:
                kill_group(group)


def kill_group(group):
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass


def run(suite, running):
    """Runs a suite and fills in its counts."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as output:
        p = running.start(suite.command(), output)
        exited = os.pidfd_open(p.pid)
        in_time = select.select([exited], [], [], LIMIT_S[suite.kind])[0]
        os.close(exited)
        rc = running.end(p)
        output.seek(0)
        suite.output = output.read().decode("utf-8", "replace")
    suite.wall_s = time.monotonic() - began
    unfinished = count(suite)
    if not in_time:
        fault(suite, f"not done after {LIMIT_S[suite.kind]} s")
    elif rc < 0:
        fault(suite, f"ended by {signal.Signals(-rc).name}")
    elif rc != 0 and not suite.counts["failed"]:
        fault(suite, f"exit status {rc}")
    elif unfinished:
        fault(suite, f"ended inside {unfinished}")
    elif not sum(suite.counts.values()):
        fault(suite, "ran no test")


def fault(suite, what):
    suite.counts["failed"] += 1
    suite.output += f"\n{suite.name}: {what}\n"


def count(suite):
    """A result counts once, after the start of its own test: the summaries repeat them.
    Returns the test that was started and never ended."""
    test, said = None, []
    for line in suite.output.splitlines():
        word = re.search(r"\[ *(RUN|OK|FAILED|SKIPPED) *\] (.*)", line)
        if word and word[1] == "RUN":
            test, said = word[2], []
        elif word and word[2] == test:
            for key, name in NAMES.items():
                suite.counts[key] += word[1].upper() == name.upper()
            if word[1] == "SKIPPED":
                suite.skips.append((test, " ".join(said).strip() or "no reason given"))
            test = None
        else:
            said.append(line)
    return test


class Result(unittest.TestResult):
    """Prints in cmocka's words, so that both kinds of suites are counted alike."""

    def startTest(self, test):
        super().startTest(test)
        print(f"[ RUN      ] {test.id()}", flush=True)
        self.bad = False

    def stopTest(self, test):
        super().stopTest(test)
        if self.bad:
            print(f"[  FAILED  ] {test.id()}", flush=True)

    def addSuccess(self, test):
        print(f"[       OK ] {test.id()}", flush=True)

    def addExpectedFailure(self, test, err):
        self.addSuccess(test)

    def addSkip(self, test, reason):
        if not hasattr(test, "_testMethodName"):  # a whole class: no test was started
            print(f"[ RUN      ] {test.id()}")
        print(f"{reason}\n[  SKIPPED ] {test.id()}", flush=True)

    def addError(self, test, err):
        super().addError(test, err)
        self.tell(test, err)

    addFailure = addError

    def addSubTest(self, test, subtest, err):
        if err:
            self.tell(subtest, err)

    def addUnexpectedSuccess(self, test):
        self.bad = True

    def tell(self, test, err):
        print(f"{test.id()}\n{''.join(traceback.format_exception(*err))}")
        if hasattr(test, "_testMethodName") or hasattr(test, "test_case"):
            self.bad = True
        else:  # setUpClass, setUpModule or a module that cannot be loaded
            print(f"[ RUN      ] {test.id()}\n[  FAILED  ] {test.id()}", flush=True)


def run_module(path):
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    name = os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    unittest.defaultTestLoader.loadTestsFromModule(module).run(Result())
    sys.stdout.flush()


def suites(only, words):
    built = os.environ.get("B", "build")
    found = []
    if only in (None, "unit"):
        for source in sorted(glob.glob("test/unit/test_*.c") + glob.glob("test/scenario/test_*.c")
                             + glob.glob("test/fuzz/fuzz_*.c")):
            found.append(Suite("unit", os.path.join(built, source[:-2])))
    if only in (None, "system"):
        found += [Suite("system", path) for path in sorted(glob.glob("test/system/test_*.py"))]
    if only == "kernel":
        found += [Suite("kernel", path) for path in sorted(glob.glob("test/kernel/test_*.py"))]
    return [s for s in found if not words or any(word in s.name for word in words)]


def report(suite):
    c = suite.counts
    print("{:4} {:6} {:34} {:6.1f} s  {:3} passed{}{}".format(
        "FAIL" if c["failed"] else "ok", suite.kind, suite.name, suite.wall_s, c["passed"],
        f", {c['failed']} failed" if c["failed"] else "",
        f", {c['skipped']} skipped" if c["skipped"] else ""))
    for line in suite.output.splitlines():
        if line.startswith("figure: "):
            print("     " + line.removeprefix("figure: "))
    for test, reason in suite.skips:
        print(f"     skipped {test}: {reason}")
    if c["failed"]:
        lines = suite.output.splitlines()
        if len(lines) > TAIL_LINES:
            print(f"     | ({len(lines) - TAIL_LINES} lines before this left out)")
        print("\n".join("     | " + line for line in lines[-TAIL_LINES:]))
    sys.stdout.flush()


def work(waiting, running, done):
    while True:
        try:
            suite = waiting.get_nowait()
        except queue.Empty:
            return
        try:
            run(suite, running)
        except InterruptedError:
            return
        except OSError as e:
            fault(suite, f"cannot be run: {e}")
        done.put(suite)


def run_stage(name, todo, running, parallel=PARALLEL):
    began = time.monotonic()
    waiting, done = queue.Queue(), queue.Queue()
    for suite in todo:
        waiting.put(suite)
    for _ in range(min(parallel, len(todo))):
        threading.Thread(target=work, args=(waiting, running, done), daemon=True).start()
    for _ in todo:
        report(done.get())
    if todo:
        print(f"     {name}: {time.monotonic() - began:.1f} s")


def main():
    parser = argparse.ArgumentParser(description="run the tests and count them")
    parser.add_argument("--only", choices=["unit", "system", "kernel"])
    parser.add_argument("--module", help=argparse.SUPPRESS)
    parser.add_argument("words", nargs="*", metavar="WORD")
    args = parser.parse_args()
    if args.module:
        return run_module(args.module)

    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    todo, running = suites(args.only, args.words), Running()
    alone = [s for s in todo if s.serial()]
    try:
        run_stage("unit and scenario tests", [s for s in todo if s.kind == "unit"], running)
        run_stage("system tests",
                  [s for s in todo if s.kind == "system" and s not in alone], running)
        run_stage("tests with a real kernel", [s for s in todo if s.kind == "kernel"], running)
        run_stage("system tests, one at a time", alone, running, 1)
    except KeyboardInterrupt:
        print("stopped before the end", flush=True)
        todo.append(Suite("unit", "stopped"))
        fault(todo[-1], "stopped")
    finally:
        running.end_all()
    return verdict(todo)


def verdict(todo):
    total = {key: sum(s.counts[key] for s in todo) for key in NAMES}
    unexcused = [(s.name, *skip) for s in todo for skip in s.skips if not NO_DATA.search(skip[1])]
    if os.environ.get("CI") == "true" and unexcused:
        for suite, test, reason in unexcused:
            print(f"CI allows no skip of {suite} {test}: {reason}")
    else:
        unexcused = []
    if not sum(total.values()):
        print("no test ran")
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**total))
    return 1 if total["failed"] or unexcused or not sum(total.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
