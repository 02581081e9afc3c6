"""genctld on the kernel's own stub of an I2C chip: 256 registers, which remember.

It knows nothing of MOD-IO's one answer for one command, but its registers can be looked at from
outside, by other programs through the same adapter.
"""
import unittest

from guest import Guest, Node, missing

CHIP = "0x58"
RELAYS, INPUTS = "0x10", "0x20"


@unittest.skipIf(missing(), missing())
class Stub(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.guest = Guest(["i2c-dev", f"i2c-stub:chip_addr={CHIP}"])
        cls.bus = cls.guest.adapter("SMBus stub")
        print(f"figure: {cls.guest.came_up()}")

    @classmethod
    def tearDownClass(cls):
        cls.guest.close()

    def register(self, which, value=None):
        if value is not None:
            self.guest.run(f"i2cset -y {self.bus} {CHIP} {which} {value}")
        return int(self.guest.run(f"i2cget -y {self.bus} {CHIP} {which}"), 16)

    def node(self, **config):
        node = Node(self.guest, self.bus, config)
        self.addCleanup(node.end)
        return node

    def test_the_first_write_opens_every_relay(self):
        self.register(INPUTS, 0)
        self.register(RELAYS, 0x0b)
        self.node()
        self.assertEqual(self.register(RELAYS), 0)

    def test_inputs_are_what_the_register_holds(self):
        self.register(INPUTS, 0)
        node = self.node()
        for value in 0x04, 0x02, 0x00:
            self.register(INPUTS, value)
            status = node.wait_status(lambda s: s["inputs"]["raw"] == value, f"inputs {value}")
            self.assertTrue(status["inputs"]["valid"])
            self.assertEqual(status["i2c"], "OK")

    def test_an_engine_that_others_run_is_seen_and_left_alone(self):
        self.register(INPUTS, 0)
        node = self.node()
        self.register(INPUTS, 0x03)
        node.wait_log("alarm: EXTERNAL_RUN")
        rc, out = node.gencli("start")
        self.assertEqual(rc, 1, out)
        self.assertEqual(self.register(RELAYS), 0)
        self.register(INPUTS, 0)
        node.wait_status(lambda s: not s["alarms"], "no alarm")

    def assert_fault(self, node):
        node.wait_log("alarm: MODIO_LOST")
        status = node.status()
        self.assertEqual(status["i2c"], "ERROR", status)
        self.assertFalse(status["relays_known"], status)
        self.assertFalse(status["inputs"]["valid"], status)
        self.assertEqual([a["code"] for a in status["alarms"]], ["MODIO_LOST"])
        rc, out = node.gencli("start")
        self.assertEqual(rc, 1, out)

    def test_an_address_without_a_board_is_a_fault(self):
        self.register(INPUTS, 0)
        self.assert_fault(self.node(board={"address": 0x50}))

    def test_a_device_that_comes_late_is_a_fault_until_then(self):
        self.guest.run("rmmod i2c-stub")
        node = self.node()
        self.assert_fault(node)
        self.guest.load("i2c-stub", f"chip_addr={CHIP}")
        node.wait_status(lambda s: s["i2c"] == "OK" and s["relays_known"]
                         and s["inputs"]["valid"] and not s["alarms"], "a board that works")
        self.assertEqual(self.register(RELAYS), 0)


if __name__ == "__main__":
    unittest.main()
