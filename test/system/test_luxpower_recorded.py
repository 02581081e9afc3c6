#!/usr/bin/python3
"""Every recorded register block, served by an independent slave, decodes as the map says.

The recording holds 392 blocks. 390 are input registers (function 4): 130 scans, most of
them cut in three (0-126, 127-253, 254-380). A block is not a poll: the driver asks for
groups of 40 on its own grid, so the blocks of one scan (recorded within a second, the first
from register 0) are put together again and pymodbus serves that scan over a pair of ptys
made by socat. The shipped driver reads it (luxdump), and each value must equal what this file computes from the register CSV, with
nothing missing and nothing beside it. The 129 blocks 254-380 lie above the last register
the CSV names: "decodes" means there that none is asked for. The other two blocks are
holding registers 0-79: how the inverter is set. The driver reads of them what a person
should see (SHOWN), and each must equal what the holding CSV says. Nothing is ever written.

Left out of the comparison, with the reason: EXCLUDED below. Limits: outside them a value is
no measurement, and the driver must drop it and keep the rest of the scan.
"""
import csv
import json
import os
import re
import shutil
import socket
import subprocess
import unittest
from collections import Counter
from fractions import Fraction

from inverter_slave import Slave, pty_pair

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = os.path.join(os.environ.get("PIGENNY_DATA", os.path.join(TOP, "..", "shared", "data")),
                    "inverters", "luxpower")
BUILD = os.environ.get("B") or os.path.join("build", subprocess.run(
    ["gcc", "-dumpmachine"], capture_output=True, text=True, check=True).stdout.strip())
LUXDUMP = os.path.join(TOP, BUILD, "test", "tools", "luxdump")

EXCLUDED = {
    **dict.fromkeys([71, 72, 73, 74, 75, 154, 161, 162, 169],
                    "self test; 72-75 mean something else in each source"),
    **dict.fromkeys(range(115, 120), "serial number"),
}

# Where the CSV's name is an abbreviation, the catalogue has a word.
RENAMED = {
    114: "on_grid_load_power", 120: "half_bus_voltage", 139: "reactive_power",
    144: "afci_flags", 170: "load_power", 174: "switch_state", 175: "eps_overload_delay",
    176: "exit_reason_1", 177: "exit_reason_2", 178: "charge_disable_reason",
    180: "inverter_power_s", 181: "inverter_power_t", 182: "rectifier_power_s",
    183: "rectifier_power_t", 184: "power_to_grid_s", 185: "power_to_grid_t",
    186: "power_to_user_s", 187: "power_to_user_t", 188: "generator_power_s",
    189: "generator_power_t", 192: "power_factor_s", 205: "power_factor_t",
    206: "ac_couple_power_s", 207: "ac_couple_power_t", 208: "on_grid_load_power_s",
    209: "on_grid_load_power_t", 210: "quick_charge_remaining",
    214: "inductor_temperature", 215: "dcdc_low_temperature", 216: "dcdc_high_temperature",
    223: "pv4_energy_today", 224: "pv4_energy_total", 226: "pv5_energy_today",
    227: "pv5_energy_total", 229: "pv6_energy_today", 230: "pv6_energy_total",
    **{140 + i: f"afci_current_{i + 1}" for i in range(4)},
    **{145 + i: f"afci_arc_{i + 1}" for i in range(4)},
    **{149 + i: f"afci_max_arc_{i + 1}" for i in range(4)},
}

# The settings people are shown: what concerns charging and the inverter's own generator.
SHOWN = set("""
    device_type_code eps_enable ac_charge_enable power_on charge_power_percent
    discharge_power_percent ac_charge_soc_limit ongrid_discharge_cutoff_soc ac_charge_type
    discharge_control_type generator_charge_type offgrid_discharge_cutoff_soc
    ac_charge_start_voltage ac_charge_end_voltage ac_charge_start_soc ac_charge_end_soc
    gen_charge_start_voltage gen_charge_end_voltage gen_charge_start_soc gen_charge_end_soc
    max_gen_charge_battery_current""".split())

PER_UNIT = {"V": 1000, "A": 1000, "mA": 1, "kWh": 1000, "Hz": 100, "°C": 1000}  # to base units
LIMITS = {"V": (0, 1000), "A": (-2000, 2000), "W": (-30000, 60000), "VA": (0, 60000),
          "Hz": (0, 100), "°C": (-60, Fraction("126.9"))}
AC_VOLTS = re.compile(r"(grid|eps|generator)\w*_voltage")
BATTERY_VOLTS = re.compile(r"battery_voltage|bms_(charge_voltage|discharge_cutoff)")


def registers(block):
    return {int(k): v for k, v in block["regs"].items()}


def plausible(name, unit, value):
    low, high = LIMITS.get(unit, (value, value))
    if AC_VOLTS.match(name):
        high = 600
    if BATTERY_VOLTS.match(name):
        low, high = 10, 100
    return low <= value <= high


def raw_value(row, regs):
    address, kind = int(row["address"]), row["type"]
    if kind == "u32":
        return regs[address] + (regs[address + 1] << 16)
    return regs[address] - 65536 if kind == "s16" and regs[address] > 32767 else regs[address]


def reading(row, regs):
    """(name, value in base units, plausible) of one row of the CSV."""
    address, unit = int(row["address"]), row["unit"]
    name = RENAMED.get(address, row["name"])
    raw = raw_value(row, regs)
    if row["name"] == "power_factor" or row["name"] in ("pf_s", "pf_t"):
        return name, raw if raw <= 1000 else 1000 - raw, raw < 2000
    value = raw * Fraction(row["scale"])
    return name, int(value * PER_UNIT.get(unit, 1)), plausible(name, unit, value)


def derived(regs, out):
    if 5 in regs:
        out["soc"], out["soh"] = regs[5] & 255, regs[5] >> 8
    if 7 in regs:
        out["pv_power"] = sum(regs.get(r, 0) for r in (7, 8, 9, 220, 221, 222))
    if 122 in regs:
        out["generator_present"] = int(regs[121] > 0 and regs[122] > 0)


def expected(rows, regs):
    """What a scan means by the CSV, and how many of its values are no measurement."""
    out, dropped = {}, 0
    for row in rows:
        address = int(row["address"])
        if address in EXCLUDED or address == 5 or address not in regs:
            continue
        if row["type"] == "u32 hi" and address not in (61, 63):
            continue
        if address in (60, 62):
            row = dict(row, type="u16")  # bit fields stay two words of 16 bits
        name, value, good = reading(row, regs)
        if good:
            out[name] = value
        dropped += not good
    derived(regs, out)
    return out, dropped


def expected_settings(rows, regs):
    out = {}
    for row in rows:
        address, bits = int(row["address"]), row["bit"].split("-")
        if row["name"] in SHOWN and address in regs:
            raw = regs[address]
            if bits != [""]:
                first, last = int(bits[0]), int(bits[-1])
                raw = raw >> first & (1 << last - first + 1) - 1
            out[row["name"]] = raw * Fraction(row["scale"])
    return out


class Recorded(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        if not os.path.isdir(DATA):
            raise unittest.SkipTest(f"no recorded data at {DATA}; set PIGENNY_DATA")
        if not shutil.which("socat"):
            raise AssertionError("socat is missing: run scripts/deps")
        cls.rows = cls.read_map("input")
        cls.hold_rows = cls.read_map("holding")
        with open(os.path.join(DATA, "luxpower_recorded.jsonl"), encoding="utf-8") as f:
            cls.blocks = [json.loads(line) for line in f]

    @staticmethod
    def read_map(kind):
        name = os.path.join(DATA, f"luxpower_{kind}_registers.csv")
        with open(name, encoding="utf-8") as f:
            return list(csv.DictReader(f))

    def setUp(self):
        self.slave = Slave()
        self.addCleanup(self.slave.stop)

    def scans(self):
        scans = []
        for block in self.blocks:
            if block["kind"] == "input":
                new = registers(block)
                if 0 in new:
                    scans.append({})
                self.assertFalse(new.keys() & scans[-1].keys(), "blocks of one scan overlap")
                scans[-1].update(new)
        return scans

    def dump(self, device):
        run = subprocess.run([LUXDUMP, device], capture_output=True, text=True, timeout=20)
        self.assertEqual(run.returncode, 0, run.stderr)
        pairs = [line.split("=") for line in run.stdout.splitlines()]
        return ({name: int(value) for name, value in pairs if "." not in name},
                {name[4:]: Fraction(value) for name, value in pairs if "." in name})

    def check_scan(self, device, regs, hold=None):
        """How many values, impossible values and settings there were, all as expected."""
        self.slave.input.regs, self.slave.hold.regs = regs, hold or {}
        want, dropped = expected(self.rows, regs)
        settings = expected_settings(self.hold_rows, self.slave.hold.regs)
        self.assertEqual(self.dump(device), (want, settings))
        return Counter(values=len(want), dropped=dropped, settings=len(settings))

    def check_requests(self):
        self.assertEqual(self.slave.other.asked, [])
        for start, count in self.slave.input.asked + self.slave.hold.asked:
            self.assertLessEqual(count, 40)
            self.assertEqual(start // 40, (start + count - 1) // 40)
            self.assertLessEqual(start + count - 1, 232)

    def test_every_recorded_block_decodes_as_the_register_csv_says(self):
        monitor, inverter = pty_pair(self)
        self.slave.serial(inverter)
        hold = [registers(b) for b in self.blocks if b["kind"] == "hold"]
        scans, seen = self.scans(), Counter()
        for i, regs in enumerate(scans):
            seen += self.check_scan(monitor, regs, hold[i] if i < len(hold) else None)
        inputs = sum(b["kind"] == "input" for b in self.blocks)
        self.assertEqual((len(self.blocks), inputs, len(hold)), (392, 390, 2))
        self.assertEqual(seen["settings"], 2 * 7)
        self.check_requests()
        print(f"{len(self.blocks)} recorded blocks: {inputs} of input registers in {len(scans)} "
              f"scans, {seen['values']} values equal, {seen['dropped']} impossible ones dropped; "
              f"{len(hold)} of holding registers, {seen['settings']} settings equal")

    def test_every_register_reaches_the_value_of_its_own_name(self):
        """The recordings hold many zeros: here each register has a figure of its own."""
        regs = {r: 100 + r for r in range(233)}
        regs.update({r: r % 50 for r in (64, 65, 66, 67, 68, 214, 215, 216)})
        regs.update({int(row["address"]): int(row["address"]) - 40
                     for row in self.rows if row["type"] == "u32 hi"})
        regs[5] = 24105
        monitor, inverter = pty_pair(self)
        self.slave.serial(inverter)
        hold = {r: 20000 + 7 * r for r in range(200)}
        seen = self.check_scan(monitor, regs, hold)
        self.assertEqual((seen["dropped"], seen["settings"]), (0, len(SHOWN)))
        self.check_requests()
        print(f"{seen['values']} values and {seen['settings']} settings, one for each name")

    def test_the_same_driver_reads_a_scan_over_modbus_tcp(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        self.slave.tcp(port)
        self.check_scan(f"tcp:127.0.0.1:{port}", self.scans()[0])


if __name__ == "__main__":
    unittest.main()
