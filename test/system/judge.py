"""Judges a trace of the simulated site against the safety rules, from their text alone.

Rows are (t_ms, acked, contacts, inputs, event) as the simulator writes them; only contacts and
inputs count here: what really happened. Times are those of the run, already scaled. Shares no
code and no thought with the interlock.
"""
STARTER, CHARGER, GLOW, IGNITION = 1, 2, 4, 8
RUN = 1
SETTLE_MS = 30   # contacts of one written byte need not move in one row

SEED = {"crank_total": 12000, "crank_rest": 15000, "at_rest": 10000, "warmup": 60000,
        "stabilise": 20000, "cooldown": 180000, "coast": 4000, "ignition": 500, "lost": 6000}


def scaled(config):
    """The times a genctld runs with, from its configuration as a dict."""
    s, lim, n = config["sequence"], config["limits"], config["time_scale"]
    crank = s["crank_ms"] + s["glow_assist_ms"]
    times = {"crank_total": crank, "crank_rest": lim["crank_rest_ms"],
             "at_rest": lim["at_rest_ms"], "warmup": s["warmup_ms"],
             "stabilise": s["stabilise_ms"], "cooldown": s["cooldown_ms"],
             "coast": s["coast_ms"], "ignition": s["ignition_ms"]}
    return {**{k: v / n for k, v in times.items()}, "lost": lim["lost_ms"]}


class _Judge:
    def __init__(self, times, stall_ms):
        self.c, self.stall = times, stall_ms
        self.found = []
        self.was, self.run = 0, False
        self.since = {STARTER: None, CHARGER: None, GLOW: None, IGNITION: None}
        self.opened = dict(self.since)
        self.run_since = self.run_until = self.both_since = None
        self.loaded = self.ran = False

    def say(self, t, rule, text):
        self.found.append(f"{rule} at {t} ms: {text}")

    def held(self, t):
        """What must hold for as long as the last row stood, up to t."""
        if self.was & STARTER:
            if t - self.since[STARTER] > self.c["crank_total"] + 100 + self.stall:
                self.say(t, "S4", "the starter is closed for longer than a crank")
            if self.both_since is not None and t - self.both_since > 250 + self.stall:
                self.say(t, "S3", "the starter stays closed on a running engine")
        if self.was & IGNITION and not self.ran:
            most = (self.c["ignition"] + 1000 + self.c["crank_total"] + self.c["coast"]
                    + self.c["lost"] + 500 + self.stall)
            if t - self.since[IGNITION] > most:
                self.say(t, "F2", "fuel is on and nothing runs")

    def starter_closes(self, t, contacts):
        if self.opened[STARTER] is not None and \
                t - self.opened[STARTER] < self.c["crank_rest"] - SETTLE_MS:
            self.say(t, "S5", f"the starter rested {t - self.opened[STARTER]} ms only")
        if self.run or (self.run_until is not None
                        and t - self.run_until < self.c["at_rest"] - SETTLE_MS):
            self.say(t, "S2", "the starter closes on an engine that is not at rest")

    def charger_closes(self, t, contacts):
        need = self.c["warmup"] + self.c["stabilise"]
        if not self.run or t - self.run_since < need - SETTLE_MS:
            self.say(t, "C1", "the charger closes without warm-up and stabilise")

    def ignition_opens(self, t):
        if self.loaded and self.run and (
                self.was & CHARGER or t - self.opened[CHARGER] < self.c["cooldown"] - SETTLE_MS):
            self.say(t, "C2", "a running engine is cut off without its cool-down")

    def row(self, t, contacts, inputs):
        self.held(t)
        rose, fell = contacts & ~self.was, self.was & ~contacts
        if rose & STARTER:
            self.starter_closes(t, contacts)
        if rose & CHARGER:
            self.charger_closes(t, contacts)
        if fell & IGNITION:
            self.ignition_opens(t)
        for bit in self.since:
            if rose & bit:
                self.since[bit] = t
            if fell & bit:
                self.opened[bit] = t
        self.was = contacts
        if inputs is not None:
            self.see(t, bool(inputs & RUN))
        if rose & IGNITION:
            self.loaded, self.ran = False, self.run
        self.ran = self.ran or self.run
        self.loaded = self.loaded or bool(contacts & CHARGER)
        both = contacts & STARTER and self.run
        self.both_since = (self.both_since if self.both_since is not None else t) if both else None

    def see(self, t, run):
        if run and not self.run:
            self.run_since = t
        if self.run and not run:
            self.run_until = t
        self.run = run


def judge(rows, times=None, end_ms=None, stall_ms=0):
    """The violations found, as sentences; end_ms: the last byte stood until then."""
    j = _Judge(times or SEED, stall_ms)
    rows = [r for r in rows if r.contacts is not None]
    for i, r in enumerate(rows):
        # S1 only once the contacts of one byte have settled
        settled = i + 1 == len(rows) or rows[i + 1].t_ms - r.t_ms > SETTLE_MS
        if settled and r.contacts & STARTER and r.contacts & (IGNITION | CHARGER) != IGNITION:
            j.say(r.t_ms, "S1", "the starter is closed without ignition, or with the charger")
        j.row(r.t_ms, r.contacts, r.inputs)
    if end_ms is not None:
        j.held(end_ms)
    return j.found
