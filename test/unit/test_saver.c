#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "node-genctl/saver.h"

static char folder[] = "/tmp/test_saver.XXXXXX";
static char state_dir[64], file[128];

struct saver {
	pid_t pid;
	int fd;
	uint32_t number;
};

static struct saver start(void)
{
	int pair[2];
	struct saver s;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	s = (struct saver){ .pid = fork(), .fd = pair[0] };
	if (s.pid == 0) {
		close(pair[0]);
		_exit(saver_main(state_dir, pair[1]));
	}
	close(pair[1]);
	return s;
}

static int save(struct saver *s, const struct ledger *l)
{
	struct saver_record r = { .number = ++s->number, .ledger = *l };
	struct saver_ack ack;

	assert_int_equal(send(s->fd, &r, sizeof(r), 0), sizeof(r));
	assert_int_equal(recv(s->fd, &ack, sizeof(ack), 0), sizeof(ack));
	assert_int_equal(ack.number, s->number);
	return ack.error;
}

static void stop(struct saver *s)
{
	int status;

	close(s->fd);
	assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
	assert_int_equal(status, 0);
}

static struct ledger numbered(uint32_t n)
{
	struct ledger l;

	ledger_init(&l);
	l.total_starts = n;
	l.crank_ms = 1000 + n;
	return l;
}

static void save_all(uint32_t from, uint32_t to)
{
	struct saver s = start();

	for (uint32_t n = from; n <= to; n++) {
		struct ledger l = numbered(n);

		assert_int_equal(save(&s, &l), 0);
	}
	stop(&s);
}

static uint32_t loaded(void)
{
	struct ledger l;
	uint32_t seq;

	assert_int_equal(saver_load(state_dir, 5000, &l, &seq), 0);
	return l.total_starts;
}

static void spoil(int slot)
{
	int fd = open(file, O_WRONLY);

	assert_int_equal(pwrite(fd, "torn", 4, slot * SAVER_STRIDE + 100), 4);
	close(fd);
}

static void nothing_saved_is_told(void **state)
{
	struct ledger l;
	uint32_t seq;

	assert_int_equal(saver_load(state_dir, 0, &l, &seq), -ENOENT);
}

static void the_last_record_is_loaded_with_its_times(void **state)
{
	struct ledger l;
	uint32_t seq;

	save_all(1, 5);
	assert_int_equal(saver_load(state_dir, 5000, &l, &seq), 0);
	assert_int_equal(l.total_starts, 5);
	assert_int_equal(l.crank_ms, 1005);
}

static void a_new_saver_goes_on_from_the_newest_slot(void **state)
{
	save_all(6, 6);
	assert_int_equal(loaded(), 6);
	save_all(7, 7);
	assert_int_equal(loaded(), 7);
}

static void a_torn_last_record_leaves_the_one_before(void **state)
{
	struct ledger l;
	uint32_t seq;

	save_all(8, 9);
	assert_int_equal(saver_load(state_dir, 5000, &l, &seq), 0);
	spoil(seq & 1);
	assert_int_equal(loaded(), 8);
	spoil(!(seq & 1));
	assert_int_equal(saver_load(state_dir, 5000, &l, &seq), -EBADMSG);
	save_all(10, 10);
	assert_int_equal(loaded(), 10);
}

static void ages_of_another_boot_count_from_now(void **state)
{
	uint8_t slot[LEDGER_SLOT];
	struct ledger l = numbered(11);
	int fd = open(file, O_WRONLY);
	uint32_t seq;

	ledger_encode(&l, 1000, "another-boot-another-boot-another-bo", slot);
	assert_int_equal(pwrite(fd, slot, sizeof(slot), 0), sizeof(slot));
	close(fd);
	assert_int_equal(saver_load(state_dir, 5000, &l, &seq), 0);
	assert_int_equal(l.total_starts, 11);
	assert_int_equal(l.crank_ms, 5000);
}

static void a_full_disk_is_told_and_survived(void **state)
{
	struct ledger l = numbered(12);
	struct saver s;

	unlink(file);
	assert_int_equal(symlink("/dev/full", file), 0);
	s = start();
	assert_int_equal(save(&s, &l), -ENOSPC);
	unlink(file);
	assert_int_equal(save(&s, &l), 0);
	stop(&s);
	assert_int_equal(loaded(), 12);
}

static int make_folder(void **state)
{
	if (!mkdtemp(folder))
		return -1;
	snprintf(state_dir, sizeof(state_dir), "%s/state", folder);
	snprintf(file, sizeof(file), "%s/genctl.ledger", state_dir);
	return 0;
}

static int remove_folder(void **state)
{
	unlink(file);
	rmdir(state_dir);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_saved_is_told),
		cmocka_unit_test(the_last_record_is_loaded_with_its_times),
		cmocka_unit_test(a_new_saver_goes_on_from_the_newest_slot),
		cmocka_unit_test(a_torn_last_record_leaves_the_one_before),
		cmocka_unit_test(ages_of_another_boot_count_from_now),
		cmocka_unit_test(a_full_disk_is_told_and_survived),
	};

	alarm(20); /* a saver that waits for ever ends the test */
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
