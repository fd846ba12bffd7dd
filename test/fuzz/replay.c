/*
 * replay.c - runs a fuzz target over the files of a folder: its corpus as an ordinary test.
 */
#include <dirent.h>

#include "core/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run_file(const char *path)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);
	FILE *f = fopen(path, "rb");
	char part[4096];
	size_t n;

	CHECK(f != NULL);
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		buf_add(&b, part, n);
	fclose(f);
	LLVMFuzzerTestOneInput((const uint8_t *)b.p, b.n);
}

int main(int argc, char **argv)
{
	DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
	struct dirent *entry;
	size_t files = 0;

	if (dir == NULL) {
		fprintf(stderr, "usage: replay FOLDER\n");
		return 2;
	}
	while ((entry = readdir(dir)) != NULL) {
		char path[4096];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
		run_file(path);
		files++;
	}
	closedir(dir);
	printf("%zu inputs\n", files);
	return files > 0 ? 0 : 1;
}
