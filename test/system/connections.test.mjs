// Connections themselves: ping, proxy, the debug log, and the documents of the product as they stand.
import assert from 'node:assert/strict';
import { jsonApplication } from './json_application.mjs';
import { Server, application, installFlow, json, pagedSource, raw, runTests, test, until } from './lib.mjs';

const server = await new Server({ args: ['--outbound-timeout', '60'] }).start();
const hasty = await new Server({ args: ['--outbound-timeout', '2'] }).start(); // for applications that never answer
const connect = async (url, rest = {}, more = {}) => (await server.ok(201, 'POST', '/v1/connections',
	{ name: 'c', type: 'rest', rest: { baseURI: url, mediaType: 'json', ...rest }, ...more }))._id;

// It lets in who sends the token; says what it was asked.
async function guarded(token) {
	const seen = [];
	const app = await application((req, res, body) => {
		seen.push({ method: req.method, url: req.url, headers: req.headers, body });
		if (req.headers.authorization !== `Bearer ${token}`) json(res, 401, { message: 'who are you?' });
		else json(res, 200, { ok: true }, { 'x-from': 'application' });
	});
	return { ...app, seen };
}

// ---- ping ----

test('a ping of a stored connection, and of one that is not stored', async () => {
	const app = await guarded('right-token');
	const doc = (bearerToken) => ({ name: 'p', type: 'rest', rest: { baseURI: app.url, bearerToken, pingRelativeURI: '/me' } });
	const good = await server.ok(201, 'POST', '/v1/connections', doc('right-token'));
	const bad = await server.ok(201, 'POST', '/v1/connections', doc('wrong-token'));
	for (const method of ['GET', 'POST']) assert.deepEqual(await server.ok(200, method, `/v1/connections/${good._id}/ping`), { code: 200 });
	const no = await server.ok(200, 'GET', `/v1/connections/${bad._id}/ping`);
	assert.equal(no.code, 401);
	assert.match(no.message, /who are you/);
	assert.equal(no.errors[0].message, no.message);
	assert.deepEqual(await server.ok(200, 'POST', '/v1/connections/ping', doc('right-token')), { code: 200 });
	assert.equal((await server.ok(200, 'POST', '/v1/connections/ping', doc('wrong-token'))).code, 401);
	// what a client read, secret masked, and sends back
	assert.equal(good.rest.bearerToken, '******');
	assert.deepEqual(await server.ok(200, 'POST', '/v1/connections/ping', good), { code: 200 });
	assert.equal(app.seen.at(-1).headers.authorization, 'Bearer right-token');
	assert.ok(app.seen.every((x) => x.url === '/me'));
});

test('a stored secret is sent to no server but the one it was given for', async () => {
	const app = await guarded('right-token'), thief = await guarded('right-token');
	const good = await server.ok(201, 'POST', '/v1/connections', { name: 'p', type: 'rest',
		rest: { baseURI: app.url, bearerToken: 'right-token', pingRelativeURI: '/me' } });
	const moved = { ...good, rest: { ...good.rest, baseURI: thief.url } };
	for (const [method, url, body] of [
		['POST', '/v1/connections/ping', moved],
		['PUT', `/v1/connections/${good._id}`, moved],
		['PATCH', `/v1/connections/${good._id}`, { rest: { baseURI: thief.url } }],
	]) {
		const r = await server.call(method, url, body);
		assert.equal(r.status, 422, `${method} ${url} ${r.text}`);
		assert.equal(r.json.errors[0].field, 'rest.bearerToken', r.text);
		assert.match(r.json.errors[0].message, /must be given again/);
		assert.match(r.json.errors[0].hint, /rest\.baseURI/);
	}
	// by a header or a path of the call neither
	const proxied = await server.call('GET', `/v1/connections/${good._id}/proxy`, undefined, { 'integrator-relative-uri': `${thief.url}/x` });
	assert.equal(proxied.status, 403, proxied.text);
	for (const relativeURI of [`${thief.url}/x`, '@evil', '//evil.example/x'])
		await server.call('POST', `/v1/connections/${good._id}/export`, { export: { rest: { relativeURI } } });
	assert.equal(thief.seen.length, 0);
	// with the secret itself it may move
	await server.ok(200, 'PATCH', `/v1/connections/${good._id}`, { rest: { baseURI: thief.url, bearerToken: 'another' } });
	assert.equal((await server.ok(200, 'GET', `/v1/connections/${good._id}/ping`)).code, 401);
	assert.equal(thief.seen.at(-1).headers.authorization, 'Bearer another');
});

test('pings that fail say why, and never {"code":200}', async () => {
	const odd = await application((req, res) => json(res, 200, { ok: false }));
	const hangs = await application(() => {});
	for (const [url, rest, code, words, on = server] of [
		['http://127.0.0.1:9', {}, 502, /./],
		['http://10.1.2.3', {}, 502, /10\.1\.2\.3/],
		['http://nowhere.invalid', {}, 502, /nowhere\.invalid/],
		[hangs.url, {}, 502, /within 2000 ms/, hasty],
		[odd.url, { pingSuccessPath: 'ok' }, 422, /pingSuccessPath/],
	]) {
		const r = await on.ok(200, 'POST', '/v1/connections/ping', { type: 'rest', rest: { baseURI: url, pingRelativeURI: '/x', ...rest } });
		assert.equal(r.code, code, JSON.stringify(r));
		assert.match(r.message, words);
	}
});

test('bad pings', async () => {
	for (const [method, url, body, status, field] of [
		['GET', `/v1/connections/${'f'.repeat(24)}/ping`, undefined, 404, undefined],
		['GET', '/v1/connections/nonsense/ping', undefined, 404, undefined],
		['POST', '/v1/connections/ping', {}, 422, 'type'],
		['POST', '/v1/connections/ping', '[]', 422, undefined],
		['POST', '/v1/connections/ping', '{"type":"rest",}', 400, undefined],
		['POST', '/v1/connections/ping', { type: 'rest', rest: { baseURI: 'ftp://x' } }, 422, 'rest.baseURI'],
		['POST', '/v1/connections/ping', { type: 'rest', rest: { baseURI: 'http://127.0.0.1:9', bearerToken: '******' } }, 422, 'rest.bearerToken'],
		['POST', '/v1/connections/ping', { _id: 'f'.repeat(24), type: 'rest', rest: { baseURI: 'http://127.0.0.1:9', bearerToken: '******' } }, 422, '_id'],
		['DELETE', '/v1/connections/ping', undefined, 404, undefined],
	]) {
		const r = await server.call(method, url, body);
		assert.equal(r.status, status, `${method} ${url} ${r.text}`);
		if (field) assert.equal(r.json.errors[0].field, field, r.text);
	}
});

test('a ping brings a connection back that went offline by itself, and its job goes on', async () => {
	let down = true;
	const source = await application(pagedSource(3, 3));
	const sink = await application((req, res) => down ? json(res, 401, {}) : json(res, 200, { id: 1 }));
	const ids = await installFlow(server, { source: source.url, sink: sink.url, sinkConnection: { pingRelativeURI: '/me' } });
	const { _jobId } = await server.ok(201, 'POST', `/v1/flows/${ids.flow}/run`);
	const offline = async () => (await server.ok(200, 'GET', `/v1/connections/${ids.connections[1]}`)).offline === true;
	await until('it is offline', offline);
	assert.equal((await server.ok(200, 'GET', `/v1/connections/${ids.connections[1]}/ping`)).code, 401);
	assert.equal(await offline(), true);
	down = false;
	assert.deepEqual(await server.ok(200, 'GET', `/v1/connections/${ids.connections[1]}/ping`), { code: 200 });
	assert.equal(await offline(), false);
	assert.equal((await server.jobEnd(_jobId)).ledger.succeeded, 3);
});

test('a ping leaves a connection offline that its owner set so', async () => {
	const app = await application((req, res) => json(res, 200, {}));
	const c = await connect(app.url, { pingRelativeURI: '/' }, { offline: true });
	assert.deepEqual(await server.ok(200, 'GET', `/v1/connections/${c}/ping`), { code: 200 });
	assert.equal((await server.ok(200, 'GET', `/v1/connections/${c}`)).offline, true);
});

// ---- proxy ----

test('json-server: the proxy creates, reads, changes and deletes by the methods of the request', async () => {
	const app = await jsonApplication({ things: [] });
	const url = `/v1/connections/${await connect(app.url)}/proxy`;
	const at = (uri, more = {}) => ({ 'integrator-relative-uri': uri, ...more });
	assert.deepEqual(await server.ok(201, 'POST', url, { a: 1 }, at('/things')), { a: 1, id: 1 });
	assert.deepEqual(await server.ok(200, 'PATCH', url, { b: 2 }, at('/things/1')), { a: 1, b: 2, id: 1 });
	assert.deepEqual(await server.ok(200, 'PUT', url, { c: 3 }, at('/things/1')), { c: 3, id: 1 });
	assert.deepEqual(await server.ok(200, 'GET', url, undefined, at('/things?c=3')), [{ c: 3, id: 1 }]);
	assert.deepEqual(await server.ok(200, 'POST', url, undefined, at('/things/1', { 'integrator-method': 'GET' })), { c: 3, id: 1 });
	await server.ok(200, 'DELETE', url, undefined, at('/things/1'));
	const gone = await server.call('GET', url, undefined, at('/things/1'));
	assert.deepEqual([gone.status, gone.text, gone.headers.get('integrator-error')], [404, '{}', null]);
});

test('the proxy adds the credentials, and hands headers on only when asked', async () => {
	const app = await guarded('right-token');
	const url = `/v1/connections/${await connect(app.url, { bearerToken: 'right-token' })}/proxy`;
	const mine = { 'integrator-relative-uri': '/a?b=c%20d', 'x-mine': 'yes', cookie: 'no=1' };
	const plain = await server.call('POST', url, 'as it is', { ...mine, 'content-type': 'text/plain' });
	let seen = app.seen.at(-1);
	assert.deepEqual([plain.status, plain.headers.get('x-from'), plain.headers.get('content-type')], [200, null, 'application/json']);
	assert.deepEqual([seen.method, seen.url, seen.body, seen.headers['content-type'], seen.headers['x-mine']], ['POST', '/a?b=c%20d', 'as it is', 'text/plain', undefined]);
	assert.equal(seen.headers.authorization, 'Bearer right-token');
	const through = await server.call('GET', url, undefined, { ...mine, 'integrator-passthrough': 'true' });
	seen = app.seen.at(-1);
	assert.equal(through.headers.get('x-from'), 'application');
	assert.deepEqual([seen.headers['x-mine'], seen.headers.authorization, seen.headers.cookie, seen.headers['integrator-relative-uri']],
		['yes', 'Bearer right-token', undefined, undefined]);
	const wrong = `/v1/connections/${await connect(app.url, { bearerToken: 'wrong-token' })}/proxy`;
	const no = await server.call('GET', wrong, undefined, mine);
	assert.deepEqual([no.status, no.json], [401, { message: 'who are you?' }]); // the application's word
});

test('bad proxy requests', async () => {
	const c = await connect('http://127.0.0.1:9');
	const uri = { 'integrator-relative-uri': '/x' };
	for (const [method, id, headers, status, code, field] of [
		['GET', c, {}, 422, 'missing_required_field', 'Integrator-Relative-URI'],
		['GET', c, { 'integrator-relative-uri': '  ' }, 422, 'missing_required_field', 'Integrator-Relative-URI'],
		['POST', c, { ...uri, 'integrator-method': 'STEAL' }, 422, 'invalid_field', 'Integrator-Method'],
		['POST', c, { ...uri, 'integrator-passthrough': 'maybe' }, 422, 'invalid_field', 'Integrator-Passthrough'],
		['GET', 'f'.repeat(24), uri, 404, 'not_found', undefined],
		['GET', c, uri, 502, 'connection_failed', undefined],
		['GET', await connect('http://169.254.169.254'), uri, 403, 'egress_denied', undefined],
	]) {
		const r = await server.call(method, `/v1/connections/${id}/proxy`, undefined, headers);
		assert.equal(r.status, status, r.text);
		assert.equal(r.json.errors[0].code, code);
		assert.equal(r.json.errors[0].field, field);
		assert.equal(r.headers.get('integrator-error'), code);
	}
	const other = await application((req, res) => json(res, 200, { stolen: req.headers.authorization ?? null }));
	const safe = await connect((await guarded('right-token')).url, { bearerToken: 'right-token' });
	const r = await server.call('GET', `/v1/connections/${safe}/proxy`, undefined, { 'integrator-relative-uri': `${other.url}/x` });
	assert.ok(!r.text.includes('right-token'), r.text); // another origin gets no credentials
	assert.equal((await server.call('OPTIONS', `/v1/connections/${c}/proxy`, undefined, uri)).status, 405);
});

test('a header with an injected line never reaches the application', async () => {
	const app = await guarded('t');
	const c = await connect(app.url, { bearerToken: 't' });
	const head = `GET /v1/connections/${c}/proxy HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${server.token}\r\n`;
	for (const uri of ['/a%0d%0aX-Evil:%201', '/a\u0001b', '/a b'])
		await raw(server.port, `${head}Integrator-Relative-URI: ${uri}\r\nConnection: close\r\n\r\n`);
	assert.ok(app.seen.every((x) => x.headers['x-evil'] === undefined));
});

// ---- the debug log ----

const line = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([0-9a-f]{32}) (\w+) ([0-9a-f]{24}|-) (\{.*\})$/;
const read = async (c, id) => {
	const r = await server.call('GET', `/v1/connections/${c}/debug${id ? `/${id}` : ''}`);
	assert.equal(r.status, 200);
	assert.match(r.headers.get('content-type'), /^text\/plain/);
	if (r.text.startsWith('#')) {
		assert.match(r.text, /^# [^\n]+\n$/); // alone
		return [];
	}
	return r.text.split('\n').filter(Boolean).map((l) => {
		const m = line.exec(l);
		assert.ok(m, l);
		return { uuid: m[2], type: m[3], id: m[4], ...JSON.parse(m[5]) };
	});
};

test('the debug log: runs, invocations, pings and the proxy, while debugDate lies ahead', async () => {
	const source = await application(pagedSource(4, 2));
	const app = await guarded('very-secret');
	const ids = await installFlow(server, { source: source.url, sink: app.url, sinkConnection: { bearerToken: 'very-secret', pingRelativeURI: '/me' } });
	const [from, to] = ids.connections;
	await server.runFlow(ids.flow);
	assert.deepEqual(await read(to), []); // nobody asked for it
	const said = async (id = '') => (await server.call('GET', `/v1/connections/${to}/debug${id}`)).text;
	assert.match(await said(), new RegExp(`^# The debug log is off\\. POST /v1/connections/${to}/debug turns it on for 15 minutes`));
	const past = '2026-11-01T00:00:00.000Z';
	await server.ok(200, 'PATCH', `/v1/connections/${to}`, { debugDate: past });
	assert.match(await said(), new RegExp(`^# The debug log is off since ${past}, .*POST /v1/connections/${to}/debug`));
	const started = await server.ok(200, 'POST', `/v1/connections/${to}/debug`);
	assert.equal(await said(), `# The debug log is on until ${started.debugDate}; nothing was sent yet.\n`);
	assert.equal(await said(`/${ids.import}`), `# The debug log is on until ${started.debugDate}; nothing was sent yet for this resource.\n`);
	assert.ok(Math.abs(Date.parse(started.debugDate) - Date.now() - 15 * 60000) < 60000);
	await server.ok(200, 'PATCH', `/v1/connections/${from}`, { debugDate: new Date(Date.now() + 600000).toISOString() });
	await server.runFlow(ids.flow);
	const fetched = await read(from), loaded = await read(to);
	assert.deepEqual(fetched.map((l) => [l.kind, l.type, l.id]), Array(2).fill([['request', 'export', ids.export], ['response', 'export', ids.export]]).flat());
	assert.equal(fetched[0].uuid, fetched[1].uuid);
	assert.notEqual(fetched[0].uuid, fetched[2].uuid);
	assert.equal(loaded.filter((l) => l.kind === 'request' && l.method === 'POST' && l.id === ids.import).length, 4);
	assert.equal(loaded.find((l) => l.kind === 'response').statusCode, 200);
	await server.ok(200, 'GET', `/v1/connections/${to}/ping`);
	await server.call('GET', `/v1/connections/${to}/proxy`, undefined, { 'integrator-relative-uri': '/p' });
	await server.ok(200, 'POST', `/v1/imports/${ids.import}/invoke`, [{ id: 1 }]);
	assert.equal((await read(to, ids.import)).length, 10);
	assert.deepEqual((await read(to, to)).filter((l) => l.kind === 'request').map((l) => l.purpose), ['ping', 'proxy']);
	assert.ok(!(await server.call('GET', `/v1/connections/${to}/debug`)).text.includes('very-secret'));
	await server.ok(200, 'PATCH', `/v1/connections/${to}`, { debugDate: new Date(Date.now() - 1000).toISOString() });
	const before = (await read(to)).length;
	await server.ok(200, 'GET', `/v1/connections/${to}/ping`);
	assert.equal((await read(to)).length, before);
	assert.equal((await server.call('GET', `/v1/connections/${'f'.repeat(24)}/debug`)).status, 404);
	assert.equal((await server.call('PATCH', `/v1/connections/${to}`, { debugDate: 'soon' })).json.errors[0].field, 'debugDate');
});

test('the debug log is bounded: the oldest lines go', async () => {
	const app = await application((req, res) => json(res, 200, { id: 1, pad: 'x'.repeat(6000) }));
	const c = await connect(app.url, {}, { debugDate: new Date(Date.now() + 600000).toISOString() });
	const body = { import: { rest: { relativeURI: '/t', method: 'POST' } }, data: Array.from({ length: 400 }, (_, id) => ({ id })) };
	await server.ok(200, 'POST', `/v1/connections/${c}/import`, body);
	const lines = await read(c);
	const bytes = (await server.call('GET', `/v1/connections/${c}/debug`)).text.length;
	assert.ok(bytes <= 1 << 20 && bytes > 1 << 19, String(bytes));
	assert.ok(lines.length < 800 && lines.length > 100);
	assert.equal(lines[0].id, '-'); // an import that is not stored has no id
});

// ---- the product's own documents ----

test('the document\'s samples of a REST export, as they stand', async () => {
	const app = await application((req, res) => json(res, 200, { customers: [{ id: 1 }], next_page: null }));
	const c = await connect(app.url);
	const sample = `{
  "name": "My Export",
  "_connectionId": "${c}",
  "asynchronous": true,
  "rest": {
    "relativeURI": "/customers",
    "method": "GET",
    "resourcePath": "customers",
    "pagingMethod": "nextpageurl",
    "nextPagePath": "next_page"
  },
  "pageSize": 20
}`;
	const made = await server.ok(201, 'POST', '/v1/exports', sample);
	assert.match(made._id, /^[0-9a-f]{24}$/);
	assert.match(made.apiIdentifier, /^e[0-9a-f]{8}$/);
	assert.deepEqual(await server.ok(200, 'POST', `/${made.apiIdentifier}`), { data: [{ id: 1 }] });
	assert.deepEqual((await server.ok(200, 'POST', '/v1/exports/preview', sample)).data, [{ id: 1 }]);
	const comma = await server.call('POST', '/v1/exports/preview', sample.replace('"pageSize": 20', '"pageSize": 20,'));
	assert.equal(comma.status, 400);
	assert.match(comma.json.errors[0].message, /line 13/);
});

// Minus the trailing commas of the text, and its hooks, which need resources of their own.
test('the document\'s samples of REST imports, as they stand', async () => {
	const app = await jsonApplication({ customers: [{ id: 4, ns_id: '17', city: 'Bonn' }] });
	const c = await connect(app.url);
	const post = await server.ok(201, 'POST', '/v1/imports', `{
  "name": "REST API Sample Post",
  "_connectionId": "${c}",
  "rest": {
    "relativeURI": "/customers",
    "method": "POST"
  },
  "mapping": {
    "fields": [
      {"extract": "street1", "generate": "billingAddress.addr1"},
      {"extract": "street2", "generate": "billingAddress.addr2"},
      {"extract": "city", "generate": "billingAddress.city"},
      {"extract": "state", "generate": "billingAddress.state"},
      {"extract": "zip", "generate": "billingAddress.zip"},
      {"extract": "{first_name} {last_name}", "generate": "billingAddress.addressee"}
    ]
  }
}`);
	assert.match(post.apiIdentifier, /^i[0-9a-f]{8}$/);
	assert.deepEqual(await server.ok(200, 'POST', `/${post.apiIdentifier}`, [{ street1: '1 Main', city: 'Ulm', first_name: 'Anna', last_name: 'Lee' }]),
		[{ statusCode: 200, id: 5, _json: { billingAddress: { addr1: '1 Main', city: 'Ulm', addressee: 'Anna Lee' }, id: 5 } }]);
	const composite = await server.ok(201, 'POST', '/v1/imports', `{
  "name": "Composite Add or Update Import",
  "_connectionId": "${c}",
  "rest" : {
    "relativeURI": [
      "/customers/{idLookup}",
      "/customers"
    ],
    "method": [
      "PUT",
      "POST"
    ],
    "lookups" : [
      {
        "name": "idLookup",
        "relativeURI": "/customers?ns_id={internalId}",
        "method": "GET",
        "extract": "0.id"
      },
      {
        "name": "currencyMap",
        "map": {
          "USA": "USD",
          "JAPAN": "JPY",
          "UK": "GDP"
        },
        "allowFailures": "false"
      }
    ]
  },
  "mapping": {
    "fields": [
      {"extract": "billingAddress.city", "generate": "city"},
      {"extract": "billingAddress.zip", "generate": "zip"},
      {"extract": "{firstName} {lastName}", "generate": "addressee"},
      {"generate": "opt_out", "hardCodedValue": false},
      {"generate": "source", "hardCodedValue": "phone"},
      {"extract": "billingAddress.country", "generate": "currency", "lookupName": "currencyMap"}
    ]
  }
}`);
	const record = (internalId, country) => ({ internalId, firstName: 'Anna', lastName: 'Lee', billingAddress: { city: 'Ulm', zip: '1', country } });
	const rest = { city: 'Ulm', zip: '1', addressee: 'Anna Lee', opt_out: false, source: 'phone' };
	const r = await server.ok(200, 'POST', `/${composite.apiIdentifier}`, [record('17', 'UK'), record('18', 'JAPAN'), record('19', 'MARS')]);
	assert.deepEqual(r.slice(0, 2), [{ statusCode: 200, id: 4, _json: { ...rest, currency: 'GDP', id: 4 } },
		{ statusCode: 200, id: 6, _json: { ...rest, currency: 'JPY', id: 6 } }]);
	assert.equal(r[2].statusCode, 422);
	assert.match(r[2].errors[0].message, /"MARS" is not in lookup "currencyMap"/);
});

await runTests();
