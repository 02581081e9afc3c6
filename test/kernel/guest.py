"""A virtual machine with Debian's stock kernel, and the shipped genctld on an I2C bus in it.

    with Guest(["i2c-dev", "i2c-stub:chip_addr=0x58"]) as guest:
        guest.run("i2cget -y 0 0x58 0x20")

The programs are the built ones with the libraries that ldd names; scripts/kernel-guest has put
kernel, modules and busybox into build/kernel-guest. Nothing of this system is seen from
within, and its network is loopback alone. Times are the guest's CLOCK_MONOTONIC in ms, which
goes on with the instructions that were carried out: a loaded host makes the guest late, not
wrong. Waiting is on state, with limits for such a host.
"""
import glob
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))

from pigenny import BIN, TOP, libconfig, merged, wait_until

B = os.path.join(TOP, os.environ.get("B", "build"))
PARTS = os.path.join(TOP, "build", "kernel-guest")
QEMU = "qemu-system-x86_64"
LIFE_S = 400     # qemu is ended after so long whatever happens
ANSWER_S = 60    # a command in the guest

# The shortest times that the configuration takes; ignition has three samples at 100 ms.
TIMES = {
    "sequence": {"reset_ms": 100, "ignition_ms": 500, "crank_ms": 4000, "glow_assist_ms": 1000,
                 "coast_ms": 1000, "warmup_ms": 1000, "stabilise_ms": 1000,
                 "cooldown_ms": 1000},
    "limits": {"crank_rest_ms": 5000, "at_rest_ms": 5000, "between_runs_ms": 0,
               "starts_per_hour": 8, "lost_ms": 1000},
}


def missing():
    """Why no guest can run here; empty when one can."""
    if os.uname().machine != "x86_64":
        return "the guest is an amd64 one, this machine is not"
    if not shutil.which(QEMU):
        return f"{QEMU} is not there"
    if not os.path.exists(os.path.join(PARTS, ".packages")):
        return "scripts/kernel-guest has fetched nothing"
    return ""


# --- the initramfs ---

def cpio(entries):
    """The archive, format newc, of {path: (mode, bytes)}."""
    out = bytearray()
    for number, (path, (mode, data)) in enumerate([*entries.items(), ("TRAILER!!!", (0, b""))]):
        name = path.encode() + b"\0"
        fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0]
        out += b"070701" + b"".join(b"%08X" % f for f in fields) + name
        out += b"\0" * (-len(out) % 4) + data
        out += b"\0" * (-len(out) % 4)
    return bytes(out)


def libraries(program):
    said = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return re.findall(r"(/\S+) \(0x", said)


def depends(module):
    """This module's file after those of the modules that it needs."""
    path = glob.glob(os.path.join(PARTS, "lib/modules/*/kernel/**", module + ".ko"),
                     recursive=True)[0]
    with open(path, "rb") as file:
        needs = re.search(rb"\0depends=([^\0]*)\0", file.read()).group(1).decode()
    return [p for need in needs.split(",") if need for p in depends(need)] + [path]


def initramfs(modules):
    files = {"init": os.path.join(TOP, "test/kernel/init"),
             "bin/busybox": os.path.join(PARTS, "bin/busybox")}
    for program in [os.path.join(BIN, "genctld"), os.path.join(BIN, "gencli"),
                    os.path.join(B, "test/kernel/cp2112")]:
        files["bin/" + os.path.basename(program)] = program
        files.update({path.lstrip("/"): path for path in libraries(program)})
    files.update({f"modules/{os.path.basename(path)}": path for path in modules})
    folders = {os.path.dirname(path) for path in files} | {"lib"}
    folders |= {"/".join(f.split("/")[:n]) for f in folders for n in range(1, f.count("/") + 1)}
    entries = {f: (0o40755, b"") for f in sorted(folders | {"dev", "proc", "sys", "tmp", "run"})
               if f}
    for path, source in files.items():
        with open(source, "rb") as file:
            entries[path] = (0o100755, file.read())
    return cpio(entries)


# --- the machine ---

class Port:
    """A port of the guest's, /dev/NAME there, as a stream of text."""

    def __init__(self, folder, name):
        self.name = name
        self.path = os.path.join(folder, name)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(1)
        self.listener.settimeout(ANSWER_S)
        self.socket = None
        self.text = ""
        self.changed = threading.Condition()

    def options(self):
        return ["-chardev", f"socket,id={self.name},path={self.path}", "-device",
                f"virtserialport,chardev={self.name},name={self.name}"]

    def open(self):
        self.socket, _ = self.listener.accept()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            try:
                data = self.socket.recv(65536)
            except OSError:
                data = b""
            with self.changed:
                self.text += data.decode("utf-8", "replace")
                self.changed.notify_all()
            if not data:
                return

    def send(self, line):
        self.socket.sendall(line.encode() + b"\n")

    def take(self, pattern, limit_s):
        """What came up to the match, and the match; None if it does not come in time."""
        with self.changed:
            found = self.changed.wait_for(lambda: re.search(pattern, self.text), limit_s)
            if not found:
                return None
            before, self.text = self.text[:found.start()], self.text[found.end():]
            return before, found

    def close(self):
        self.listener.close()
        if self.socket:
            self.socket.close()


class Guest:
    def __init__(self, load):
        self.folder = tempfile.mkdtemp(prefix="pigenny-")
        self.console_path = os.path.join(self.folder, "console")
        self.process = None
        self.asked = 0
        self.began = time.monotonic()
        self.ports = [Port(self.folder, name) for name in ("shell", "far", "trace")]
        self.shell, self.far, self.trace = self.ports
        try:
            self._boot(load)
        except BaseException:
            self.close()
            raise

    def _boot(self, load):
        modules = {}   # file: parameter, in the order of loading
        for word in ["virtio_pci", "virtio_console", *load]:
            name, _, parameter = word.partition(":")
            for path in depends(name):
                modules.setdefault(path, "")
            modules[path] = parameter
        path = os.path.join(self.folder, "initramfs")
        with open(path, "wb") as file:
            file.write(initramfs(modules))
        words = [f"load={os.path.basename(module)[:-3]}:{parameter}"
                 for module, parameter in modules.items()]
        kernel = glob.glob(os.path.join(PARTS, "boot/vmlinuz-*"))[0]
        self.process = subprocess.Popen(
            ["timeout", "--foreground", "-k", "5", str(LIFE_S), QEMU, "-M", "q35", "-cpu",
             "qemu64", "-accel", "tcg", "-icount", "shift=3", "-m", "192", "-nodefaults",
             "-no-reboot", "-display", "none", "-kernel", kernel, "-initrd", path, "-append",
             " ".join(["console=ttyS0 quiet panic=-1 mitigations=off", *words]),
             "-serial", f"file:{self.console_path}", "-device", "virtio-serial-pci"]
            + [word for port in self.ports for word in port.options()],
            stdin=subprocess.DEVNULL)
        for port in self.ports:
            port.open()
        if self.shell.take("\0010 0\n", 60) is None:
            raise AssertionError(f"the guest does not come up\n{self.console()}")
        self.up_s = self.now_ms() / 1000
        self.boot_s = time.monotonic() - self.began

    def came_up(self):
        return f"guest answers {self.up_s:.1f} s after its boot, the host's {self.boot_s:.1f} s"

    def console(self):
        if not os.path.exists(self.console_path):
            return ""
        with open(self.console_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def ask(self, command, limit_s=ANSWER_S):
        """(exit status, output) of a line of shell in the guest."""
        self.asked += 1
        if self.process.poll() is not None:
            raise AssertionError(f"the guest has ended\n{self.console()[-4000:]}")
        self.shell.send(f"{self.asked} {command}")
        answer = self.shell.take(f"\001{self.asked} (\\d+)\n", limit_s)
        if answer is None:
            raise AssertionError(f"guest: no answer to {command} in {limit_s} s\n"
                                 f"{self.shell.text[-2000:]}\n{self.console()[-4000:]}")
        return int(answer[1].group(1)), answer[0]

    def run(self, command, limit_s=ANSWER_S):
        """The output of a line of shell in the guest, which must succeed."""
        rc, out = self.ask(command, limit_s)
        if rc != 0:
            raise AssertionError(f"guest: {command}: exit status {rc}\n{out}\n"
                                 f"{self.console()[-4000:]}")
        return out

    def load(self, module, parameter=""):
        self.run(f"insmod /modules/{module}.ko {parameter}")

    def now_ms(self):
        return round(float(self.run("cat /proc/uptime").split()[0]) * 1000)

    def adapter(self, name):
        """The number N of the /dev/i2c-N of the adapter with this in its name."""
        def found():
            rc, out = self.ask(f"grep -l '{name}' /sys/class/i2c-dev/*/name")
            return rc == 0 and re.search(r"i2c-(\d+)", out)
        return int(wait_until(found, ANSWER_S, f"adapter {name}", self.console).group(1))

    def ended(self, limit_s):
        """Whether the machine has stopped by itself, as after a reset, within the limit."""
        try:
            self.process.wait(limit_s)
            return True
        except subprocess.TimeoutExpired:
            return False

    def close(self):
        if self.process:
            self.process.terminate()
            self.process.wait(20)
        for port in self.ports:
            port.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Node:
    """genctld in the guest, on /dev/i2c-`bus`."""

    def __init__(self, guest, bus, config=None):
        self.guest = guest
        self.config = merged(merged(TIMES, {
            "listen": "127.0.0.1:9999", "state_dir": "/tmp/state",
            "runtime_dir": "/run/genctld",
            "board": {"kind": "modio", "bus": f"/dev/i2c-{bus}"}}), config or {})
        guest.run("rm -rf /tmp/state /run/genctld; mkdir -p /tmp/state /run/genctld")
        text = libconfig(self.config).replace("\n", " ")
        guest.run(f"echo '{text}' >/tmp/genctl.conf")
        self.start()

    def start(self):
        self.before = len(self.guest.console())
        self.guest.run("genctld --config /tmp/genctl.conf 2>>/dev/ttyS0 &")
        self.wait_log("server: listening")

    def wait_log(self, text):
        """Until genctld has logged this since its start, which costs the guest nothing."""
        wait_until(lambda: text in self.guest.console()[self.before:], ANSWER_S, text,
                   lambda: self.guest.console()[-4000:])

    def gencli(self, *words):
        """(exit status, output)"""
        return self.guest.ask("gencli --format json --socket /run/genctld/genctl.sock "
                              + " ".join(words))

    def order(self, *words):
        rc, out = self.gencli(*words)
        if rc != 0:
            raise AssertionError(f"gencli {words}: {rc}: {out}\n{self.guest.console()[-4000:]}")
        try:
            return json.loads(out)
        except ValueError:
            return out

    def status(self):
        return self.order("status")

    def wait_status(self, predicate, what):
        def there():
            status = self.status()
            if predicate(status):
                return status
            self.guest.run("usleep 200000")   # a guest that only answers does not get on
            return None
        return wait_until(there, ANSWER_S, what, lambda: f"{self.status()}\n"
                          f"{self.guest.console()[-4000:]}")

    def pid(self):
        """The guard's."""
        return int(self.guest.run("ps -o pid,comm | grep ' genctld$'").split()[0])

    def end(self):
        """SIGTERM; the exit is waited for."""
        pid = self.pid()
        self.guest.run(f"kill {pid}")
        wait_until(lambda: self.guest.ask(f"kill -0 {pid}")[0] != 0, ANSWER_S, "end of genctld",
                   self.guest.console)
