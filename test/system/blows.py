"""Striking genctld's processes: what test_kill and the campaign's random kills both need.

The judge is the simulator's trace of the contacts. A reaction passes at REACTION_MS and the
largest stall that a Probe saw around it; where that was over STALL_MS the trial is repeated,
and more than REPEATS_PCT of such repeats fail the whole.
"""
import signal

from pigenny import SCALE, TIMES, pulses

STARTER, CHARGER, IGNITION = 1, 2, 8
RUN = 1
REACTION_MS, STALL_MS, REPEATS_PCT = 250, 100, 5
VICTIMS = ["guard", "control", "saver", "deadman"]
SIGNALS = {"killing": signal.SIGKILL, "freezing": signal.SIGSTOP}


def scaled(group, name):
    return TIMES[group][name] / SCALE


CRANK_MS = scaled("sequence", "crank_ms") + scaled("sequence", "glow_assist_ms")


def audit(trace):
    """The sentences of the rules that the contacts broke."""
    broken = []
    starter = pulses(trace, STARTER)
    for row in trace:
        if row.contacts & STARTER and (not row.contacts & IGNITION or row.contacts & CHARGER):
            broken.append(f"S1: starter without ignition, or with the charger: {row}")
    for closed, opened in starter:
        if opened is not None and opened - closed > CRANK_MS + 200:
            broken.append(f"S4: starter closed for {opened - closed} ms")
    for (_, opened), (closed, _) in zip(starter, starter[1:]):
        if closed - opened < scaled("limits", "crank_rest_ms") - 10:
            broken.append(f"S5: a second pulse {closed - opened} ms after the first")
    for closed, _ in starter:
        if any(row.inputs is not None and row.inputs & RUN for row in trace
               if closed - scaled("limits", "at_rest_ms") < row.t_ms < closed):
            broken.append("S2: starter closed on a turning engine")
    running = None
    for row in trace:
        high = row.inputs is not None and row.inputs & RUN
        running = (running or row.t_ms) if high else None
        if row.contacts & CHARGER and running is None:
            broken.append(f"C3: charger on an engine that does not run: {row}")
    return broken
