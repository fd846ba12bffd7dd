// kill -9 and restart: nothing that was acknowledged is lost, and a job that was in work says what
// is known of it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { Server, application, installFlow, json, pagedSource, program, runTests, test, until } from './lib.mjs';

test('kill -9 during a flow: after the restart the job is failed, says why, and its ledger adds up', async () => {
	const server = await new Server().start();
	const source = await application(pagedSource(1000, 100));
	let received = 0;
	const sink = await application((req, res) => { received++; json(res, 200, {}); });
	const ids = await installFlow(server, { source: source.url, sink: sink.url, exportMore: { pageSize: 50 } });
	for (let round = 0; round < 5; round++) {
		received = 0;
		const { _jobId } = await server.ok(201, 'POST', `/v1/flows/${ids.flow}/run`);
		await until('records arrive', () => received > 60 + 130 * round);
		await server.kill('SIGKILL');
		const delivered = received;
		execFileSync(program, ['verify', '--data', server.data]);
		await server.start();
		const job = await server.ok(200, 'GET', `/v1/jobs/${_jobId}`);
		const l = job.ledger;
		assert.equal(job.status, 'failed');
		assert.equal(job.error.code, 'interrupted');
		assert.match(job.error.message, /the server died/);
		assert.equal(l.exported, l.succeeded + l.ignored + l.failed + l.inFlight);
		// what reached the sink is at most what was begun, and at least what was recorded
		assert.ok(l.succeeded <= delivered && delivered <= l.exported, `${l.succeeded} ${delivered} ${l.exported}`);
		if (l.inFlight > 0) assert.match(job.error.message, new RegExp(`${l.inFlight} records were in flight`));
		assert.equal((await server.errorsOf(_jobId)).filter((e) => e.code === 'interrupted').length, 1);
	}
	// and the flow runs again, whole
	const job = await server.runFlow(ids.flow);
	assert.equal(job.status, 'completed');
	assert.equal(job.ledger.succeeded, 1000);
	await server.kill();
});

test('SIGTERM during a flow: it ends behind a page with nothing in flight', async () => {
	const server = await new Server().start();
	const source = await application(pagedSource(100000, 100));
	let received = 0;
	const sink = await application((req, res) => { received++; json(res, 200, {}); });
	const ids = await installFlow(server, { source: source.url, sink: sink.url, exportMore: { pageSize: 100 } });
	const { _jobId } = await server.ok(201, 'POST', `/v1/flows/${ids.flow}/run`);
	await until('records arrive', () => received > 500);
	server.child.kill('SIGTERM');
	assert.deepEqual(await server.exited, [0, null]);
	await server.start();
	const job = await server.ok(200, 'GET', `/v1/jobs/${_jobId}`);
	assert.equal(job.status, 'failed');
	assert.equal(job.error.code, 'interrupted');
	assert.equal(job.ledger.inFlight, 0);
	assert.equal(job.ledger.succeeded, received);
	await server.kill();
});

test('a queued job is run after a restart', async () => {
	const server = await new Server({ args: ['--workers', '1'] }).start();
	let hold = true;
	const source = await application((req, res) => { if (!hold) json(res, 200, { items: [{ id: 1 }] }); });
	const sink = await application((req, res) => json(res, 200, {}));
	const a = await installFlow(server, { source: source.url, sink: sink.url });
	const b = await installFlow(server, { source: source.url, sink: sink.url });
	const first = (await server.ok(201, 'POST', `/v1/flows/${a.flow}/run`))._jobId;
	const second = (await server.ok(201, 'POST', `/v1/flows/${b.flow}/run`))._jobId;
	await until('the first is running', async () => (await server.ok(200, 'GET', `/v1/jobs/${first}`)).status === 'running');
	assert.equal((await server.ok(200, 'GET', `/v1/jobs/${second}`)).status, 'queued');
	await server.kill();
	hold = false;
	await server.start();
	assert.equal((await server.jobEnd(second)).status, 'completed');
	assert.equal((await server.jobEnd(first)).error.code, 'interrupted');
	await server.kill();
});

test('every write that was answered is there after kill -9', async () => {
	const server = await new Server().start();
	const acknowledged = [];
	for (let round = 0; round < 5; round++) {
		let stop = false;
		const writers = Array.from({ length: 8 }, async (_, w) => {
			for (let n = 0; !stop; n++) {
				try {
					const made = await server.ok(201, 'POST', '/v1/integrations', { name: `${round}-${w}-${n}` });
					acknowledged.push(made._id);
				} catch {
					return; // the kill
				}
			}
		});
		const before = acknowledged.length;
		await until('writes are answered', () => acknowledged.length > before + 50 + 37 * round);
		await server.kill();
		stop = true;
		await Promise.all(writers);
		await server.start();
		const there = new Set((await server.ok(200, 'GET', '/v1/integrations')).map((i) => i._id));
		assert.deepEqual(acknowledged.filter((id) => !there.has(id)), []);
	}
	await server.kill();
});

await runTests();
