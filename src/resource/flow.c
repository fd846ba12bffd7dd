/*
 * flow.c - the rows of a flow: which export feeds which import, and when.
 */
#include "data/cron.h"
#include "map/mapping.h"
#include "resource/resource_priv.h"

/* The rows of one field of a response mapping at PATH. */
#define ROWS_RESPONSE_FIELD(path)                                                                  \
	{ path "[].extract", FLD_STR, FLD_REQUIRED | FLD_LINE,                                     \
		"Where the value stands in the step's answer.", .min = 1, .max = 1024,             \
		.example = "\"id\"" },                                                             \
	{                                                                                          \
		path "[].generate", FLD_STR, FLD_REQUIRED | FLD_LINE, "Where the record gets it.", \
			.min = 1, .max = 1024, .example = "\"customerId\""                         \
	}

static const struct fld rows[] = {
	{ "name", FLD_STR, FLD_INDEXED, "Give your flow an intuitive name to stay organized.",
		.min = 1, .max = 512, .example = "\"Orders to accounting\"" },
	{ "description", FLD_STR, 0, "What the flow is for, in your own words.", .min = 0,
		.max = 8192, .example = "\"Every paid order becomes an invoice.\"" },
	{ "disabled", FLD_BOOL, 0,
		"True: the flow is kept but not run; asking for a run answers 422.", .def = "false",
		.example = "true" },
	{ "schedule", FLD_STR, FLD_LINE,
		"When the flow runs by itself: six fields for second, minute, hour, day of month, "
		"month and day of week, of which the first is always `?`. Once a minute at most. "
		"Fields take `*`, `?`, numbers, ranges, steps, lists, and names of months and "
		"days. "
		"A time that a clock change skips is due once, right behind the gap; one that "
		"occurs twice is due the first time.",
		.min = 1, .max = 256, .example = "\"? */15 * ? * *\"" },
	{ "timezone", FLD_STR, FLD_LINE,
		"The time zone of the schedule, by its IANA name or an offset such as +02:00. Not "
		"set: that of the account (PUT /v1/profile), else UTC.",
		.min = 1, .max = 64, .example = "\"America/New_York\"" },
	{ "_exportId", FLD_REF, 0,
		"The _id of the export whose records the flow takes. Either this or pageGenerators "
		"is set.",
		.values = "export", .example = "\"507f1f77bcf86cd799439011\"" },
	{ "_importId", FLD_REF, 0,
		"The _id of the import that gets them. Either this or pageProcessors is set.",
		.values = "import", .example = "\"507f1f77bcf86cd799439030\"" },
	{ "pageGenerators", FLD_OBJECT, FLD_LIST,
		"Several exports, whose records the flow takes one export after the other." },
	{ "pageGenerators[]._exportId", FLD_REF, FLD_REQUIRED,
		"The _id of an export whose records the flow takes.", .values = "export",
		.example = "\"507f1f77bcf86cd799439011\"" },
	{ "pageProcessors", FLD_OBJECT, FLD_LIST,
		"What each page passes through, in this order: imports, and exports that look "
		"something up for each record." },
	{ "pageProcessors[].type", FLD_ENUM, 0,
		"What the step is. Not needed: the id that is set says it.",
		.values = "import|export", .example = "\"import\"" },
	{ "pageProcessors[]._importId", FLD_REF, 0,
		"The _id of the import that gets the records at this step.", .values = "import",
		.example = "\"507f1f77bcf86cd799439030\"" },
	{ "pageProcessors[]._exportId", FLD_REF, 0,
		"The _id of the export that is asked once for each record, with the record's "
		"fields for its placeholders; what it answers is there for responseMapping as "
		"`data`.",
		.values = "export", .example = "\"507f1f77bcf86cd799439012\"" },
	{ "pageProcessors[].proceedOnFailure", FLD_BOOL, 0,
		"Whether a record that failed at this step goes on to the next one.",
		.def = "false", .example = "true" },
	{ "pageProcessors[].responseMapping", FLD_OBJECT, 0,
		"What of the step's answer becomes part of the record for the steps behind it: of "
		"an import `id`, `statusCode`, `_json` and `errors`, of a lookup also `data`." },
	{ "pageProcessors[].responseMapping.fields", FLD_OBJECT, FLD_LIST,
		"The fields to take over." },
	ROWS_RESPONSE_FIELD("pageProcessors[].responseMapping.fields"),
	{ "pageProcessors[].responseMapping.lists", FLD_OBJECT, FLD_LIST, "Arrays to take over." },
	{ "pageProcessors[].responseMapping.lists[].generate", FLD_STR, FLD_REQUIRED | FLD_LINE,
		"The array's place in the record.", .min = 1, .max = 1024,
		.example = "\"prices\"" },
	{ "pageProcessors[].responseMapping.lists[].fields", FLD_OBJECT, FLD_LIST | FLD_REQUIRED,
		"The fields of each of its elements." },
	ROWS_RESPONSE_FIELD("pageProcessors[].responseMapping.lists[].fields"),
	{ "skipRetries", FLD_BOOL, 0,
		"True: the records that fail are not kept with their errors, and so can't be tried "
		"again.",
		.def = "false", .example = "true" },
	{ "_runNextFlowIds", FLD_REF, FLD_LIST,
		"The _ids of flows that are run when a run of this one has completed.",
		.values = "flow", .example = "[\"507f1f77bcf86cd799439041\"]" },
	{ "nextDue", FLD_TIME, FLD_LIST | FLD_READ_ONLY | FLD_LIVE,
		"When the flow runs by itself next: the next five times of its schedule, none "
		"while it is disabled. Only there when it has a schedule.",
		.example = "[\"2017-06-20T00:15:00.000Z\"]" },
	{ "lastExecutedAt", FLD_TIME, FLD_READ_ONLY | FLD_LIVE,
		"When the latest run of the flow began, as long as its job is kept.",
		.example = "\"2017-06-19T21:27:09.945Z\"" },
	{ "eventsWaiting", FLD_INT, FLD_READ_ONLY | FLD_LIVE,
		"Of a flow that a listener feeds: how many events are kept for it that it has not "
		"taken yet, counted up to 10,000.",
		.min = 0, .max = STORE_EVENT_COUNT_MAX, .example = "12" },
	ROW_INTEGRATION,
	{ NULL },
};

static void either(const struct json *doc, const char *one, const char *many, struct problems *p)
{
	const struct json *list = res_at(doc, many);
	bool has_one = res_at(doc, one) != NULL, has_many = json_is_array(list) && list->n > 0;

	if (!has_one && !has_many)
		problems_add(p, ERR_MISSING, one, NULL, "%s or %s is required", one, many);
	else if (has_one && has_many)
		problems_add(p, ERR_INVALID, many, "leave one of them out",
			"%s and %s can't both be set", one, many);
}

static void check_processors(const struct json *doc, struct problems *p)
{
	const struct json *list = res_at(doc, "pageProcessors");
	size_t i = 0;

	if (!json_is_array(list))
		return;
	for (json_each (it, list)) {
		const char *at = str_fmt(p->arena, "pageProcessors.%zu", i++).p;
		bool import = json_get(it, STR("_importId")) != NULL;
		bool export = json_get(it, STR("_exportId")) != NULL;
		struct str type = json_get_str(it, STR("type"));
		struct mapping *m;
		struct err err = ERR_INIT;

		if (it->type != JSON_OBJECT)
			continue;
		if (import == export)
			problems_add(p, import ? ERR_INVALID : ERR_MISSING,
				str_fmt(p->arena, "%s._importId", at).p, NULL,
				"%s must have either _importId or _exportId", at);
		else if (type.p != NULL && str_eq_z(type, "import") != import)
			problems_add(p, ERR_INVALID, str_fmt(p->arena, "%s.type", at).p,
				"leave it out",
				"%s.type is %.*s, but it is the other id that is set", at,
				STR_ARG(type));
		if (p->count == 0 && json_get(it, STR("responseMapping")) != NULL &&
			!mapping_compile(p->arena, json_get(it, STR("responseMapping")), NULL, &m,
				&err)) {
			struct str field = str_z(err.field); /* "mapping.fields.0.generate" */

			problems_add(p, err.code,
				str_fmt(p->arena, "%s.responseMapping%.*s", at,
					STR_ARG(str_from(field,
						str_starts(field, STR("mapping")) ? 7 : field.n)))
					.p,
				NULL, "%s", err.message);
		}
	}
}

static void check_schedule(struct str s, struct problems *p)
{
	struct cron c;
	struct err err = ERR_INIT;

	if (cron_parse(s, &c, &err))
		return;
	snprintf(err.field, sizeof(err.field), "schedule");
	problems_add_err(p, &err);
}

static void check_timezone(struct str s, struct problems *p)
{
	const struct zone *zone;
	struct err err = ERR_INIT;

	if (timezone_find(s, &zone, &err))
		return;
	snprintf(err.field, sizeof(err.field), "timezone");
	problems_add_err(p, &err);
}

static void check(const struct json *doc, struct problems *p)
{
	struct str schedule = json_get_str(doc, STR("schedule"));
	struct str zone = json_get_str(doc, STR("timezone"));

	either(doc, "_exportId", "pageGenerators", p);
	either(doc, "_importId", "pageProcessors", p);
	check_processors(doc, p);
	if (schedule.p != NULL)
		check_schedule(schedule, p);
	if (zone.p != NULL)
		check_timezone(zone, p);
}

size_t resource_flow_due(const struct json *flow, struct str zone, int64_t now_ms, int64_t *due,
	size_t max)
{
	struct str schedule = json_get_str(flow, STR("schedule"));
	struct str own = json_get_str(flow, STR("timezone"));
	const struct zone *z = NULL;
	struct cron c;
	struct err err = ERR_INIT;
	size_t n = 0;

	if (own.p != NULL)
		zone = own;
	if (schedule.p == NULL || json_get_true(flow, STR("disabled")) ||
		!cron_parse(schedule, &c, &err) ||
		(zone.p != NULL && !timezone_find(zone, &z, &err)))
		return 0;
	while (n < max && cron_next(&c, z, now_ms, &due[n]))
		now_ms = due[n++];
	return n;
}

static const struct fld *const tables[] = { res_rows_head, rows, res_rows_tail, NULL };

static const char *const examples[] = {
	"{\"name\":\"Orders to accounting\",\"_exportId\":\"507f1f77bcf86cd799439011\","
	"\"_importId\":\"507f1f77bcf86cd799439030\","
	"\"_integrationId\":\"5560092ed7922800000f000e\",\"disabled\":false}",
	"{\"name\":\"Customers at night\",\"_exportId\":\"507f1f77bcf86cd799439011\","
	"\"_importId\":\"507f1f77bcf86cd799439030\",\"schedule\":\"? 0 2 ? * *\","
	"\"timezone\":\"Europe/Berlin\"}",
	"{\"name\":\"Orders to two systems\",\"pageGenerators\":[{\"_exportId\":"
	"\"507f1f77bcf86cd799439011\"}],\"pageProcessors\":[{\"_exportId\":"
	"\"507f1f77bcf86cd799439012\",\"responseMapping\":{\"fields\":[{\"extract\":"
	"\"data.0.name\",\"generate\":\"customerName\"}]}},{\"_importId\":"
	"\"507f1f77bcf86cd799439030\",\"proceedOnFailure\":true},{\"_importId\":"
	"\"507f1f77bcf86cd799439031\"}],\"_runNextFlowIds\":[\"507f1f77bcf86cd799439041\"]}",
	NULL,
};

const struct res_def res_flow = {
	.type = "flow",
	.segment = "flows",
	.title = "Flow",
	.text = "Flows are used to export data out of one application and import it into another: "
		"a flow is an export linked to an import. Only one run of a flow goes on at any "
		"given time; one that is asked for meanwhile waits for its end.",
	.tables = tables,
	.examples = examples,
	.check = check,
};
