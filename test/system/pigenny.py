"""A whole site for a system test: the simulator, genctld, where asked monitord, and gencli.

    with Site() as site:
        site.gencli("start")
        site.wait_phase("LOADED", 20)

Everything lives in a temporary folder on loopback ports of the kernel's choosing and is gone
when the block ends. Waiting is on state and has a limit; only wait_until() polls. Times in
the trace are CLOCK_MONOTONIC in ms, as now_ms() gives them.
"""
import collections
import concurrent.futures
import csv
import functools
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import contract
import judge

TOP = contract.TOP
BIN = os.path.join(TOP, os.environ.get("BIN", "build/bin"))
SCALE = 5

# Short, yet inside the caps; divided by SCALE. Ignition is long enough for the three samples
# at 100 ms that must confirm it before the starter may close, which are never scaled.
TIMES = {
    "sequence": {"reset_ms": 1000, "ignition_ms": 2500, "crank_ms": 10000,
                 "glow_assist_ms": 2000, "coast_ms": 4000, "warmup_ms": 10000,
                 "stabilise_ms": 5000, "cooldown_ms": 15000},
    "limits": {"crank_rest_ms": 5000, "at_rest_ms": 5000, "between_runs_ms": 0,
               "starts_per_hour": 8, "lost_ms": 2000},
}

Row = collections.namedtuple("Row", "t_ms acked contacts inputs event")


# Commands after which a rule may be broken by the far end of the wires, not by us.
FAULTS = re.compile("cmd (weld|latch|brownout|reset|nak|stuck-bus|zero|noise|latency|in |external)")


def now_ms():
    return time.monotonic_ns() // 1000000


def wait_until(predicate, limit_s, what, context=lambda: ""):
    """The first true value of predicate(); AssertionError after limit_s."""
    deadline = time.monotonic() + limit_s
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"no {what} within {limit_s} s\n{context()}")
        select.select([], [], [], 0.02)


def concurrently(workers):
    """Class decorator: the tests run at the same time, yet each is reported by its name."""
    def decorate(cls):
        names = [name for name in dir(cls) if name.startswith("test")]
        bodies = {name: getattr(cls, name) for name in names}

        def set_up_class(cls):
            cls.pool = concurrent.futures.ThreadPoolExecutor(workers)
            cls.running = {name: cls.pool.submit(bodies[name], cls(name)) for name in names}

        def tear_down_class(cls):
            cls.pool.shutdown()

        def waiting(name):
            def test(self):
                self.running[name].result()
            return functools.wraps(bodies[name])(test)

        for name in names:
            setattr(cls, name, waiting(name))
        cls.setUpClass = classmethod(set_up_class)
        cls.tearDownClass = classmethod(tear_down_class)
        return cls
    return decorate


def libconfig(values, indent=""):
    out = ""
    for key, value in values.items():
        if isinstance(value, dict):
            out += f"{indent}{key} = {{\n{libconfig(value, indent + '  ')}{indent}}};\n"
        elif isinstance(value, bool):
            out += f"{indent}{key} = {str(value).lower()};\n"
        elif isinstance(value, str):
            out += f"{indent}{key} = \"{value}\";\n"
        else:
            out += f"{indent}{key} = {value};\n"
    return out


def merged(base, over):
    out = dict(base)
    for key, value in over.items():
        out[key] = merged(out.get(key, {}), value) if isinstance(value, dict) else value
    return out


class Probe:
    """How late a process can be on this machine: one pinned process a core, woken each 2 ms."""
    CODE = """
import os, select, sys, time
os.sched_setaffinity(0, {int(sys.argv[1])})
last = time.monotonic_ns()
while True:
    select.select([0], [], [], 0.002)
    now = time.monotonic_ns()
    if now - last > 10000000:
        print(last // 1000000, now // 1000000, flush=True)
    last = now
    if os.getppid() != int(sys.argv[2]):
        break
"""

    def __init__(self):
        self.gaps = []
        self.processes = []
        for core in sorted(os.sched_getaffinity(0)):
            p = subprocess.Popen(
                ["/usr/bin/python3", "-c", self.CODE, str(core), str(os.getpid())],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            self.processes.append(p)
            threading.Thread(target=self._read, args=(p,), daemon=True).start()

    def _read(self, process):
        for line in process.stdout:
            self.gaps.append(tuple(map(int, line.split())))

    def stall_ms(self, from_ms, to_ms):
        """The longest time in which one of the cores did not run its probe."""
        return max([end - begin for begin, end in list(self.gaps)
                    if end >= from_ms and begin <= to_ms], default=0)

    def close(self):
        for p in self.processes:
            p.kill()
            p.wait()
            p.stdin.close()


class Refused(Exception):
    """The engine node's Error reply."""

    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['text']}")
        self.code, self.text, self.retry_ms = error["code"], error["text"], error["retry_ms"]


class Client:
    """A protobuf connection; pushed events gather in .events."""

    def __init__(self, port, role="OPERATOR", hello=True):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.buffer = b""
        self.last_id = 0
        self.events = []
        if hello:
            self.node = self.ask("hello", major=1, name="test", role=role)

    def send(self, data):
        self.socket.sendall(data)

    def receive(self):
        """The next reply, or None when the node has closed the connection."""
        while True:
            size = 4 + int.from_bytes(self.buffer[:4], "big")
            if len(self.buffer) >= 4 and len(self.buffer) >= size:
                body, self.buffer = self.buffer[4:size], self.buffer[size:]
                return contract.decode("Reply", body)
            try:
                data = self.socket.recv(65536)
            except ConnectionError:
                return None
            if not data:
                return None
            self.buffer += data

    def ask(self, body, **fields):
        """The reply's body; Refused for an error."""
        self.last_id += 1
        self.send(contract.frame(contract.encode("Request",
                                                 {"id": self.last_id, body: fields})))
        while True:
            reply = self.receive()
            if reply is None:
                raise ConnectionError("the node closed the connection")
            if "event" in reply:
                self.events.append(reply["event"])
                continue
            if "error" in reply:
                raise Refused(reply["error"])
            return next(value for key, value in reply.items() if key != "id")

    def next_event(self):
        while not self.events:
            reply = self.receive()
            if reply is None:
                raise ConnectionError("the node closed the connection")
            if "event" in reply:
                self.events.append(reply["event"])
        return self.events.pop(0)

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def parse_trace(text):
    """The rows of a trace, without a last line that is still being written."""
    lines = text.rpartition("\n")[0].split("\n")
    start = int(re.search(r"mono_ms=(\d+)", lines[1]).group(1))
    byte = lambda text: None if text in ("", "BAD") else int(text, 16)
    return [Row(start + int(t), byte(acked), byte(contacts), byte(inputs), event)
            for t, acked, contacts, inputs, event in csv.reader(lines[1:])]


class Sitesim:
    def __init__(self, folder, scale, commands, extra):
        self.control_path = os.path.join(folder, "control")
        self.trace_path = os.path.join(folder, "trace.csv")
        args = [os.path.join(BIN, "sitesim"), "--board", os.path.join(folder, "board"),
                "--inverter", os.path.join(folder, "inverter"), "--control",
                self.control_path, "--trace", self.trace_path, "--time-scale", str(scale)]
        for command in commands:
            args += ["--set", command]
        self.process = subprocess.Popen(args + extra, stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if line == "ready\n":
                break
        else:
            raise AssertionError("sitesim did not get ready")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(10)
        self.socket.connect(self.control_path)
        self.lock = threading.Lock()

    def tell(self, command):
        with self.lock:
            self.socket.send(command.encode())
            answer = self.socket.recv(4096).decode().rstrip("\0\n")
        if answer.startswith("error"):
            raise AssertionError(f"sitesim: {command}: {answer}")
        return answer

    def trace(self):
        with open(self.trace_path, newline="", encoding="ascii") as f:
            return parse_trace(f.read())

    def close(self):
        self.socket.close()
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()


class Service(threading.Thread):
    """genctld under a service manager's rules: restarted when it ends, killed when its
    watchdog starves. Its helpers are left alone, as KillMode=process does."""
    WATCHDOG_S = 4.0

    def __init__(self, folder, start):
        super().__init__(daemon=True)
        self.folder = folder
        self.start_daemon = start
        self.ending = threading.Event()
        self.process = None
        self.starts = 0

    def run(self):
        while not self.ending.is_set():
            path = os.path.join(self.folder, f"notify{self.starts}")
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
                notify.bind(path)
                self.process = self.start_daemon({
                    "NOTIFY_SOCKET": path,
                    "WATCHDOG_USEC": str(int(self.WATCHDOG_S * 1e6))})
                self.starts += 1
                self._guard(notify)

    def _guard(self, notify):
        fed = None  # until the first keep-alive it is not expected
        while self.process.poll() is None and not self.ending.is_set():
            if select.select([notify], [], [], 0.05)[0]:
                if b"WATCHDOG=1" in notify.recv(4096):
                    fed = time.monotonic()
            elif fed and time.monotonic() - fed > self.WATCHDOG_S:
                self.process.kill()
                self.process.wait()

    def end(self):
        self.ending.set()
        self.join()


class Site:
    def __init__(self, config=None, sim=(), sim_args=(), scale=SCALE, supervise=False,
                 monitor=None, start=True):
        self.folder = tempfile.mkdtemp(prefix="pigenny-")
        self.scale = scale
        self.log_path = os.path.join(self.folder, "genctld.log")
        self.config = merged(merged(TIMES, {
            "listen": "127.0.0.1:0", "state_dir": os.path.join(self.folder, "state"),
            "runtime_dir": os.path.join(self.folder, "run"), "log_level": "debug",
            "time_scale": scale,
            "board": {"kind": "sim", "socket": os.path.join(self.folder, "board")},
        }), config or {})
        for key in "state_dir", "runtime_dir":
            os.makedirs(self.config[key], exist_ok=True)
        self.groups = []   # process groups of every genctld started
        self.daemon = self.service = self.monitor = None
        self.clients = []
        self.supervise = supervise
        self.unjudged = None  # why its trace may break a rule, as by an emergency stop
        self.probe = None     # a Probe that runs beside it
        self.simulator = Sitesim(self.folder, scale, sim, list(sim_args))
        try:
            if start:
                self.start()
            if monitor is not None:
                self.start_monitor(monitor)
        except BaseException:
            self.close()
            raise

    # --- processes ---

    def write_config(self, name, values):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(values if isinstance(values, str) else libconfig(values))
        return path

    def spawn(self, env=None):
        """Another genctld, for which nobody waits yet."""
        log = open(self.log_path, "a", encoding="utf-8")
        with log:
            p = subprocess.Popen(
                [os.path.join(BIN, "genctld"), "--config",
                 self.write_config("genctl.conf", self.config)],
                stderr=log, stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})},
                start_new_session=True)
        self.groups.append(p.pid)
        return p

    def start(self):
        if self.supervise:
            self.service = Service(self.folder, self.spawn)
            self.service.start()
        else:
            self.daemon = self.spawn()
        wait_until(lambda: self.main and self.answers(), 10, "genctld that answers", self.log)

    @property
    def main(self):
        """The guard's process."""
        return self.service.process if self.service else self.daemon

    def log(self):
        if not os.path.exists(self.log_path):
            return ""
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()[-6000:]

    def port(self, server="server"):
        """Where this server ("server" or "text") listens, by the newest such line logged."""
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            found = re.findall(server + r": listening on port (\d+)", f.read())
        return int(found[-1]) if found else None

    def answers(self):
        try:
            with Client(self.port() or 1) as client:
                client.ask("ping")
                return True
        except (OSError, ConnectionError, Refused):
            return False

    def helpers(self):
        """{"control": pid, "saver": pid, "deadman": pid}, as far as the guard has them."""
        out = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
                    stat = f.read()
            except OSError:
                continue
            name, rest = re.match(r"\d+ \((.*)\) (.*)", stat, re.S).groups()
            if int(rest.split()[1]) == self.main.pid and rest.split()[0] != "Z":
                out[name.rpartition("-")[2]] = int(pid)
        return out

    def pid(self, name):
        return self.main.pid if name == "guard" else self.helpers().get(name)

    def whole(self):
        """All four processes are there and the node answers."""
        return (self.main.poll() is None and len(self.helpers()) == 3 and self.answers())

    def start_monitor(self, config):
        path = self.write_config("monitor.conf", config)
        with open(os.path.join(self.folder, "monitord.log"), "a", encoding="utf-8") as log:
            self.monitor = subprocess.Popen(
                [os.path.join(BIN, "monitord"), "--config", path], stderr=log,
                stdin=subprocess.DEVNULL)

    # --- talking to them ---

    def client(self, **kwargs):
        client = Client(self.port(), **kwargs)
        self.clients.append(client)
        return client

    def gencli(self, *words, stdin=None, timeout=120):
        """CompletedProcess of gencli with these words, JSON unless --format is among them."""
        args = [os.path.join(BIN, "gencli"), "--port", str(self.port()), "--socket",
                os.path.join(self.config["runtime_dir"], "genctl.sock")]
        if "--format" not in words and stdin is None:
            args += ["--format", "json"]
        return subprocess.run(args + list(words), capture_output=True, text=True,
                              input=stdin, timeout=timeout, check=False)

    def order(self, *words):
        """gencli that must succeed; its JSON, or its text where that is none."""
        if words[0] == "estop":
            self.unjudged = "an emergency stop skips the cool-down"
        done = self.gencli(*words)
        assert done.returncode == 0, (words, done.returncode, done.stdout, done.stderr)
        try:
            return json.loads(done.stdout)
        except ValueError:
            return done.stdout

    def status(self):
        return self.order("status")

    def sim(self, command):
        answer = self.simulator.tell(command)
        return json.loads(answer) if command == "state" else answer

    def trace(self):
        return self.simulator.trace()

    def wait_phase(self, *phases, limit=20):
        """Polls the status until one of these phases is seen; the status then."""
        client = self.client()
        try:
            def there():
                status = client.ask("status")
                return status if status["phase"] in phases else None
            return wait_until(there, limit, " or ".join(phases),
                              lambda: f"{client.ask('status')}\n{self.log()}")
        finally:
            client.close()

    def wait_sim(self, predicate, limit, what):
        return wait_until(lambda: predicate(self.sim("state")), limit, what,
                          lambda: f"{self.sim('state')}\n{self.log()}")

    def reach(self, phase, limit=30):
        """Starts the engine and returns when the node says that it entered `phase`."""
        client = self.client()
        client.ask("subscribe")
        client.ask("start", reason="test")
        if phase == "COOLDOWN":
            self._await_event(client, "LOADED", limit)
            client.ask("stop")
        self._await_event(client, phase, limit)
        return client

    @staticmethod
    def _await_event(client, phase, limit):
        deadline = time.monotonic() + limit
        while True:
            client.socket.settimeout(max(deadline - time.monotonic(), 0.01))
            event = client.next_event()
            if event["kind"] == "phase" and event["phase"] == phase:
                client.socket.settimeout(10)
                return event

    # --- the end ---

    def close(self):
        for client in self.clients:
            client.close()
        if self.monitor:
            self.monitor.kill()
            self.monitor.wait()
        if self.service:
            self.service.end()
        for group in self.groups:
            try:
                os.killpg(group, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if self.main:
            self.main.wait()
        self.simulator.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind and os.environ.get("PIGENNY_KEEP"):
            shutil.copytree(self.folder, os.environ["PIGENNY_KEEP"], dirs_exist_ok=True,
                            ignore=shutil.ignore_patterns("board", "inverter", "control", "run"))
        try:
            broken = [] if kind else self.broken_rules()
        finally:
            self.close()
        if broken:
            raise AssertionError("the trace breaks rules: " + "; ".join(broken))

    def broken_rules(self):
        """What the judge finds in a trace that no scripted fault and no emergency explains."""
        trace = self.trace()
        if self.unjudged or any(FAULTS.match(row.event) for row in trace):
            return []
        stall = self.probe.stall_ms(trace[0].t_ms, now_ms()) if self.probe else 100
        return judge.judge(trace, judge.scaled(self.config), end_ms=now_ms(), stall_ms=stall)


def relay_steps(trace, since_ms=0):
    """[(ms since the first of them, byte)] of each change of the acknowledged byte."""
    out, last = [], None
    for row in trace:
        if row.acked is not None and row.acked != last:
            last = row.acked
            if row.t_ms >= since_ms:
                out.append((row.t_ms, row.acked))
    return [(t - out[0][0], byte) for t, byte in out]


def opened_ms(trace, bit, since_ms):
    """When this contact was first seen open at or after since_ms; None: it stayed closed."""
    contacts = 0
    for row in trace:
        if row.t_ms >= since_ms:
            if not contacts & bit:
                return since_ms
            if not row.contacts & bit:
                return row.t_ms
        contacts = row.contacts
    return None if contacts & bit else since_ms


def pulses(trace, bit):
    """[(from_ms, to_ms)] in which this contact was closed; to_ms None: still is."""
    out, closed = [], False
    for row in trace:
        if row.contacts & bit and not closed:
            out.append((row.t_ms, None))
        elif closed and not row.contacts & bit:
            out[-1] = (out[-1][0], row.t_ms)
        closed = bool(row.contacts & bit)
    return out
