// Live progress of jobs as server-sent events.
import assert from 'node:assert/strict';
import { Server, application, installFlow, json, pagedSource, raw, runTests, test, until } from './lib.mjs';

const server = await new Server({ args: ['--log-level', 'warn'] }).start();

// Opens a stream; `events` fills, `closed` becomes true at its end.
async function follow(jobId, headers = {}, token = server.token) {
	const abort = new AbortController();
	const r = await fetch(`${server.base}/v1/jobs/${jobId}/events`, { headers: { authorization: `Bearer ${token}`, ...headers }, signal: abort.signal });
	const s = { status: r.status, headers: r.headers, events: [], comments: 0, closed: false, abort: () => abort.abort() };
	const read = async () => {
		let text = '';
		for await (const chunk of r.body.pipeThrough(new TextDecoderStream())) {
			text += chunk;
			for (let at; (at = text.indexOf('\n\n')) >= 0; text = text.slice(at + 2)) {
				const lines = text.slice(0, at).split('\n');
				if (lines[0] === ':') { s.comments++; continue; }
				const f = Object.fromEntries(lines.map((l) => [l.slice(0, l.indexOf(':')), l.slice(l.indexOf(':') + 2)]));
				s.events.push({ id: f.id, event: f.event, data: JSON.parse(f.data) });
			}
		}
	};
	if (r.status === 200) read().catch(() => {}).finally(() => { s.closed = true; });
	else s.text = await r.text();
	return s;
}

// A sink that answers when told to.
async function heldSink() {
	const held = [];
	let free = false;
	const a = await application((req, res) => { if (free) json(res, 201, {}); else held.push(res); });
	return { ...a, held, release: (n = Infinity) => { if (n === Infinity) free = true; for (const res of held.splice(0, n)) json(res, 201, {}); } };
}

test('from the first state to the end', async () => {
	const sink = await heldSink();
	const x = await installFlow(server, { source: (await application(pagedSource(40, 10))).url, sink: sink.url });
	const { _jobId } = await server.ok(201, 'POST', `/v1/flows/${x.flow}/run`);
	const s = await follow(_jobId);
	assert.equal(s.status, 200);
	assert.match(s.headers.get('content-type'), /^text\/event-stream/);
	assert.equal(s.headers.get('cache-control'), 'no-store');
	await until('the first state came', () => s.events.length > 0);
	assert.equal(s.events[0].event, 'job');
	assert.equal(s.events[0].data._id, _jobId);
	for (let page = 1; page <= 3; page++) {
		await until('a page is on its way', () => sink.held.length === 10);
		sink.release(10);
		await until(`page ${page} is told of`, () => s.events.some((e) => e.data.ledger.succeeded === 10 * page));
	}
	sink.release();
	await until('the stream has ended', () => s.closed);
	const end = s.events.at(-1);
	assert.equal(end.event, 'end');
	assert.equal(end.data.status, 'completed');
	assert.equal(end.data.ledger.succeeded, 40);
	assert.equal(s.events.filter((e) => e.event === 'end').length, 1);
	assert.deepEqual(end.data, await server.ok(200, 'GET', `/v1/jobs/${_jobId}`));
	const counts = s.events.map((e) => e.data.ledger.succeeded);
	assert.deepEqual(counts, [...counts].sort((a, b) => a - b));
	// who comes back: the state and the end again, or 204 when it has seen the end
	const again = await follow(_jobId, { 'last-event-id': 'nonsense' });
	await until('the second stream has ended', () => again.closed);
	assert.deepEqual(again.events.map((e) => e.event), ['job', 'end']);
	assert.equal((await follow(_jobId, { 'last-event-id': end.id })).status, 204);
});

test('a canceled job ends its stream', async () => {
	const sink = await heldSink();
	const x = await installFlow(server, { source: (await application(pagedSource(10, 10))).url, sink: sink.url });
	const { _jobId } = await server.ok(201, 'POST', `/v1/flows/${x.flow}/run`);
	const s = await follow(_jobId);
	await until('records are on their way', () => sink.held.length > 0);
	await server.ok(200, 'PUT', `/v1/jobs/${_jobId}/cancel`);
	await until('the stream has ended', () => s.closed);
	assert.equal(s.events.at(-1).event, 'end');
	assert.equal(s.events.at(-1).data.status, 'canceled');
});

test('unknown jobs, other methods, old clients', async () => {
	assert.equal((await follow('5560092ed7922800000f000e')).status, 404);
	const x = await installFlow(server, { source: (await application(pagedSource(2, 2))).url, sink: (await application((req, res) => json(res, 201, {}))).url });
	const job = await server.runFlow(x.flow);
	const ask = (method, version) => raw(server.port, `${method} /v1/jobs/${job._id}/events HTTP/${version}\r\nHost: a\r\nAuthorization: Bearer ${server.token}\r\nConnection: close\r\n\r\n`);
	const head = await ask('HEAD', '1.1');
	assert.match(head, /^HTTP\/1\.1 200 OK\r\n/);
	assert.ok(head.endsWith('\r\n\r\n'));
	const old = await ask('GET', '1.0');
	assert.doesNotMatch(old, /chunked/i);
	assert.match(old, /\r\n\r\nid: \d+\nevent: job\ndata: \{.*\}\n\nid: \d+\nevent: end\ndata: \{.*\}\n\n$/);
	assert.equal((await server.call('POST', `/v1/jobs/${job._id}/events`)).status, 405);
});

test('a token has a limit of streams, and those that left do not count', async () => {
	const sink = await heldSink();
	const x = await installFlow(server, { source: (await application(pagedSource(10, 10))).url, sink: sink.url });
	const { _jobId } = await server.ok(201, 'POST', `/v1/flows/${x.flow}/run`);
	const streams = [];
	for (let i = 0; i < 20; i++) streams.push(await follow(_jobId));
	assert.ok(streams.every((s) => s.status === 200));
	const over = await follow(_jobId);
	assert.equal(over.status, 429);
	assert.equal(JSON.parse(over.text).errors[0].code, 'rate_limited');
	assert.ok(Number(over.headers.get('retry-after')) > 0);
	assert.match(over.headers.get('content-type'), /^application\/json/);
	const { token } = await server.ok(201, 'POST', '/v1/accesstokens', { name: 'other' });
	const other = await follow(_jobId, {}, token);
	assert.equal(other.status, 200);
	for (const s of streams.slice(0, 5)) s.abort();
	await until('there is room again', async () => {
		const s = await follow(_jobId);
		if (s.status === 200) streams.push(s);
		return s.status === 200;
	});
	sink.release();
	await until('all have ended', () => streams.every((s) => s.closed) && other.closed);
});

test('a drain ends the streams in order', async () => {
	const sink = await heldSink();
	const x = await installFlow(server, { source: (await application(pagedSource(10, 10))).url, sink: sink.url });
	const { _jobId } = await server.ok(201, 'POST', `/v1/flows/${x.flow}/run`);
	const text = raw(server.port, `GET /v1/jobs/${_jobId}/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${server.token}\r\n\r\n`);
	await until('records are on their way', () => sink.held.length > 0);
	const s = await follow(_jobId);
	await until('the first state came', () => s.events.length > 0);
	const stopped = server.kill('SIGTERM');
	assert.ok((await text).endsWith('\r\n0\r\n\r\n'));
	await until('the stream has ended', () => s.closed);
	sink.release();
	await stopped;
	assert.equal(server.child.exitCode, 0);
});

await runTests();
