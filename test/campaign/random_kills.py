#!/usr/bin/python3
"""genctld's processes killed and stopped at random moments of a run, many times.

    B=... BIN=build/bin test/campaign/random_kills.py --trials 100 --seed 7 --parallel 8
    test/campaign/random_kills.py --replay TRIAL-SEED

A trial is one plan drawn from its seed: how long the engine cranks before it catches (or that
it never does), with or without a service manager, and one or two blows of SIGKILL or SIGSTOP,
each at a uniformly random time of a start and stop. The judge is the simulator's trace:
  - a starter that was closed is open 250 ms after the blow;
  - an engine on load is held by whoever is left; without the guard its charger opens, and a
    new guard adopts it, or the deadman cools it down and stops it;
  - no rule is broken from first to last;
  - the service is whole again by itself, obeys STOP, and the engine comes to rest.
The guard and the deadman are both struck only with time for the one to answer for the other,
and only where a service manager is there: with both gone at once no process is left, and the
hardware watchdog's reset or the starter's time relay is what remains.

Without --seed one is chosen and printed. A failing trial prints its seed, log and trace.
"""
import argparse
import collections
import concurrent.futures
import math
import os
import random
import select
import signal
import statistics
import sys
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "test", "system"))

# pylint: disable=wrong-import-position
from blows import (CHARGER, CRANK_MS, IGNITION, REACTION_MS, REPEATS_PCT, RUN, SIGNALS, STALL_MS,
                   STARTER, VICTIMS, audit, scaled)
from pigenny import SCALE, Probe, Refused, Site, now_ms, pulses, wait_until

PHASES = ["idle", "ignition", "crank", "coast", "warm-up", "stabilise", "load", "cool-down",
          "run-down"]
CATCH_MS = [500, 1000, 2500, 6000, 9500, 11900, 600000]  # cranking; the last never catches
SUPERVISED, TWICE = 0.75, 0.3
LOAD_MS, IDLE_MS, SECOND_MS = (300, 2500), 1000, 1500
APART_MS = REACTION_MS + STALL_MS       # the guard's blow and the deadman's

# Limits on the charger, in ms: a frozen guard is noticed after 5 s, the deadman waits 60 s.
ADOPTED_MS = {"killing": 3000, "freezing": 8000}
DEADMAN_MS = {"killing": (59000, 64000), "freezing": (64000, 71000)}

Blow = collections.namedtuple("Blow", "victim word at_ms")
Plan = collections.namedtuple("Plan", "seed catch_ms load_ms supervised blows")


def cycle_ms(catch_ms, load_ms):
    """From the start order to a second of rest."""
    crank = min(catch_ms / SCALE, CRANK_MS)
    attempt = scaled("sequence", "reset_ms") + scaled("sequence", "ignition_ms") + crank
    if catch_ms / SCALE > CRANK_MS:
        return 3 * attempt + 2 * scaled("limits", "crank_rest_ms") + IDLE_MS
    return (attempt + sum(scaled("sequence", phase + "_ms") for phase in
                          ("coast", "warmup", "stabilise", "cooldown")) + load_ms + IDLE_MS)


def draw(seed):
    rng = random.Random(seed)
    catch_ms, load_ms = rng.choice(CATCH_MS), rng.randint(*LOAD_MS)
    supervised = rng.random() < SUPERVISED
    at_ms = rng.uniform(0, cycle_ms(catch_ms, load_ms))
    first, second = rng.sample(VICTIMS, 2)
    blows = [Blow(first, rng.choice(list(SIGNALS)), at_ms)]
    both = {first, second} == {"guard", "deadman"}
    if rng.random() < TWICE and (supervised or not both):
        later = rng.uniform(APART_MS if both else 0, SECOND_MS)
        blows.append(Blow(second, rng.choice(list(SIGNALS)), at_ms + later))
    return Plan(seed, catch_ms, load_ms, supervised, blows)


def phase_at(trace, t_ms):
    """What the contacts and the engine did then; told from the trace alone."""
    contacts = run = 0
    ran_ms = loaded = cranked = None
    for row in trace:
        if row.t_ms > t_ms:
            break
        contacts = row.contacts
        if not contacts & IGNITION:
            loaded = cranked = None
        loaded = loaded or contacts & CHARGER
        cranked = cranked or contacts & STARTER
        high = row.inputs is not None and row.inputs & RUN
        ran_ms = (row.t_ms if not run else ran_ms) if high else None
        run = high
    if contacts & STARTER:
        return "crank"
    if contacts & CHARGER:
        return "load"
    if not contacts & IGNITION:
        return "run-down" if run else "idle"
    if loaded:
        return "cool-down"
    if not run:
        return "coast" if cranked else "ignition"
    ran = t_ms - ran_ms - scaled("sequence", "coast_ms")
    if ran < 0:
        return "coast"
    return "warm-up" if ran < scaled("sequence", "warmup_ms") else "stabilise"


def ending(trace, bit, t_ms):
    """When the pulse that stood at t_ms ended; None: it stands."""
    return next(opened for closed, opened in pulses(trace, bit)
                if closed <= t_ms and (opened is None or opened > t_ms))


def accepted(client, order, **fields):
    """False while the node does not know its board yet."""
    try:
        client.ask(order, **fields)
        return True
    except Refused as e:
        if e.code == "FAULT":
            return False
        raise


class Failed(Exception):
    pass


class Struck:
    """A blow that was dealt."""

    def __init__(self, blow, pid):
        self.victim, self.word, self.pid, self.ms = blow.victim, blow.word, pid, now_ms()
        self.phase = self.crank_ms = self.charger_ms = None
        os.kill(pid, SIGNALS[self.word])


class Trial:
    def __init__(self, plan, probe):
        self.plan, self.probe = plan, probe
        self.struck = []
        self.stall = 0

    def run(self):
        """False: this machine stalled too long to judge what followed."""
        sim = [f"catch {self.plan.catch_ms}", "rise 200"]
        with Site(supervise=self.plan.supervised, sim=sim) as site:
            site.probe = self.probe
            try:
                self.strike(site)
                if not self.struck:
                    return False
                self.recover(site)
                if not self.reactions(site):
                    return False
                self.end(site)
            except (AssertionError, OSError) as e:
                if not self.struck and isinstance(e, ConnectionError) \
                        and not site.broken_rules():
                    return False    # control came late by itself, and was replaced
                raise Failed(self.tell(site, e)) from e
        return True

    def tell(self, site, why):
        rows = "\n".join("{:7} {} {} {} {}".format(row.t_ms - self.start_ms, *(
            "--" if byte is None else f"{byte:02x}" for byte in row[1:4]), row.event)
            for row in site.trace())
        blows = "\n".join(f"{s.word} the {s.victim} at {s.ms - self.start_ms} ms, in {s.phase}"
                          for s in self.struck)
        return f"{why}\n{self.plan}\n{blows}\n{site.log()}\nms acked contacts inputs\n{rows}"

    # --- the run and the blows ---

    def strike(self, site):
        client = site.client()
        client.ask("subscribe")
        self.start_ms, self.stop_ms = now_ms(), math.inf
        wait_until(lambda: accepted(client, "start", reason="test"), 10, "accepted start",
                   site.log)
        self.start_ms = now_ms()
        for blow in self.plan.blows:
            self.go_on(client, self.start_ms + blow.at_ms)
            pid = site.pid(blow.victim)
            try:
                if pid:
                    self.struck.append(Struck(blow, pid))
            except ProcessLookupError:
                pass    # the other blow has ended it

    def go_on(self, client, until_ms):
        """Until then; the stop is given once the engine was on load for its time."""
        while not self.struck and (left := until_ms - now_ms()) > 0:
            client.socket.settimeout(min(left, max(self.stop_ms - now_ms(), 1)) / 1000)
            try:
                event = client.next_event()
                if event["kind"] == "phase" and event["phase"] == "LOADED":
                    self.stop_ms = now_ms() + self.plan.load_ms
            except TimeoutError:
                pass
            if now_ms() >= self.stop_ms:
                client.socket.settimeout(10)
                client.ask("stop")
                self.stop_ms = math.inf
        select.select([], [], [], max(until_ms - now_ms(), 0) / 1000)

    # --- what must follow ---

    @property
    def orphaned(self):
        """The guard is gone and nobody starts another."""
        return not self.plan.supervised and any(s.victim == "guard" for s in self.struck)

    def recover(self, site):
        if self.orphaned:
            wait_until(lambda: site.daemon.poll() is not None, 10, "end of the guard", site.log)
            site.wait_sim(lambda s: s["contacts"] == 0 and not s["running"], 90,
                          "engine at rest by the deadman")
            site.start()
        pids = [s.pid for s in self.struck]
        wait_until(lambda: site.whole() and not
                   {site.main.pid, *site.helpers().values()}.intersection(pids), 20,
                   "whole service", site.log)
        over_ms = self.struck[-1].ms + 2 * REACTION_MS
        wait_until(lambda: now_ms() > over_ms, 1, "end of the time to react")

    def reactions(self, site):
        """False: the starter was closed, and the machine stalled."""
        trace = site.trace()
        for s in self.struck:
            s.phase = phase_at(trace, s.ms)
            stall = self.probe.stall_ms(s.ms - REACTION_MS, s.ms + 2 * REACTION_MS)
            self.stall = max(self.stall, stall)
            for closed, opened in pulses(trace, STARTER):
                if closed > s.ms + REACTION_MS or (opened or s.ms + 1) <= s.ms:
                    continue
                if closed > s.ms and s.victim in ("saver", "deadman"):
                    continue    # it was replaced by then
                if stall > STALL_MS:
                    return False
                assert opened is not None, "the starter stayed closed"
                s.crank_ms = opened - max(closed, s.ms)
                assert s.crank_ms <= REACTION_MS + stall, f"starter open after {s.crank_ms} ms"
        if self.struck[0].phase == "load":
            self.on_load(site)
        return True

    def on_load(self, site):
        """Held by whoever is left; without the guard its charger opens in time."""
        first = self.struck[0]
        guard = next((s for s in self.struck if s.victim == "guard"), None)
        if guard:
            low, high = DEADMAN_MS[guard.word] if self.orphaned else (0, ADOPTED_MS[guard.word])
            opened = wait_until(lambda: ending(site.trace(), CHARGER, first.ms), high / 1000,
                                "open charger", site.log)
            guard.charger_ms = opened - guard.ms
            assert low <= guard.charger_ms <= high + self.stall, \
                f"charger open after {guard.charger_ms} ms"
        if not self.orphaned:
            assert ending(site.trace(), IGNITION, first.ms) is None, "the engine was not held"

    def end(self, site):
        site.order("stop")
        site.wait_sim(lambda s: s["contacts"] == 0 and not s["running"], 25, "engine at rest")
        wait_until(site.whole, 10, "whole service at the end", site.log)
        broken = audit(site.trace()) + site.broken_rules()
        assert not broken, "; ".join(broken)


class Campaign:
    def __init__(self, args):
        self.args = args
        self.probe = Probe()
        self.lock = threading.Lock()
        self.repeats = self.done = 0
        self.struck, self.failures = [], []

    def trial(self, plan):
        self.judge(plan)
        with self.lock:
            self.done += 1
            if self.done % 100 == 0 and self.done < self.args.trials:
                print(f"{self.done} done", flush=True)

    def judge(self, plan):
        while True:
            trial = Trial(plan, self.probe)
            try:
                done = trial.run()
            except Exception as e:  # pylint: disable=broad-except
                with self.lock:
                    self.failures.append(plan.seed)
                    print(f"FAIL --replay {plan.seed}: {type(e).__name__}: {e}", flush=True)
                return
            with self.lock:
                if done:
                    self.struck += trial.struck
                    return
                self.repeats += 1
                if self.repeats > self.most_repeats:
                    self.failures.append(plan.seed)
                    print(f"FAIL --replay {plan.seed}: this machine stalls too often to judge")
                    return

    @property
    def most_repeats(self):
        return max(self.args.trials * REPEATS_PCT // 100, 1)

    def run(self, plans):
        # those in which the deadman waits its minute first, so that none is alone at the end
        plans = sorted(plans, key=lambda p: p.supervised or p.blows[0].victim != "guard")
        pool = concurrent.futures.ThreadPoolExecutor(self.args.parallel)
        try:
            list(pool.map(self.trial, plans))
        finally:
            pool.shutdown(cancel_futures=True)
            self.probe.close()

    def report(self):
        counts = collections.Counter((s.victim, s.word, s.phase) for s in self.struck)
        print("blows" + " " * 18 + "".join(f"{p:>10}" for p in PHASES) + "      all")
        for victim in VICTIMS:
            for word in SIGNALS:
                row = [counts[victim, word, phase] for phase in PHASES]
                print(f"  {word:8} the {victim:8} " + "".join(f"{n:10}" for n in row)
                      + f"{sum(row):9}")
        for victim in VICTIMS:
            for word in SIGNALS:
                self.figures(f"{word} the {victim} while cranking: starter open",
                             [s.crank_ms for s in self.struck if s.victim == victim
                              and s.word == word and s.crank_ms is not None])
        for word in SIGNALS:
            self.figures(f"{word} the guard on load, then adopted: charger open",
                         [s.charger_ms for s in self.struck if s.word == word
                          and s.charger_ms is not None and s.charger_ms < DEADMAN_MS[word][0]])
            self.figures(f"{word} the guard on load, nobody restarts it: charger open",
                         [s.charger_ms for s in self.struck if s.word == word
                          and s.charger_ms is not None and s.charger_ms >= DEADMAN_MS[word][0]])

    @staticmethod
    def figures(what, values):
        if values:
            print(f"{what} after {statistics.median(values):.0f} ms (median), "
                  f"{max(values)} ms at most, {len(values)} times")


def main():
    parser = argparse.ArgumentParser(description="random kills of genctld's processes")
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    parser.add_argument("--parallel", type=int, default=8)
    parser.add_argument("--replay", type=int, metavar="TRIAL-SEED")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # trials under way clean up
    rng = random.Random(args.seed)
    seeds = [rng.getrandbits(32) for _ in range(args.trials)]
    if args.replay is not None:
        seeds = [args.replay]
    else:
        print(f"random kills: {args.trials} trials, seed {args.seed}", flush=True)
    began = time.monotonic()
    campaign = Campaign(args)
    campaign.run([draw(seed) for seed in seeds])
    campaign.report()
    print(f"{len(seeds)} trials, {campaign.repeats} repeated, {len(campaign.struck)} blows, "
          f"{len(campaign.failures)} failed, {time.monotonic() - began:.0f} s")
    return 1 if campaign.failures else 0


if __name__ == "__main__":
    sys.exit(main())
