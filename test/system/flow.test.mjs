// A flow from a source to a sink, with everything that can go wrong on either side. After each run
// the ledger must add up and every record must be delivered or have its own error.
import assert from 'node:assert/strict';
import { Server, application, installFlow, json, pagedSource, runTests, tcpApplication, test, until } from './lib.mjs';

const server = await new Server({ args: ['--outbound-timeout', '60'] }).start();
// For applications that never answer; it has little patience with the others too, so it meets few of them.
const hasty = await new Server({ args: ['--outbound-timeout', '2'] }).start();

function assertLedger(job) {
	const l = job.ledger;
	assert.equal(l.exported, l.succeeded + l.ignored + l.failed + l.inFlight, JSON.stringify(l));
}
const goodSink = () => {
	const got = [];
	return application((req, res, body) => {
		got.push({ method: req.method, url: req.url, headers: req.headers, body: JSON.parse(body) });
		json(res, 201, { id: got.length });
	}).then((a) => ({ ...a, got }));
};

test('55 records in pages of 10 arrive mapped, and counts follow the platform', async () => {
	const source = await application(pagedSource(55, 25));
	const sink = await goodSink();
	const ids = await installFlow(server, { source: source.url, sink: sink.url });
	const job = await server.runFlow(ids.flow);
	assert.equal(job.status, 'completed');
	assert.deepEqual(job.ledger, { exported: 55, succeeded: 55, ignored: 0, failed: 0, inFlight: 0 });
	assert.equal(job.numSuccess, 110); // at the export and at the import
	assert.equal(job.numPagesGenerated, 6);
	assert.equal(job.doneExporting, true);
	assert.equal(sink.got.length, 55);
	assert.deepEqual(sink.got.map((g) => g.body.key).sort((a, b) => a - b), [...Array(55).keys()]);
	assert.deepEqual(sink.got.find((g) => g.body.key === 7).body, { key: 7, data: { label: 'name 7' } });
	const family = await server.ok(200, 'GET', `/v1/jobs/${job._id}/family`);
	assert.deepEqual(family.children.map((c) => [c.type, c.oIndex, c.status, c.numSuccess]),
		[['export', 0, 'completed', 55], ['import', 1, 'completed', 55]]);
	assert.deepEqual(await server.errorsOf(job._id), []);
});

test('with concurrencyLevel 1 records arrive in order, each number as written', async () => {
	const source = await application((req, res) => {
		res.writeHead(200, { 'content-type': 'application/json' });
		res.end('{"items":[{"id":9007199254740993,"name":"0.10"},{"id":0.10,"name":"b"},{"id":1E2,"name":"c"}]}');
	});
	const bodies = [];
	const sink = await application((req, res, body) => { bodies.push(body); json(res, 200, {}); });
	const ids = await installFlow(server, { source: source.url, sink: sink.url, sinkConnection: { concurrencyLevel: 1 } });
	assert.equal((await server.runFlow(ids.flow)).ledger.succeeded, 3);
	assert.deepEqual(bodies, ['{"key":9007199254740993,"data":{"label":"0.10"}}',
		'{"key":0.10,"data":{"label":"b"}}', '{"key":1E2,"data":{"label":"c"}}']);
});

test('never more requests in the air than concurrencyLevel', async () => {
	const source = await application(pagedSource(60, 60));
	let now = 0, most = 0;
	const waiting = [];
	const sink = await application((req, res) => {
		most = Math.max(most, ++now);
		waiting.push(() => { now--; json(res, 200, {}); });
		// answer only when the client has sent all it will: then the count is exact
		setImmediate(() => { if (waiting.length >= 3 || now < 3) waiting.shift()?.(); });
	});
	const ids = await installFlow(server, { source: source.url, sink: sink.url,
		exportMore: { pageSize: 60 }, sinkConnection: { concurrencyLevel: 3 } });
	const run = server.runFlow(ids.flow);
	const drain = setInterval(() => waiting.shift()?.(), 1);
	const job = await run;
	clearInterval(drain);
	assert.equal(job.ledger.succeeded, 60);
	assert.ok(most <= 3, `saw ${most}`);
});

// What both sides of flows, and calls, ask of one application; `hold(answer)` says when it answers.
async function counted(count, size, hold) {
	const seen = { now: 0, most: 0, all: 0, logins: 0 };
	const items = pagedSource(count, size);
	const app = await application((req, res, body) => {
		seen.all++;
		seen.most = Math.max(seen.most, ++seen.now);
		hold(() => {
			seen.now--;
			if (req.url.startsWith('/items')) return items(req, res);
			if (req.url === '/login') seen.logins++;
			return json(res, 200, { id: 1 }, req.url === '/login' ? { 'set-cookie': 'sid=1' } : {});
		});
	});
	return { ...app, seen };
}

test('concurrencyLevel holds over flows, their exports, and calls', async () => {
	for (const login of [{}, { authType: 'cookie', cookieAuth: { uri: '/login' } }]) {
		const app = await counted(30, 10, (answer) => setTimeout(answer, 1));
		const one = await installFlow(server, { source: app.url, sink: app.url, sinkConnection: { concurrencyLevel: 1, pingRelativeURI: '/me', ...login } });
		const two = await installFlow(server, { source: app.url, sink: app.url });
		const c = one.connections[1];
		for (const ids of [one, two]) {
			await server.ok(200, 'PATCH', `/v1/exports/${ids.export}`, { _connectionId: c });
			await server.ok(200, 'PATCH', `/v1/imports/${ids.import}`, { _connectionId: c });
		}
		const records = [{ id: 1 }, { id: 2 }, { id: 3 }];
		const calls = [];
		for (let i = 0; i < 4; i++) calls.push(
			server.ok(200, 'GET', `/v1/connections/${c}/ping`).then((r) => assert.deepEqual(r, { code: 200 })),
			server.ok(200, 'GET', `/v1/connections/${c}/proxy`, undefined, { 'integrator-relative-uri': '/p' }),
			server.ok(200, 'POST', `/v1/exports/${one.export}/invoke`).then((r) => assert.equal(r.data.length, 30)),
			server.ok(200, 'POST', `/v1/imports/${one.import}/invoke`, records).then((r) => assert.ok(r.every((x) => x.statusCode === 200), JSON.stringify(r))),
			server.ok(200, 'POST', `/v1/connections/${c}/export`, { export: { rest: { relativeURI: '/items', resourcePath: 'items' } } }),
			server.ok(200, 'POST', '/v1/exports/preview', { _connectionId: c, rest: { relativeURI: '/items', resourcePath: 'items' } }));
		const jobs = await Promise.all([server.runFlow(one.flow), server.runFlow(two.flow), ...calls]);
		for (const job of jobs.slice(0, 2)) assert.equal(job.ledger.succeeded, 30, JSON.stringify(job));
		assert.equal(app.seen.most, 1);
		assert.equal(app.seen.logins > 0, login.authType === 'cookie');
	}
});

test('as many calls as concurrencyLevel says are on their way, the others follow', async () => {
	const held = [];
	const app = await counted(0, 1, (answer) => held.push(answer));
	const c = (await server.ok(201, 'POST', '/v1/connections', { type: 'rest', rest: { baseURI: app.url, concurrencyLevel: 3 } }))._id;
	const pings = Array.from({ length: 8 }, () => server.ok(200, 'GET', `/v1/connections/${c}/ping`));
	for (let done = 0; done < 8; done++) {
		await until('all that may be are on their way', () => app.seen.now === Math.min(3, 8 - done));
		held.shift()();
	}
	for (const r of await Promise.all(pings)) assert.deepEqual(r, { code: 200 });
	assert.equal(app.seen.most, 3);
});

test('authentication goes where the connection says', async () => {
	const seen = [];
	const source = await application((req, res) => {
		seen.push([req.url, req.headers.authorization, req.headers['x-api-key']]);
		json(res, 200, { items: [] });
	});
	const cases = [
		[{ bearerToken: 't0p' }, ['/items', 'Bearer t0p', undefined]],
		[{ bearerToken: 't0p', authHeader: 'X-Api-Key', authScheme: '' }, ['/items', undefined, 't0p']],
		[{ bearerToken: 't&p', tokenLocation: 'url', tokenParam: 'key' }, ['/items?key=t%26p', undefined, undefined]],
		[{ basicAuth: { username: 'u', password: 'p' } }, ['/items', 'Basic dTpw', undefined]],
	];
	for (const [rest, want] of cases) {
		const ids = await installFlow(server, { source: source.url, sink: source.url, sourceConnection: rest });
		const job = await server.runFlow(ids.flow);
		assert.equal(job.status, 'completed');
		assert.match(job.zeroReason, /no records/);
		assert.deepEqual(seen.pop(), want);
	}
});

// ---- sinks ----

for (const [name, status] of [['400', 400], ['409', 409], ['500', 500]]) {
	test(`a sink that answers ${name} fails that record alone, with its words and the record`, async () => {
		const source = await application(pagedSource(20, 20));
		const sink = await application((req, res, body) => {
			const bad = JSON.parse(body).key === 13;
			json(res, bad ? status : 201, bad ? { message: 'not thirteen' } : {});
		});
		const ids = await installFlow(server, { source: source.url, sink: sink.url,
			sinkConnection: { bearerToken: 's3cret' } });
		const job = await server.runFlow(ids.flow);
		assert.equal(job.status, 'completed');
		assert.deepEqual(job.ledger, { exported: 20, succeeded: 19, ignored: 0, failed: 1, inFlight: 0 });
		const [e, ...more] = await server.errorsOf(job._id);
		assert.equal(more.length, 0);
		assert.equal(e.code, name);
		assert.equal(e.source, 'application');
		assert.equal(e.stage, 'submit');
		assert.equal(e.traceKey, '13');
		assert.match(e.message, /not thirteen/);
		assert.match(e.request, /POST .*\/load/);
		assert.match(e.request, /"key":13/);
		assert.ok(!e.request.includes('s3cret') && e.request.includes('******'), e.request);
		assert.match(e.response, /not thirteen/);
		const retry = await server.ok(200, 'GET', `/v1/retries/${e._retryId}/data`);
		assert.deepEqual(retry.data, { id: 13, name: 'name 13' });
	});
}

// It answers a ping, so the connection stays online: the fault is the records'.
const online = (fault) => (s) => s.on('data', (d) => {
	if (d.toString().startsWith('GET ')) s.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}');
	else fault(s);
});
for (const [name, handler, pattern, on = server] of [
	['hangs', () => {}, /within 2000 ms/, hasty],
	['resets before it answers', online((s) => s.resetAndDestroy()), /outcome is unknown/],
	['closes without an answer', online((s) => s.destroy()), /outcome is unknown/],
	['answers garbage', (s) => s.on('data', () => s.end('nonsense\r\n\r\n')), /./],
	['answers half a body', (s) => s.on('data', () => s.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf')), /./],
]) {
	test(`a sink that ${name}: every record has its own error`, async () => {
		const source = await application(pagedSource(3, 3));
		const sink = await tcpApplication(handler);
		const ids = await installFlow(on, { source: source.url, sink: sink.url });
		const job = await on.runFlow(ids.flow);
		assert.equal(job.status, 'completed');
		assert.deepEqual(job.ledger, { exported: 3, succeeded: 0, ignored: 0, failed: 3, inFlight: 0 });
		const errors = await on.errorsOf(job._id);
		assert.deepEqual(errors.map((e) => e.recordIndex).sort(), [0, 1, 2]);
		for (const e of errors) {
			assert.match(e.message, pattern);
			assert.ok(e._retryId);
		}
	});
}

for (const [name, url] of [
	['resets before reading', async () => (await tcpApplication((s) => s.resetAndDestroy())).url],
	['closes without an answer', async () => (await tcpApplication((s) => s.on('data', () => s.destroy()))).url],
	['is not there', async () => 'http://127.0.0.1:9'],
]) {
	test(`a sink that ${name} is offline: the job waits, and no record has failed`, async () => {
		const source = await application(pagedSource(3, 3));
		const ids = await installFlow(server, { source: source.url, sink: await url() });
		const { _jobId } = await server.ok(201, 'POST', `/v1/flows/${ids.flow}/run`);
		const job = await until('the job waits', async () => {
			const j = await server.ok(200, 'GET', `/v1/jobs/${_jobId}`);
			return j.waitingFor?._connectionId ? j : null;
		});
		assert.match(JSON.stringify(job.waitingFor), /offline/);
		assert.deepEqual([job.ledger.exported, job.ledger.failed], [3, 0]);
		assertLedger(job);
		assert.equal((await server.ok(200, 'GET', `/v1/connections/${ids.connections[1]}`)).offline, true);
	});
}

test('a sink that the guard forbids', async () => {
	const source = await application(pagedSource(2, 2));
	for (const sink of ['http://169.254.169.254', 'http://10.1.2.3', 'http://[::ffff:10.1.2.3]']) {
		const ids = await installFlow(server, { source: source.url, sink });
		const job = await server.runFlow(ids.flow);
		assert.equal(job.ledger.failed, 2);
		assert.deepEqual((await server.errorsOf(job._id)).map((e) => e.code), ['egress_denied', 'egress_denied']);
	}
});

test('CR, LF and NUL of a record never reach a request line or header', async () => {
	const source = await application((req, res) => json(res, 200,
		{ items: [{ id: 'a\r\nX-Evil: 1', name: 'n' }, { id: 'b\u0000', name: 'n' }, { id: 'ok', name: 'n' }] }));
	const urls = [];
	const sink = await application((req, res) => { urls.push([req.url, req.headers['x-evil']]); json(res, 200, {}); });
	const ids = await installFlow(server, { source: source.url, sink: sink.url, importRest: { relativeURI: '/load/{id}' } });
	const job = await server.runFlow(ids.flow);
	assertLedger(job);
	assert.ok(urls.every(([, evil]) => evil === undefined));
	assert.ok(urls.some(([u]) => u === '/load/ok'));
	assert.ok(urls.some(([u]) => u === '/load/a%0D%0AX-Evil%3A%201'), JSON.stringify(urls));
});

test('a placeholder without a value fails its record, not the request to a shorter path', async () => {
	const source = await application((req, res) => json(res, 200, { items: [{ name: 'x' }, { id: 2, name: 'y' }] }));
	const sink = await goodSink();
	const ids = await installFlow(server, { source: source.url, sink: sink.url, importRest: { relativeURI: '/load/{id}' } });
	const job = await server.runFlow(ids.flow);
	assert.deepEqual([job.ledger.succeeded, job.ledger.failed], [1, 1]);
	assert.deepEqual(sink.got.map((g) => g.url), ['/load/2']);
	assert.equal((await server.errorsOf(job._id))[0].code, 'missing_value');
});

test('successPath tells success from a 200 that is none; responseIdPath is read', async () => {
	const source = await application(pagedSource(2, 2));
	const sink = await application((req, res, body) => json(res, 200, { ok: JSON.parse(body).key === 0, why: 'no stock' }));
	const ids = await installFlow(server, { source: source.url, sink: sink.url, importRest: { successPath: 'ok' } });
	const job = await server.runFlow(ids.flow);
	assert.deepEqual([job.ledger.succeeded, job.ledger.failed], [1, 1]);
	assert.match((await server.errorsOf(job._id))[0].message, /no stock/);
});

// ---- sources ----

const page = (items, next) => `{"items":${JSON.stringify(items)},"next":${JSON.stringify(next)}}`;
const sends = (text, type = 'application/json') => (req, res) => {
	res.writeHead(200, { 'content-type': type });
	res.end(text);
};
for (const [name, handler, code, pattern] of [
	['HTML', sends('<html>Sign in</html>', 'text/html'), 'invalid_response', /text\/html.*line 1, column 1/],
	['nothing', sends(''), 'invalid_response', /empty body/],
	['malformed JSON', sends('{"items":[{"id":1},]}'), 'invalid_response', /line 1, column 20/],
	['invalid UTF-8', (req, res) => { res.writeHead(200); res.end(Buffer.from([0x22, 0xff, 0x22])); }, 'invalid_response', /UTF-8/],
	['100,000 nested brackets', sends('['.repeat(100000)), 'invalid_response', /more than \d+ arrays and objects/],
	['an error status', (req, res) => json(res, 503, { message: 'closed' }), 'http_status', /503.*closed/],
	['records of the wrong type', sends('{"items":"none today"}'), 'invalid_response', /string stands where records/],
	['a next page on another server', sends(page([{ id: 1 }], 'http://127.0.0.2:1/items')), 'egress_denied', /another server/],
	['a next page that is no URL', sends(page([{ id: 1 }], 17)), 'invalid_response', /number, not a URL/],
]) {
	test(`a source that answers ${name} fails the job and says so`, async () => {
		const source = await application(handler);
		const sink = await goodSink();
		const ids = await installFlow(server, { source: source.url, sink: sink.url });
		const job = await server.runFlow(ids.flow);
		assert.equal(job.status, 'failed');
		assertLedger(job);
		assert.match(job.error.message, pattern);
		assert.match(job.error.message, /export "Orders", page \d/);
		const [e] = await server.errorsOf(job._id);
		assert.equal(e.stage, 'export');
		assert.ok(!e.recordIndex);
		assert.equal(job.error.code, code);
	});
}

test('pages before a broken one are delivered', async () => {
	const source = await application((req, res) => {
		if (req.url === '/items') json(res, 200, { items: [{ id: 1, name: 'a' }], next: '/items?p=2' });
		else if (req.url === '/') json(res, 200, {}); // a ping finds it: the connection is not offline
		else res.socket.destroy();
	});
	const sink = await goodSink();
	const ids = await installFlow(server, { source: source.url, sink: sink.url });
	const job = await server.runFlow(ids.flow);
	assert.equal(job.status, 'failed');
	assert.deepEqual([job.ledger.exported, job.ledger.succeeded], [1, 1]);
	assert.equal(sink.got.length, 1);
});

test('a next page that points to itself, or in a circle, ends as paging_loop', async () => {
	for (const size of [1, 3]) {
		const source = await application((req, res) => {
			const p = Number(new URL(req.url, 'http://x').searchParams.get('p') ?? 0);
			json(res, 200, { items: [{ id: p, name: 'n' }], next: `/items?p=${(p + 1) % size}` });
		});
		const sink = await goodSink();
		const ids = await installFlow(server, { source: source.url, sink: sink.url });
		const job = await server.runFlow(ids.flow);
		assert.equal(job.status, 'failed');
		assert.equal(job.error.code, 'paging_loop');
		assertLedger(job);
		assert.ok(job.ledger.exported <= size + 1, JSON.stringify(job.ledger));
	}
});

test('a source that hangs, sends half a body, or garbage', async () => {
	for (const [handler, code, on = server] of [
		[() => {}, 'timeout', hasty],
		[(s) => s.on('data', () => s.end('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"items":[')), 'invalid_response'],
		[(s) => s.on('data', () => s.end('\u0001\u0002\u0003')), 'invalid_response'],
	]) {
		const source = await tcpApplication(handler);
		const ids = await installFlow(on, { source: source.url, sink: source.url });
		const job = await on.runFlow(ids.flow);
		assert.equal(job.status, 'failed');
		assert.equal(job.error.code, code, job.error.message);
	}
});

test('an endless body ends at the limit or the deadline, and the server lives', async () => {
	const source = await tcpApplication((s) => s.on('data', () => {
		s.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"items":["');
		const block = 'x'.repeat(1 << 20);
		const more = () => { while (!s.destroyed && s.write(block)); };
		s.on('drain', more);
		more();
	}));
	const ids = await installFlow(server, { source: source.url, sink: source.url });
	const job = await server.runFlow(ids.flow);
	assert.equal(job.status, 'failed');
	assert.match(job.error.code, /limit_exceeded|timeout/);
	await server.ok(200, 'GET', '/v1/tokenInfo');
});

test('a wrong resourcePath is not silence: the job names the nearest array', async () => {
	const source = await application(sends('{"data":{"customers":[{"id":1},{"id":2}]}}'));
	const ids = await installFlow(server, { source: source.url, sink: source.url });
	const job = await server.runFlow(ids.flow);
	assert.equal(job.status, 'completed');
	assert.equal(job.ledger.exported, 0);
	assert.match(job.zeroReason, /"items" is not in the answer; it has "data\.customers" \(2 items\)/);
});

test('one object is one record; an answer without resourcePath is the array', async () => {
	for (const [body, more, count] of [['{"items":{"id":1,"name":"n"}}', {}, 1], ['[{"id":1},{"id":2}]', { resourcePath: undefined }, 2]]) {
		const source = await application(sends(body));
		const sink = await goodSink();
		const rest = { ...more };
		const ids = await installFlow(server, { source: source.url, sink: sink.url, exportRest: rest });
		assert.equal((await server.runFlow(ids.flow)).ledger.succeeded, count);
	}
});

test('type test exports test.limit records', async () => {
	const source = await application(pagedSource(50, 10));
	const sink = await goodSink();
	const ids = await installFlow(server, { source: source.url, sink: sink.url, exportMore: { type: 'test', test: { limit: 13 } } });
	assert.equal((await server.runFlow(ids.flow)).ledger.succeeded, 13);
});

test('a disabled flow, a flow that sets what this version can not do, an unknown flow', async () => {
	const source = await application(pagedSource(1, 1));
	const ids = await installFlow(server, { source: source.url, sink: source.url });
	await server.ok(200, 'PATCH', `/v1/flows/${ids.flow}`, { disabled: true });
	let r = await server.call('POST', `/v1/flows/${ids.flow}/run`);
	assert.equal(r.status, 422);
	assert.equal(r.json.errors[0].code, 'invalid_flow');
	await server.ok(200, 'PATCH', `/v1/flows/${ids.flow}`, { disabled: null });
	const script = await server.ok(201, 'POST', '/v1/scripts', { name: 'Script', content: 'function f() {}' });
	await server.ok(200, 'PATCH', `/v1/imports/${ids.import}`, { hooks: { preMap: { function: 'f', _scriptId: script._id } } });
	r = await server.call('POST', `/v1/flows/${ids.flow}/run`);
	assert.equal(r.status, 422);
	assert.equal(r.json.errors[0].code, 'unsupported_field');
	assert.match(r.json.errors[0].field, /^hooks\.preMap\./);
	assert.equal((await server.call('POST', '/v1/flows/000000000000000000000000/run')).status, 404);
});

test('asking for a run while one is queued answers that one', async () => {
	let release;
	const gate = new Promise((resolve) => { release = resolve; });
	const source = await application(async (req, res) => { await gate; json(res, 200, { items: [] }); });
	const slow = await new Server({ args: ['--outbound-timeout', '60'] }).start();
	const ids = await installFlow(slow, { source: source.url, sink: source.url });
	const run = () => slow.ok(201, 'POST', `/v1/flows/${ids.flow}/run`);
	const first = (await run())._jobId;
	await until('the first runs', async () => (await slow.ok(200, 'GET', `/v1/jobs/${first}`)).status !== 'queued');
	const second = (await run())._jobId, third = (await run())._jobId;
	assert.notEqual(first, second);
	assert.equal(second, third);
	assert.equal((await slow.ok(200, 'GET', `/v1/jobs/${second}`)).status, 'queued');
	release();
	assert.equal((await slow.jobEnd(first)).status, 'completed');
	assert.equal((await slow.jobEnd(second)).status, 'completed');
});

await runTests();
