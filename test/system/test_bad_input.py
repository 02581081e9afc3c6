"""Whatever comes in, the engine node says what is wrong and goes on serving."""
import os
import random
import socket
import struct
import subprocess
import unittest

import contract
from pigenny import BIN, Client, Refused, Site, concurrently, wait_until


def request(**body):
    return contract.encode("Request", {"id": 1, **body})


def field(number, data):
    """A length-delimited field that no message of the contract has."""
    return contract.varint(number << 3 | 2) + contract.varint(len(data)) + data


@concurrently(8)
class Wire(unittest.TestCase):
    """What a peer may send on the protobuf port."""

    def answer(self, site, data, hello=True):
        """The first reply to raw bytes; None when the node closed the connection."""
        with Client(site.port(), hello=hello) as client:
            client.send(data)
            return client.receive()

    def assert_refused(self, site, body, code, hello=True):
        reply = self.answer(site, contract.frame(body), hello)
        self.assertIsNotNone(reply, "closed without a word")
        self.assertEqual(reply["error"]["code"], code, reply)
        self.assertTrue(reply["error"]["text"], reply)
        self.assertTrue(site.answers())

    def test_a_command_before_hello_is_refused(self):
        with Site() as site:
            self.assert_refused(site, request(status={}), "NOT_HELLO", hello=False)

    def test_another_major_version_is_refused(self):
        with Site() as site:
            self.assert_refused(site, request(hello={"major": 99, "name": "x"}), "VERSION",
                                hello=False)

    def test_an_unknown_field_is_refused_and_nothing_is_carried_out(self):
        with Site() as site:
            start = contract.encode("Start", {"for_s": 60}) + field(99, b"x")
            body = contract.varint(1 << 3) + b"\1" + field(9, start)
            self.assert_refused(site, body, "BAD_REQUEST")
            self.assert_refused(site, request(start={}) + field(200, b"x"), "BAD_REQUEST")
            self.assertEqual(site.status()["phase"], "OFF")

    def test_a_request_without_a_body_is_refused(self):
        with Site() as site:
            self.assert_refused(site, request(), "BAD_REQUEST")

    def test_values_out_of_bounds_are_refused(self):
        with Site() as site:
            self.assert_refused(site, request(start={"attempts": 99}), "BAD_VALUE")
            self.assertEqual(site.status()["phase"], "OFF")
            site.order("maintenance", "on")
            self.assert_refused(site, request(relay={"relays": 0x10}), "BAD_VALUE")
            self.assertEqual(site.trace()[-1].contacts, 0)

    def test_lengths_over_the_limit_end_the_connection(self):
        with Site() as site:
            for size in 0, 65537, 0x7fffffff, 0xffffffff:
                reply = self.answer(site, struct.pack(">I", size) + b"x" * 100)
                self.assertTrue(reply is None or "error" in reply, reply)
                self.assertTrue(site.answers())

    def test_noise_is_answered_or_cut_off_and_never_obeyed(self):
        with Site() as site:
            noise = random.Random(7)
            for _ in range(300):
                body = bytes(noise.randrange(256) for _ in range(noise.randrange(1, 80)))
                with Client(site.port(), hello=bool(noise.randrange(2))) as client:
                    client.socket.settimeout(5)
                    client.send(contract.frame(body))
                    reply = client.receive()
                    self.assertTrue(reply is None or "error" in reply, (body, reply))
            self.assertTrue(site.answers())
            self.assertEqual({row.contacts for row in site.trace()}, {0})

    def test_half_a_frame_costs_its_sender_the_connection_and_nobody_else(self):
        with Site() as site, site.client() as half:
            half.socket.settimeout(60)
            half.send(contract.frame(request(ping={}))[:3])
            self.assertTrue(site.answers())
            self.assertIsNone(half.receive())   # closed by the node within the limit
            self.assertTrue(site.answers())

    def test_a_frame_in_single_bytes_is_understood(self):
        with Site() as site, site.client() as client:
            client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in contract.frame(request(ping={})):
                client.send(bytes([byte]))
            self.assertIn("pong", client.receive())

    def test_many_requests_at_once_are_answered_in_order(self):
        with Site() as site, site.client() as client:
            client.send(b"".join(contract.frame(contract.encode(
                "Request", {"id": i, "ping": {}})) for i in range(2, 200)))
            self.assertEqual([client.receive()["id"] for _ in range(2, 200)],
                             list(range(2, 200)))

    def test_the_thirty_third_peer_is_turned_away_and_a_place_becomes_free(self):
        with Site() as site:
            peers = [Client(site.port()) for _ in range(32)]
            with self.assertRaises((ConnectionError, Refused)):
                Client(site.port())
            peers.pop().close()
            wait_until(site.answers, 5, "a free place")
            for peer in peers:
                peer.ask("ping")
                peer.close()

    def test_orders_without_the_lease_are_refused(self):
        with Site() as site, site.client(role="MONITOR") as client:
            stamp = {"boot_id": client.node["boot_id"], "epoch": 1, "seq": 1}
            with self.assertRaises(Refused) as refused:
                client.ask("desired", stamp=stamp, run=True, for_s=60)
            self.assertEqual(refused.exception.code, "NOT_HOLDER")
            lease = client.ask("acquire", ttl_ms=5000)
            stamp["epoch"] = lease["epoch"]
            for wrong in {"boot_id": 1}, {"age_ms": 6000}, {"epoch": lease["epoch"] + 1}:
                with self.assertRaises(Refused) as refused:
                    client.ask("desired", stamp={**stamp, **wrong}, run=True, for_s=60)
                self.assertIn(refused.exception.code, ("STALE", "NOT_HOLDER"), wrong)
            with self.assertRaises(Refused) as refused:
                client.ask("desired", stamp=stamp, run=True, for_s=901)
            self.assertEqual(refused.exception.code, "BAD_VALUE")
            self.assertEqual(client.ask("status")["phase"], "OFF")

    def test_a_monitor_may_not_do_what_is_an_operators(self):
        with Site() as site, site.client(role="MONITOR") as client:
            for body, fields in [("start", {}), ("maintenance", {"on": True}),
                                 ("relay", {"relays": 8}), ("clear", {}), ("auto_mode", {})]:
                with self.assertRaises(Refused, msg=body):
                    client.ask(body, **fields)
            self.assertEqual(client.ask("status")["phase"], "OFF")

    def test_clear_over_the_network_is_refused_to_everybody(self):
        with Site() as site, site.client() as client:
            with self.assertRaises(Refused) as refused:
                client.ask("clear")
            self.assertEqual(refused.exception.code, "NO_OPERATOR")


def genctld(config, folder, *args):
    path = os.path.join(folder, "bad.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write(config)
    return subprocess.run([os.path.join(BIN, "genctld"), "--config", path, *args],
                          capture_output=True, text=True, timeout=20, check=False)


@concurrently(4)
class Surroundings(unittest.TestCase):
    """What genctld finds when it starts."""

    def test_every_fault_of_a_config_is_listed_with_file_and_line(self):
        with Site(start=False) as site:
            done = genctld('listen = "nowhere";\nlog_levle = "info";\n'
                           'sequence = {\n  crank_ms = 99000;\n  warmup_ms = "long";\n};\n',
                           site.folder, "--check-config")
            self.assertEqual(done.returncode, 2, done)
            for words in ("bad.conf:2", "log_levle", "log_level", "bad.conf:4", "crank_ms",
                          "bad.conf:5", "warmup_ms"):
                self.assertIn(words, done.stderr + done.stdout)

    def test_a_config_that_is_no_config_names_the_line(self):
        with Site(start=False) as site:
            done = genctld('listen = "127.0.0.1:0";\n}{\n', site.folder)
            self.assertEqual(done.returncode, 2, done)
            self.assertIn("bad.conf:2", done.stderr)

    def test_a_missing_config_is_named(self):
        done = subprocess.run([os.path.join(BIN, "genctld"), "--config", "/nonexistent/x.conf"],
                              capture_output=True, text=True, timeout=20, check=False)
        self.assertEqual(done.returncode, 2, done)
        self.assertIn("/nonexistent/x.conf", done.stderr)

    def test_listening_beyond_loopback_needs_insecure(self):
        with Site(start=False) as site:
            done = genctld('listen = "0.0.0.0:0";\nboard = { kind = "sim"; };\n', site.folder)
            self.assertEqual(done.returncode, 2, done)
            self.assertIn("insecure", done.stderr)

    def test_time_scale_is_for_the_simulated_board_only(self):
        with Site(start=False) as site:
            done = genctld("time_scale = 5;\n", site.folder)
            self.assertEqual(done.returncode, 2, done)
            self.assertIn("time_scale", done.stderr)

    def test_a_second_genctld_on_one_board_is_refused_and_the_first_goes_on(self):
        with Site() as site:
            second = subprocess.run(
                [os.path.join(BIN, "genctld"), "--config",
                 os.path.join(site.folder, "genctl.conf")],
                capture_output=True, text=True, timeout=20, check=False)
            self.assertEqual(second.returncode, 3, second)
            self.assertIn("board", second.stderr)
            self.assertTrue(site.whole())
            self.assertEqual(site.gencli("ping").returncode, 0)
            self.assertEqual(site.gencli("clear").returncode, 0)

    def test_a_missing_device_is_a_fault_that_every_status_shows(self):
        with Site(config={"time_scale": 1, "board": {"kind": "modio", "bus": "/dev/i2c-77"}}) \
                as site:
            status = site.wait_phase("FAULT_PHASE")
            self.assertEqual(status["i2c"], "ERROR")
            self.assertEqual(status["board"], "modio")
            wait_until(lambda: "MODIO_LOST" in [alarm["code"] for alarm in
                                                site.status()["alarms"]], 5, "the alarm")
            refused = site.gencli("start", "--format", "human")
            self.assertEqual(refused.returncode, 1, refused)
            self.assertIn("I2C Status:     ERROR",
                          site.gencli("status", "--format", "human").stdout)

    def test_a_board_that_comes_back_is_used_again(self):
        with Site(sim=["nak-for on"]) as site:
            site.wait_phase("FAULT_PHASE")
            site.sim("nak-for off")
            site.wait_phase("OFF")

    def test_an_unwritable_state_folder_refuses_the_start_and_says_so(self):
        # A file where the folder should be: the test may run as root, whom no mode stops.
        with Site(start=False) as site:
            os.rmdir(site.config["state_dir"])
            with open(site.config["state_dir"], "w", encoding="ascii"):
                pass
            try:
                site.start()
            except AssertionError:
                self.assertEqual(site.daemon.poll(), 3, site.log())
                self.assertIn(site.config["state_dir"], site.log())
                return
            refused = site.gencli("start", "--wait", "--format", "human")
            self.assertEqual(refused.returncode, 1, refused)
            wait_until(lambda: "JOURNAL_UNWRITABLE" in
                       [alarm["code"] for alarm in site.status()["alarms"]], 10, "the alarm")
            self.assertEqual({row.contacts & 1 for row in site.trace()}, {0})

    def test_a_torn_ledger_is_told_and_all_rests_begin_anew(self):
        with Site(start=False) as site:
            for name in "genctl.ledger", "genctl.ledger.1":
                with open(os.path.join(site.config["state_dir"], name), "wb") as f:
                    f.write(os.urandom(1024))
            site.start()
            self.assertEqual(site.wait_phase("OFF")["phase"], "OFF")


if __name__ == "__main__":
    unittest.main()
