// Lists of jobs with their filters and rules, families, what is in work and why, schedules, delta dates.
import assert from 'node:assert/strict';
import { Server, application, installFlow, json, pagedSource, runTests, test, until } from './lib.mjs';

const server = await new Server({ args: ['--log-level', 'warn'] }).start();
const source = await application(pagedSource(4, 2));
const sink = await application((req, res, body) => {
	const { key } = JSON.parse(body);
	if (key === 3) json(res, 422, { message: 'not this one' });
	else json(res, 201, { id: key });
});
const integration = (await server.ok(201, 'POST', '/v1/integrations', { name: 'Jobs' }))._id;
const x = await installFlow(server, { source: source.url, sink: sink.url });
await server.ok(200, 'PATCH', `/v1/flows/${x.flow}`, { _integrationId: integration });
const jobs = [];
for (let i = 0; i < 5; i++) jobs.push(await server.runFlow(x.flow));
const newest = jobs.map((j) => j._id).reverse();
const ids = async (query) => (await server.ok(200, 'GET', `/v1/jobs?${query}`)).map((j) => j._id);

test('filters', async () => {
	assert.deepEqual(await ids(`_flowId=${x.flow}`), newest);
	assert.deepEqual(await ids(`_integrationId=${integration}`), newest);
	assert.deepEqual(await ids(`_flowId_in=${x.flow},5560092ed7922800000f000e`), newest);
	assert.deepEqual(await ids('_flowId_in=5560092ed7922800000f000e'), []);
	assert.deepEqual(await ids(`_flowId=${x.flow}&status=completed`), newest);
	assert.deepEqual(await ids(`_flowId=${x.flow}&status=failed,canceled`), []);
	assert.deepEqual(await ids(`_flowId=${x.flow}&type=flow`), newest);
	assert.deepEqual(await ids(`_flowId=${x.flow}&type=retry`), []);
	const children = await server.ok(200, 'GET', `/v1/jobs?_flowJobId=${jobs[0]._id}`);
	assert.deepEqual(children.map((j) => j.type).sort(), ['export', 'import']);
	assert.deepEqual(await ids(`_flowJobId=${jobs[0]._id}&type=import`), children.filter((j) => j.type === 'import').map((j) => j._id));
	assert.equal((await ids(`_exportId=${x.export}&type=export`)).length, 5);
	assert.equal((await ids(`_importId=${x.import}&type_in=import&type_in=export`)).length, 5);
	for (const [field, n] of [['numError', 1], ['numSuccess', 7], ['numExport', jobs[0].numExport], ['numIgnore', 0]]) {
		assert.equal(jobs[0][field], n, field);
		assert.deepEqual(await ids(`_flowId=${x.flow}&${field}_gte=${n}&${field}_lte=${n}`), newest, field);
		assert.deepEqual(await ids(`_flowId=${x.flow}&${field}_gte=${n + 1}`), [], field);
		if (n > 0) assert.deepEqual(await ids(`_flowId=${x.flow}&${field}_lte=${n - 1}`), [], field);
	}
});

test('filters that the platform\'s clients send: what can be tried again, one job, bulk retries, indexed names', async () => {
	assert.deepEqual(await ids(`_flowId=${x.flow}&retriable=true`), newest); // each has one error with its record
	assert.deepEqual(await ids(`_flowId=${x.flow}&retriable=false`), []);
	await server.ok(200, 'PUT', `/v1/jobs/${jobs[1]._id}/resolve`);
	assert.deepEqual(await ids(`_flowId=${x.flow}&retriable=false`), [jobs[1]._id]);
	const children = (await server.ok(200, 'GET', `/v1/jobs?_flowJobId=${jobs[0]._id}`));
	assert.deepEqual(await ids(`_flowJobId=${jobs[0]._id}&retriable=true`), children.filter((j) => j.type === 'import').map((j) => j._id));
	await server.ok(200, 'PUT', `/v1/jobs/${jobs[1]._id}/unresolve`);
	assert.deepEqual(await ids(`_jobId=${jobs[2]._id}`), [jobs[2]._id]);
	assert.deepEqual(await ids(`_flowId=${x.flow}&type_in[0]=flow&type_in[1]=bulk_retry`), newest);
	assert.deepEqual(await ids(`_flowId=${x.flow}&${encodeURIComponent('type_in[]')}=bulk_retry`), []);
	assert.deepEqual(await ids(`_flowId=${x.flow}&type=bulk_retry`), []);
	assert.deepEqual(await ids(`_flowId=${x.flow}&_bulkJobId=5560092ed7922800000f000e`), []);
	assert.deepEqual(await ids('_bulkJobId=5560092ed7922800000f000e'), []);
	for (const query of ['retriable=maybe', '_bulkJobId=x', '_jobId=x', 'type_in[x]=flow', 'createdAt_gte[0]=1'])
		assert.equal((await server.call('GET', `/v1/jobs?_flowId=${x.flow}&${query}`)).json.errors[0].code, 'invalid_query_params', query);
});

test('dates: ISO with and without milliseconds, a day, milliseconds', async () => {
	const ms = Date.parse(jobs[2].createdAt), day = jobs[2].createdAt.slice(0, 10);
	assert.deepEqual(await ids(`createdAt_gte=${jobs[2].createdAt}&createdAt_lte=${ms}`), [jobs[2]._id]);
	assert.deepEqual(await ids(`createdAt_gte=${ms + 1}`), newest.filter((id) => jobs.findIndex((j) => j._id === id) > 2));
	assert.deepEqual(await ids(`createdAt_lte=${encodeURIComponent(new Date(ms - 1000).toISOString().replace(/\.\d+Z/, 'Z'))}&_flowId=${x.flow}`),
		newest.filter((id) => Date.parse(jobs.find((j) => j._id === id).createdAt) <= Math.floor((ms - 1000) / 1000) * 1000));
	assert.deepEqual(await ids(`createdAt_gte=${day}&_flowId=${x.flow}`), newest);
	assert.equal((await server.call('GET', '/v1/jobs?createdAt_gte=yesterday')).status, 400);
});

test('pages: by createdAt_lte, and by the Link header', async () => {
	const seen = [];
	let url = `/v1/jobs?_flowId=${x.flow}&limit=2`, pages = 0;
	while (url) {
		const r = await server.call('GET', url);
		assert.equal(r.status, 200);
		seen.push(...r.json.map((j) => j._id));
		url = /<([^>]+)>; rel="next"/.exec(r.headers.get('link') ?? '')?.[1];
		pages++;
	}
	assert.deepEqual(seen, newest);
	assert.equal(pages, 3);
	const last = jobs[3].createdAt;
	assert.deepEqual(await ids(`_flowId=${x.flow}&createdAt_lte=${Date.parse(last) - 1}`), newest.slice(2));
});

test('a list must say whose', async () => {
	const refused = async (query, message) => {
		const r = await server.call('GET', `/v1/jobs${query}`);
		assert.equal(r.status, 400, query);
		assert.equal(r.json.errors[0].code, 'invalid_query');
		assert.equal(r.json.errors[0].message, message);
	};
	const parents = 'For parent jobs, query parameters must contain either "_integrationId" or "_jobId" or "createdAt"';
	const children = 'For child jobs, query parameters must contain either "_flowJobId" or "resourceId"';
	await refused('', parents);
	await refused('?status=running', parents);
	await refused('?type=flow', parents);
	await refused('?type_in=flow,retry&limit=5', parents);
	await refused('?type=export', children);
	await refused(`?type=import&_integrationId=${integration}`, children);
	await refused('?type=import&createdAt_gte=0', children);
	for (const query of ['nmae=x', 'status=done', 'type=', '_flowId=x', 'limit=0', 'limit=1002', 'numError_gte=-1', 'numErrors_gte=1', `_flowId=${x.flow}&after=zz`]) {
		const r = await server.call('GET', `/v1/jobs?${query}`);
		assert.equal(r.json.errors[0].code, 'invalid_query_params', query);
	}
});

test('families', async () => {
	const list = await server.ok(200, 'POST', '/v1/jobs/family', [jobs[1]._id, jobs[0]._id]);
	assert.deepEqual(list.map((j) => [j._id, j.children.length]), [[jobs[1]._id, 2], [jobs[0]._id, 2]]);
	assert.deepEqual(await server.ok(200, 'POST', '/v1/jobs/family', { _jobIds: [jobs[0]._id] }), [await server.ok(200, 'GET', `/v1/jobs/${jobs[0]._id}/family`)]);
	await server.ok(404, 'POST', '/v1/jobs/family', ['5560092ed7922800000f000e']);
	await server.ok(422, 'POST', '/v1/jobs/family', { ids: [] });
});

test('what is in work, and why it waits', async () => {
	const waiting = [];
	const slow = await application((req, res) => { waiting.push(res); });
	const y = await installFlow(server, { source: source.url, sink: slow.url });
	const { _jobId } = await server.ok(201, 'POST', `/v1/flows/${y.flow}/run`);
	await until('records are on their way', () => waiting.length > 0);
	const current = async (body) => (await server.ok(200, 'POST', '/v1/jobs/current', body)).map((j) => j._id);
	assert.deepEqual(await current(undefined), [_jobId]);
	assert.deepEqual(await current({ _flowIds: [y.flow] }), [_jobId]);
	assert.deepEqual(await current({ _flowIds: [x.flow] }), []);
	assert.deepEqual(await current({ _integrationId: integration }), []);
	await server.ok(422, 'POST', '/v1/jobs/current', { _flowIds: ['x'] });
	const d = await server.ok(200, 'GET', `/v1/jobs/${_jobId}/diagnostics`);
	assert.equal(d.status, 'running');
	assert.equal(d.attempts, 1);
	assert.equal(d.lease.held, true);
	assert.ok(Date.parse(d.lease.until) > Date.now());
	assert.match(d.configHash, /^[0-9a-f]{64}$/);
	assert.deepEqual(d.page, { number: 0, step: 0, waiting: false, records: 4 });
	assert.deepEqual(d.connections.map((c) => [c._id, c.offline]), y.connections.map((id) => [id, false]));
	slow.server.closeAllConnections();
	await server.ok(200, 'PUT', `/v1/jobs/${_jobId}/cancel`);
	await server.jobEnd(_jobId);
	assert.deepEqual(await current({ _flowIds: [y.flow] }), []);
	const failed = await server.ok(200, 'GET', `/v1/jobs/${jobs[0]._id}/diagnostics`);
	assert.equal(failed.lastError.code, '422');
	assert.equal(failed.lease.held, false);
	assert.equal(failed.page, undefined);
	await server.ok(404, 'GET', '/v1/jobs/5560092ed7922800000f000e/diagnostics');
});

test('when a flow is due', async () => {
	assert.deepEqual(await server.ok(200, 'GET', `/v1/flows/${x.flow}/schedule`), { timezone: 'UTC', disabled: false });
	await server.ok(200, 'PATCH', `/v1/flows/${x.flow}`, { schedule: '? 30 2 ? * MON-FRI', timezone: 'America/New_York' });
	const s = await server.ok(200, 'GET', `/v1/flows/${x.flow}/schedule`);
	assert.equal(s.schedule, '? 30 2 ? * MON-FRI');
	assert.equal(s.timezone, 'America/New_York');
	assert.match(s.description, /02:30/);
	assert.equal(s.nextDue.length, 5);
	for (const due of s.nextDue) {
		const local = new Date(due).toLocaleString('en-US', { timeZone: 'America/New_York', hourCycle: 'h23', weekday: 'short', hour: '2-digit', minute: '2-digit' });
		assert.match(local, /^(Mon|Tue|Wed|Thu|Fri),? 0[23]:[03]0$/);
	}
	assert.deepEqual([...s.nextDue].sort(), s.nextDue);
	assert.ok(Date.parse(s.nextDue[0]) > Date.now());
	await server.ok(404, 'GET', '/v1/flows/5560092ed7922800000f000e/schedule');
});

test('a flow without a time zone has that of the account', async () => {
	const url = `/v1/flows/${x.flow}/schedule`;
	const zone = async (value) => server.ok(200, 'PUT', '/v1/profile', { timezone: value });
	const profile = await server.ok(200, 'GET', '/v1/profile');
	assert.deepEqual(Object.keys(profile), ['_id', 'name', 'timezone']);
	assert.deepEqual([profile.name, profile.timezone], ['default', null]);
	assert.deepEqual(await zone('Asia/Tokyo'), { ...profile, timezone: 'Asia/Tokyo' });
	await server.ok(200, 'PATCH', `/v1/flows/${x.flow}`, { schedule: '? 30 2 ? * *', timezone: null });
	let s = await server.ok(200, 'GET', url);
	assert.equal(s.timezone, 'Asia/Tokyo');
	assert.match(s.nextDue[0], /T17:30:00/);
	await server.ok(200, 'PATCH', `/v1/flows/${x.flow}`, { timezone: 'UTC' }); // the flow's own goes first
	s = await server.ok(200, 'GET', url);
	assert.match(s.nextDue[0], /T02:30:00/);
	await server.ok(200, 'PATCH', `/v1/flows/${x.flow}`, { timezone: null });
	assert.equal((await zone(null)).timezone, null);
	assert.equal((await server.ok(200, 'GET', url)).timezone, 'UTC');
	for (const [bad, field] of [[{ timezone: 'Mars/Base' }, 'timezone'], [{ timezone: 5 }, 'timezone'], [{}, 'timezone'], [{ timezone: 'UTC', tz: 1 }, 'tz'], [{ timezone: 'UTC', name: 'mine' }, 'name'], [[], '']]) {
		const r = await server.call('PUT', '/v1/profile', bad);
		assert.equal(r.status, 422, JSON.stringify(bad));
		assert.equal(r.json.errors[0].field ?? '', field);
	}
	await server.ok(200, 'PUT', '/v1/profile', profile); // what was read goes back
});

test('a flow that is not run by the clock is due at no time', async () => {
	const url = `/v1/flows/${x.flow}/schedule`;
	await server.ok(200, 'PATCH', `/v1/flows/${x.flow}`, { schedule: '? 30 2 ? * *', disabled: true });
	assert.deepEqual((await server.ok(200, 'GET', url)).nextDue, []);
	await server.ok(200, 'PATCH', `/v1/flows/${x.flow}`, { schedule: null, disabled: null });
	const listener = await server.ok(201, 'POST', '/v1/exports', { name: 'Events', type: 'webhook', webhook: { verify: 'secret_url', token: 'x'.repeat(32) } });
	const r = await server.call('POST', '/v1/flows', { name: 'Late', _exportId: listener._id, _importId: x.import, schedule: '? * * * * *' });
	assert.equal(r.status, 422);
	assert.equal(r.json.errors[0].field, 'schedule');
	assert.match(r.json.errors[0].message, /events are taken as they come/);
});

test('how far the exports of a flow came can be read and moved', async () => {
	const url = `/v1/flows/${x.flow}/lastExportDateTime`;
	const got = (at) => ({ lastExportDateTime: at, exports: [{ _exportId: x.export, lastExportDateTime: at }] });
	assert.deepEqual(await server.ok(200, 'GET', url), got(null));
	assert.deepEqual(await server.ok(200, 'PUT', url, { lastExportDateTime: '2024-02-03T04:05:06Z' }), got('2024-02-03T04:05:06.000Z'));
	assert.deepEqual(await server.ok(200, 'GET', url), got('2024-02-03T04:05:06.000Z'));
	assert.deepEqual(await server.ok(200, 'PUT', url, { lastExportDateTime: null, _exportId: x.export }), got(null));
	assert.deepEqual(await server.ok(200, 'PUT', url, { lastExportDateTime: 1700000000000 }), got('2023-11-14T22:13:20.000Z'));
	for (const body of [{}, { lastExportDateTime: 'soon' }, { lastExportDateTime: true }, { lastExportDateTime: null, _exportId: x.import }])
		await server.ok(422, 'PUT', url, body);
	await server.ok(404, 'PUT', '/v1/flows/5560092ed7922800000f000e/lastExportDateTime', { lastExportDateTime: null });
});

test('a run can begin at an earlier date; what a run can not be asked is refused, not ignored', async () => {
	const asked = [];
	const app = await application((req, res) => {
		asked.push(decodeURIComponent(req.url));
		json(res, 200, { items: [] });
	});
	const y = await installFlow(server, { source: app.url, sink: sink.url, exportMore: { type: 'delta' },
		exportRest: { relativeURI: '/items?since={{lastExportDateTime}}', pagingMethod: undefined, nextPagePath: undefined } });
	await server.runFlow(y.flow);
	const run = async (body) => {
		const { _jobId } = await server.ok(201, 'POST', `/v1/flows/${y.flow}/run`, body);
		return server.jobEnd(_jobId);
	};
	const again = await run({ export: { startDate: '2024-05-06T07:08:09Z' } });
	assert.deepEqual(asked, ['/items?since=1970-01-01T00:00:00.000Z', '/items?since=2024-05-06T07:08:09.000Z']);
	const { lastExportDateTime } = await server.ok(200, 'GET', `/v1/flows/${y.flow}/lastExportDateTime`);
	assert.equal(lastExportDateTime, again.startedAt); // from here on as ever
	await run({});
	assert.equal(asked[2], `/items?since=${again.startedAt}`);
	for (const [body, field] of [
		[{ export: { startDate: 'soon' } }, 'export.startDate'],
		[{ export: { startDate: null } }, 'export.startDate'],
		[{ export: { startDate: Date.now() + 60000 } }, 'export.startDate'],
		[{ export: { startDate: '2024-05-06T07:08:09Z', endDate: '2024-06-06T07:08:09Z' } }, 'export.endDate'],
		[{ export: {} }, 'export.startDate'],
		[{ export: 5 }, 'export'],
		[{ _exportIds: [y.export] }, '_exportIds'],
		[{ exprt: {} }, 'exprt'],
	]) {
		const r = await server.call('POST', `/v1/flows/${y.flow}/run`, body);
		assert.equal(r.status, 422, JSON.stringify(body));
		assert.equal(r.json.errors[0].field, field);
	}
	await server.ok(422, 'POST', `/v1/flows/${y.flow}/run`, []);
	await server.ok(400, 'POST', `/v1/flows/${y.flow}/run`, '{');
	const none = await server.call('POST', `/v1/flows/${x.flow}/run`, { export: { startDate: '2024-05-06T07:08:09Z' } });
	assert.equal(none.status, 422); // its export has no dates
	assert.equal(none.json.errors[0].field, 'export.startDate');
	assert.equal(asked.length, 3);
});

test('a run is not given another date while one is queued or at work, which would move it', async () => {
	const waiting = [];
	const app = await application((req, res) => { waiting.push(res); });
	const y = await installFlow(server, { source: app.url, sink: sink.url, exportMore: { type: 'delta', delta: { dateField: 'at' } } });
	const { _jobId } = await server.ok(201, 'POST', `/v1/flows/${y.flow}/run`);
	await until('the source is asked', () => waiting.length > 0);
	const r = await server.call('POST', `/v1/flows/${y.flow}/run`, { export: { startDate: '2024-05-06T07:08:09Z' } });
	assert.equal(r.status, 409);
	assert.match(r.json.errors[0].message, /queued or at work/);
	json(waiting[0], 200, { items: [] });
	await server.jobEnd(_jobId);
});

test('a queued run says what it waits for: the run before it, or a worker', async () => {
	const one = await new Server({ args: ['--log-level', 'warn', '--workers', '1'] }).start();
	const waiting = [];
	const slow = await application((req, res) => { waiting.push(res); });
	const a = await installFlow(one, { source: slow.url, sink: slow.url }), b = await installFlow(one, { source: slow.url, sink: slow.url });
	const run = async (flow) => (await one.ok(201, 'POST', `/v1/flows/${flow}/run`))._jobId;
	const get = (id) => one.ok(200, 'GET', `/v1/jobs/${id}`);
	const first = await run(a.flow);
	await until('the source is asked', () => waiting.length > 0);
	const second = await run(a.flow), other = await run(b.flow);
	assert.equal((await get(first)).waitingFor, undefined);
	const queued = await get(second);
	assert.equal(queued.status, 'queued');
	assert.deepEqual(queued.waitingFor, { what: 'another run of this flow goes on', _jobId: first, since: queued.createdAt });
	const free = await get(other);
	assert.deepEqual(free.waitingFor, { what: 'a free worker: 1 job is worked at a time (--workers)', since: free.createdAt });
	// the list, families and diagnostics say the same
	const listed = await one.ok(200, 'GET', `/v1/jobs?_flowId=${a.flow}&status=queued`);
	assert.deepEqual(listed[0].waitingFor, queued.waitingFor);
	assert.deepEqual((await one.ok(200, 'GET', `/v1/jobs/${second}/family`)).waitingFor, queued.waitingFor);
	assert.deepEqual((await one.ok(200, 'GET', `/v1/jobs/${second}/diagnostics`)).waitingFor, queued.waitingFor);
	for (const id of [second, other, first]) await one.ok(200, 'PUT', `/v1/jobs/${id}/cancel`);
	for (const id of [first, second, other]) assert.equal((await one.jobEnd(id)).waitingFor, undefined);
});

test('a run at work says when it waits to try again, at either end, and live', async () => {
	const busy = { status: 503, head: { 'retry-after': '40' } };
	const app = await application((req, res) => json(res, busy.status, { message: 'later' }, busy.head));
	const sinkWaits = await installFlow(server, { source: source.url, sink: app.url, importMore: { maxAttempts: 3 } });
	const sourceWaits = await installFlow(server, { source: app.url, sink: sink.url, exportMore: { maxAttempts: 3 } });
	for (const x of [sinkWaits, sourceWaits]) {
		const { _jobId } = await server.ok(201, 'POST', `/v1/flows/${x.flow}/run`);
		const job = await until('the job says so', async () => {
			const j = await server.ok(200, 'GET', `/v1/jobs/${_jobId}`);
			return j.status === 'running' && j.waitingFor ? j : null;
		});
		assert.equal(job.status, 'running');
		assert.match(job.waitingFor.what, /the application answered status 503; it is tried again/);
		const left = Date.parse(job.waitingFor.until) - Date.parse(job.waitingFor.since);
		assert.ok(left > 35000 && left <= 41000, String(left));
		assert.match((await server.ok(200, 'GET', `/v1/jobs/${_jobId}/diagnostics`)).waitingFor.what, /503/);
		const stream = await fetch(`${server.base}/v1/jobs/${_jobId}/events`, { headers: { authorization: `Bearer ${server.token}` } });
		const text = new TextDecoder().decode((await stream.body.getReader().read()).value);
		assert.match(text, /"waitingFor":\{"what":"the application answered status 503/);
		await server.ok(200, 'PUT', `/v1/jobs/${_jobId}/cancel`);
		assert.equal((await server.jobEnd(_jobId)).waitingFor, undefined);
	}
});

await runTests();
