#include "node-genctl/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "node-genctl/bootid.h"

enum { VERSION = 1 };

struct mark { /* what makes a file ours */
	char magic[8];
	uint16_t version, row_bytes;
	uint32_t rows;
	char boot_id[BOOT_ID_LEN];
};

struct slot {
	int64_t t_ms;
	_Atomic uint32_t number; /* 0: is being written */
	int32_t arg;
	uint8_t relays, inputs, fault, phase, event, detail, spare[2];
};

struct recorder_file {
	struct mark mark;
	_Atomic uint32_t head; /* number of the newest row; 0: none yet */
	uint32_t spare[2];
	struct slot slots[RECORDER_ROWS];
};
_Static_assert(sizeof(struct slot) == 24, "a row is 24 bytes");
_Static_assert(offsetof(struct recorder_file, slots) == 64, "rows begin at 64");

static struct mark mark_of_ours(void)
{
	struct mark m = {
		.magic = "PGTRACE",
		.version = VERSION,
		.row_bytes = sizeof(struct slot),
		.rows = RECORDER_ROWS,
	};
	char id[BOOT_ID_LEN + 1];

	bootid_read(id);
	memcpy(m.boot_id, id, BOOT_ID_LEN);
	return m;
}

static struct slot *slot_of(struct recorder_file *f, uint32_t number)
{
	return &f->slots[(number - 1) % RECORDER_ROWS];
}

static uint32_t number_at(struct recorder_file *f, uint32_t number)
{
	return atomic_load_explicit(&slot_of(f, number)->number, memory_order_acquire);
}

static int map(struct recorder *r, int fd, int protection, int flags)
{
	void *at = mmap(NULL, sizeof(*r->file), protection, MAP_SHARED | flags, fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	r->file = at;
	return 0;
}

/* A file that is shorter than it says would end whoever maps it. */
static int map_if_ours(struct recorder *r, int fd, int protection)
{
	const struct mark ours = mark_of_ours();
	struct mark m;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size != sizeof(*r->file) || pread(fd, &m, sizeof(m), 0) != sizeof(m) ||
	    memcmp(&m, &ours, sizeof(m)) != 0 || ours.boot_id[0] == '?')
		return -EBADMSG;
	return map(r, fd, protection, protection & PROT_WRITE ? MAP_POPULATE : 0);
}

/* The newest row may be whole and not be counted yet: its writer died in between. */
static int go_on(struct recorder *r)
{
	uint32_t head = atomic_load(&r->file->head);

	if (head && number_at(r->file, head) != head) {
		recorder_close(r);
		return -EBADMSG;
	}
	if (number_at(r->file, head + 1) == head + 1)
		atomic_store(&r->file->head, head + 1);
	return 0;
}

/* Every page gets its memory now: a store into a hole of a full folder would end us. */
static int fill(struct recorder *r, int fd)
{
	int rc = -posix_fallocate(fd, 0, sizeof(*r->file));

	if (rc == 0)
		rc = map(r, fd, PROT_READ | PROT_WRITE, MAP_POPULATE);
	if (r->file)
		r->file->mark = mark_of_ours();
	return rc;
}

/* Beside the old file and then over it, for readers may still have that one open. */
static int replace(struct recorder *r, const char *path)
{
	char fresh[RECORDER_PATH + 4];
	int fd, rc;

	snprintf(fresh, sizeof(fresh), "%s.new", path);
	unlink(fresh);
	fd = open(fresh, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	rc = fill(r, fd);
	close(fd);
	if (rc == 0 && rename(fresh, path) < 0)
		rc = -errno;
	if (rc < 0) {
		recorder_close(r);
		unlink(fresh);
	}
	return rc;
}

static void path_of(const char *runtime_dir, char path[static RECORDER_PATH])
{
	snprintf(path, RECORDER_PATH, "%s/genctl.trace", runtime_dir);
}

int recorder_open(struct recorder *r, const char *runtime_dir)
{
	char path[RECORDER_PATH];
	struct statfs fs;
	int fd, rc = -ENOENT;

	*r = (struct recorder){ 0 };
	path_of(runtime_dir, path);
	fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0) {
		rc = map_if_ours(r, fd, PROT_READ | PROT_WRITE);
		close(fd);
	}
	if (rc == 0)
		rc = go_on(r);
	if (rc < 0)
		rc = replace(r, path);
	if (rc < 0)
		return rc;
	/* The children are not to write here, and cannot. */
	madvise(r->file, sizeof(*r->file), MADV_DONTFORK);
	r->on_disk = statfs(runtime_dir, &fs) == 0 && fs.f_type != TMPFS_MAGIC &&
		     (unsigned long)fs.f_type != RAMFS_MAGIC;
	return 0;
}

int recorder_view(struct recorder *r, const char *runtime_dir)
{
	char path[RECORDER_PATH];
	int fd, rc;

	*r = (struct recorder){ 0 };
	path_of(runtime_dir, path);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = map_if_ours(r, fd, PROT_READ);
	close(fd);
	return rc;
}

void recorder_close(struct recorder *r)
{
	if (r->file)
		munmap(r->file, sizeof(*r->file));
	r->file = NULL;
}

void recorder_append(struct recorder *r, const struct recorder_row *row)
{
	uint32_t number;
	struct slot *s;

	if (!r->file)
		return;
	number = atomic_load_explicit(&r->file->head, memory_order_relaxed) + 1;
	s = slot_of(r->file, number);
	atomic_store_explicit(&s->number, 0, memory_order_relaxed);
	atomic_thread_fence(memory_order_release); /* the 0 before the fields */
	s->t_ms = row->t_ms;
	s->arg = row->arg;
	s->relays = row->relays;
	s->inputs = row->inputs;
	s->fault = row->fault;
	s->phase = row->phase;
	s->event = row->event;
	s->detail = row->detail;
	atomic_store_explicit(&s->number, number, memory_order_release);
	atomic_store_explicit(&r->file->head, number, memory_order_release);
}

static bool whole(struct recorder_file *f, uint32_t number, struct recorder_row *row)
{
	const struct slot *s = slot_of(f, number);

	if (number_at(f, number) != number)
		return false;
	*row = (struct recorder_row){ .t_ms = s->t_ms,
		.arg = s->arg,
		.relays = s->relays,
		.inputs = s->inputs,
		.fault = s->fault,
		.phase = s->phase,
		.event = s->event,
		.detail = s->detail };
	atomic_thread_fence(memory_order_acquire); /* the fields before the number */
	return number_at(f, number) == number;
}

bool recorder_next(const struct recorder *r, uint32_t *after, struct recorder_row *row)
{
	uint32_t head = atomic_load_explicit(&r->file->head, memory_order_acquire);
	uint32_t oldest = head > RECORDER_ROWS ? head - RECORDER_ROWS + 1 : 1;
	uint32_t n = *after < oldest ? oldest : *after + 1;

	if (*after >= head)
		return false;
	for (; n <= head; n++) {
		if (whole(r->file, n, row)) {
			*after = n;
			return true;
		}
	}
	return false;
}
