/*
 * Runs a fuzz target over the files of its corpus, as a test program: one test a file.
 *   fuzz_NAME [FILE...]      without files: all in test/fuzz/corpus/NAME
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/fuzz/fuzz.h"

enum { INPUT_MAX = 1 << 20, PATH_BYTES = 512 };

static int replay(const char *path)
{
	uint8_t *data = malloc(INPUT_MAX), *input = NULL;
	FILE *f = fopen(path, "re");
	size_t n = f && data ? fread(data, 1, INPUT_MAX, f) : 0;
	int rc = !f || !data || ferror(f);

	printf("[ RUN      ] %s\n", path);
	fflush(stdout);
	if (f)
		fclose(f);
	input = malloc(n ? n : 1);
	if (!rc && input) {
		memcpy(input, data, n);
		LLVMFuzzerTestOneInput(input, n);
	}
	free(input);
	free(data);
	printf(rc ? "[  FAILED  ] %s\n" : "[       OK ] %s\n", path);
	return rc;
}

static int replay_folder(const char *program)
{
	const char *name = strrchr(program, '/');
	char folder[PATH_BYTES / 2], path[PATH_BYTES];
	struct dirent **entries;
	int n, rc = 0;

	name = strchr(name ? name : program, '_');
	snprintf(folder, sizeof(folder), "test/fuzz/corpus/%s", name ? name + 1 : "");
	n = scandir(folder, &entries, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%.200s", folder, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.')
			rc |= replay(path);
		free(entries[i]);
	}
	if (n > 0)
		free(entries);
	return rc;
}

int main(int argc, char **argv)
{
	int rc = 0;

	for (int i = 1; i < argc; i++)
		rc |= replay(argv[i]);
	return argc > 1 ? rc : replay_folder(argv[0]);
}
