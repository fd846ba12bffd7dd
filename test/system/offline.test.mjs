// Connections that an application refuses: jobs wait and say for what, nothing fails, and they go on.
import assert from 'node:assert/strict';
import { Server, application, installFlow, json, pagedSource, runTests, test, until } from './lib.mjs';

const server = await new Server({ args: ['--outbound-timeout', '60'] }).start();

async function world() {
	const state = { open: true, got: [] };
	const source = await application(pagedSource(30, 30));
	const sink = await application((req, res, body) => {
		if (!state.open) return json(res, 401, { message: 'token revoked' });
		if (req.url === '/me') return json(res, 200, {});
		state.got.push(JSON.parse(body).key);
		if (state.got.length === 5) state.open = false;
		json(res, 201, {});
	});
	const ids = await installFlow(server, { source: source.url, sink: sink.url, exportMore: { pageSize: 30 },
		sinkConnection: { pingRelativeURI: '/me', concurrencyLevel: 1 } });
	return { ...ids, state };
}
const waiting = (id) => until('the job waits', async () => {
	const job = await server.ok(200, 'GET', `/v1/jobs/${id}`);
	return job.waitingFor?._connectionId ? job : null;
});

test('401 and a ping that fails: the connection goes offline and the job waits; set online, it goes on', async () => {
	const w = await world();
	const { _jobId } = await server.ok(201, 'POST', `/v1/flows/${w.flow}/run`);
	const job = await waiting(_jobId);
	assert.equal(job.status, 'queued');
	assert.match(job.waitingFor.what, /connection "sink" is offline/);
	assert.equal(job.waitingFor._connectionId, w.connections[1]);
	assert.ok(job.waitingFor.since && job.waitingFor.until);
	assert.deepEqual(job.ledger, { exported: 30, succeeded: 5, ignored: 0, failed: 0, inFlight: 25 });
	const sink = await server.ok(200, 'GET', `/v1/connections/${w.connections[1]}`);
	assert.equal(sink.offline, true);
	assert.deepEqual(sink.queues, [{ name: sink._id, size: 25 }]);
	const inList = (await server.ok(200, 'GET', '/v1/connections')).find((c) => c._id === sink._id);
	assert.deepEqual(inList.queues, sink.queues);
	assert.deepEqual((await server.ok(200, 'PUT', `/v1/connections/${sink._id}`, { ...sink, queues: [{ name: sink._id, size: 7 }] })).queues, sink.queues);
	assert.deepEqual(await server.errorsOf(_jobId), []);
	// a second run queues behind it
	const second = await server.ok(201, 'POST', `/v1/flows/${w.flow}/run`);
	assert.notEqual(second._jobId, _jobId);
	w.state.open = true;
	await server.ok(200, 'PATCH', `/v1/connections/${w.connections[1]}`, { offline: false });
	const done = await server.jobEnd(_jobId);
	assert.equal(done.status, 'completed');
	assert.equal(done.ledger.succeeded, 30);
	assert.deepEqual(w.state.got.slice(0, 30), [...Array(30).keys()]); // in order, each once
	assert.equal((await server.jobEnd(second._jobId)).status, 'completed');
	assert.equal((await server.ok(200, 'GET', `/v1/connections/${sink._id}`)).queues[0].size, 0);
});

test('the connection is probed by itself, over a restart, and the job goes on when it answers', async () => {
	const w = await world();
	const { _jobId } = await server.ok(201, 'POST', `/v1/flows/${w.flow}/run`);
	await waiting(_jobId);
	await server.kill('SIGKILL');
	await server.start();
	assert.equal((await server.ok(200, 'GET', `/v1/jobs/${_jobId}`)).status, 'queued');
	w.state.open = true;
	const done = await server.jobEnd(_jobId);
	assert.equal(done.status, 'completed');
	assert.equal(done.ledger.succeeded, 30);
	assert.equal(w.state.got.length, 30);
	assert.equal((await server.ok(200, 'GET', `/v1/connections/${w.connections[1]}`)).offline ?? false, false);
});

test('a connection that somebody set offline is not probed: jobs wait until it is set online', async () => {
	const w = await world();
	await server.ok(200, 'PATCH', `/v1/connections/${w.connections[1]}`, { offline: true });
	const { _jobId } = await server.ok(201, 'POST', `/v1/flows/${w.flow}/run`);
	const job = await waiting(_jobId);
	assert.match(job.waitingFor.what, /is offline$/);
	assert.equal(w.state.got.length, 0);
	await server.ok(200, 'PUT', `/v1/jobs/${_jobId}/cancel`);
	assert.equal((await server.jobEnd(_jobId)).status, 'canceled');
});

test('one record refused while the ping succeeds is that record\'s error', async () => {
	const source = await application(pagedSource(10, 10));
	const sink = await application((req, res, body) => {
		if (req.url === '/me') return json(res, 200, {});
		json(res, JSON.parse(body).key === 4 ? 403 : 201, {});
	});
	const ids = await installFlow(server, { source: source.url, sink: sink.url, sinkConnection: { pingRelativeURI: '/me' } });
	const job = await server.runFlow(ids.flow);
	assert.deepEqual([job.status, job.ledger.succeeded, job.ledger.failed], ['completed', 9, 1]);
	assert.equal((await server.errorsOf(job._id))[0].classification, 'authentication');
});

test('a lookup that is refused puts the connection offline before anything is sent; then the whole page goes', async () => {
	const state = { open: false, got: [] };
	const source = await application(pagedSource(8, 8));
	const sink = await application((req, res, body) => {
		if (!state.open) return json(res, 401, {});
		if (req.url.startsWith('/find')) return json(res, 200, [{ id: `F${req.url.split('=')[1]}` }]);
		if (req.url === '/me') return json(res, 200, {});
		state.got.push(JSON.parse(body));
		json(res, 201, {});
	});
	const ids = await installFlow(server, { source: source.url, sink: sink.url, sinkConnection: { pingRelativeURI: '/me' },
		importRest: { lookups: [{ name: 'found', relativeURI: '/find?id={id}', method: 'GET', extract: '0.id' }] },
		importMore: { mapping: { fields: [{ extract: 'id', generate: 'key' }, { extract: 'id', generate: 'ref', lookupName: 'found' }] } } });
	const { _jobId } = await server.ok(201, 'POST', `/v1/flows/${ids.flow}/run`);
	const job = await waiting(_jobId);
	assert.equal(job.status, 'queued');
	assert.equal(job.ledger.failed, 0);
	state.open = true;
	await server.ok(200, 'PATCH', `/v1/connections/${ids.connections[1]}`, { offline: false });
	const done = await server.jobEnd(_jobId);
	assert.deepEqual(done.ledger, { exported: 8, succeeded: 8, ignored: 0, failed: 0, inFlight: 0 });
	assert.deepEqual(state.got.map((g) => g.ref).sort(), [0, 1, 2, 3, 4, 5, 6, 7].map((n) => `F${n}`));
});

test('a source out of reach: its connection goes offline, the run waits, the probe brings it back, and it resumes at its page', async () => {
	const state = { open: true, pages: [], got: [] };
	const all = pagedSource(30, 10);
	const source = await application((req, res, body) => {
		if (req.url.startsWith('/items')) {
			state.pages.push(req.url);
			if (state.pages.length === 2) state.open = false;
		}
		return state.open ? all(req, res, body) : req.socket.destroy();
	});
	const sink = await application((req, res, body) => { state.got.push(JSON.parse(body).key); json(res, 201, {}); });
	const ids = await installFlow(server, { source: source.url, sink: sink.url, exportMore: { pageSize: 10, maxAttempts: 1 } });
	const { _jobId } = await server.ok(201, 'POST', `/v1/flows/${ids.flow}/run`);
	const job = await waiting(_jobId);
	assert.equal(job.status, 'queued');
	assert.match(job.waitingFor.what, /connection "source" is offline: GET /);
	assert.equal(job.waitingFor._connectionId, ids.connections[0]);
	assert.ok(job.waitingFor.since && job.waitingFor.until);
	assert.deepEqual(job.ledger, { exported: 10, succeeded: 10, ignored: 0, failed: 0, inFlight: 0 });
	assert.equal((await server.ok(200, 'GET', `/v1/connections/${ids.connections[0]}`)).offline, true);
	state.open = true;
	const done = await server.jobEnd(_jobId);
	assert.equal(done.status, 'completed');
	assert.deepEqual(state.got.sort((a, b) => a - b), [...Array(30).keys()]);
	assert.equal(state.pages.filter((p) => p === state.pages[0]).length, 1); // the first page was not asked for again
	assert.equal((await server.ok(200, 'GET', `/v1/connections/${ids.connections[0]}`)).offline ?? false, false);
});

test('a source that answers an error while the ping succeeds fails the run, and stays online', async () => {
	const source = await application((req, res) => json(res, req.url === '/' ? 200 : 404, {}));
	const sink = await application((req, res) => json(res, 201, {}));
	const ids = await installFlow(server, { source: source.url, sink: sink.url });
	const job = await server.runFlow(ids.flow);
	assert.equal(job.status, 'failed');
	assert.equal((await server.ok(200, 'GET', `/v1/connections/${ids.connections[0]}`)).offline ?? false, false);
});

test('a canceled job that waits leaves its records as errors', async () => {
	const w = await world();
	const { _jobId } = await server.ok(201, 'POST', `/v1/flows/${w.flow}/run`);
	await waiting(_jobId);
	const asked = await server.ok(200, 'PUT', `/v1/jobs/${_jobId}/cancel`);
	assert.ok(['canceling', 'canceled'].includes(asked.status), asked.status); // not "queued", though it waits
	assert.equal(asked.waitingFor, undefined);
	const job = await server.jobEnd(_jobId);
	assert.equal(job.status, 'canceled');
	assert.deepEqual(job.ledger, { exported: 30, succeeded: 5, ignored: 0, failed: 25, inFlight: 0 });
	assert.equal((await server.errorsOf(_jobId)).filter((e) => e.code === 'canceled').length, 25);
});

await runTests();
