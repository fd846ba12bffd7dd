/*
 * fuzz_fields.c - any bytes as the header fields of an answer that a REST connection acts on: what is
 * found stands in the input, a wait has its limits.
 */
#include "adaptor/rest/rest_fields.h"
#include "core/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_inside(struct str part, struct str whole)
{
	return part.p >= whole.p && part.n <= whole.n && part.p + part.n <= whole.p + whole.n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str input = str_of((const char *)data, size),
		   target = rest_link_find(input, STR("next"));
	struct rest_set_cookie cookie;
	int64_t wait_ms;

	CHECK(target.p == NULL || is_inside(target, input));
	if (rest_wait_told(input, 1767225600000, &wait_ms))
		CHECK(wait_ms > 0 && wait_ms <= LIMIT_RETRY_AFTER_MAX_S * INT64_C(1000));
	if (rest_set_cookie_read(input, &cookie))
		CHECK(cookie.name.n > 0 && is_inside(cookie.name, input) &&
			is_inside(cookie.value, input));
	return 0;
}
