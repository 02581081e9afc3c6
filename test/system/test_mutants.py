"""Each defect of the original, put back into a copy of the source, must fail its named test.

A mutant is one replaced passage of one file. The file is compiled alone and linked before the
libraries, so that its symbols win; the named test must then fail, and pass without it.
"""
import os
import subprocess
import tempfile
import unittest

B = os.environ.get("B", "build/x86_64-linux-gnu")
CC = os.environ.get("CC", "gcc")
LIBS = ["sim", "genctl", "monitor", "common"]
LINK = ("-lcmocka -lprotobuf-c -lconfig -levent_core -levent_extra -li2c -lmodbus "
        "-pthread -lm").split()

# defect, file, passage, what it was in the original's spirit, test program, named test
MUTANTS = [
    ("0.1 the stop's last write lands in the next start", "node-genctl/sequence.c",
     "} else if (s->phase == PHASE_COOLDOWN) {", "} else if (s->phase == PHASE_N) {",
     "sequence", "request_in_cool_down_goes_back_on_load_through_stabilise"),
    ("0.2/D8 stop does not preempt a start", "node-genctl/sequence.c",
     "if (s->phase == PHASE_OFF || s->phase == PHASE_STOPPING || s->phase == PHASE_COOLDOWN)",
     "if (s->phase < PHASE_WARMUP || s->phase > PHASE_LOADED)",
     "sequence", "defect_d8_stop_while_cranking_opens_every_relay_at_once"),
    ("0.4/D4 an unacknowledged write counts", "node-genctl/interlock.c",
     "	k->known = false;\n	k->permit = false;", "	k->permit = false;",
     "sequence", "defect_d4_phase_never_advances_on_an_unacknowledged_write"),
    ("0.4/D4 the starter stays on when the bus dies", "node-genctl/interlock_watch.c",
     "	if (cranks(k) && k->in.bad_ms >= BAD_MS)\n		return force_alarm(k, 0, RULE_I2",
     "	if (cranks(k) && k->in.bad_ms >= 100 * BAD_MS)\n		return force_alarm(k, 0, RULE_I2",
     "interlock", "defect_d4_dead_bus_while_cranking_opens_the_starter_without_control"),
    ("0.5/D12 inputs compared whole", "node-genctl/inputs.c",
     "	v->x = raw & (INPUT_ENGINE | INPUT_IGNITION | INPUT_STARTER);",
     "	v->x = raw == 3 ? 3 : raw & ~INPUT_ENGINE;",
     "sequence", "defect_d12_in3_noise_leaves_a_running_engine_running"),
    ("0.6/D5 no retry after the lockout", "node-genctl/interlock_watch.c",
     "|| n == 0 ||", "|| n < 9 ||",
     "sequence", "three_failed_attempts_lock_out_and_retry_by_themselves_twice_a_day"),
    ("D1 the crank ignores the running engine", "node-genctl/interlock_watch.c",
     "	return cranks(k) && k->in.run ? force(RELAY_IGNITION, RULE_S3) : nothing;",
     "	return nothing;",
     "interlock", "defect_d1_running_engine_drops_the_starter_without_control"),
    ("D1 the sequence cranks its fixed time", "node-genctl/sequence.c",
     "	if (is_cranking(s->phase) && in->in->run) {", "	if (0) {",
     "interlock", "defect_d1_sequence_ends_the_crank_without_the_guard"),
    ("D2 warm-up is not watched", "node-genctl/interlock_watch.c",
     "	if (!fuelled(k) || !k->proved || !k->in.lost)", "	if (1)",
     "interlock", "defect_d2_engine_lost_in_warm_up_is_noticed_without_control"),
    ("D3 stop while idle closes ignition", "node-genctl/sequence.c",
     "if (is_started(s->phase) || (s->phase == PHASE_COAST && in->in->run))",
     "if (1)",
     "interlock", "defect_d3_sequence_alone_closes_nothing_on_a_stop_before_the_start"),
    ("D6/D9 a restart drops the engine", "node-genctl/interlock.c",
     "	return allowed && k->ledger.held", "	return 0 && k->ledger.held",
     "sequence", "defect_d6_d9_guard_restarted_on_load_adopts_its_engine"),
    ("D5/0.6 a lockout lasts for ever in the monitor", "node-monitor/policy/autostart.c",
     "	if (e->phase == ENGINE_LOCKOUT)\n		return AUTO_LOCKED_OUT;",
     "	static int ever;\n	if ((ever |= e->phase == ENGINE_LOCKOUT))\n"
     "		return AUTO_LOCKED_OUT;",
     "autostart", "defect_d5_and_0_6_lockout_is_shown_and_over_when_the_node_says_so"),
    ("0.7 a restarted monitor never stops a running engine", "node-monitor/policy/autostart.c",
     "a->state == AUTO_IDLE && engine_up(e->phase)", "a->state == AUTO_IDLE && 0",
     "autostart", "defect_0_7_restarted_monitor_stops_an_engine_running_at_90_percent"),
    ("D6 a restarted monitor takes a running engine for a failed start",
     "node-monitor/policy/autostart.c",
     "a->state == AUTO_IDLE && engine_up(e->phase)", "a->state == AUTO_IDLE && 0",
     "autostart", "defect_d6_restarted_monitor_keeps_an_engine_running_at_20_percent"),
    ("D11 an old order is carried out", "node-genctl/lease.c",
     "order->age_ms > ORDER_AGE_MS", "0",
     "lease", "defect_d11_order_older_than_five_seconds_is_not_carried_out"),
    ("D13 no limit counts while the inverter is silent", "node-monitor/policy/autostart.c",
     "	if (run >= ms(v->c->max_run_s))", "	if (v->soc_pct != UNKNOWN && run >= ms(v->c->max_run_s))",
     "autostart", "defect_d13_max_run_counts_while_the_inverter_is_silent"),
    ("D14 the first low reading starts the engine", "node-monitor/policy/confirm.c",
     "f->count >= readings &&", "f->count >= 1 ||",
     "autostart", "defect_d14_first_low_reading_waits_for_two_more"),
    ("0.1/D7 a stop is answered at its end", "node-genctl/server.c",
     "		reply_accepted(p, q->id, \"stop accepted\");", "		;",
     "control", "defect_d7_and_0_1_stop_is_answered_while_the_cool_down_still_runs"),
    ("D10 a simulated board passes for a real one", "node-genctl/status.c",
     "return c->g.simulated ? \"SIMULATED\" : \"OK\";", "return \"OK\";",
     "status", "defect_d10_a_simulated_board_says_so_in_every_status"),
    ("D10 a dead board passes for a good one", "node-genctl/status.c",
     "	if (!c->known || !c->g.known || c->g.in.bad_ms)\n		return \"ERROR\";", "",
     "status", "defect_d10_a_board_that_does_not_answer_is_a_fault_and_no_input_is_true"),
    ("D15 the code's default is another than the document's", "node-monitor/config.c",
     "autostart.soc_start_pct, 1, 99, \"25\"", "autostart.soc_start_pct, 1, 99, \"40\"",
     "config_monitor", "defect_d15_defaults_are_the_documents_and_nowhere_others"),
]


def build(folder, source, passage, instead, program):
    with open(source) as f:
        text = f.read()
    if text.count(passage) != 1:
        raise AssertionError(f"{source}: {text.count(passage)} times, not once: {passage!r}")
    mutant = os.path.join(folder, "mutant.c")
    with open(mutant, "w") as f:
        f.write(text.replace(passage, instead))
    out = os.path.join(folder, program)
    subprocess.run([CC, "-std=c11", "-D_GNU_SOURCE", "-DPIGENNY_VERSION=\"mutant\"", "-w", "-I.", f"-I{B}", "-o", out, mutant,
                    f"{B}/test/unit/test_{program}.o"]
                   + [f"{B}/lib{x}.a" for x in LIBS] + LINK, check=True)
    return out


def failed(program, name):
    run = subprocess.run([program], capture_output=True, text=True, timeout=60)
    text = run.stdout + run.stderr
    if run.returncode < 0:
        return True  # a crash, whatever was printed until then
    if f"[ RUN      ] {name}" not in text:
        raise AssertionError(f"{program} has no test {name}\n{text[-2000:]}")
    return f"[  FAILED  ] {name}" in text


class Mutants(unittest.TestCase):
    pass


def add(number, defect, source, passage, instead, program, name):
    def test(self):
        self.assertFalse(failed(f"{B}/test/unit/test_{program}", name), "fails as shipped")
        with tempfile.TemporaryDirectory() as folder:
            self.assertTrue(failed(build(folder, source, passage, instead, program), name),
                            f"not caught: {defect}")
    test.__doc__ = defect
    setattr(Mutants, f"test_{number:02}_{name}", test)


for i, mutant in enumerate(MUTANTS):
    add(i, *mutant)

if __name__ == "__main__":
    unittest.main()
