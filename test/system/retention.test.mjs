// Evidence over a budget goes, the oldest first, resolved errors' before open ones'; jobs say when they go.
import assert from 'node:assert/strict';
import { Server, application, installFlow, json, runTests, test, until } from './lib.mjs';

const server = await new Server({ args: ['--retention-days', '7'] }).start();
const PAD = 'x'.repeat(8000);

test('a job says when it goes', async () => {
	const source = await application((req, res) => json(res, 200, { items: Array.from({ length: 200 }, (_, id) => ({ id, PAD })) }));
	const sink = await application((req, res) => json(res, 422, { message: 'no' }));
	const x = await installFlow(server, { source: source.url, sink: sink.url });
	const job = await server.runFlow(x.flow);
	assert.equal(Date.parse(job.purgeAt) - Date.parse(job.createdAt), 7 * 24 * 3600 * 1000);
	assert.equal(job.numError, 200);
	server.job = job._id;
});

test('what is over the budget goes with the next start', async () => {
	const before = await server.errorsOf(server.job);
	assert.equal(before.filter((e) => e._retryId).length, 200);
	const resolved = before.slice(150).map((e) => e._id);
	await server.ok(200, 'PUT', `/v1/jobs/${server.job}/joberrors/resolve`, resolved);
	await server.kill('SIGTERM');
	server.args = ['--retention-mb', '1'];
	await server.start();
	await until('the evidence is gone', () => server.log.includes('evidence.purged'));
	const after = await server.errorsOf(server.job);
	assert.equal(after.length, 200);
	const kept = new Set(after.filter((e) => e._retryId).map((e) => e._id));
	assert.ok(kept.size > 100 && kept.size < 150, `${kept.size} kept`);
	assert.ok(resolved.every((id) => !kept.has(id)));
	// of the open ones the oldest went
	assert.deepEqual(before.slice(0, 150).slice(-kept.size).map((e) => e._id), [...kept]);
	assert.ok(after.filter((e) => !kept.has(e._id)).every((e) => e.request === undefined && e.response === undefined));
	await server.ok(404, 'GET', `/v1/retries/${before[0]._retryId}/data`);
	await server.ok(200, 'GET', `/v1/retries/${after.at(149)._retryId}/data`);
});

await runTests();
