#include "common/conf_near.h"

#include <string.h>

enum { NAME_MAX_LEN = 63, OTHER_GROUP = 2 };

static int least(int a, int b)
{
	return a < b ? a : b;
}

/* Insertions, deletions and replacements that make b of a, as far as 63 characters. */
static int distance(const char *a, const char *b)
{
	int row[NAME_MAX_LEN + 1], lb = least((int)strnlen(b, NAME_MAX_LEN), NAME_MAX_LEN);

	for (int j = 0; j <= lb; j++)
		row[j] = j;
	for (int i = 0; i < NAME_MAX_LEN && a[i]; i++) {
		int diagonal = row[0];

		row[0] = i + 1;
		for (int j = 1; j <= lb; j++) {
			int replaced = diagonal + (a[i] != b[j - 1]);

			diagonal = row[j];
			row[j] = least(replaced, 1 + least(row[j], row[j - 1]));
		}
	}
	return row[lb];
}

static const char *leaf(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot ? dot + 1 : path;
}

const char *conf_near(const struct conf_key *keys, size_t n, const char *path)
{
	const char *best = "";
	int best_distance = -1;

	for (size_t i = 0; i < n; i++) {
		int whole = distance(path, keys[i].path);
		int d = least(whole, OTHER_GROUP + distance(leaf(path), leaf(keys[i].path)));

		if (best_distance < 0 || d < best_distance) {
			best_distance = d;
			best = keys[i].path;
		}
	}
	return best;
}
