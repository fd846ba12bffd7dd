/*
 * faulty_disk.c - a disk that gives up on command: loaded into the server by LD_PRELOAD, it fails
 * what is written below the directory FAULTY_DISK_DIR in the way that the file FAULTY_DISK says:
 * "full" (writes find no room), "write" or "sync" (input/output errors). No such file: all is well.
 *
 * For tests that need what no real file system does when asked, as an unprivileged user.
 */
#undef _FILE_OFFSET_BITS /* both pwrite() and pwrite64() are to be had by their names */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_below(int fd, const char *dir)
{
	char link[64], path[PATH_MAX];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);

	ssize_t n = readlink(link, path, sizeof(path));

	return n > 0 && (size_t)n > strlen(dir) && strncmp(path, dir, strlen(dir)) == 0;
}

/* Does the file of commands say WORD, and is FD of the disk that it is about? */
static bool told(int fd, const char *word)
{
	const char *command = getenv("FAULTY_DISK"), *dir = getenv("FAULTY_DISK_DIR");
	char text[16] = "";
	int kept = errno, in;

	if (command == NULL || dir == NULL || !is_below(fd, dir))
		return false;
	in = open(command, O_RDONLY | O_CLOEXEC);
	if (in >= 0) {
		ssize_t n = read(in, text, sizeof(text) - 1);

		text[n < 0 ? 0 : n] = '\0';
		close(in);
	}
	errno = kept;
	return strcmp(text, word) == 0;
}

static bool refuse_write(int fd)
{
	if (told(fd, "full"))
		errno = ENOSPC;
	else if (told(fd, "write"))
		errno = EIO;
	else
		return false;
	return true;
}

/* The next definition of the function that this one stands in for. */
#define REAL(type, name) \
	type real;       \
	*(void **)&real = dlsym(RTLD_NEXT, name)

typedef ssize_t (*pwrite_fn)(int, const void *, size_t, off_t);
typedef ssize_t (*write_fn)(int, const void *, size_t);
typedef int (*sync_fn)(int);

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	REAL(pwrite_fn, "pwrite");
	return refuse_write(fd) ? -1 : real(fd, p, n, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	REAL(pwrite_fn, "pwrite64");
	return refuse_write(fd) ? -1 : real(fd, p, n, at);
}

ssize_t write(int fd, const void *p, size_t n)
{
	REAL(write_fn, "write");
	return refuse_write(fd) ? -1 : real(fd, p, n);
}

static int sync_with(int fd, sync_fn real)
{
	if (!told(fd, "sync"))
		return real(fd);
	errno = EIO;
	return -1;
}

int fsync(int fd)
{
	REAL(sync_fn, "fsync");
	return sync_with(fd, real);
}

int fdatasync(int fd)
{
	REAL(sync_fn, "fdatasync");
	return sync_with(fd, real);
}
