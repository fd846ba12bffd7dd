// Flows of several steps, flows that follow each other, jobs that are canceled.
import assert from 'node:assert/strict';
import { Server, application, installFlow, json, pagedSource, runTests, test, until } from './lib.mjs';

const server = await new Server({ args: ['--outbound-timeout', '60'] }).start();
const ids24 = (x) => x._id;

async function sinkApplication(answer = () => [201, {}]) {
	const got = [];
	const a = await application((req, res, body) => {
		const record = body ? JSON.parse(body) : null;
		const [status, value] = answer(record, req);
		got.push({ url: req.url, record });
		json(res, status, value);
	});
	return { ...a, got };
}
const connection = async (url) => ids24(await server.ok(201, 'POST', '/v1/connections',
	{ name: 'c', type: 'rest', rest: { baseURI: url, mediaType: 'json' } }));
const importOf = async (conn, uri, fields) => ids24(await server.ok(201, 'POST', '/v1/imports',
	{ name: uri, _connectionId: conn, rest: { relativeURI: uri, method: 'POST', responseIdPath: 'id' }, mapping: { fields } }));
const exportOf = async (conn, uri, more = {}) => ids24(await server.ok(201, 'POST', '/v1/exports',
	{ name: uri, _connectionId: conn, pageSize: 10, rest: { relativeURI: uri, method: 'GET', resourcePath: 'items',
		pagingMethod: 'nextpageurl', nextPagePath: 'next' }, ...more }));

test('pages pass two imports in order; the second gets what the first answered', async () => {
	const source = await connection((await application(pagedSource(25, 25))).url);
	const first = await sinkApplication((r) => [201, { id: `A-${r.key}` }]);
	const second = await sinkApplication();
	const flow = await server.ok(201, 'POST', '/v1/flows', { name: 'two', _exportId: await exportOf(source, '/items'),
		pageProcessors: [
			{ _importId: await importOf(await connection(first.url), '/a', [{ extract: 'id', generate: 'key' }]),
				responseMapping: { fields: [{ extract: 'id', generate: 'first.id' }] } },
			{ _importId: await importOf(await connection(second.url), '/b', [{ extract: 'first.id', generate: 'ref' }, { extract: 'name', generate: 'name' }]) },
		] });
	const job = await server.runFlow(flow._id);
	assert.equal(job.status, 'completed');
	assert.equal(first.got.length, 25);
	assert.deepEqual(second.got.map((g) => g.record.ref).sort(), first.got.map((g) => `A-${g.record.key}`).sort());
	assert.deepEqual(job.ledger, { exported: 50, succeeded: 50, ignored: 0, failed: 0, inFlight: 0 });
	const family = await server.ok(200, 'GET', `/v1/jobs/${job._id}/family`);
	assert.deepEqual(family.children.map((c) => [c.type, c.oIndex, c.numSuccess]), [['export', 0, 25], ['import', 1, 25], ['import', 2, 25]]);
});

test('a record that failed at a step goes on only where proceedOnFailure says so', async () => {
	for (const proceedOnFailure of [false, true]) {
		const source = await connection((await application(pagedSource(10, 10))).url);
		const first = await sinkApplication((r) => r.key % 2 ? [422, { message: 'odd' }] : [201, {}]);
		const second = await sinkApplication();
		const flow = await server.ok(201, 'POST', '/v1/flows', { name: 'proceed', _exportId: await exportOf(source, '/items'),
			pageProcessors: [
				{ _importId: await importOf(await connection(first.url), '/a', [{ extract: 'id', generate: 'key' }]), proceedOnFailure },
				{ _importId: await importOf(await connection(second.url), '/b', [{ extract: 'id', generate: 'key' }]) },
			] });
		const job = await server.runFlow(flow._id);
		assert.equal(second.got.length, proceedOnFailure ? 10 : 5);
		assert.equal((await server.errorsOf(job._id)).length, 5);
		assert.equal(job.ledger.failed, 5);
	}
});

test('an export among the steps looks something up for each record', async () => {
	const source = await connection((await application(pagedSource(5, 5))).url);
	const directory = await application((req, res) => json(res, 200, { items: [{ label: `L${req.url.split('=')[1]}` }] }));
	const lookup = ids24(await server.ok(201, 'POST', '/v1/exports', { name: 'labels', _connectionId: await connection(directory.url),
		rest: { relativeURI: '/labels?id={id}', method: 'GET', resourcePath: 'items' } }));
	const sink = await sinkApplication();
	const flow = await server.ok(201, 'POST', '/v1/flows', { name: 'lookup', _exportId: await exportOf(source, '/items'),
		pageProcessors: [
			{ _exportId: lookup, responseMapping: { fields: [{ extract: 'data.0.label', generate: 'label' }] } },
			{ _importId: await importOf(await connection(sink.url), '/b', [{ extract: 'id', generate: 'key' }, { extract: 'label', generate: 'label' }]) },
		] });
	const job = await server.runFlow(flow._id);
	assert.equal(job.status, 'completed');
	assert.deepEqual(sink.got.map((g) => g.record).sort((a, b) => a.key - b.key), [0, 1, 2, 3, 4].map((n) => ({ key: n, label: `L${n}` })));
});

test('several exports feed one flow, one after the other', async () => {
	const a = await connection((await application(pagedSource(15, 10))).url);
	const b = await connection((await application(pagedSource(7, 10))).url);
	const sink = await sinkApplication();
	const flow = await server.ok(201, 'POST', '/v1/flows', { name: 'sources',
		pageGenerators: [{ _exportId: await exportOf(a, '/items') }, { _exportId: await exportOf(b, '/items') }],
		_importId: await importOf(await connection(sink.url), '/b', [{ extract: 'id', generate: 'key' }]) });
	const job = await server.runFlow(flow._id);
	assert.equal(job.status, 'completed');
	assert.equal(sink.got.length, 22);
	assert.equal(job.numExport, 22);
});

test('a flow that completes starts the next ones; one that is disabled is not started', async () => {
	const source = await application(pagedSource(3, 3));
	const sink = await sinkApplication();
	const next = await installFlow(server, { source: source.url, sink: sink.url });
	const off = await installFlow(server, { source: source.url, sink: sink.url });
	await server.ok(200, 'PATCH', `/v1/flows/${off.flow}`, { disabled: true });
	const first = await installFlow(server, { source: source.url, sink: sink.url });
	await server.ok(200, 'PATCH', `/v1/flows/${first.flow}`, { _runNextFlowIds: [next.flow, off.flow] });
	await server.runFlow(first.flow);
	const jobs = await until('the next flow has run', async () => {
		const list = await server.ok(200, 'GET', `/v1/jobs?_flowId=${next.flow}`);
		return list.length > 0 && list[0].status === 'completed' ? list : null;
	});
	assert.equal(jobs[0].trigger, 'flow');
	assert.deepEqual(await server.ok(200, 'GET', `/v1/jobs?_flowId=${off.flow}`), []);
});

test('flows that would run each other in a circle are refused, with the way', async () => {
	const source = await application(pagedSource(1, 1));
	const sink = await sinkApplication();
	const [a, b, c] = [await installFlow(server, { source: source.url, sink: sink.url }),
		await installFlow(server, { source: source.url, sink: sink.url }), await installFlow(server, { source: source.url, sink: sink.url })];
	for (const [x, name] of [[a, 'A'], [b, 'B'], [c, 'C']]) await server.ok(200, 'PATCH', `/v1/flows/${x.flow}`, { name });
	await server.ok(200, 'PATCH', `/v1/flows/${a.flow}`, { _runNextFlowIds: [b.flow] });
	await server.ok(200, 'PATCH', `/v1/flows/${b.flow}`, { _runNextFlowIds: [c.flow] });
	const r = await server.call('PATCH', `/v1/flows/${c.flow}`, { _runNextFlowIds: [a.flow] });
	assert.equal(r.status, 422);
	assert.match(r.json.errors[0].message, /this flow -> A -> B -> this flow/);
	const self = await server.call('PATCH', `/v1/flows/${c.flow}`, { _runNextFlowIds: [c.flow] });
	assert.equal(self.status, 422);
	assert.match(self.json.errors[0].message, /: this flow -> this flow$/);
});

test('a running job is canceled: what was under way ends, the rest are errors that can be retried', async () => {
	const source = await application(pagedSource(400, 100));
	const held = [];
	const sink = await application((req, res) => { held.push(res); });
	const ids = await installFlow(server, { source: source.url, sink: sink.url, exportMore: { pageSize: 100 },
		sinkConnection: { concurrencyLevel: 2 } });
	const { _jobId } = await server.ok(201, 'POST', `/v1/flows/${ids.flow}/run`);
	await until('requests are under way', () => held.length === 2);
	await server.ok(200, 'PUT', `/v1/jobs/${_jobId}/cancel`);
	const job = await server.jobEnd(_jobId);
	assert.equal(job.status, 'canceled');
	assert.ok(job.canceledBy);
	const l = job.ledger;
	assert.equal(l.exported, l.succeeded + l.ignored + l.failed + l.inFlight);
	assert.equal(l.inFlight, 0);
	assert.equal(l.failed, 100);
	const errors = await server.errorsOf(_jobId);
	assert.equal(errors.length, 100);
	assert.ok(errors.every((e) => e.code === 'canceled' && e._retryId));
	const again = await server.call('PUT', `/v1/jobs/${_jobId}/cancel`);
	assert.equal(again.status, 409);
	assert.equal(again.json.errors[0].message, `job ${_jobId} has ended: it is canceled`);
	for (const res of held) res.destroy();
});

test('a queued job is canceled at once; a part of a job can not be', async () => {
	const hold = [];
	const source = await application((req, res) => { hold.push(res); });
	const sink = await sinkApplication();
	const ids = await installFlow(server, { source: source.url, sink: sink.url });
	const { _jobId: running } = await server.ok(201, 'POST', `/v1/flows/${ids.flow}/run`);
	await until('it runs', () => hold.length === 1);
	const { _jobId: queued } = await server.ok(201, 'POST', `/v1/flows/${ids.flow}/run`);
	assert.notEqual(queued, running);
	assert.equal((await server.ok(200, 'PUT', `/v1/jobs/${queued}/cancel`)).status, 'canceled');
	const family = await server.ok(200, 'GET', `/v1/jobs/${running}/family`);
	const part = await server.call('PUT', `/v1/jobs/${family.children[0]._id}/cancel`);
	assert.equal(part.status, 409);
	assert.match(part.json.errors[0].message, new RegExp(`is a part of job ${running}`));
	await server.ok(200, 'PUT', `/v1/jobs/${running}/cancel`);
	assert.equal((await server.jobEnd(running)).status, 'canceled');
	for (const res of hold) res.destroy();
});

test('what a flow can not be is refused, all at once', async () => {
	const source = await connection('http://127.0.0.1:9');
	const exp = await exportOf(source, '/items');
	const r = await server.call('POST', '/v1/flows', { name: 'bad', _exportId: exp, pageGenerators: [{ _exportId: exp }],
		pageProcessors: [{ proceedOnFailure: true }] });
	assert.equal(r.status, 422);
	assert.deepEqual(r.json.errors.map((e) => e.field), ['pageGenerators', 'pageProcessors.0._importId']);
});

test('a listener is the only source of its flow, and can not be asked; response mappings name their place', async () => {
	const source = await connection('http://127.0.0.1:9');
	const exp = await exportOf(source, '/items'), imp = await importOf(source, '/load', [{ extract: 'id', generate: 'key' }]);
	const listener = (await server.ok(201, 'POST', '/v1/exports', { name: 'Events', type: 'webhook', webhook: { verify: 'secret_url', token: 'x'.repeat(32) } }))._id;
	const refused = async (body, field, message) => {
		const r = await server.call('POST', '/v1/flows', { name: 'bad', ...body });
		assert.equal(r.status, 422, r.text);
		assert.equal(r.json.errors[0].field, field);
		assert.match(r.json.errors[0].message, message);
	};
	await refused({ pageGenerators: [{ _exportId: exp }, { _exportId: listener }], _importId: imp },
		'pageGenerators.1._exportId', /export "Events" is a listener: a flow that takes its events has no other export/);
	await refused({ _exportId: exp, pageProcessors: [{ _importId: imp }, { _exportId: listener }] },
		'pageProcessors.1._exportId', /export "Events" is a listener, which can't be asked/);
	await refused({ _exportId: exp, pageProcessors: [{ _importId: imp, responseMapping: { fields: [{ extract: 'id', generate: 'a..b' }] } }] },
		'pageProcessors.0.responseMapping.fields.0.generate', /empty name/);
	await refused({ _exportId: exp, pageProcessors: [{ _importId: imp, responseMapping: { fields: [{ generate: 'a' }] } }] },
		'pageProcessors.0.responseMapping.fields.0.extract', /required/);
	const flow = (await server.ok(201, 'POST', '/v1/flows', { name: 'good', pageGenerators: [{ _exportId: listener }], pageProcessors: [{ _importId: imp }] }))._id;
	assert.equal((await server.call('PATCH', `/v1/flows/${flow}`, { pageGenerators: [{ _exportId: listener }, { _exportId: exp }] })).status, 422);
	// what was an export when the flow was made
	const other = await exportOf(source, '/lookup');
	const lookup = (await server.ok(201, 'POST', '/v1/flows', { name: 'asks', _exportId: exp, pageProcessors: [{ _exportId: other }, { _importId: imp }] }))._id;
	await server.ok(200, 'PUT', `/v1/exports/${other}`, { name: 'Now events', type: 'webhook', webhook: { verify: 'secret_url', token: 'x'.repeat(32) } });
	const run = await server.call('POST', `/v1/flows/${lookup}/run`);
	assert.equal(run.status, 422);
	assert.match(run.json.errors[0].message, /export "Now events" is a listener, which can't be asked/);
});

test('an export shapes and filters its records, an import takes those it wants', async () => {
	const source = await application(pagedSource(20, 20));
	const sink = await sinkApplication();
	const ids = await installFlow(server, { source: source.url, sink: sink.url,
		exportMore: { transform: { rules: [[{ extract: 'id', generate: 'n' }, { extract: 'name', generate: 'label.en' }]] },
			filter: { rules: ['lessthan', ['number', ['extract', 'n']], 10] } },
		importMore: { mapping: { fields: [{ extract: 'n', generate: 'key' }, { extract: 'label.en', generate: 'label' }] },
			filter: { rules: ['notequals', ['extract', 'n'], 3] } } });
	const job = await server.runFlow(ids.flow);
	assert.equal(job.status, 'completed');
	assert.deepEqual(sink.got.map((g) => g.record.key).sort((a, b) => a - b), [0, 1, 2, 4, 5, 6, 7, 8, 9]);
	assert.deepEqual(sink.got.find((g) => g.record.key === 4).record, { key: 4, label: 'name 4' });
	assert.deepEqual(job.ledger, { exported: 10, succeeded: 9, ignored: 1, failed: 0, inFlight: 0 });
	assert.equal(job.numIgnore, 11);
	await server.ok(200, 'PATCH', `/v1/exports/${ids.export}`, { filter: { rules: ['equals', ['extract', 'n'], 'none'] } });
	const none = await server.runFlow(ids.flow);
	assert.equal(none.zeroReason, "the export's filter dropped all 20 records");
});

test('the way of a record is there by its trace key: as it came, as it was sent, how it ended', async () => {
	const source = await application((req, res) => json(res, 200, { items: [{ id: 'TRACE-7', name: 'n7' }, { id: 'TRACE-8', name: 'n8' }] }));
	const sink = await sinkApplication((r) => r.key === 'TRACE-8' ? [422, { message: 'no' }] : [201, { id: 99 }]);
	const ids = await installFlow(server, { source: source.url, sink: sink.url, importRest: { responseIdPath: 'id' } });
	const job = await server.runFlow(ids.flow);
	const [way] = await server.ok(200, 'GET', '/v1/records?traceKey=TRACE-7');
	assert.deepEqual(way.record, { id: 'TRACE-7', name: 'n7' });
	assert.match(way.sent, /"key":"TRACE-7"/);
	assert.equal(way.outcome, 'succeeded');
	assert.equal(way.status, 201);
	assert.equal(way.id, 99);
	assert.equal(way._jobId, job._id);
	assert.equal(way._stepId, ids.import);
	const [bad] = await server.ok(200, 'GET', '/v1/records?traceKey=TRACE-8');
	assert.equal(bad.outcome, 'failed');
	assert.match(bad.message, /status 422/);
	assert.deepEqual(await server.ok(200, 'GET', '/v1/records?traceKey=TRACE-9'), []);
	assert.equal((await server.call('GET', '/v1/records')).status, 400);
});

await runTests();
