/*
 * common.c - rows that every type has, and checks that several types need.
 */
#include "map/filter.h"
#include "map/template.h"
#include "map/transform.h"
#include "resource/resource_priv.h"

const struct fld res_rows_head[] = {
	{ "_id", FLD_STR, FLD_READ_ONLY,
		"The resource's id: 24 hexadecimal digits, given at creation.",
		.example = "\"507f1f77bcf86cd799439011\"" },
	{ "createdAt", FLD_TIME, FLD_READ_ONLY, "When the resource was created.",
		.example = "\"2017-06-19T21:27:09.945Z\"" },
	{ "lastModified", FLD_TIME, FLD_READ_ONLY,
		"Read only field tracking last modified date/time.",
		.example = "\"2017-06-19T21:27:09.945Z\"" },
	{ NULL },
};

const struct fld res_rows_tail[] = {
	{ "externalId", FLD_STR, FLD_LINE | FLD_INDEXED,
		"An id of your own choice, by which your code finds the resource again.", .min = 1,
		.max = 512, .example = "\"orders-export\"" },
	{ "_connectorId", FLD_REF, FLD_INDEXED,
		"The _id of the connector that made this resource. A connector can only change "
		"resources that carry its own _id.",
		.values = "connector", .example = "\"5587092fd78228000000000e\"" },
	{ NULL },
};

/* Of the transfer: who could set them could make one request look like two. */
static const char *const managed_headers[] = { "Host", "Content-Length", "Transfer-Encoding",
	"Connection", "Keep-Alive", "Upgrade", "TE", "Trailer", "Expect", "Proxy-Authorization",
	"Proxy-Connection" };

void res_check_headers(const struct json *doc, const char *path, struct problems *p)
{
	const struct json *list = res_at(doc, path);
	size_t i = 0;

	if (!json_is_array(list))
		return;
	for (json_each (it, list)) {
		struct str name = json_get_str(it, STR("name"));
		const char *field = str_fmt(p->arena, "%s.%zu.name", path, i++).p;

		for (size_t k = 0; name.p != NULL && k < ARRAY_LEN(managed_headers); k++)
			if (str_eq_ci(name, str_z(managed_headers[k])))
				problems_add(p, ERR_INVALID, field, "leave it out",
					"%s is %s, which every request gets as its transfer needs "
					"it",
					field, managed_headers[k]);
	}
}

void res_check_extract(const struct json *value, const char *field, struct problems *p)
{
	struct path *path;
	struct err err = ERR_INIT;

	if (json_is_str(value) && !path_compile(p->arena, json_str(value), false, &path, &err))
		res_add_fault(p, field, &err);
}

void res_check_uri(const struct json *value, const char *field, struct problems *p)
{
	struct template *t;
	struct err err = ERR_INIT;

	if (!json_is_str(value))
		return;
	struct str s = json_str(value);

	if (str_starts_ci(s, STR("http://")) || str_starts_ci(s, STR("https://")))
		problems_add(p, ERR_INVALID, field,
			"the connection's rest.baseURI is put before it: leave that part out",
			"%s must be relative, such as /customers", field);
	else if (!template_compile(p->arena, s, TEMPLATE_URI, &t, &err))
		res_add_fault(p, field, &err);
}

void res_check_extract_at(const struct json *doc, const char *path, struct problems *p)
{
	res_check_extract(res_at(doc, path), path, p);
}

void res_check_uri_at(const struct json *doc, const char *path, struct problems *p)
{
	res_check_uri(res_at(doc, path), path, p);
}

/* A fault that names its field itself. */
static void add_placed(struct problems *p, struct err *err)
{
	struct err named = ERR_INIT;

	err_set_field(&named, err->code, err->field, "%s: %s", err->field, err->message);
	if (err->hint[0] != '\0')
		err_hint(&named, "%s", err->hint);
	problems_add_err(p, &named);
}

void res_check_filter(const struct json *doc, const char *path, struct problems *p)
{
	struct filter *f;
	struct err err = ERR_INIT;

	if (!filter_compile(p->arena, res_at(doc, path), path, &f, &err))
		add_placed(p, &err);
}

void res_check_transform(const struct json *doc, const char *path, struct problems *p)
{
	struct transform *t;
	struct err err = ERR_INIT;

	if (!transform_compile(p->arena, res_at(doc, path), path, &t, &err))
		add_placed(p, &err);
}

void res_check_target(const struct json *doc, const char *path, struct problems *p)
{
	const struct json *at = path[0] == '\0' ? doc : res_at(doc, path);
	const char *dot = path[0] == '\0' ? "" : ".";

	if (!json_is_object(at))
		return;
	bool stack = json_get(at, STR("_stackId")) != NULL;
	bool script = json_get(at, STR("_scriptId")) != NULL;
	const char *field = str_fmt(p->arena, "%s%s_scriptId", path, dot).p;

	if (!stack && !script)
		problems_add(p, ERR_MISSING, field, NULL,
			"%s or %s%s_stackId is required: it says whose function is called", field,
			path, dot);
	else if (stack && script)
		problems_add(p, ERR_INVALID, field, "leave one of them out",
			"%s and %s%s_stackId can't both be set: a function is in one of them",
			field, path, dot);
}
