/* Which byte the sequence wants, and when it enters the phases that matter. */
#include "test/wp/words.h"
#include "node-genctl/sequence.h"

/* clang-format off */
#define CRANKING(p) ((p) == PHASE_CRANK || (p) == PHASE_ASSIST)
#define STARTED(p) ((p) >= PHASE_WARMUP && (p) <= PHASE_COOLDOWN)
#define ENTERS(p) (s->phase == (p) && \old(s->phase) != (p))
#define PREHEATS(s) ((s)->phase == PHASE_IGNITION && (s)->config->glow_mode == GLOW_PREHEAT)
#define BYTE(s) ( \
	CRANKING((s)->phase) ? ((s)->phase == PHASE_CRANK ? 0x09 : 0x0D) : \
	(s)->phase == PHASE_LOADED ? 0x0A : PREHEATS(s) ? 0x0C : \
	(s)->phase == PHASE_IGNITION || ((s)->phase >= PHASE_COAST && \
	(s)->phase <= PHASE_COOLDOWN) ? 0x08 : 0x00)
#define SEQ(s) (\valid(s) && is_config((s)->config) && (s)->phase < PHASE_N && \
	\separated(s, (s)->config) && is_past((s)->since_ms) && \
	is_past((s)->starter_off_ms) && is_past((s)->charger_off_ms))
#define IN(in) (\valid_read(in) && \valid_read((in)->in) && \separated(s, in) && \
	\separated(s, (in)->in) && is_time(now_ms))
#define SEEN(in) ((in)->in->run ==> (in)->in->alone_samples == 0)
#define WENT s->phase, s->acks, s->since_ms, s->entered
#define KEPT (s->phase < PHASE_N && is_past(s->since_ms))
#define NO_CRANK (!CRANKING(s->phase))
#define NO_LOAD (s->phase != PHASE_LOADED)

/*@ assigns \nothing; */
const char *phase_name(enum phase phase);

/*@ assigns \nothing;
    ensures \result != 0 <==> CRANKING(p); */
static bool is_cranking(enum phase p);

/*@ assigns \nothing;
    ensures \result != 0 <==> STARTED(p); */
static bool is_started(enum phase p);

/*@ requires \valid_read(s) && is_config(s->config) && s->phase < PHASE_N;
    assigns \nothing;
    ensures S1: \result == BYTE(s); */
static uint8_t wanted(const struct sequence *s);

/*@ requires \valid_read(s) && is_config(s->config);
    assigns \nothing;
    ensures 0 <= \result <= 1800000; */
static int32_t lasts_ms(const struct sequence *s);

/*@ requires \valid(s) && is_config(s->config) && phase < PHASE_N && \separated(s, s->config);
    requires IN(in);
    assigns WENT;
    ensures s->phase == phase && s->since_ms == now_ms; */
static void go(struct sequence *s, enum phase phase, const struct seq_in *in, int64_t now_ms);

/*@ requires SEQ(s) && \valid_read(v) && is_time(now_ms);
    assigns \nothing;
    ensures S5: \result ==>
	now_ms - s->starter_off_ms >= s->config->crank_rest_ms;
    ensures S2: \result ==> v->bad_ms == 0 && v->x == 0 &&
	v->still_ms >= s->config->at_rest_ms; */
static bool wait_is_over(const struct sequence *s, const struct inputs_view *v, int64_t now_ms);

/*@ requires SEQ(s) && \valid_read(v) && is_time(now_ms);
    assigns \nothing;
    ensures C1: \result ==> v->run && v->run_ms >= s->config->warmup_ms + s->config->stabilise_ms;
    ensures C4: \result && s->sagged ==> now_ms - s->charger_off_ms >= RECLOSE_MS; */
static bool load_is_allowed(
    const struct sequence *s, const struct inputs_view *v, int64_t now_ms);

/*@ requires SEQ(s) && IN(in);
    assigns WENT;
    ensures s->phase == PHASE_REST || s->phase == PHASE_STOPPING;
    ensures R5: in->wish == SEQ_REST ==> s->phase == PHASE_STOPPING;
    ensures S6: s->attempt >= s->attempts ==> s->phase == PHASE_STOPPING;
    ensures is_past(s->since_ms); */
static enum seq_event fail(struct sequence *s, const struct seq_in *in, int64_t now_ms);

/*@ requires SEQ(s) && IN(in);
    assigns WENT;
    ensures KEPT;
    ensures S3: NO_CRANK;
    ensures C1: NO_LOAD;
    ensures S2: s->phase != PHASE_IGNITION && s->phase != PHASE_RESET; */
static enum seq_event follow(struct sequence *s, const struct seq_in *in, int64_t now_ms);

/*@ requires SEQ(s) && IN(in);
    assigns WENT;
    ensures KEPT;
    ensures R5: s->phase == PHASE_OFF || s->phase == PHASE_STOPPING ||
	s->phase == PHASE_COOLDOWN;
    ensures C2: STARTED(\old(s->phase)) ==> s->phase == PHASE_COOLDOWN;
    ensures s->phase == \old(s->phase) ==> s->entered == \old(s->entered); */
static enum seq_event stop(struct sequence *s, const struct seq_in *in, int64_t now_ms);

/*@ requires SEQ(s) && IN(in);
    assigns WENT, s->attempt, s->attempts, s->sagged;
    ensures KEPT;
    ensures S2: s->phase != \old(s->phase) ==> s->phase == PHASE_WAIT ||
	s->phase == PHASE_STABILISE || s->phase == PHASE_WARMUP;
    ensures s->phase == \old(s->phase) ==> s->entered == \old(s->entered); */
static enum seq_event run(struct sequence *s, const struct seq_in *in, int64_t now_ms);

/*@ requires SEQ(s) && is_time(now_ms);
    assigns \nothing; */
static bool wait_is_hopeless(const struct sequence *s, int64_t now_ms);

/*@ requires SEQ(s) && IN(in);
    assigns WENT;
    ensures KEPT;
    ensures S6: ENTERS(PHASE_RESET) ==> in->permit == PERMIT_GRANTED;
    ensures s->phase == \old(s->phase) || s->phase == PHASE_RESET ||
	s->phase == PHASE_STOPPING; */
static enum seq_event wait_for_permit(
    struct sequence *s, const struct seq_in *in, int64_t now_ms);

/*@ requires SEQ(s) && IN(in);
    assigns WENT;
    ensures KEPT;
    ensures S2: ENTERS(PHASE_CRANK) ==>
	in->in->alone_samples >= ALONE_SAMPLES && in->in->bad_ms == 0;
    ensures s->phase == \old(s->phase) || s->phase == PHASE_CRANK ||
	s->phase == PHASE_REST || s->phase == PHASE_STOPPING; */
static enum seq_event ignition(struct sequence *s, const struct seq_in *in, int64_t now_ms);

/*@ requires SEQ(s) && IN(in);
    requires s->phase != PHASE_OFF && s->phase != PHASE_WAIT && s->phase != PHASE_IGNITION &&
	s->phase != PHASE_LOADED;
    assigns WENT, s->attempt;
    ensures KEPT;
    ensures S2: s->phase != PHASE_CRANK || \old(s->phase) == PHASE_CRANK;
    ensures S4: s->phase == PHASE_ASSIST ==> \old(s->phase) == PHASE_CRANK;
    ensures C1: s->phase == PHASE_LOADED ==> \old(s->phase) == PHASE_STABILISE &&
	in->in->run && in->in->run_ms >= s->config->warmup_ms + s->config->stabilise_ms;
    ensures C4: s->phase == PHASE_LOADED && s->sagged ==>
	now_ms - s->charger_off_ms >= RECLOSE_MS;
    ensures C2: \old(s->phase) == PHASE_COOLDOWN ==> s->phase == PHASE_STOPPING;
    ensures I2: \old(s->phase) == PHASE_RESET && s->phase == PHASE_IGNITION ==>
	in->in->bad_ms == 0;
    ensures R5: \old(s->phase) == PHASE_STOPPING ==>
	s->phase == PHASE_STOPPING || s->phase == PHASE_OFF; */
static enum seq_event timed_out(struct sequence *s, const struct seq_in *in, int64_t now_ms);

/*@ requires SEQ(s) && IN(in);
    assigns WENT;
    ensures KEPT;
    ensures C3: s->phase == PHASE_LOADED ==>
	in->in->low_samples < SAG_SAMPLES && in->in->bad_ms < BAD_MS;
    ensures R1: in->in->lost ==> s->phase == PHASE_STOPPING;
    ensures s->phase == \old(s->phase) || s->phase == PHASE_STOPPING ||
	s->phase == PHASE_WARMUP; */
static enum seq_event watch_engine(struct sequence *s, const struct seq_in *in, int64_t now_ms);

/*@ requires SEQ(s) && IN(in) && SEEN(in);
    assigns WENT, s->attempt, s->attempts, s->sagged;
    ensures KEPT;
    ensures S2: ENTERS(PHASE_CRANK) ==> \old(s->phase) == PHASE_IGNITION &&
	in->in->alone_samples >= ALONE_SAMPLES && in->in->bad_ms == 0;
    ensures S3: in->in->run && CRANKING(s->phase) ==> !\old(s->entered);
    ensures S3_enter: in->in->run && CRANKING(s->phase) ==> s->phase == \old(s->phase);
    ensures C1: ENTERS(PHASE_LOADED) ==> \old(s->phase) == PHASE_STABILISE &&
	in->in->run && in->in->run_ms >= s->config->warmup_ms + s->config->stabilise_ms;
    ensures R5: in->wish == SEQ_REST ==> NO_CRANK && NO_LOAD && s->phase != PHASE_IGNITION &&
	s->phase != PHASE_RESET; */
static enum seq_event advance(struct sequence *s, const struct seq_in *in, int64_t now_ms);

/*@ requires SEQ(s) && IN(in);
    assigns s->starter_off_ms, s->charger_off_ms, s->sagged, s->acked, s->entered, s->since_ms;
    ensures is_past(s->since_ms) && is_past(s->starter_off_ms) && is_past(s->charger_off_ms);
    ensures I1: s->entered && !\old(s->entered) ==> in->acked == BYTE(s);
    ensures I1_kept: \old(s->entered) ==> s->entered && s->since_ms == \old(s->since_ms);
    ensures S5: FALLS(\old(s->acked), in->acked, RELAY_STARTER) ==>
	s->starter_off_ms == now_ms; */
static enum seq_event note_acked(struct sequence *s, const struct seq_in *in, int64_t now_ms);

/*@ requires \valid(s) && \valid_read(config) && \separated(s, config);
    assigns *s; */
void seq_init(struct sequence *s, const struct engine_config *config, int64_t now_ms);

/*@ requires \valid(s) && is_config(s->config) && \separated(s, s->config);
    assigns s->phase, s->since_ms, s->acked, s->entered;
    ensures R5: NO_CRANK && (s->phase == PHASE_LOADED ==> acked == 0x0A);
    ensures s->phase < PHASE_N; */
void seq_adopt(struct sequence *s, enum phase phase, int64_t since_ms, uint8_t acked);

/*@ requires SEQ(s) && IN(in) && SEEN(in);
    assigns *s;
    ensures S1: \result.relays == 0x00 || \result.relays == 0x08 || \result.relays == 0x09 ||
	\result.relays == 0x0A || \result.relays == 0x0C || \result.relays == 0x0D;
    ensures S2: ENTERS(PHASE_CRANK) ==> \old(s->phase) == PHASE_IGNITION &&
	in->in->alone_samples >= ALONE_SAMPLES && in->in->bad_ms == 0;
    ensures S3: in->in->run && (\result.relays == 0x09 || \result.relays == 0x0D) ==>
	!\old(s->entered);
    ensures C1: ENTERS(PHASE_LOADED) ==> \old(s->phase) == PHASE_STABILISE &&
	in->in->run && in->in->run_ms >= s->config->warmup_ms + s->config->stabilise_ms;
    ensures R5: in->wish == SEQ_REST ==> \result.relays == 0x00 || \result.relays == 0x08;
    ensures S6: \result.begin ==> s->phase == PHASE_WAIT && in->permit == PERMIT_NONE; */
struct seq_out seq_step(struct sequence *s, const struct seq_in *in, int64_t now_ms);

/*@ requires \valid_read(s) && is_config(s->config) && is_past(s->since_ms);
    assigns \nothing; */
int64_t seq_ends_ms(const struct sequence *s);

/*@ requires \valid_read(s) && s->phase < PHASE_N;
    assigns \nothing; */
enum phase seq_next(const struct sequence *s);
/* clang-format on */

#include "node-genctl/sequence.c"
