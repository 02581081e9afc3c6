#include "test/sim/regs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

enum { SOH_PCT = 98, MAX_SCANS = 1000, LIVE_REGS = 200 };
enum { STATE_BATTERY = 64, STATE_PV_CHARGE = 136, STATE_PV_BATTERY = 192 };

static uint16_t word(int64_t value)
{
	return (uint16_t)(value < 0 ? 0 : value > UINT16_MAX ? UINT16_MAX : value);
}

static void put_pair(uint16_t *low, int64_t value)
{
	low[0] = (uint16_t)value;
	low[1] = (uint16_t)(value >> 16);
}

static int64_t tenth_kwh(int64_t mj)
{
	return mj / (100 * (int64_t)PLANT_MJ_PER_WH);
}

static uint16_t state_word(const struct plant_out *out)
{
	if (out->pv_w <= 0)
		return STATE_BATTERY;
	return out->pv_w > out->load_w ? STATE_PV_CHARGE : STATE_PV_BATTERY;
}

static void put_constants(uint16_t *reg)
{
	reg[20] = 2400; /* off-grid output, 0.1 V and 0.01 Hz */
	reg[23] = 6000;
	reg[38] = reg[39] = 3800; /* DC buses */
	reg[64] = 41;		  /* temperatures */
	reg[65] = reg[66] = 38;
	reg[67] = 4;	/* battery's; the site's unit shows this placeholder for ever */
	reg[81] = 2000; /* BMS limits, 0.1 A and 0.1 V */
	reg[82] = 2000;
	reg[83] = 560;
	reg[84] = 470;
	reg[105] = 16; /* the unit's own generator contact: always closed below 54 V */
}

void regs_from_plant(struct slave_bank *input, const struct plant *p,
    const struct plant_out *out, bool engine_running)
{
	uint16_t *reg = input->value;
	bool sun = out->pv_w > 0;

	put_constants(reg);
	reg[0] = state_word(out);
	reg[1] = sun ? 3120 : 50;
	reg[2] = sun ? 2987 : 50;
	reg[4] = word(out->battery_mv / 100);
	reg[5] = (uint16_t)(SOH_PCT << 8 | out->soc_pct);
	reg[7] = word(out->pv_w - out->pv_w / 2);
	reg[8] = word(out->pv_w / 2);
	reg[10] = word(out->pv_w - out->load_w);
	reg[11] = word(out->load_w - out->pv_w);
	reg[24] = reg[25] = reg[170] = word(out->load_w);
	reg[28] = reg[29] = word(tenth_kwh(p->pv_mj - p->curtailed_mj) / 2);
	reg[35] = reg[171] = word(tenth_kwh(p->load_mj - p->unserved_mj));
	put_pair(reg + 40, reg[28]);
	put_pair(reg + 42, reg[29]);
	put_pair(reg + 172, tenth_kwh(p->load_mj - p->unserved_mj));
	reg[121] = engine_running ? 2400 : 0; /* 0.1 V */
	reg[122] = engine_running ? 6000 : 0; /* 0.01 Hz */
	for (int i = 0; i < LIVE_REGS; i++)
		input->known[i] = true;
}

void regs_holding(struct slave_bank *holding)
{
	static const struct {
		int reg;
		uint16_t value;
	} site[] = { { 19, 44 }, { 21, 0 }, { 120, 0 }, { 194, 540 }, { 195, 565 } };

	for (size_t i = 0; i < sizeof(site) / sizeof(*site); i++) {
		holding->value[site[i].reg] = site[i].value;
		holding->known[site[i].reg] = true;
	}
}

/* Reads `"12":345,...}` into bank; returns the lowest register, or -EBADMSG. */
static int read_block(const char *text, struct slave_bank *bank)
{
	long lowest = SLAVE_NREGS;

	while (*text == '"') {
		char *end;
		long reg = strtol(text + 1, &end, 10), value;

		if (strncmp(end, "\":", 2) != 0 || reg < 0 || reg >= SLAVE_NREGS)
			return -EBADMSG;
		value = strtol(end + 2, &end, 10);
		if (value < 0 || value > UINT16_MAX || (*end != ',' && *end != '}'))
			return -EBADMSG;
		bank->value[reg] = (uint16_t)value;
		bank->known[reg] = true;
		lowest = reg < lowest ? reg : lowest;
		text = end + 1;
	}
	return lowest < SLAVE_NREGS ? (int)lowest : -EBADMSG;
}

/* Blocks are in order: one that starts below the end of the last begins a new scan. */
static int add_line(struct recorded *r, const char *line, int *end)
{
	const char *regs = strstr(line, "\"regs\":{");
	struct slave_bank block = { 0 };
	struct slave_bank *to;
	int lowest;

	if (!regs || (lowest = read_block(regs + 8, &block)) < 0)
		return -EBADMSG;
	if (strstr(line, "\"kind\":\"hold\"")) {
		to = &r->holding;
	} else {
		if (r->n == 0 || lowest < *end)
			r->n++;
		if (r->n > MAX_SCANS)
			return -EFBIG;
		to = &r->scans[r->n - 1];
	}
	for (int i = 0; i < SLAVE_NREGS; i++) {
		if (!block.known[i])
			continue;
		to->value[i] = block.value[i];
		to->known[i] = true;
		if (to != &r->holding)
			*end = i + 1;
	}
	return 0;
}

int recorded_load(struct recorded *r, const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;
	int rc = 0, end = 0;

	*r = (struct recorded){ 0 };
	if (!f)
		return -errno;
	r->scans = xcalloc(MAX_SCANS, sizeof(*r->scans));
	while (rc == 0 && getline(&line, &size, f) > 0)
		rc = add_line(r, line, &end);
	if (rc == 0 && r->n == 0)
		rc = -EBADMSG;
	free(line);
	fclose(f);
	if (rc < 0)
		recorded_free(r);
	return rc;
}

void recorded_free(struct recorded *r)
{
	free(r->scans);
	*r = (struct recorded){ 0 };
}
