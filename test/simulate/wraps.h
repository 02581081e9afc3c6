/* wraps - calls of the shipped code that the linker leads here (--wrap in the Makefile). */
#ifndef SIMULATE_WRAPS_H
#define SIMULATE_WRAPS_H

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

int __wrap_poll(struct pollfd *p, nfds_t n, int timeout_ms);
int __wrap_socketpair(int domain, int type, int protocol, int pair[2]);
ssize_t __wrap_send(int fd, const void *data, size_t n, int flags);
ssize_t __wrap_recv(int fd, void *data, size_t n, int flags);
int __wrap_shutdown(int fd, int how);
int __wrap_close(int fd);
int __wrap_socket(int domain, int type, int protocol);
int __wrap_bind(int fd, const struct sockaddr *at, socklen_t len);
int __wrap_listen(int fd, int backlog);
int __wrap_accept4(int fd, struct sockaddr *peer, socklen_t *len, int flags);

int __wrap_open(const char *path, int flags, ...);
ssize_t __wrap_read(int fd, void *data, size_t n);
ssize_t __wrap_write(int fd, const void *data, size_t n);
ssize_t __wrap_pread(int fd, void *data, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t n, off_t at);
int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fstat(int fd, struct stat *st);
int __wrap_lstat(const char *path, struct stat *st);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_unlink(const char *path);
int __wrap_flock(int fd, int how);
int __wrap_ioctl(int fd, unsigned long request, ...);

int __wrap_signalfd(int fd, const sigset_t *mask, int flags);
int __wrap_sigprocmask(int how, const sigset_t *set, sigset_t *old);
int __wrap_kill(pid_t pid, int sig);
pid_t __wrap_waitpid(pid_t pid, int *status, int flags);
pid_t __wrap_getpid(void);
pid_t __wrap_getppid(void);
_Noreturn void __wrap__exit(int status);
_Noreturn void __wrap_exit(int status);
_Noreturn void __wrap_abort(void);
int __wrap_mlockall(int flags);
int __wrap_sched_setscheduler(pid_t pid, int policy, const struct sched_param *param);
int __wrap_nanosleep(const struct timespec *t, struct timespec *left);
ssize_t __wrap_getrandom(void *data, size_t n, unsigned flags);
_Noreturn void __real_exit(int status);

#endif
