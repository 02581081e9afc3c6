"""The original's line protocol, byte for byte, and peers that behave badly on it."""
import os
import re
import socket
import time
import unittest

from pigenny import Site, concurrently, wait_until

BANNER = b"GENNY SERVER READY\n"
HELP = (b"Commands:\n", 10)   # the head, eight lines, END
EARLY = ["catch 1000", "rise 200"]


class Line:
    """One connection; what came so far is read with a limit."""

    def __init__(self, port, banner=True):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.buffer = b""
        if banner:
            self.banner = self.line()

    def line(self):
        while b"\n" not in self.buffer:
            data = self.socket.recv(4096)
            if not data:
                raise EOFError(self.buffer)
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line + b"\n"

    def ask(self, command):
        self.socket.sendall(command)
        return self.line()

    def until_end(self, command):
        lines = [self.ask(command)]
        while lines[-1] != b"END\n":
            lines.append(self.line())
        return lines

    def closed(self):
        """Reads to the end; what was left."""
        rest = self.buffer
        while True:
            try:
                data = self.socket.recv(4096)
            except ConnectionError:
                return rest
            if not data:
                return rest
            rest += data

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


class TextSite(Site):
    def __init__(self, config=None, **kwargs):
        super().__init__(config={"text_listen": "127.0.0.1:0", **(config or {})}, **kwargs)

    def line(self, **kwargs):
        return Line(self.text_port(), **kwargs)

    def text_port(self):
        return wait_until(lambda: self.port("text"), 5, "text port", self.log)


@concurrently(8)
class Text(unittest.TestCase):
    def test_the_banner_comes_first_and_every_answer_is_the_originals(self):
        with TextSite() as site, site.line() as peer:
            self.assertEqual(peer.banner, BANNER)
            for command, answer in [
                    (b"PING\n", b"PONG\n"), (b"ping\r\n", b"PONG\n"), (b"ping x y\n", b"PONG\n"),
                    (b"INPUTS\n", b"IN1=0 IN2=0 IN3=0 IN4=0 raw=0\n"),
                    (b"RELAY\n", b"ERROR: RELAY requires hex value (e.g., RELAY 0A)\n"),
                    (b"RELAY 10\n", b"ERROR: Relay value must be 0x00-0x0F\n"),
                    (b"RELAY -1\n", b"ERROR: Relay value must be 0x00-0x0F\n"),
                    (b"RELAY zz\n", b"ERROR: Invalid hex value\n"),
                    (b"foo bar\n", b"ERROR: Unknown command 'FOO' (try HELP)\n"),
                    (b"\n  \nPING\n", b"PONG\n")]:
                self.assertEqual(peer.ask(command), answer, command)
            listing = peer.until_end(b"HELP\n")
            self.assertEqual((listing[0], len(listing)), HELP)
            self.assertEqual([line.split()[0] for line in listing[1:-1]],
                             b"PING STATUS INPUTS START STOP RELAY HELP QUIT".split())
            self.assertTrue(all(line.startswith(b"  ") for line in listing[1:-1]))
            self.assertEqual(peer.ask(b"QUIT\n"), b"BYE\n")
            self.assertEqual(peer.closed(), b"")

    def test_status_has_the_originals_ten_lines(self):
        with TextSite() as site, site.line() as peer:
            lines = b"".join(peer.until_end(b"STATUS\n")).decode()
            self.assertRegex(lines, re.compile(
                r"\AINPUTS: IN1=0 IN2=0 IN3=0 IN4=0 raw=0\nRELAYS: OFF \(0x00\)\nRUNNING: NO\n"
                r"START_IN_PROGRESS: NO\nI2C: SIMULATED\nTHREADS: \d+\nUPTIME: \d+h\d{1,2}m\n"
                r"MEMORY: \d{1,3}%\nDISK: \d+\.\dG free \(\d{1,3}% used\)\nEND\n\Z"))

    def test_pipelined_commands_are_answered_in_order(self):
        with TextSite() as site, site.line() as peer:
            peer.socket.sendall(b"PING\nINPUTS\nfoo\nPING\nQUIT\nPING\n")
            self.assertEqual(peer.closed(),
                             b"PONG\nIN1=0 IN2=0 IN3=0 IN4=0 raw=0\n"
                             b"ERROR: Unknown command 'FOO' (try HELP)\nPONG\nBYE\n")

    def test_start_and_stop_answer_at_their_end_and_block_nobody_else(self):
        with TextSite(sim=EARLY) as site, site.line() as one, site.line() as other:
            one.socket.sendall(b"START\nPING\n")
            site.wait_phase("WARMUP")
            self.assertEqual(other.ask(b"START\n"), b"ERROR: Start already in progress\n")
            self.assertEqual(other.ask(b"PING\n"), b"PONG\n")
            self.assertIn(b"START_IN_PROGRESS: YES\n", other.until_end(b"STATUS\n"))
            self.assertEqual(one.line(), b"OK: Generator started and charger enabled\n")
            self.assertEqual(one.line(), b"PONG\n")
            status = other.until_end(b"STATUS\n")
            self.assertEqual(status[0], b"INPUTS: IN1=1 IN2=1 IN3=0 IN4=0 raw=3\n")
            self.assertEqual(status[1], b"RELAYS: IGN+CHARGER (0x0A)\n")
            self.assertEqual(status[2], b"RUNNING: YES\n")
            self.assertEqual(other.ask(b"START\n"), b"ERROR: Generator already running\n")
            self.assertEqual(one.ask(b"STOP\n"),
                             b"OK: Generator stopped (after 3 min cooldown)\n")
            self.assertEqual(site.trace()[-1].contacts, 0)

    def test_a_failed_start_is_one_attempt_and_tells_the_inputs(self):
        with TextSite(sim=["stuck on"]) as site, site.line() as peer:
            self.assertEqual(peer.ask(b"START\n"),
                             b"ERROR: Generator failed to start (status=2)\n")
            site.wait_phase("OFF")
            cranks = [r for r in site.trace() if r.contacts & 1]
            self.assertTrue(cranks)
            self.assertEqual(site.status()["attempts"], 1)

    def test_stop_while_idle_answers_as_the_original_and_moves_no_relay(self):
        with TextSite() as site, site.line() as peer:
            before = len(site.trace())
            self.assertEqual(peer.ask(b"STOP\n"),
                             b"OK: Generator stopped (after 3 min cooldown)\n")
            self.assertEqual(len(site.trace()), before)

    def test_replies_can_come_at_once_by_configuration(self):
        with TextSite(config={"text_reply_after": "accepted"}, sim=EARLY) as site, \
                site.line() as peer:
            self.assertTrue(peer.ask(b"START\n").startswith(b"OK: "))
            self.assertEqual(site.status()["relays"], 0)   # accepted, and not yet carried out
            site.wait_phase("LOADED")
            self.assertTrue(peer.ask(b"STOP\n").startswith(b"OK: "))
            site.wait_phase("COOLDOWN")

    def test_a_client_that_leaves_in_mid_start_changes_nothing(self):
        with TextSite(sim=EARLY) as site:
            with site.line() as peer:
                peer.socket.sendall(b"START\n")
                site.wait_phase("CRANK", "COAST", "WARMUP")
            site.wait_phase("LOADED")

    def test_relay_needs_its_key_and_maintenance(self):
        with TextSite() as site, site.line() as peer:
            self.assertTrue(peer.ask(b"RELAY 08\n").startswith(b"ERROR: "))
            self.assertEqual(site.trace()[-1].contacts, 0)
        with TextSite(config={"text_allow_relay": True}) as site, site.line() as peer:
            self.assertTrue(peer.ask(b"RELAY 08\n").startswith(b"ERROR: "))
            site.order("maintenance", "on")
            self.assertEqual(peer.ask(b"RELAY 08\n"), b"OK: Relays set to 0x08 (IGN)\n")
            site.wait_sim(lambda s: s["contacts"] == 8, 2, "ignition closed")

    def test_more_peers_than_fit_are_told_so_and_nobody_waits_for_ever(self):
        with TextSite() as site:
            port = site.text_port()
            peers = [Line(port) for _ in range(32)]
            self.assertEqual({peer.banner for peer in peers}, {BANNER})
            with Line(port, banner=False) as late:
                late.closed()   # refused: at its end within the socket's limit
            peers.pop().socket.close()
            wait_until(lambda: self.speaks(port), 5, "a free place")
            for peer in peers:
                self.assertEqual(peer.ask(b"PING\n"), b"PONG\n")
                peer.socket.close()

    @staticmethod
    def speaks(port):
        try:
            with Line(port) as peer:
                return peer.ask(b"PING\n") == b"PONG\n"
        except (EOFError, OSError):
            return False

    def test_a_line_without_an_end_is_cut_off(self):
        with TextSite() as site, site.line() as peer, site.line() as other:
            try:
                for _ in range(64):
                    peer.socket.sendall(b"A" * 4096)
            except ConnectionError:
                pass
            peer.closed()
            self.assertEqual(other.ask(b"PING\n"), b"PONG\n")

    def test_a_peer_that_dawdles_over_a_line_is_dropped_and_others_are_served(self):
        with TextSite() as site, site.line() as slow, site.line() as other:
            slow.socket.settimeout(60)
            slow.socket.sendall(b"PI")
            began = time.monotonic()
            while not self.ended(slow):
                self.assertEqual(other.ask(b"PING\n"), b"PONG\n")
                self.assertLess(time.monotonic() - began, 40)

    @staticmethod
    def ended(peer):
        """Whether it was closed, looked at for half a second."""
        peer.socket.settimeout(0.5)
        try:
            return peer.socket.recv(100) == b""
        except socket.timeout:
            return False
        except ConnectionError:
            return True

    def test_a_peer_that_does_not_read_is_dropped_and_others_are_served(self):
        with TextSite() as site, site.line() as deaf, site.line() as other:
            deaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.socket.settimeout(0.2)
            flood = b"HELP\n" * 2000
            gone = False
            for _ in range(200):
                try:
                    deaf.socket.send(flood)
                except socket.timeout:
                    pass
                except ConnectionError:
                    gone = True
                    break
                self.assertEqual(other.ask(b"PING\n"), b"PONG\n")
            self.assertTrue(gone, "the node kept what it could not send")

    def test_half_open_peers_do_not_wedge_the_server(self):
        with TextSite() as site:
            port = site.text_port()
            for _ in range(40):   # reset instead of closed, as after a power cut
                with Line(port) as peer:
                    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                           b"\1\0\0\0\0\0\0\0")
            wait_until(lambda: self.speaks(port), 5, "an answer")

    def test_odd_bytes_are_no_commands(self):
        with TextSite() as site, site.line() as peer:
            for noise in b"\x00\xff\xfe\n", b"\x1b[2J\n", os.urandom(64).replace(b"\n", b"") + b"\n":
                self.assertTrue(peer.ask(noise + b"PING\n"))
            self.assertTrue(self.speaks(site.text_port()))


if __name__ == "__main__":
    unittest.main()
