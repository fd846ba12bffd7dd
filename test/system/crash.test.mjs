// kill -9 and restart: nothing that was acknowledged is lost, and a job that was in work goes on.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { Server, application, connectionsGone, installFlow, json, pagedSource, program, runTests, test, until } from './lib.mjs';

test('kill -9 during a flow: the run goes on where it was, nothing is lost, and only the page in work is sent again', async () => {
	const server = await new Server().start();
	const source = await application(pagedSource(1000, 100));
	const got = [];
	const sink = await application((req, res, body) => { got.push(body); json(res, 200, {}); });
	const ids = await installFlow(server, { source: source.url, sink: sink.url, exportMore: { pageSize: 50 } });
	for (let round = 0; round < 5; round++) {
		got.length = 0;
		const { _jobId } = await server.ok(201, 'POST', `/v1/flows/${ids.flow}/run`);
		await until('records arrive', () => got.length > 60 + 130 * round);
		await server.kill('SIGKILL');
		execFileSync(program, ['verify', '--data', server.data]);
		await server.start();
		const job = await server.jobEnd(_jobId);
		assert.equal(job.status, 'completed');
		assert.deepEqual(job.ledger, { exported: 1000, succeeded: 1000, ignored: 0, failed: 0, inFlight: 0 });
		assert.deepEqual(await server.errorsOf(_jobId), []);
		const times = new Map();
		for (const body of got) times.set(body, (times.get(body) ?? 0) + 1);
		assert.equal(times.size, 1000); // every repeat has identical bytes
		const repeated = [...times.values()].filter((n) => n > 1);
		assert.ok(repeated.length <= 50 && repeated.every((n) => n === 2), `${repeated.length} repeated`);
	}
	await server.kill();
});

test('SIGTERM during a flow: it stops behind a page, goes on after the restart, and repeats nothing', async () => {
	const server = await new Server().start();
	const source = await application(pagedSource(3000, 100));
	const got = [], held = [];
	let holds = true; // from the middle of a page on, until the program has heard that it is to stop
	const sink = await application((req, res, body) => {
		got.push(body);
		if (holds && got.length > 550) held.push(res);
		else json(res, 200, {});
	});
	const ids = await installFlow(server, { source: source.url, sink: sink.url, exportMore: { pageSize: 100 } });
	const { _jobId } = await server.ok(201, 'POST', `/v1/flows/${ids.flow}/run`);
	await until('answers are held back', () => held.length > 0);
	server.child.kill('SIGTERM');
	await until('it drains', () => server.log.includes('server.draining'));
	holds = false;
	for (const res of held) json(res, 200, {});
	assert.deepEqual(await server.exited, [0, null]);
	assert.equal(got.length % 100, 0);
	assert.ok(got.length < 3000);
	await server.start();
	const job = await server.jobEnd(_jobId);
	assert.equal(job.status, 'completed');
	assert.equal(job.ledger.succeeded, 3000);
	assert.equal(got.length, 3000);
	assert.equal(new Set(got).size, 3000);
	await server.kill();
});

test('a page that ends the server three times is put aside: its records are errors, and the flow runs on', async () => {
	const server = await new Server().start();
	const source = await application(pagedSource(60, 20));
	let poison = true;
	let begun = 0;
	const sink = await application((req, res, body) => {
		if (poison && JSON.parse(body).key >= 20) { begun++; return; }
		json(res, 200, {});
	});
	const ids = await installFlow(server, { source: source.url, sink: sink.url, exportMore: { pageSize: 20 } });
	const { _jobId } = await server.ok(201, 'POST', `/v1/flows/${ids.flow}/run`);
	for (let attempt = 0; attempt < 4; attempt++) {
		await until('the second page is begun', () => begun > 0);
		await server.kill('SIGKILL');
		await connectionsGone(sink);
		begun = 0;
		await server.start();
	}
	const job = await server.jobEnd(_jobId);
	assert.equal(job.status, 'failed');
	assert.equal(job.error.code, 'quarantined');
	assert.deepEqual(job.ledger, { exported: 40, succeeded: 20, ignored: 0, failed: 20, inFlight: 0 });
	const errors = (await server.errorsOf(_jobId)).filter((e) => e.traceKey !== undefined);
	assert.equal(errors.length, 20);
	poison = false;
	const answer = await server.ok(200, 'POST', `/v1/jobs/${_jobId}/retry`);
	await server.jobEnd(answer[0]._jobId);
	assert.equal((await server.ok(200, 'GET', `/v1/jobs/${_jobId}`)).ledger.succeeded, 40);
	assert.equal((await server.runFlow(ids.flow)).status, 'completed');
	await server.kill();
});

test('queued and running jobs end after a restart', async () => {
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
	assert.equal((await server.jobEnd(first)).status, 'completed');
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
