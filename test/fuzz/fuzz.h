/*
 * fuzz - what the fuzz targets share: the input read as a row of choices, clocks that only
 * the target moves, and a log that formats its lines and shows them to nobody.
 *
 * A target is one file fuzz_NAME.c with LLVMFuzzerTestOneInput(). It keeps nothing from one
 * input to the next, and asserts more than that memory is sound. Built with clang and
 * SAN=fuzzer it is libFuzzer's; built as the tests are, replay.c runs it over its corpus.
 *
 * Units: ms. Reading past the end of an input gives zeros.
 */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FUZZ_EPOCH_MS = 1000000 }; /* of the monotonic clock, at the start of each input */

struct fuzz_input {
	const uint8_t *at;
	size_t left;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

uint8_t fuzz_byte(struct fuzz_input *in);
uint64_t fuzz_number(struct fuzz_input *in, int bytes); /* little-endian */
/* At most n bytes of the input, borrowed; *got tells how many there were. */
const uint8_t *fuzz_bytes(struct fuzz_input *in, size_t n, size_t *got);

/* clock_ms() and, 2025 at the start, clock_unix_ms(). */
void fuzz_clock_set(int64_t ms);
/* A file in memory that holds these bytes, under a name to open it by. */
const char *fuzz_file(const uint8_t *data, size_t size);

#endif
