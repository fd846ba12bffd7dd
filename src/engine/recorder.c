/*
 * recorder.c - segments named by growing numbers; one is written, the others only read. A segment that
 * is full is closed and the oldest beyond the budget removed.
 */
#define CORE_ALLOCATES /* lives beside the engine, longer than any job */
#include "engine/recorder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"
#include "core/thread.h"

struct recorder {
	char dir[4096];
	uint64_t segment_bytes;
	struct mutex lock;
	uint64_t first, last; /* numbers of the segments that are there; LAST is written */
	int fd;               /* -1: not recording */
	uint64_t written;
};

static void segment_path(const struct recorder *r, uint64_t n, char out[4200])
{
	snprintf(out, 4200, "%s/%020llu.jsonl", r->dir, (unsigned long long)n);
}

/* The numbers of the segments that an earlier process left. */
static bool scan(struct recorder *r, struct err *err)
{
	DIR *d = opendir(r->dir);
	struct dirent *e;
	uint64_t n;

	if (d == NULL)
		return err_set_errno(err, ERR_IO, errno, "can't read %s", r->dir);
	r->first = UINT64_MAX;
	while ((e = readdir(d)) != NULL) {
		struct str name = str_z(e->d_name);

		if (!str_ends(name, STR(".jsonl")) || !str_to_u64(str_sub(name, 0, name.n - 6), &n))
			continue;
		r->first = MIN(r->first, n);
		r->last = MAX(r->last, n);
	}
	closedir(d);
	if (r->first == UINT64_MAX)
		r->first = r->last = 1;
	return true;
}

static void open_last(struct recorder *r)
{
	char path[4200];

	segment_path(r, r->last, path);
	r->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	r->written = 0;
	if (r->fd < 0) {
		LOG(LOG_WARN, "recorder.stopped", LOG_Z("path", path),
			LOG_Z("reason", strerror(errno)));
		return;
	}
	struct stat st;

	if (fstat(r->fd, &st) == 0)
		r->written = (uint64_t)st.st_size;
}

bool recorder_open(const char *dir, uint64_t budget_bytes, struct recorder **out, struct err *err)
{
	struct recorder *r = calloc(1, sizeof(*r));

	CHECK(r != NULL);
	r->fd = -1;
	r->segment_bytes = budget_bytes / RECORDER_SEGMENTS;
	mutex_init(&r->lock);
	snprintf(r->dir, sizeof(r->dir), "%s", dir);
	if (budget_bytes > 0) {
		if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
			err_set_errno(err, ERR_IO, errno, "can't make %s", dir);
			recorder_close(r);
			return false;
		}
		if (!scan(r, err)) {
			recorder_close(r);
			return false;
		}
		open_last(r);
	}
	*out = r;
	return true;
}

void recorder_close(struct recorder *r)
{
	if (r == NULL)
		return;
	fd_close(&r->fd);
	mutex_destroy(&r->lock);
	free(r);
}

bool recorder_on(const struct recorder *r)
{
	return r != NULL && r->segment_bytes > 0;
}

static void next_segment(struct recorder *r)
{
	char path[4200];

	fd_close(&r->fd);
	r->last++;
	while (r->last - r->first >= RECORDER_SEGMENTS) {
		segment_path(r, r->first++, path);
		unlink(path);
	}
	open_last(r);
}

void recorder_add(struct recorder *r, struct str line)
{
	const struct str parts[2] = { line, STR_INIT("\n") };

	WITH_LOCK(&r->lock);
	if (r->written >= r->segment_bytes)
		next_segment(r);
	for (size_t i = 0; i < ARRAY_LEN(parts) && r->fd >= 0; i++) {
		for (size_t done = 0; done < parts[i].n;) {
			ssize_t n = write(r->fd, parts[i].p + done, parts[i].n - done);

			if (n < 0 && errno == EINTR)
				continue;
			if (n <=
				0) { /* a full disk: the line stays cut, and is passed over by readers */
				fd_close(&r->fd);
				break;
			}
			done += (size_t)n;
		}
	}
	r->written += line.n + 1;
}

/* ---- reading ---- */

struct view {
	const char *p;
	size_t n;
};

static bool map_segment(const struct recorder *r, uint64_t number, struct view *v)
{
	char path[4200];
	struct stat st;

	segment_path(r, number, path);
	int fd DEFER(fd_close) = open(path, O_RDONLY | O_CLOEXEC);

	*v = (struct view){ NULL, 0 };
	if (fd < 0 || fstat(fd, &st) != 0 || st.st_size == 0)
		return false;
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

	if (p == MAP_FAILED)
		return false;
	*v = (struct view){ p, (size_t)st.st_size };
	return true;
}

/* Lines from the end of the segment to its beginning. False: FN wants no more. */
static bool scan_back(const struct view *v, const struct str needles[2],
	bool (*fn)(void *arg, struct str line), void *arg)
{
	size_t end = v->n;

	while (end > 0) {
		size_t stop = v->p[end - 1] == '\n' ? end - 1 : end;
		const char *before = memrchr(v->p, '\n', stop);
		size_t from = before == NULL ? 0 : (size_t)(before - v->p) + 1;
		struct str line = str_of(v->p + from, stop - from);

		if (memmem(line.p, line.n, needles[0].p, needles[0].n) != NULL &&
			memmem(line.p, line.n, needles[1].p, needles[1].n) != NULL &&
			!fn(arg, line))
			return false;
		end = from;
	}
	return true;
}

bool recorder_find(struct recorder *r, const struct str needles[2],
	bool (*fn)(void *arg, struct str line), void *arg, struct err *err UNUSED)
{
	bool more = true;

	if (!recorder_on(r))
		return true;
	mutex_lock(&r->lock);
	uint64_t first = r->first, last = r->last;

	mutex_unlock(&r->lock);
	for (uint64_t n = last; more && n >= first && n > 0; n--) {
		struct view v;

		if (!map_segment(r, n, &v))
			continue; /* it went while we were looking */
		more = scan_back(&v, needles, fn, arg);
		munmap((void *)(uintptr_t)v.p, v.n);
	}
	return true;
}
