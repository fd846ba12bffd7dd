/*
 * bench_post.c - the yardstick of the flow benchmark: a bare libcurl multi loop.
 *
 * Posts each line of a file as a JSON body, N at once over keep-alive connections, with easy handles
 * that are set up once. Nothing is parsed, mapped, checked or recorded.
 *
 *   bench_post URL FILE N
 */
#define CORE_ALLOCATES
#include <curl/curl.h>

#include "core/buf.h"
#include "core/clock.h"

#define POLL_MS 1000

struct lines {
	struct str rest;
};

static size_t drop(char *p, size_t size, size_t n, void *arg)
{
	(void)p;
	(void)arg;
	return size * n;
}

static bool next(struct lines *l, struct str *out)
{
	if (l->rest.p == NULL || l->rest.n == 0)
		return false;
	*out = str_cut(&l->rest, '\n');
	return out->n > 0;
}

static bool begin(CURLM *multi, CURL *easy, struct lines *l)
{
	struct str body;

	if (!next(l, &body))
		return false;
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.p);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
	return curl_multi_add_handle(multi, easy) == CURLM_OK;
}

static void read_file(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "re");
	char block[65536];
	size_t n;

	CHECK(f != NULL);
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		buf_add(out, block, n);
	fclose(f);
}

int main(int argc, char **argv)
{
	struct buf file = BUF_INIT(0);
	uint64_t n, done = 0, failed = 0;
	int running, left;

	CHECK(argc == 4 && str_to_u64(str_z(argv[3]), &n));
	read_file(argv[2], &file);
	curl_global_init(CURL_GLOBAL_ALL);

	struct lines lines = { buf_str(&file) };
	CURLM *multi = curl_multi_init();
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");

	headers = curl_slist_append(headers, "Expect:");
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)n);

	int64_t start = clock_mono_ms(clock_system());

	for (uint64_t i = 0; i < n; i++) {
		CURL *easy = curl_easy_init();

		curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
		curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
		curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
		if (!begin(multi, easy, &lines))
			curl_easy_cleanup(easy);
	}
	do {
		CURLMsg *m;

		curl_multi_perform(multi, &running);
		while ((m = curl_multi_info_read(multi, &left)) != NULL) {
			CURL *easy = m->easy_handle;

			done++;
			failed += m->data.result != CURLE_OK;
			curl_multi_remove_handle(multi, easy);
			if (begin(multi, easy, &lines))
				running++;
			else
				curl_easy_cleanup(easy);
		}
		if (running > 0)
			curl_multi_poll(multi, NULL, 0, POLL_MS, NULL);
	} while (running > 0);
	int64_t ms = clock_mono_ms(clock_system()) - start;

	printf("{\"posted\":%llu,\"failed\":%llu,\"ms\":%lld,\"cpu\":%lld}\n",
		(unsigned long long)done, (unsigned long long)failed, (long long)ms,
		(long long)clock() * 1000 / CLOCKS_PER_SEC);
	curl_slist_free_all(headers);
	curl_multi_cleanup(multi);
	buf_free(&file);
	return failed == 0 ? 0 : 1;
}
