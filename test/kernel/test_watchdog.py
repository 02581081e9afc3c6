"""The kernel's watchdog: only the guard's loop feeds it, only an orderly end disarms it.

The device is softdog, which restarts the machine as a hardware watchdog would; qemu ends then.
"""
import re
import unittest

from guest import Guest, Node, missing
from pigenny import wait_until

MARGIN_S = 4
LATE_S = 2      # softdog's own, and the machine's


@unittest.skipIf(missing(), missing())
class Watchdog(unittest.TestCase):
    def setUp(self):
        self.guest = Guest(["i2c-dev", "i2c-stub:chip_addr=0x58",
                            f"softdog:soft_margin={MARGIN_S}"])
        self.addCleanup(self.guest.close)
        bus = self.guest.adapter("SMBus stub")
        self.guest.run(f"i2cset -y {bus} 0x58 0x20 0")
        self.node = Node(self.guest, bus, {"watchdog": "/dev/watchdog"})
        self.assertEqual(self.state(), "active")

    def state(self):
        return self.guest.run("cat /sys/class/watchdog/watchdog0/state").strip()

    def outlive(self, seconds):
        """The machine is up for so much longer by its own clock."""
        self.guest.run(f"sleep {seconds:.0f}")

    def test_it_is_fed_over_restarts_and_disarmed_by_an_orderly_end(self):
        self.outlive(3 * MARGIN_S)
        pid = self.node.pid()
        self.guest.run(f"kill -HUP {pid}")
        wait_until(lambda: self.guest.ask(f"kill -0 {pid}")[0] != 0, 20, "handover",
                   self.guest.console)
        self.outlive(1.5 * MARGIN_S)
        self.assertEqual(self.state(), "active")

        self.guest.run(f"kill -9 {self.node.pid()}")
        self.node.start()
        self.outlive(1.5 * MARGIN_S)
        self.assertEqual(self.state(), "active")
        self.assertIn("did not stop", self.guest.console())   # the kernel, after the kill

        self.node.end()
        self.assertEqual(self.state(), "inactive")
        self.outlive(1.5 * MARGIN_S)

    def test_a_frozen_guard_restarts_the_machine(self):
        out = self.guest.run(f"cat /proc/uptime; kill -STOP {self.node.pid()}")
        frozen_s = float(out.split()[0])
        self.assertTrue(self.guest.ended(30), "the machine goes on with a frozen guard")
        said = re.search(r"\[ *([\d.]+)\] softdog: Initiating system reboot",
                         self.guest.console())
        self.assertTrue(said, self.guest.console())
        taken_s = float(said[1]) - frozen_s
        print(f"figure: restart {taken_s:.1f} s after the guard froze, margin {MARGIN_S} s")
        self.assertLessEqual(taken_s, MARGIN_S + LATE_S)


if __name__ == "__main__":
    unittest.main()
