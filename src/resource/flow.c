/*
 * flow.c - the rows of a flow: which export feeds which import, and when.
 */
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
		"month and day of week, of which the first is always `?`. Once a minute at most.",
		.min = 1, .max = 256, .example = "\"? */15 * ? * *\"" },
	{ "timezone", FLD_STR, FLD_LINE | FLD_UNUSED,
		"The time zone of the schedule, by its IANA name. Not set: UTC.", .min = 1,
		.max = 64, .example = "\"America/New_York\"" },
	{ "_exportId", FLD_REF, FLD_REQUIRED, "The _id of the export whose records the flow takes.",
		.values = "export", .example = "\"507f1f77bcf86cd799439011\"" },
	{ "_importId", FLD_REF, FLD_REQUIRED, "The _id of the import that gets them.",
		.values = "import", .example = "\"507f1f77bcf86cd799439030\"" },
	ROW_INTEGRATION,
	{ NULL },
};

static bool schedule_char(char c)
{
	char l = (char)(c | 0x20);

	return (c >= '0' && c <= '9') || (l >= 'a' && l <= 'z') ||
	       (c != '\0' && strchr("*?,-/#", c) != NULL);
}

static size_t count_fields(struct str s)
{
	size_t n = 0;

	while (s.p != NULL)
		n += str_cut(&s, ' ').n > 0;
	return n;
}

/* The shape only: what the fields may hold is the scheduler's to say. */
static void check_schedule(struct str s, struct problems *p)
{
	static const char hint[] = "every quarter of an hour is \"? */15 * ? * *\"";

	if (count_fields(s) != 6 || !str_starts(str_trim(s), STR("? "))) {
		problems_add(p, ERR_INVALID, "schedule", hint,
			"schedule must have six fields, of which the first is \"?\"");
		return;
	}
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == ' ' || schedule_char(s.p[i]))
			continue;
		problems_add(p, ERR_INVALID, "schedule", hint,
			"schedule can't be read at position %zu: only letters, digits and *?,-/# "
			"stand in its fields",
			i + 1);
		return;
	}
}

static void check_timezone(struct str s, struct problems *p)
{
	for (size_t i = 0; i < s.n; i++) {
		char l = (char)(s.p[i] | 0x20);

		if ((l >= 'a' && l <= 'z') ||
			(s.p[i] != '\0' && i > 0 && strchr("0123456789/_+-", s.p[i]) != NULL))
			continue;
		problems_add(p, ERR_INVALID, "timezone", NULL,
			"timezone must be the IANA name of a zone, such as Europe/Berlin");
		return;
	}
}

static void check(const struct json *doc, struct problems *p)
{
	struct str schedule = json_get_str(doc, STR("schedule"));
	struct str zone = json_get_str(doc, STR("timezone"));

	if (schedule.p != NULL)
		check_schedule(schedule, p);
	if (zone.p != NULL)
		check_timezone(zone, p);
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
