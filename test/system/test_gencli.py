"""gencli as a process: against the real node, and against peers no real node would be."""
import json
import os
import socket
import subprocess
import threading
import unittest

import contract
from pigenny import BIN, Site, concurrently


class Peer:
    """A node of a few lines: hello is answered, then `script` is called with each request and
    yields the bytes to send; None closes the connection."""

    def __init__(self, script):
        self.script = script
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                try:
                    self._talk(connection)
                except (ConnectionError, EOFError):
                    pass

    def _talk(self, connection):
        stream = connection.makefile("rb")
        while True:
            head = stream.read(4)
            if len(head) < 4:
                return
            request = contract.decode("Request", stream.read(int.from_bytes(head, "big")))
            if "hello" in request:
                connection.sendall(reply(request, hello={"major": 1, "version": "test"}))
                continue
            for data in self.script(request):
                if data is None:
                    return
                connection.sendall(data)

    def gencli(self, *words, stdin=None):
        return subprocess.run(
            [os.path.join(BIN, "gencli"), "--port", str(self.port), "--timeout", "2", *words],
            capture_output=True, text=True, input=stdin, timeout=30, check=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(5)


def reply(request, **body):
    return contract.frame(contract.encode("Reply", {"id": request["id"], **body}))


def event(seq, **fields):
    return contract.frame(contract.encode("Reply", {"event": {
        "seq": seq, "mono_ms": seq, "kind": "phase", **fields}}))


class Scripted(unittest.TestCase):
    def test_a_refusal_tells_the_reason_and_when_to_come_again(self):
        error = {"code": "REST", "text": "between runs it rests", "retry_ms": 95000}
        with Peer(lambda r: [reply(r, error=error)]) as peer:
            done = peer.gencli("start")
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertEqual(done.stderr,
                             "REFUSED: between runs it rests (possible in 1 min 35 s)\n")
            self.assertEqual(json.loads(peer.gencli("start", "--format", "json").stdout), error)

    def test_pushed_events_do_not_disturb_an_answer(self):
        with Peer(lambda r: [event(1) + event(2), reply(r, pong={})]) as peer:
            self.assertEqual(peer.gencli("ping").stdout, "PONG\n")

    def test_an_answer_in_single_bytes_is_read(self):
        with Peer(lambda r: [bytes([b]) for b in reply(r, pong={})]) as peer:
            self.assertEqual(peer.gencli("ping").stdout, "PONG\n")

    def test_nonsense_is_named_as_such(self):
        for nonsense in (b"\xff\xff\xff\xff", b"\0\0\0\0", b"GENNY SERVER READY\n" * 40,
                         contract.frame(b"\xff\xff\xff")):
            with Peer(lambda r, data=nonsense: [data]) as peer:
                done = peer.gencli("ping")
                self.assertEqual(done.returncode, 3, (nonsense, done))
                self.assertIn("does not speak the engine node's protocol", done.stderr)

    def test_an_answer_of_another_kind_is_not_taken_for_one(self):
        with Peer(lambda r: [reply(r, pong={})]) as peer:
            for word in ("status", "inputs", "health", "why", "events", "trace", "stop",
                         "estop"):
                self.assertEqual(peer.gencli(word).returncode, 3, word)

    def test_a_connection_that_ends_in_mid_answer_is_told(self):
        with Peer(lambda r: [reply(r, pong={})[:5], None]) as peer:
            done = peer.gencli("ping")
            self.assertEqual(done.returncode, 3, done)
            self.assertIn("it closed the connection", done.stderr)

    def test_fields_of_a_newer_node_are_passed_over(self):
        newer = contract.varint(99 << 3) + b"\1"

        def script(request):
            body = reply(request, pong={})[4:] + newer
            return [contract.frame(body)]
        with Peer(script) as peer:
            self.assertEqual(peer.gencli("ping").stdout, "PONG\n")

    def test_unknown_relays_and_inputs_are_shown_as_such(self):
        def script(request):
            body = {"status": {"i2c": "ERROR"}} if "status" in request else {"health": {}}
            return [reply(request, **body)]
        with Peer(script) as peer:
            out = peer.gencli("status", "--format", "kv").stdout
            self.assertIn("\ninputs=ERROR\n", out)
            self.assertIn("\nrelays=UNKNOWN (0x00)\n", out)

    def test_alarms_stand_beside_the_original_format_and_not_in_it(self):
        alarm = {"code": "MAX_RUN", "text": "It ran too long.", "latched": True}

        def script(request):
            return [reply(request, **({"status": {"alarms": [alarm]}} if "status" in request
                                      else {"health": {}}))]
        with Peer(script) as peer:
            done = peer.gencli("status", "--format", "compact")
            self.assertEqual(done.stderr, "LATCHED MAX_RUN: It ran too long.\n")
            self.assertEqual(done.stdout.count("\n"), 1)

    def test_the_history_is_paged_through_and_followed_without_a_gap_or_a_double(self):
        def script(request):
            if "subscribe" in request:   # 7 happens while the history is read again
                return [reply(request, pong={}), event(7, text="seven")]
            if "ping" in request:
                return [reply(request, pong={}), event(8, text="eight"), None]
            after = request["events"]["after"]
            page = [{"seq": n, "kind": "order", "text": f"n{n}"}
                    for n in range(after + 1, min(after + 3, 7) + 1)]
            return [reply(request, events={"event": page, "last": 7})]
        with Peer(script) as peer:
            done = peer.gencli("events", "--follow", "--format", "json")
            self.assertEqual([json.loads(line)["seq"] for line in done.stdout.splitlines()],
                             [1, 2, 3, 4, 5, 6, 7, 8])
            self.assertEqual(done.returncode, 3, done)   # the peer left, and that is told

    def test_waiting_for_a_start_shows_each_phase_and_ends_on_load(self):
        phases = iter(["WAIT", "CRANK", "WARMUP", "LOADED"])

        def script(request):
            if "status" in request:
                phase = next(phases)
                return [reply(request, status={"phase": phase, "start_in_progress": True}),
                        event(1, phase=phase, left_ms=1500)]
            return [reply(request, accepted={"request": 4, "text": "starting"})]
        with Peer(script) as peer:
            done = peer.gencli("start", "--wait")
            self.assertEqual(done.returncode, 0, done)
            self.assertEqual(done.stdout, "OK: starting\nwait, 1.5 s\ncrank, 1.5 s\n"
                                          "warm-up, 1.5 s\nOK: on load\n")

    def test_waiting_for_a_start_that_locks_out_fails_with_the_reason(self):
        def script(request):
            if "status" in request:
                return [reply(request, status={
                    "phase": "LOCKOUT", "why": "three attempts failed",
                    "alarms": [{"code": "FAIL_TO_START", "text": "Check fuel."}]})]
            return [reply(request, accepted={"text": "starting"})]
        with Peer(script) as peer:
            done = peer.gencli("start", "--wait")
            self.assertEqual(done.returncode, 1, done)
            self.assertEqual(done.stderr, "FAILED: locked out: three attempts failed\n"
                                          "ALARM FAIL_TO_START: Check fuel.\n")

    def test_a_trace_is_asked_for_until_there_is_no_more_of_it(self):
        asked = []

        def script(request):
            query = request["trace"]
            asked.append((query["since_s"], query["after"]))
            n = query["after"] // 10 + 1
            return [reply(request, trace={"rows": f"{n},00,,00,\n", "last": 10 * n,
                                          "more": n < 3})]
        with Peer(script) as peer:
            done = peer.gencli("trace", "--since", "10m")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual(done.stdout, "t_ms,acked,contacts,inputs,event\n"
                                          "1,00,,00,\n2,00,,00,\n3,00,,00,\n")
            self.assertEqual(asked, [(600, 0), (600, 10), (600, 20)])

    def test_a_trace_that_does_not_move_on_is_given_up(self):
        with Peer(lambda r: [reply(r, trace={"rows": "", "last": 0, "more": True})]) as peer:
            self.assertEqual(peer.gencli("trace").returncode, 3)

    def test_no_row_of_a_trace_writes_escape_codes_to_the_terminal(self):
        rows = "1,00,,00,\x1b[2Jboot\r\n"
        with Peer(lambda r: [reply(r, trace={"rows": rows, "last": 1})]) as peer:
            self.assertEqual(peer.gencli("trace").stdout.splitlines()[1:], ["1,00,,00,?[2Jboot?"])

    def test_a_trace_goes_from_one_gencli_into_the_other(self):
        rows = "1000,,,,boot\n1001,00,,00,\n"
        with Peer(lambda r: [reply(r, trace={"rows": rows, "last": 2})]) as peer:
            done = subprocess.run(
                f"{BIN}/gencli --port {peer.port} trace | {BIN}/gencli audit -", shell=True,
                capture_output=True, text=True, timeout=30, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("no rule was broken\n", done.stdout)

    def test_a_long_start_is_ordered_with_its_time(self):
        seen = []

        def script(request):
            seen.append(request)
            return [reply(request, accepted={"text": "ok"})]
        with Peer(script) as peer:
            self.assertEqual(peer.gencli("start", "--for", "2h").returncode, 0)
            self.assertEqual(seen[0]["start"]["for_s"], 7200)


@concurrently(4)
class Hand(unittest.TestCase):
    """gencli's own manners."""

    def test_exit_statuses_tell_refusal_usage_and_silence_apart(self):
        with Site() as site:
            self.assertEqual(site.gencli("ping").returncode, 0)
            self.assertEqual(site.gencli("relay", "08").returncode, 1)
            self.assertEqual(site.gencli("relay", "zz").returncode, 2)
            self.assertEqual(site.gencli("ping", "--port", "1").returncode, 3)

    def test_the_prompt_takes_the_originals_words_from_a_pipe(self):
        with Site() as site:
            done = site.gencli(stdin="PING\nINPUTS\nfoo\nHELP\nQUIT\nPING\n")
            self.assertEqual(done.stdout.split("\n")[:2],
                             ["PONG", "IN1=0 IN2=0 IN3=0 IN4=0 raw=0"])
            self.assertIn("no command `foo`", done.stderr)
            self.assertEqual(done.stdout.count("PONG"), 1)

    def test_a_server_that_says_nothing_is_given_up_after_the_timeout(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            done = subprocess.run(
                [os.path.join(BIN, "gencli"), "--port", str(silent.getsockname()[1]),
                 "--timeout", "1", "ping"], capture_output=True, text=True, timeout=10,
                check=False)
            self.assertEqual(done.returncode, 3, done)
            self.assertIn("no answer in time", done.stderr)

    def test_events_follow_ends_cleanly_when_its_reader_does(self):
        with Site() as site:
            site.order("stop")   # an event, at the least
            done = subprocess.run(
                f"{BIN}/gencli --port {site.port()} events --follow | head -n 1; "
                "echo ${PIPESTATUS[0]}", shell=True, executable="/bin/bash",
                capture_output=True, text=True, timeout=30, check=False)
            self.assertEqual(done.stdout.split("\n")[-2], "0", done)
            self.assertEqual(done.stderr, "")

    def test_events_come_in_order_and_page_through_the_whole_history(self):
        with Site() as site:
            for _ in range(120):
                site.order("maintenance", "on")
                site.order("maintenance", "off")
            done = site.gencli("events", "--format", "human")
            self.assertEqual(done.returncode, 0, done)
            self.assertGreater(len(done.stdout.split("\n")), 200)


if __name__ == "__main__":
    unittest.main()
