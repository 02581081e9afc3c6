"""The whole cycle with an inverter that shares no code with ours: pymodbus over a socat pty.

The battery is the simulated site's; its readings are copied into the slave's registers, as a
real inverter would show them, and monitord reads them there.
"""
import unittest

from inverter_slave import Slave, pty_pair
from monitor import Monitor
from pigenny import Site, relay_steps, wait_until

SOH = 99


class Cycle(unittest.TestCase):
    def show(self, site, slave):
        """What the inverter's registers say of the site now; its state."""
        state = site.sim("state")
        slave.input.regs.update({4: state["battery_mv"] // 100, 5: SOH << 8 | state["soc_pct"],
                                 7: state["pv_w"], 11: state["discharge_w"],
                                 170: state["load_w"]})
        return state

    def test_an_independent_slave_serves_the_whole_cycle(self):
        slave = Slave()
        self.addCleanup(slave.stop)
        monitors_end, inverters_end = pty_pair(self)
        slave.input.regs = dict.fromkeys(range(240), 0)
        with Site(sim=["capacity 5000", "load 900", "charger 5000", "soc 42"],
                  sim_args=["--speed", "60"]) as site:
            self.show(site, slave)
            slave.serial(inverters_end)
            m = Monitor(site.folder, {
                "inverter": {"device": monitors_end, "gap_ms": 50},
                "generator": {"port": site.port()},
                "autostart": {"soc_start_pct": 40, "soc_stop_pct": 50}})
            self.addCleanup(m.close)
            seen = []

            def phase(wanted):
                def there():
                    seen.append(self.show(site, slave)["soc_pct"])
                    return site.status()["phase"] in wanted
                return there

            wait_until(phase(["CRANK", "COAST", "WARMUP"]), 60, "a start by SOC alone", m.log)
            self.assertLess(min(seen), 40)
            wait_until(phase(["COOLDOWN"]), 90, "a stop by SOC", m.log)
            wait_until(phase(["OFF"]), 30, "rest", m.log)
            self.assertGreaterEqual(max(seen), 50)
            self.assertEqual([byte for _, byte in relay_steps(site.trace())][-6:],
                             [0x08, 0x09, 0x08, 0x0a, 0x08, 0x00])
            self.assertGreater(len(slave.input.asked), 50)
            self.assertEqual(m.stop(), 0)


if __name__ == "__main__":
    unittest.main()
