"""The watchdogs, hardware's and systemd's: fed by the guard's sample-and-gate loop alone.

A FIFO stands in for /dev/watchdog and a datagram socket for systemd's, so that a test reads
each byte and word the guard sends. genctld is a real process on a simulated board.
"""
import os
import resource
import select
import signal
import socket
import subprocess
import time
import unittest

from pigenny import BIN, Site, concurrently, now_ms, wait_until

GAP_S = 2.5     # between feeds: one a second, with the samples of an idle node, which are 1 s apart
STARVED_S = 3.0


class Device:
    """What was written to the hardware watchdog."""

    def __init__(self, path):
        os.mkfifo(path)
        self.fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self.bytes = b""

    def read(self):
        """All that has come so far."""
        try:
            while data := os.read(self.fd, 4096):
                self.bytes += data
        except BlockingIOError:
            pass
        return self.bytes

    def fed_within(self, limit_s):
        self.read()
        return bool(select.select([self.fd], [], [], limit_s)[0]) and bool(os.read(self.fd, 1))


class Notify:
    """What was said to systemd."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.words = []

    def next(self, limit_s):
        """The next datagram, or None."""
        if not select.select([self.socket], [], [], limit_s)[0]:
            return None
        self.words.append(self.socket.recv(4096).decode())
        return self.words[-1]

    def wait(self, text, limit_s):
        """Until it has said this; what came before it and it."""
        end = time.monotonic() + limit_s
        while not any(text in word for word in self.words):
            if self.next(max(end - time.monotonic(), 0)) is None:
                raise AssertionError(f"no {text} within {limit_s} s, only {self.words}")
        return self.words


def freeze(pid):
    """Returns when it stands still."""
    os.kill(pid, signal.SIGSTOP)
    os.waitid(os.P_PID, pid, os.WSTOPPED)


class Watched(Site):
    """A site whose genctld has both watchdogs."""

    def __init__(self, files=None, **kwargs):
        super().__init__(start=False, **kwargs)
        self.config["watchdog"] = os.path.join(self.folder, "watchdog")
        self.device = Device(self.config["watchdog"])
        self.notify = Notify(os.path.join(self.folder, "notify"))
        limit = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, 4096))) \
            if files else None
        with open(self.log_path, "a", encoding="utf-8") as log:
            self.daemon = subprocess.Popen(
                [os.path.join(BIN, "genctld"), "--config",
                 self.write_config("genctl.conf", self.config)],
                stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
                env={**os.environ, "NOTIFY_SOCKET": os.path.join(self.folder, "notify")},
                preexec_fn=limit)  # pylint: disable=subprocess-popen-preexec-fn
        self.groups.append(self.daemon.pid)
        if not files:
            wait_until(self.answers, 10, "genctld that answers", self.log)

    def fed(self, times=3):
        """Both are fed so many times, with no gap that is too long."""
        for _ in range(times):
            self.notify.words.clear()
            if not self.device.fed_within(GAP_S):
                return False
            self.notify.wait("WATCHDOG=1", GAP_S)
        return True

    def starved(self):
        """Neither hears anything for a while."""
        self.device.read()
        while self.notify.next(0):
            pass
        return not select.select([self.device.fd, self.notify.socket], [], [], STARVED_S)[0]

    def close(self):
        super().close()
        os.close(self.device.fd)
        self.notify.socket.close()


@concurrently(4)
class Watchdog(unittest.TestCase):
    def test_both_are_fed_once_a_second_while_the_loop_turns(self):
        with Watched() as site:
            site.device.read()
            began, count = now_ms(), len(site.device.bytes)
            self.assertTrue(site.fed(5))
            count = len(site.device.read()) - count
            self.assertLessEqual(count, (now_ms() - began) / 1000 + 1)
            self.assertEqual(set(site.device.bytes), {0}, "no V while it runs")

    def test_a_board_that_does_not_answer_stops_neither_loop_nor_feeding(self):
        with Watched(sim=["catch 1000", "rise 200"]) as site:
            site.reach("LOADED")
            os.kill(site.simulator.process.pid, signal.SIGSTOP)
            try:
                self.assertTrue(site.fed(4))
                began = now_ms()
                status = site.status()
                self.assertLess(now_ms() - began, 1000)
            finally:
                os.kill(site.simulator.process.pid, signal.SIGCONT)
            self.assertIn("OUTPUT_UNKNOWN", [a["code"] for a in status["alarms"]], site.log())
            self.assertTrue(site.fed())
            site.unjudged = "the simulator stood still, and its engine with it"

    def test_a_frozen_guard_feeds_neither(self):
        with Watched() as site:
            self.assertTrue(site.fed(1))
            freeze(site.daemon.pid)
            self.assertTrue(site.starved(), "fed by a guard that stands still")

    def test_a_guard_thawed_in_time_feeds_on(self):
        with Watched() as site:
            freeze(site.daemon.pid)
            self.assertTrue(site.starved())
            os.kill(site.daemon.pid, signal.SIGCONT)
            self.assertTrue(site.fed())

    def test_a_dead_or_frozen_helper_is_no_reason_to_starve(self):
        with Watched() as site:
            for name in "control", "saver", "deadman":
                for sig in signal.SIGKILL, signal.SIGSTOP:
                    pid = wait_until(lambda: site.whole() and site.pid(name), 10, name, site.log)
                    os.kill(pid, sig)
                    self.assertTrue(site.fed(2), f"{name} {sig}")

    def test_an_orderly_end_cools_down_fed_and_disarms_last(self):
        with Watched(sim=["catch 1000", "rise 200"]) as site:
            site.reach("LOADED")
            site.daemon.terminate()
            site.notify.wait("STOPPING=1", 2)
            self.assertTrue(site.fed(2), "starved in its cool-down")
            site.daemon.wait(20)
            self.assertEqual(site.daemon.returncode, 0)
            said = site.device.read()
            self.assertEqual((said.count(b"V"), said[-1:]), (1, b"V"))

    def test_a_killed_guard_never_disarms(self):
        with Watched() as site:
            self.assertTrue(site.fed(2))
            site.daemon.kill()
            site.daemon.wait()
            wait_until(lambda: select.select([site.device.fd], [], [], 0)[0], 2, "its end")
            self.assertNotIn(b"V", site.device.read())

    def test_an_open_device_passes_over_to_the_heir_of_a_handover(self):
        with Watched() as site:
            site.daemon.send_signal(signal.SIGHUP)
            site.daemon.wait(10)
            self.assertEqual(site.device.read().count(b"V"), 1, "the old guard gave it up")
            self.assertTrue(site.fed(3), "the heir feeds")
            self.assertEqual(site.device.read().count(b"V"), 1)

    def test_a_device_that_cannot_be_opened_is_told_and_done_without(self):
        with Site(config={"watchdog": "/nonexistent/watchdog"}) as site:
            self.assertIn("/nonexistent/watchdog: No such file", site.log())
            self.assertEqual(site.status()["phase"], "OFF")


@concurrently(4)
class Notified(unittest.TestCase):
    def test_ready_names_the_guard_and_comes_once(self):
        with Watched() as site:
            site.notify.wait("READY=1", 5)
            self.assertIn(f"MAINPID={site.daemon.pid}\nREADY=1", site.notify.words)
            for _ in range(3):
                site.notify.next(GAP_S)
            self.assertEqual(sum("READY=1" in word for word in site.notify.words), 1)

    def test_ready_waits_for_the_first_beat_of_control(self):
        with Watched() as site:
            # Its helpers' sockets were opened last, with the lowest numbers that were free.
            last = max(int(fd) for fd in os.listdir(f"/proc/{site.daemon.pid}/fd"))
        with Watched(files=last - 1) as site:
            for _ in range(3):
                site.notify.wait("WATCHDOG=1", GAP_S)
                self.assertNotIn("READY=1", "".join(site.notify.words))
                self.assertEqual(site.helpers(), {})
                site.notify.words.clear()
            resource.prlimit(site.daemon.pid, resource.RLIMIT_NOFILE, (4096, 4096))
            site.notify.wait("READY=1", 10)
            wait_until(site.answers, 10, "genctld that answers", site.log)

    def test_a_service_manager_kills_a_frozen_guard_and_starts_another(self):
        with Site(supervise=True) as site:
            wait_until(site.whole, 10, "whole service", site.log)
            frozen = site.service.process
            os.kill(frozen.pid, signal.SIGSTOP)
            wait_until(lambda: site.service.starts == 2 and site.whole(), 15, "a new guard",
                       site.log)
            self.assertEqual(frozen.returncode, -signal.SIGKILL)


if __name__ == "__main__":
    unittest.main()
