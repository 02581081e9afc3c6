#include "node-genctl/bootid.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void bootid_read(char id[static BOOT_ID_LEN + 1])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	memset(id, '?', BOOT_ID_LEN);
	id[BOOT_ID_LEN] = 0;
	if (fd < 0)
		return;
	(void)!read(fd, id, BOOT_ID_LEN);
	close(fd);
}

bool bootid_known(const char id[static BOOT_ID_LEN + 1])
{
	return id[0] != '?';
}
