"""Ten thousand connections, however they end, leave genctld as it was."""
import os
import re
import socket
import struct
import unittest

import contract
from pigenny import Site, wait_until

TOTAL, BATCH, WARM_UP, TEXT_EVERY = 10000, 25, 500, 8
GROWTH_KB = 100  # 10 bytes a connection: the allocator's own unrest is less, a leak is more
SANITIZED = re.search(r"address|thread", os.environ.get("BIN", ""))  # their heap only grows

HELLO = contract.frame(contract.encode("Request", {"id": 1, "hello": {
    "major": 1, "name": "test", "role": "OPERATOR"}}))
PING = contract.frame(contract.encode("Request", {"id": 2, "ping": {}}))
ABORT = struct.pack("ii", 1, 0)


def answered(peer):
    """Greets, asks and waits for both answers."""
    peer.sendall(HELLO + PING)
    got = b""
    for _ in range(2):
        while len(got) < 4 or len(got) < 4 + int.from_bytes(got[:4], "big"):
            data = peer.recv(4096)
            assert data, "closed before it answered"
            got += data
        got = got[4 + int.from_bytes(got[:4], "big"):]


def silent(peer):
    pass


def half_a_frame(peer):
    peer.sendall(HELLO[:7])


def garbage(peer):
    peer.sendall(b"\xff" * 64)


def aborted(peer):
    peer.sendall(HELLO + PING)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)


def half_closed(peer):
    answered(peer)
    peer.shutdown(socket.SHUT_WR)


MANNERS = [answered, silent, half_a_frame, garbage, aborted, half_closed]


def ask_in_text(peer):
    peer.sendall(b"PING\n")
    got = b""
    while not got.endswith(b"PONG\n"):
        data = peer.recv(4096)
        assert data, "closed before it answered"
        got += data


def batch(port, manner, n):
    """n connections open at once, then gone."""
    peers = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(n)]
    try:
        for peer in peers:
            manner(peer)
    finally:
        for peer in peers:
            peer.close()


def own_kb(pid):
    """Anonymous memory. PSS would also move with each program that shares a library."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        return int(re.search(r"^Anonymous:\s+(\d+) kB", f.read(), re.M).group(1))


class Connections(unittest.TestCase):
    def test_ten_thousand_leak_neither_memory_nor_descriptors(self):
        config = {"text_listen": "127.0.0.1:0", "log_level": "info"}
        with Site(config=config) as site, site.client() as watcher:
            self.connect(site, watcher, WARM_UP)
            before = self.descriptors(site)
            before_kb = own_kb(site.pid("control"))
            self.connect(site, watcher, TOTAL)
            self.assertEqual(before, self.descriptors(site))
            if not SANITIZED:
                self.assertLess(own_kb(site.pid("control")) - before_kb, GROWTH_KB)

    def connect(self, site, watcher, total):
        port = site.port()
        text = wait_until(lambda: site.port("text"), 5, "text port", site.log)
        for i in range(total // BATCH):
            if i % TEXT_EVERY == 0:
                batch(text, ask_in_text, BATCH)
            else:
                batch(port, MANNERS[i % len(MANNERS)], BATCH)
            wait_until(lambda: watcher.ask("health")["connections"] == 1, 10,
                       "end of the last connections", site.log)

    @staticmethod
    def descriptors(site):
        """{process: (pid, number of descriptors)}; another pid is a crash in between."""
        pids = {name: site.pid(name) for name in ("guard", "control", "saver", "deadman")}
        return {name: (pid, len(os.listdir(f"/proc/{pid}/fd"))) for name, pid in pids.items()}


if __name__ == "__main__":
    unittest.main()
