#!/usr/bin/python3
"""Writes the seeds of the fuzz targets: test/fuzz/corpus/NAME/seed-* and NAME.dict.

    make && test/fuzz/seeds.py

Each seed is an ordinary conversation, file or answer in the target's own encoding, which stands
at the head of its fuzz_NAME.c; requests and replies are made from proto/genctl.proto itself.
What fuzzing found stays beside them under other names.
"""
import os
import re
import struct
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "test", "system"))
import contract  # noqa: E402

NEVER = -2 ** 63
HELLO, PING, STATUS, INPUTS, HEALTH, ACQUIRE, DESIRED, START, STOP, ESTOP, CLEAR, AUTO, \
    MAINTENANCE, RELAY, SUBSCRIBE, EVENTS = range(16)


def put(target, name, data):
    folder = os.path.join(TOP, "test", "fuzz", "corpus", target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "seed-" + name), "wb") as file:
        file.write(bytes(data))


# Acts that server and text share

def opens(peer):
    return [peer]


def ends(peer):
    return [0x18 | peer]


def leaves(peer):
    return [0x10 | peer]


def waits(*which):
    return [0x70 | w for w in which]


def waits_long(times):
    return [0x30 | times]


def guard(mood):  # 0 obeys, 1 refuses, 2 silent, 3 deaf
    return [0x40 | mood]


def engine(catches=1, turns=0, bus_fails=0, noise=0):
    return [0x50 | catches | turns << 1 | bus_fails << 2 | noise << 3]


def operator(what):  # 0 clear, 1 off, 2 maintenance, 3 auto, 4 stop button, 5 descend, 6 shutdown
    return [0x60 | what]


def canned(peer, what, *more):
    return [0xa0 | peer, what, *more]


def raw(peer, body):
    return [0x20 | peer, len(body) - 1, *body]


def request(**body):
    return contract.encode("Request", {"id": 7, **body})


def server():
    ten_s = waits(15)
    by_hand = opens(0) + canned(0, HELLO, 1)
    monitor = opens(1) + canned(1, HELLO, 0) + canned(1, ACQUIRE, 0)
    run = canned(1, DESIRED, 1, 4, 0)
    start = canned(0, START, 0, 0, 0)
    stamp = {"boot_id": 0x5a5a5a5a5a5a5a5a, "epoch": 1, "seq": 1, "age_ms": 9}
    put("server", "operators-cycle", by_hand + ten_s + start + ten_s * 3 + canned(0, STOP) + ten_s)
    put("server", "monitors-cycle", monitor + ten_s + run + ten_s * 3 +
        canned(1, DESIRED, 0, 0, 0) + ten_s + canned(1, EVENTS, 0, 0))
    put("server", "stale-orders", monitor + [b for age in range(1, 6) for b in
                                             canned(1, DESIRED, 1, 4, age) + waits(6)])
    put("server", "estop-while-running", by_hand + monitor + ten_s + start + ten_s * 2 +
        canned(1, ESTOP) + run + start + operator(0) + canned(0, AUTO) + run + ten_s * 2)
    put("server", "engine-does-not-catch", by_hand + engine(0) + ten_s + start + ten_s * 6)
    put("server", "silent-guard", by_hand + guard(2) + start + canned(0, AUTO) + ten_s + guard(0))
    put("server", "deaf-guard", by_hand + guard(3) + [b for _ in range(20) for b in
                                                      canned(0, AUTO)] + canned(0, ESTOP) + ten_s)
    put("server", "maintenance", by_hand + canned(0, MAINTENANCE, 1) + canned(0, RELAY, 8) +
        waits(7) + canned(0, RELAY, 12) + ten_s + canned(0, MAINTENANCE, 0))
    put("server", "questions", by_hand + canned(0, SUBSCRIBE) + [b for what in (
        PING, STATUS, INPUTS, HEALTH, CLEAR, EVENTS) for b in canned(0, what, 0, 0)])
    put("server", "too-many-peers", [0x0f] + leaves(0) + by_hand)
    put("server", "real-frames", opens(0) + raw(0, request(hello={
        "major": 1, "name": "m", "role": "MONITOR"})) + raw(0, request(acquire={})) +
        raw(0, request(desired={"stamp": stamp, "run": True, "for_s": 60, "reason": "low"})) +
        waits(15, 15) + raw(0, request(start={})) + raw(0, request(events={})))
    put("server", "newer-fields", by_hand + raw(0, request(ping={}) + b"\xc2\x0c\x01x") +
        raw(0, request(start={})[:-1] + b"\x04\xc2\x0c\x01x") + canned(0, 0xc0 | START, 0, 0, 0) +
        raw(0, b"\x00") + raw(0, b"\xff\xff\xff"))


def text():
    lines = ["START\n", "STOP\n", "PING\n", "STATUS\n", "INPUTS\n", "RELAY 08\n"]

    def says(peer, line):
        return canned(peer, lines.index(line)) if line in lines else raw_text(peer, line)

    def raw_text(peer, line):
        return [0x20 | peer, len(line), *line.encode()]

    put("text", "cycle", [0] + opens(0) + waits(15) + says(0, "START\n") + says(0, "PING\n") +
        waits(15, 15, 15) + says(0, "STOP\n") + waits(15, 15) + raw_text(0, "QUIT\n"))
    put("text", "pipelined", [0] + opens(0) + raw_text(0, "start\nSTATUS\nSTOP\nHELP\nQUIT\nx") +
        waits(15, 15, 15, 15))
    put("text", "accepted-at-once", [1] + opens(0) + says(0, "START\n") + says(0, "STOP\n"))
    put("text", "two-peers", [0] + opens(0) + opens(1) + waits(15) + says(0, "START\n") +
        waits(10) + says(1, "STOP\n") + waits(15) + says(1, "START\n") + ends(1) + waits(15, 15))
    put("text", "refused-mode", [0] + opens(0) + guard(1) + says(0, "START\n") + waits(7) +
        guard(0))
    put("text", "odd-lines", [0] + opens(0) + [b for line in (
        "\n", " \t\r\n", "RELAY\n", "RELAY 1g\n", "relay -1\n", "what ever\n", "PI", "NG\r\n")
        for b in raw_text(0, line)])
    put("text", "too-long", [0] + opens(0) + [0x90, 31] + opens(0) + says(0, "PING\n"))
    put("text", "too-many-wait", [0] + opens(0) + waits(15) + says(0, "START\n") + [0x90, 0x9f] +
        [0x90, 0x9f] + [0x90, 0x9f] + waits(15))
    put("text", "waits-through-an-estop", [0] + opens(0) + waits(15) + says(0, "START\n") +
        waits(7) + raw_text(0, "STOP\nSTART\n") + operator(4) + operator(0) + waits(15, 15))
    put("text", "relay", [0] + opens(0) + operator(2) + says(0, "RELAY 08\n") + waits(7))


def link():
    def frame(body):
        return contract.frame(body)

    def says(peer, data):
        return [0xa8 | peer, len(data) - 1, *data]

    put("link", "frames", [0, 0x00] + says(0, frame(b"hello")) + says(0, frame(b"a" * 40)[:30]) +
        [0x31] + says(0, frame(b"a" * 40)[30:]) + [0x2c, 0x30])
    put("link", "lines", [3, 0x00, 0x01] + says(0, b"hello\nwor") + says(1, b"x\r\n") +
        says(0, b"ld\r\n") + [0x2c, 0x30])
    put("link", "bad-lengths", [0] + [b for i in range(8) for b in (i % 3, 0x78 | i % 3, i, 0x10 |
                                                                  i % 3)])
    put("link", "slow-and-idle", [0, 0x00, 0x01] + says(0, b"\0\0") + [0x34, 0x35, 0x37])
    put("link", "not-reading", [1, 0x00] + [0x60] * 12 + [0x68, 0x58])
    put("link", "owner-ends-it", [2, 0x00, 0x4c] + says(0, frame(b"x")) + [0x58, 0x33])


def ledger():
    def record(seq, mode=0, held=0, latches=0, run=NEVER, deadline=NEVER, stopped=NEVER):
        return (struct.pack("<I", seq) +
                struct.pack("<5B3xI4x", mode, held, held, held, 0, latches) +
                struct.pack("<7q", run, deadline, stopped, NEVER, NEVER, NEVER, NEVER) +
                struct.pack("<12q", *[NEVER] * 12) +
                struct.pack("<qi4x", NEVER, 0) * 8 + struct.pack("<3I4x", 1, 1, 1))

    still, runs, audit = [0x80] * 12, [0x83] * 4, [0x30]
    start = audit + still + [0x06] + still + [0x41, 0x18] + [0x82] + [0x19] + [0x8a, 0x8b, 0x18]
    held = record(8, held=1, run=900000, deadline=1900000)
    put("ledger", "start", bytes([3]) + record(7) + record(8, stopped=1000) + bytes(start))
    put("ledger", "adopt", bytes([7]) + held + record(7) + bytes(runs + audit + runs * 3 + [0x1a]))
    put("ledger", "latched", bytes([5]) + record(8, latches=1 << 6, mode=5) + bytes(start))
    put("ledger", "old-run", bytes([1]) + held + bytes(still + start))
    put("ledger", "empty", bytes([0]) + bytes(start))
    put("ledger", "short-file", bytes([0x27]) + held + held + b"\x00\x02" + bytes(start))
    put("ledger", "far-times", bytes([5]) + record(1, stopped=2 ** 62, run=5) + bytes(start))


def genlink():
    def answer(what, *more, to=0):
        return [0x80 | to, what, *more]

    number = [0x20, 0x4e, 0, 0]
    up = [1, 0x10] + answer(1, 7, 3) + answer(7) + answer(6, 1, *number)
    status = answer(3, 0x13, 9, 9, 0, 0x0a, 0, *number, 5)
    put("genlink", "up", up + status + [0x00])
    put("genlink", "order", up + status + [0x37] + answer(7) + [0x05] + answer(6, 1, *number))
    put("genlink", "refused", up + status + [0x37] + answer(0, 4, 9) + [0x05])
    put("genlink", "events", up + [0x8f, 9, 0, 4, 0x8f, 9, 1, 4] + status + [0x40] + answer(5, 9))
    put("genlink", "no-answer", [1, 0x0f, 0x10, 0x07, 0x7f, 0x51, 0x0f, 0x50, 0x0f])
    put("genlink", "unknown-numbers", up + answer(3, 0x13, 0x89, 0xff, 0, 0xff, 0xff,
                                                 *[255] * 4, 255))
    put("genlink", "other-answers", [1, 0x10] + status + [0x0f, 0x10] + answer(6, 1, *number))
    put("genlink", "event-before-hello", [1, 0x10, 0x8f, 9, 0, 4] + answer(3, 0, 9, 9, 0, 0, to=1))
    body = contract.encode("Reply", {"id": 1, "hello": {"major": 1, "version": "1"}})
    put("genlink", "real-frames", [0, 0x10, 0x60, len(body) - 1, *body])


def luxpower():
    groups = [(start, bytes(i * 7 & 0xff for i in range(80)))
              for start in (0, 40, 80, 120, 160, 200)]
    put("luxpower", "groups", b"".join(bytes([s, 39, 0]) + body for s, body in groups))
    put("luxpower", "settings", b"".join(bytes([s, 39, 9]) + body for s, body in groups))
    put("luxpower", "window", bytes([40, 0, 0, 1, 2, 41, 1, 0, 255, 255, 255, 127]))


def series():
    old = ("timestamp,timestamp_unix,soc_pct,soh_pct,vbat_v,vpv1_v,vpv2_v,pv_power_w,"
           "charge_power_w,discharge_power_w,generator_state,generator_running\n")
    new = old.replace("pv_power_w", "pv1_power_w,pv2_power_w,load_power_w")
    put("series", "old", (old + "2025-01-01 00:00:00,1735689600,50,99,52.0,0,0,100,200,300,IDLE,0\n"
                          "2025-01-01 00:10:00,1735690200,50,99,52.0,0,0,1,2,3,RUNNING,1\n"
                          ).encode())
    put("series", "new", (new + "2025-01-01 00:00:00,1735689600,50,99,52.0,0,0,1,2,3,4,5,IDLE,0\n"
                          "2025-01-01 00:10:00,1735690200,50,99,52.0,0,0,,,300,0,0,IDLE,0\n"
                          "2025-01-01 00:20:00,1735690800,50,99,52.0,0,0,1,2,3,IDLE,0\n").encode())
    put("series", "half-hours", b",GC,GG\n2012-07-01 00:30:00,0.5,0\n2012-07-01T01:00:00,0.7,1.25\n")
    put("series", "bad", b"unix_s,load_w,pv_w\n5,1,\n4,1,1\nx,1,1\n6,inf,1\n7,1\n\n8,-5,2e9\n")


def edges(listing):
    """One past the largest number of each row of the top group."""
    rows = re.findall(r"^#.*?\.\.(\d+).*default.*\n(\w+) = ", listing, flags=re.MULTILINE)
    return "".join(f"{key} = {int(most) + 1};\n" for most, key in rows)


def conf(target, program, folder):
    """The seed is the sample without its comments; the dictionary, all keys and choices."""
    listing = subprocess.run([os.path.join(TOP, "build", "bin", program), "--print-config"],
                             capture_output=True, text=True, check=True).stdout
    plain = re.sub(r"^\s*#.*\n", "", listing, flags=re.MULTILINE)
    put(target, "all-keys", plain.encode())
    settings = re.findall(r"(\w+) = ([^{;]+);", plain)
    for i, (key, value) in enumerate(settings[:4]):
        put(target, f"one-key-{i}", f"{key} = {value};\n".encode())
    put(target, "faults", b'lisen = "x";\nboard = 5;\nsequence = { crank_ms = 0x7fffffffff; };\n'
        b'log = { level = "a\\nb"; };\n/* open')
    put(target, "at-the-bounds", edges(listing).encode())
    for n in 95, 96:  # the field has 96 bytes, its end included
        put(target, f"text-of-{n}", f'{folder} = "{"x" * n}";\n'.encode())
    put(target, "line-break-in-a-word", b'log_level = "a\\nb";')
    words = sorted({key for key in re.findall(r"\w+(?= = )", plain)} |
                   set(re.findall(r'"(\w+)"', plain)) |
                   {word for line in re.findall(r"one of: ([\w ]+);", listing)
                    for word in line.split()})
    with open(os.path.join(TOP, "test", "fuzz", target + ".dict"), "w", encoding="ascii") as file:
        file.write("# made by seeds.py\n" + "".join(f'"{word}"\n' for word in words) +
                   "".join(f'"{word}"\n' for word in (
                       " = ", ";", " = {", "};", "true", "0x7fffffff", "2147483648", "-1",
                       "1e400", "//", "/*", "*/", "#", "\\\\x00", "\\\\n")))


if __name__ == "__main__":
    for seeds in (server, text, link, ledger, genlink, luxpower, series):
        seeds()
    conf("conf_genctl", "genctld", "state_dir")
    conf("conf_monitor", "monitord", "runtime_dir")
