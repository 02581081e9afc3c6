#include "node-genctl/board.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

const struct board_ops *const board_kinds[] = { &board_modio, &board_sim };

static int open_lock(const struct board_config *config)
{
	char path[sizeof(config->socket) + sizeof(".lock")];

	if (board_kinds[config->kind] == &board_modio)
		return open(config->bus, O_RDWR | O_CLOEXEC);
	snprintf(path, sizeof(path), "%s.lock", config->socket);
	return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

int board_lock(const struct board_config *config)
{
	int fd = open_lock(config), rc;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

bool board_is_locked_by(const struct board_config *config, int lock)
{
	struct stat held, wanted;
	int fd = open_lock(config);
	bool same = fd >= 0 && fstat(fd, &wanted) == 0 && fstat(lock, &held) == 0 &&
		    held.st_ino == wanted.st_ino && held.st_dev == wanted.st_dev;

	if (fd >= 0)
		close(fd);
	return same;
}
