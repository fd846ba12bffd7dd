/*
 * flow.c - the rows of a flow: which export feeds which import, and when.
 */
#include "data/cron.h"
#include "resource/resource_priv.h"

static const struct fld rows[] = {
	{ "name", FLD_STR, FLD_INDEXED, "Give your flow an intuitive name to stay organized.",
		.min = 1, .max = 512, .example = "\"Orders to accounting\"" },
	{ "description", FLD_STR, 0, "What the flow is for, in your own words.", .min = 0,
		.max = 8192, .example = "\"Every paid order becomes an invoice.\"" },
	{ "disabled", FLD_BOOL, 0,
		"True: the flow is kept but not run; asking for a run answers 422.", .def = "false",
		.example = "true" },
	{ "schedule", FLD_STR, FLD_LINE | FLD_INERT,
		"When the flow runs by itself: six fields for second, minute, hour, day of month, "
		"month and day of week, of which the first is always `?`. Once a minute at most. "
		"Fields take `*`, `?`, numbers, ranges, steps, lists, and names of months and "
		"days. "
		"A time that a clock change skips is due once, right behind the gap; one that "
		"occurs twice is due the first time.",
		.min = 1, .max = 256, .example = "\"? */15 * ? * *\"" },
	{ "timezone", FLD_STR, FLD_LINE | FLD_UNUSED,
		"The time zone of the schedule, by its IANA name or an offset such as +02:00. Not "
		"set: UTC.",
		.min = 1, .max = 64, .example = "\"America/New_York\"" },
	{ "_exportId", FLD_REF, FLD_REQUIRED, "The _id of the export whose records the flow takes.",
		.values = "export", .example = "\"507f1f77bcf86cd799439011\"" },
	{ "_importId", FLD_REF, FLD_REQUIRED, "The _id of the import that gets them.",
		.values = "import", .example = "\"507f1f77bcf86cd799439030\"" },
	ROW_INTEGRATION,
	{ NULL },
};

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
	struct str timezone = json_get_str(doc, STR("timezone"));

	if (schedule.p != NULL)
		check_schedule(schedule, p);
	if (timezone.p != NULL)
		check_timezone(timezone, p);
}

static const struct fld *const tables[] = { res_rows_head, rows, res_rows_tail, NULL };

static const char *const examples[] = {
	"{\"name\":\"Orders to accounting\",\"_exportId\":\"507f1f77bcf86cd799439011\","
	"\"_importId\":\"507f1f77bcf86cd799439030\","
	"\"_integrationId\":\"5560092ed7922800000f000e\",\"disabled\":false}",
	"{\"name\":\"Customers at night\",\"_exportId\":\"507f1f77bcf86cd799439011\","
	"\"_importId\":\"507f1f77bcf86cd799439030\",\"schedule\":\"? 0 2 ? * *\","
	"\"timezone\":\"Europe/Berlin\"}",
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
