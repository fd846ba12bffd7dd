// The ways in which an application can misbehave: each is met by a flow of its own, all at once. Some
// records of each flow meet it at every attempt, some only at the first. When the flows have ended
// every record is at its sink or in one open error, and where the program can't know which, the
// error says so. Then all errors are tried again.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { Server, runTests, test, until } from '../system/lib.mjs';
import { checkAll } from './check.mjs';
import { Flows, Sink, Source } from './world.mjs';

const RECORDS = 12;
const raw = (text) => (res) => res.socket?.end(text);
const then = (text, last) => (res) => res.socket?.write(text, () => last(res.socket));
const nothing = () => {};
const reset = (socket) => socket.resetAndDestroy();
const head = (status, more = '') => `HTTP/1.1 ${status} X\r\nContent-Type: application/json\r\n${more}`;
const status = (code, headers = {}, body = '{}') => (res) => { res.writeHead(code, headers); res.end(body); };

function drip(res) {
	res.socket?.write(head(201, 'Content-Length: 100\r\n\r\n'));
	const timer = setInterval(() => (res.socket?.writable ? res.socket?.write(' ') : clearInterval(timer)), 100);
}

// What it does; `taken`: it took the record all the same; `hangs`: the program has to lose its patience.
const MANNERS = {
	'never answers, but takes it': { hangs: true, taken: true, act: nothing },
	'never answers': { hangs: true, act: nothing },
	'stops in the header': { hangs: true, taken: true, act: then('HTTP/1.1 201 Crea', nothing) },
	'stops in the body': { hangs: true, taken: true, act: then(head(201, 'Content-Length: 100\r\n\r\n{"id"'), nothing) },
	'closes in the body': { taken: true, act: raw(head(201, 'Content-Length: 100\r\n\r\n{"id"')) },
	'closes without an answer': { taken: true, act: (res) => res.socket?.destroy() },
	'resets before the answer': { taken: true, act: (res) => res.socket && reset(res.socket) },
	'resets in the body': { taken: true, act: then(head(201, 'Content-Length: 100\r\n\r\n{"id"'), reset) },
	'resets behind the answer': { taken: true, act: (res, answer) => { res.on('finish', () => setImmediate(() => res.socket && reset(res.socket))); answer(); } },
	'closes behind each answer': { taken: true, act: (res, answer) => { res.shouldKeepAlive = false; answer(); } },
	'sends more than it said': { taken: true, act: raw(head(201, 'Content-Length: 2\r\n\r\n{}{"id":4}HTTP/1.1 200 OK\r\n\r\n')) },
	'says two lengths': { taken: true, act: raw(head(201, 'Content-Length: 2\r\nContent-Length: 7\r\n\r\n{"a":1}')) },
	'breaks off its chunks': { taken: true, act: raw(head(201, 'Transfer-Encoding: chunked\r\n\r\n5\r\n{"id"\r\nzz')) },
	'drips': { hangs: true, taken: true, act: drip },
	'speaks no HTTP': { taken: true, act: raw('+OK POP3 ready\r\n') },
	'answers JSON that is none': { taken: true, act: status(201, { 'content-type': 'application/json' }, '{"id":') },
	'answers a page of HTML': { taken: true, act: status(200, { 'content-type': 'text/html' }, '<html>Welcome</html>') },
	'says gzip and sends none': { taken: true, act: status(201, { 'content-type': 'application/json', 'content-encoding': 'gzip' }, '{"id":1}') },
	'answers 204': { taken: true, act: status(204, {}, '') },
	'answers 429 with a time': { act: status(429, { 'retry-after': '1' }) },
	'answers 429': { act: status(429) },
	'answers 503 with a time': { act: status(503, { 'retry-after': '1' }) },
	'answers 500': { act: status(500) },
	'a gateway lost it, 502': { taken: true, act: status(502) },
	'a gateway gave up, 504': { taken: true, act: status(504) },
	'answers 401': { act: status(401), once: true },
	'redirects elsewhere': { act: status(302, { location: '/ping' }) },
	'redirects to itself': { act: status(307, { location: '/load/plain' }) },
	'answers 409': { act: status(409) },
	'goes on informing': { taken: true, act: then(`${'HTTP/1.1 102 Processing\r\n\r\n'.repeat(50)}${head(201, 'Content-Length: 2\r\n\r\n{}')}`, (socket) => socket.end()) },
};

test(`${Object.keys(MANNERS).length} ways to misbehave`, async () => {
	const patient = await new Server({ args: ['--outbound-timeout', '120', '--workers', '32'] }).start();
	// With a machine that is busy it loses its patience for good answers too: all of its sinks' may be none.
	const hasty = await new Server({ args: ['--outbound-timeout', '2', '--workers', '8'] }).start();
	const source = await new Source().start();
	source.add('plain', RECORDS);
	const bad = [];
	await Promise.all(Object.entries(MANNERS).map(async ([name, m], at) => {
		const server = m.hangs ? hasty : patient, dir = `${server.dir}/${at}`;
		fs.mkdirSync(dir);
		const sink = await new Sink(dir).start(), met = new Set();
		sink.manner = (entry) => {
			const n = Number(entry.id) % 4, first = !met.has(entry.id);
			met.add(entry.id);
			if (n > 1 || ((n === 1 || m.once) && !first)) return m.hangs ? { act: (res, answer) => answer() } : null;
			return { status: m.taken ? 201 : 599, act: m.act };
		};
		const flows = await new Flows(server, source, sink).connect();
		await flows.add('plain', { imp: { maxAttempts: 2 } });
		const job = await server.runFlow(flows.ids.plain.flow);
		const { bad: found, count } = await checkAll(server, { plain: { ...flows.ids.plain, kind: 'all', records: source.ids('plain') } }, sink.entries());
		const errors = await server.errorsOf(job._id);
		console.log(`# ${name}: ${JSON.stringify({ ...job.ledger, unknown: count.unknown, requests: count.requests })} ${errors[0]?.message ?? ''}`.slice(0, 220));
		if (job.status !== 'completed') bad.push(`${name}: the job is ${job.status}: ${JSON.stringify(job.error)}`);
		bad.push(...found.map((b) => `${name}: ${b}`));
		if (errors.some((e) => !e._retryId)) bad.push(`${name}: an error has no retry data`);
		// the application is well again: what is tried again under the same key is the same to the byte
		sink.manner = null;
		for (const { _jobId } of await server.ok(200, 'POST', `/v1/flows/${flows.ids.plain.flow}/errors/retry`)) await server.jobEnd(_jobId);
		const { bad: later } = await checkAll(server, { plain: { ...flows.ids.plain, kind: 'all', records: source.ids('plain') } }, sink.entries());
		bad.push(...later.map((b) => `${name}, tried again: ${b}`));
		const left = (await server.ok(200, 'GET', `/v1/jobs/${job._id}`)).numOpenError;
		if (left > 0) bad.push(`${name}: ${left} errors are open still`);
	}));
	assert.deepEqual(bad, []);
	await patient.kill();
	await hasty.kill();
});

test('a page of an export of type once that is put off in part: what was delivered is marked', async () => {
	const server = new Server(), sink = await new Sink(server.dir).start(), source = await new Source().start();
	await server.start();
	const flows = await new Flows(server, source, sink).connect();
	source.add('once', 10);
	await flows.once('once');
	sink.manner = (entry) => (Number(entry.id) % 5 === 0 ? { status: 429, act: status(429, { 'retry-after': '3600' }) } : null);
	const { _jobId } = await server.ok(201, 'POST', `/v1/flows/${flows.ids.once.flow}/run`);
	await until('the job waits', async () => (await server.ok(200, 'GET', `/v1/jobs/${_jobId}`)).waitingFor?._connectionId);
	const delivered = sink.entries().filter((e) => e.status < 400).map((e) => Number(e.id)).sort((a, b) => a - b);
	assert.ok(delivered.length > 0);
	assert.deepEqual(source.sets.get('once').filter((r) => r.done).map((r) => r.id), delivered);
	await server.kill();
});

await runTests();
