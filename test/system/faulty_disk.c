/*
 * faulty_disk.c - a disk that gives up on command: loaded into the server by LD_PRELOAD, it fails
 * what is written below the directory FAULTY_DISK_DIR in the way that the file FAULTY_DISK says:
 * "full" (writes find no room), "write" or "sync" (input/output errors), "lie" (a sync does nothing and
 * says that it did). No such file: all is well.
 *
 * With FAULTY_DISK_IMAGE, a directory, each file is copied there when it has been synced. What stands
 * there is what a power cut leaves of a disk that keeps nothing else.
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
#include <sys/stat.h>
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

static bool copy(int from, int to)
{
	static char block[1 << 16]; /* one thread writes */
	ssize_t n;

	for (off_t at = 0; (n = pread(from, block, sizeof(block), at)) > 0; at += n)
		if (write(to, block, (size_t)n) != n)
			return false;
	return n == 0;
}

/* A synced file as the image has it: whole, or as it was. */
static void keep_image(int fd)
{
	const char *image = getenv("FAULTY_DISK_IMAGE"), *dir = getenv("FAULTY_DISK_DIR");
	char link[64], path[PATH_MAX] = "", next[PATH_MAX], name[PATH_MAX];
	struct stat st;

	if (image == NULL || dir == NULL || !is_below(fd, dir) || fstat(fd, &st) != 0 ||
		!S_ISREG(st.st_mode))
		return;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (readlink(link, path, sizeof(path) - 1) < 0)
		abort();
	snprintf(name, sizeof(name), "%s/%s", image, strrchr(path, '/') + 1);
	snprintf(next, sizeof(next), "%s/next", image);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);

	int from = open(link, O_RDONLY | O_CLOEXEC);
	int to = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (from < 0 || to < 0 || !copy(from, to) || rename(next, name) != 0)
		abort(); /* a test must not go on without it */
	close(from);
	close(to);
}

static int sync_with(int fd, sync_fn real)
{
	if (told(fd, "sync")) {
		errno = EIO;
		return -1;
	}
	if (told(fd, "lie"))
		return 0;

	int result = real(fd);

	if (result == 0)
		keep_image(fd);
	return result;
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
