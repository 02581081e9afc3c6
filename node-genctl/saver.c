#include "node-genctl/saver.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node-genctl/bootid.h"

enum { PATH_BYTES = 128, FILE_BYTES = 2 * SAVER_STRIDE };

struct saver {
	char path[PATH_BYTES], boot_id[BOOT_ID_LEN + 1];
	int fd;	      /* -1: not open */
	uint32_t seq; /* of the last record that is on disk */
};

static void path_of(const char *state_dir, char path[static PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "%s/genctl.ledger", state_dir);
}

/* The newest valid slot; -EBADMSG: none is. */
static int newest(int fd, struct ledger *out, uint32_t *seq, char id[static BOOT_ID_LEN + 1])
{
	bool found = false;

	for (int i = 0; i < 2; i++) {
		uint8_t slot[LEDGER_SLOT];
		char slot_id[BOOT_ID_LEN + 1];
		struct ledger l;
		uint32_t n;

		if (pread(fd, slot, LEDGER_SLOT, (off_t)i * SAVER_STRIDE) != LEDGER_SLOT ||
		    ledger_decode(slot, &l, &n, slot_id) < 0)
			continue;
		if (found && (int32_t)(n - *seq) < 0)
			continue;
		found = true;
		*out = l;
		*seq = n;
		memcpy(id, slot_id, sizeof(slot_id));
	}
	return found ? 0 : -EBADMSG;
}

int saver_load(const char *state_dir, int64_t now_ms, struct ledger *out, uint32_t *seq)
{
	char path[PATH_BYTES], saved[BOOT_ID_LEN + 1], present[BOOT_ID_LEN + 1];
	struct ledger l;
	int fd, rc;

	path_of(state_dir, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = newest(fd, &l, seq, saved);
	close(fd);
	if (rc < 0)
		return rc;
	bootid_read(present);
	if (strcmp(saved, present) != 0 || !bootid_known(present))
		ledger_rebase(&l, now_ms);
	*out = l;
	return 0;
}

static int sync_folder(const char *path)
{
	char copy[PATH_BYTES];
	int fd, rc = 0;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fsync(fd) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

/* Both slots get their blocks now, so that a disk that fills later loses nothing. */
static int preallocate(struct saver *s)
{
	static const uint8_t zero[FILE_BYTES];
	struct stat st;

	if (fstat(s->fd, &st) < 0)
		return -errno;
	if (st.st_size >= FILE_BYTES)
		return 0;
	if (pwrite(s->fd, zero, sizeof(zero) - st.st_size, st.st_size) !=
	    (ssize_t)(sizeof(zero) - st.st_size))
		return errno ? -errno : -ENOSPC;
	if (fsync(s->fd) < 0)
		return -errno;
	return sync_folder(s->path);
}

static int open_file(struct saver *s)
{
	char folder[PATH_BYTES], id[BOOT_ID_LEN + 1];
	struct ledger ignored;
	int rc;

	if (s->fd >= 0)
		return 0;
	snprintf(folder, sizeof(folder), "%s", s->path);
	mkdir(dirname(folder), 0755);
	s->fd = open(s->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->fd < 0)
		return -errno;
	rc = preallocate(s);
	if (rc < 0) {
		close(s->fd);
		s->fd = -1;
		return rc;
	}
	newest(s->fd, &ignored, &s->seq, id);
	return 0;
}

static int save(struct saver *s, const struct ledger *l)
{
	uint8_t slot[LEDGER_SLOT];
	uint32_t seq;
	int rc = open_file(s);

	if (rc < 0)
		return rc;
	seq = s->seq + 1;
	ledger_encode(l, seq, s->boot_id, slot);
	if (pwrite(s->fd, slot, sizeof(slot), (off_t)(seq & 1) * SAVER_STRIDE) ==
		(ssize_t)sizeof(slot) &&
	    fdatasync(s->fd) == 0) {
		s->seq = seq;
		return 0;
	}
	rc = errno ? -errno : -EIO;
	close(s->fd);
	s->fd = -1;
	return rc;
}

int saver_main(const char *state_dir, int guard_fd)
{
	struct saver s = { .fd = -1 };
	struct saver_record r;

	path_of(state_dir, s.path);
	bootid_read(s.boot_id);
	while (recv(guard_fd, &r, sizeof(r), 0) == (ssize_t)sizeof(r)) {
		struct saver_ack ack = { .number = r.number, .error = save(&s, &r.ledger) };

		if (send(guard_fd, &ack, sizeof(ack), MSG_NOSIGNAL) < 0)
			return 1;
	}
	return 0;
}
