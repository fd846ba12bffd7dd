// Exports and imports called at once: by apiIdentifier, by _id, unsaved ones, and their previews;
// against json-server and scripted applications.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { jsonApplication } from './json_application.mjs';
import { Server, application, json, runTests, test, until } from './lib.mjs';

const server = await new Server({ args: ['--outbound-timeout', '60'] }).start();

const connect = async (url, rest = {}) => (await server.ok(201, 'POST', '/v1/connections',
	{ name: 'c', type: 'rest', rest: { baseURI: url, mediaType: 'json', ...rest } }))._id;
const exportOf = (connection, rest, more = {}) => server.ok(201, 'POST', '/v1/exports',
	{ name: 'e', _connectionId: connection, maxAttempts: 1, rest: { method: 'GET', ...rest }, ...more });
const importOf = (connection, rest, more = {}) => server.ok(201, 'POST', '/v1/imports', { name: 'i', _connectionId: connection,
	maxAttempts: 1, rest, mapping: { fields: [{ extract: 'id', generate: 'id' }, { extract: 'name', generate: 'title' }] }, ...more });
const stage = (r, name) => r.stages.find((s) => s.name === name);

const customers = Array.from({ length: 25 }, (_, i) => ({ id: i + 1, name: `n${i + 1}`, sku: i % 2 ? 'ABC' : 'XYZ' }));
const shop = await jsonApplication({ customers, things: [] });

// ---- exports ----

test('json-server: an export is invoked by apiIdentifier, with and without /v1, and by _id', async () => {
	const e = await exportOf(await connect(shop.url), { relativeURI: '/customers?sku={{sku}}' });
	for (const url of [`/${e.apiIdentifier}`, `/v1/${e.apiIdentifier}`, `/v1/exports/${e._id}/invoke`]) {
		const r = await server.ok(200, 'POST', url, { sku: 'ABC' });
		assert.deepEqual(r, { data: customers.filter((c) => c.sku === 'ABC') });
	}
});

test('all pages, through transform and filter', async () => {
	const e = await exportOf(await connect(shop.url), { relativeURI: '/customers?_page=1&_limit=10', pagingMethod: 'linkheader' },
		{ filter: { rules: ['greaterthan', ['number', ['extract', 'id']], 20] }, transform: { rules: [[{ extract: 'id', generate: 'id' }]] } });
	assert.deepEqual(await server.ok(200, 'POST', `/${e.apiIdentifier}`), { data: [21, 22, 23, 24, 25].map((id) => ({ id })) });
});

test('a record that the transform can\'t take is told beside the others', async () => {
	const app = await application((req, res) => json(res, 200, [{ n: '1' }, { n: 'one' }, { n: '3' }]));
	const e = await exportOf(await connect(app.url), { relativeURI: '/' },
		{ transform: { rules: [[{ extract: 'n', generate: 'n', dataType: 'number' }]] } });
	const r = await server.ok(200, 'POST', `/${e.apiIdentifier}`);
	assert.deepEqual(r.data, [{ n: 1 }, { n: 3 }]);
	assert.deepEqual(r.errors.map((x) => [x.record, x.source, x.code]), [[1, 'transform', 'mapping_failed']]);
});

test('an export without records says why; one of type test stops at its limit', async () => {
	const c = await connect(shop.url);
	const none = await server.ok(200, 'POST', `/${(await exportOf(c, { relativeURI: '/customers?sku=none' })).apiIdentifier}`, {});
	assert.deepEqual(none.data, []);
	assert.match(none.zeroReason, /no records/);
	const few = await exportOf(c, { relativeURI: '/customers' }, { type: 'test', test: { limit: 3 } });
	assert.equal((await server.ok(200, 'POST', `/${few.apiIdentifier}`)).data.length, 3);
});

test('a delta export is asked with the dates given, or for everything', async () => {
	const asked = [];
	const app = await application((req, res) => { asked.push(new URL(req.url, 'http://x').searchParams.get('since')); json(res, 200, []); });
	const e = await exportOf(await connect(app.url), { relativeURI: '/c?since={{lastExportDateTime}}' }, { type: 'delta', delta: { dateField: 'd' } });
	await server.ok(200, 'POST', `/${e.apiIdentifier}`);
	await server.ok(200, 'POST', `/${e.apiIdentifier}`, { lastExportDateTime: '2020-02-02T00:00:00.000Z' });
	assert.deepEqual(asked, ['1970-01-01T00:00:00.000Z', '2020-02-02T00:00:00.000Z']);
});

test('code and message of a failure are the application\'s, and no 4xx of it looks like ours', async () => {
	let answer;
	const app = await application((req, res) => json(res, ...answer));
	const e = await exportOf(await connect(app.url), { relativeURI: '/x' });
	for (const [from, status, error] of [
		[[404, { errors: [{ code: 404, message: 'CONTENT_NOT_FOUND.x' }] }], 422, { code: 404, message: 'CONTENT_NOT_FOUND.x' }],
		[[401, { error: { code: 'bad_key', message: 'no' } }], 422, { code: 'bad_key', message: 'no' }],
		[[400, { code: 'E7', message: 'seven' }], 422, { code: 'E7', message: 'seven' }],
		[[429, {}, { 'retry-after': '7' }], 429, { code: 429 }],
		[[500, 'not an object'], 502, { code: 500 }],
	]) {
		answer = from;
		const r = await server.call('POST', `/${e.apiIdentifier}`);
		assert.equal(r.status, status, r.text);
		for (const [k, v] of Object.entries(error)) assert.equal(r.json.errors[0][k], v);
		assert.equal(r.json.errors[0].statusCode, from[0]);
		if (from[2]) assert.equal(r.headers.get('retry-after'), '7');
	}
	answer = [200, {}];
	await new Promise((resolve) => app.server.close(resolve) && app.server.closeAllConnections());
	const gone = await server.call('POST', `/${e.apiIdentifier}`);
	assert.equal(gone.status, 502);
	assert.equal(gone.json.errors[0].code, 'connection_failed');
});

test('more than a call may answer is a clear error, not a cut answer', async () => {
	const many = await application((req, res) => json(res, 200, Array.from({ length: 10001 }, (_, i) => i === 0 ? { a: 1 } : { a: i })));
	const large = await application((req, res) => json(res, 200, Array.from({ length: 60 }, () => ({ a: 'x'.repeat(100000) }))));
	for (const [app, words] of [[many, /more than 10000 records/], [large, /more than 5242880 bytes/]]) {
		const e = await exportOf(await connect(app.url), { relativeURI: '/x' });
		const r = await server.call('POST', `/${e.apiIdentifier}`);
		assert.equal(r.status, 422);
		assert.equal(r.json.errors[0].code, 'limit_exceeded');
		assert.match(r.json.errors[0].message, words);
		assert.match(r.json.errors[0].hint, /pages/);
	}
});

test('bad invocations', async () => {
	const c = await connect(shop.url);
	const e = await exportOf(c, { relativeURI: '/customers' });
	const i = await importOf(c, { relativeURI: '/things', method: 'POST' });
	const off = await connect(shop.url);
	const offline = await exportOf(off, { relativeURI: '/customers' });
	await server.ok(200, 'PATCH', `/v1/connections/${off}`, { offline: true });
	for (const [url, body, status, code, words] of [
		[`/${e.apiIdentifier}`, '[1]', 422, 'invalid_field', /an object, whose members/],
		[`/${e.apiIdentifier}`, '{"a":1,}', 400, 'invalid_json', /line 1/],
		[`/${i.apiIdentifier}`, { id: 1 }, 422, 'invalid_field', /should be a JSON array/],
		[`/${i.apiIdentifier}`, undefined, 400, 'invalid_json', /no body/],
		[`/${i.apiIdentifier}`, '"x"', 422, 'invalid_field', /found a string/],
		['/e00000000', {}, 404, 'not_found', /./],
		['/i00000000', [], 404, 'not_found', /./],
		[`/v1/exports/${i._id}/invoke`, {}, 404, 'not_found', /./],
		[`/v1/imports/${'0'.repeat(24)}/invoke`, [], 404, 'not_found', /./],
		[`/${offline.apiIdentifier}`, {}, 422, 'connection_offline', /Connection is offline/],
	]) {
		const r = await server.call('POST', url, body);
		assert.equal(r.status, status, `${url} ${r.text}`);
		assert.equal(r.json.errors[0].code, code);
		assert.match(r.json.errors[0].message, words);
	}
	const anonymous = await fetch(`${server.base}/${e.apiIdentifier}`, { method: 'POST' });
	assert.equal(anonymous.status, 401);
	assert.match(anonymous.headers.get('www-authenticate'), /Bearer/);
});

test('Integrator-Relative-URI stands in place of the document\'s for one call', async () => {
	const c = await connect(shop.url);
	const e = await exportOf(c, { relativeURI: '/customers' });
	const r = await server.ok(200, 'POST', `/${e.apiIdentifier}`, {}, { 'integrator-relative-uri': '/customers?id=7' });
	assert.deepEqual(r.data.map((x) => x.id), [7]);
	assert.equal((await server.ok(200, 'POST', `/${e.apiIdentifier}`, {})).data.length, 25);
	const seen = [];
	const app = await application((req, res) => { seen.push(req.url); json(res, 200, { id: 1 }); });
	const i = await importOf(await connect(app.url), { relativeURI: '/things', method: 'POST' });
	await server.ok(200, 'POST', `/${i.apiIdentifier}`, [{ id: 1 }], { 'integrator-relative-uri': '/other/{id}' });
	assert.deepEqual(seen, ['/other/1']);
});

// ---- imports ----

test('json-server: an import answers a result for each record, in order, and 200 though one fails', async () => {
	const app = await jsonApplication({ things: [{ id: 2, title: 'there' }] });
	const i = await importOf(await connect(app.url), { relativeURI: '/things', method: 'POST' });
	const r = await server.call('POST', `/${i.apiIdentifier}`, [{ id: 1, name: 'a' }, { id: 2, name: 'b' }, 5, { id: 3, name: 'c' }]);
	assert.equal(r.status, 200);
	assert.deepEqual(r.json.map((x) => x.statusCode), [200, 422, 422, 200]);
	assert.deepEqual(r.json[0], { statusCode: 200, id: 1, _json: { id: 1, title: 'a' } });
	assert.match(r.json[1].errors[0].message, /500/);
	// as a job's error has them
	assert.deepEqual(r.json[1].errors.map((e) => [e.code, e.source]), [['500', 'application']]);
	assert.deepEqual(r.json[2].errors.map((e) => [e.code, e.source]), [['invalid_field', 'input']]);
	assert.match(r.json[2].errors[0].message, /a record is an object; this is a number/);
	assert.deepEqual(app.all().things.map((t) => t.title), ['there', 'a', 'c']);
	assert.deepEqual(await server.ok(200, 'POST', `/v1/imports/${i._id}/invoke`, []), []);
});

test('what the import ignores is told as ignored', async () => {
	const app = await jsonApplication({ things: [] });
	const i = await importOf(await connect(app.url), { relativeURI: '/things', method: 'POST' }, { filter: { rules: ['equals', ['extract', 'name'], 'a'] } });
	assert.deepEqual((await server.ok(200, 'POST', `/${i.apiIdentifier}`, [{ id: 1, name: 'a' }, { id: 2, name: 'b' }])).map((x) => x.ignored), [undefined, true]);
});

test('the caller\'s Idempotency-Key is the beginning of the records\' keys, and a repeat is answered from the store', async () => {
	const keys = [];
	const app = await application((req, res) => { keys.push(req.headers['idempotency-key']); json(res, 200, { id: keys.length }); });
	const i = await importOf(await connect(app.url), { relativeURI: '/t', method: 'POST' });
	for (const url of [`/${i.apiIdentifier}`, `/v1/imports/${i._id}/invoke`]) {
		keys.length = 0;
		const key = { 'idempotency-key': `order-${url.length}` };
		const first = await server.call('POST', url, [{ id: 1 }, { id: 2 }], key);
		const second = await server.call('POST', url, [{ id: 1 }, { id: 2 }], key);
		assert.deepEqual([...keys].sort(), [`order-${url.length}-0`, `order-${url.length}-1`]);
		assert.equal(first.text, second.text);
		assert.equal(first.headers.get('idempotency-replayed'), null);
		assert.equal(second.headers.get('idempotency-replayed'), 'true');
		const other = await server.call('POST', url, [{ id: 3 }], key);
		assert.equal(other.status, 422);
		assert.match(other.json.errors[0].message, /another request was sent with this key/);
	}
});

test('10,000 records into an import', async () => {
	const app = await application((req, res) => json(res, 200, { id: 1, pad: 'x'.repeat(1000) }));
	const i = await importOf(await connect(app.url, { concurrencyLevel: 50 }), { relativeURI: '/t', method: 'POST' });
	const r = await server.ok(200, 'POST', `/${i.apiIdentifier}`, Array.from({ length: 10000 }, (_, id) => ({ id })));
	assert.equal(r.length, 10000);
	assert.ok(r.every((x) => x.statusCode === 200 && x.id === 1));
	assert.ok(r[0]._json && !r[9999]._json);
});

// ---- previews ----

test('a preview of an export shows every stage, and masks secrets', async () => {
	const app = await application((req, res) => json(res, 200, { items: customers, echo: req.headers.authorization }));
	const c = await connect(app.url, { bearerToken: 'very-secret' });
	const doc = { name: 'unsaved', _connectionId: c, rest: { relativeURI: '/c?d={{lastExportDateTime}}', method: 'GET', resourcePath: 'items' },
		transform: { rules: [[{ extract: 'id', generate: 'key' }]] }, postData: { lastExportDateTime: '2020-01-01' } };
	const r = await server.call('POST', '/v1/exports/preview', doc);
	assert.equal(r.status, 200, r.text);
	assert.deepEqual(r.json.stages.map((s) => s.name), ['request', 'raw', 'parse', 'transform', 'filter']);
	assert.ok(r.json.stages.every((s) => s.errors.length === 0));
	assert.equal(stage(r.json, 'request').data[0].url, `${app.url}/c?d=2020-01-01T00%3A00%3A00.000Z`);
	assert.equal(stage(r.json, 'request').data[0].method, 'GET');
	assert.equal(stage(r.json, 'raw').data[0].statusCode, 200);
	assert.match(stage(r.json, 'raw').data[0].body, /"items"/);
	assert.deepEqual(stage(r.json, 'parse').data, customers.slice(0, 10));
	assert.deepEqual(r.json.data, customers.slice(0, 10).map((x) => ({ key: x.id })));
	assert.ok(!r.text.includes('very-secret'));
	assert.match(r.text, /\*\*\*\*\*\*/);
	// what the filter drops is there behind the transform, and each stage has its own errors
	const sifted = (await server.call('POST', '/v1/exports/preview', { ...doc, test: { limit: 3 }, filter: { rules: ['equals', ['extract', 'key'], customers[1].id] } })).json;
	assert.deepEqual(stage(sifted, 'transform').data, customers.slice(0, 3).map((x) => ({ key: x.id })));
	assert.deepEqual(stage(sifted, 'filter').data, [{ key: customers[1].id }]);
	assert.deepEqual(sifted.data, stage(sifted, 'filter').data);
	assert.equal((await server.ok(200, 'POST', '/v1/exports/preview', { ...doc, test: { limit: 2 } })).data.length, 2);
	assert.deepEqual((await server.ok(200, 'GET', '/v1/exports')).filter((e) => e.name === 'unsaved'), []);
});

test('a preview names the stage that failed', async () => {
	let answer;
	const app = await application((req, res) => answer(res));
	const c = await connect(app.url);
	const dead = await connect('http://127.0.0.1:9');
	for (const [connection, fn, name, words] of [
		[dead, null, 'request', /./],
		[c, (res) => json(res, 403, { message: 'go away' }), 'raw', /403/],
		[c, (res) => res.end('<html>'), 'parse', /HTML/],
		[c, (res) => json(res, 200, { items: 5 }), 'parse', /number stands where records/],
	]) {
		answer = fn;
		const r = await server.ok(200, 'POST', '/v1/exports/preview', { _connectionId: connection, rest: { relativeURI: '/', resourcePath: 'items' } });
		assert.deepEqual(r.data, []);
		assert.deepEqual(r.stages.filter((s) => s.errors.length > 0).map((s) => s.name), [name]);
		assert.match(stage(r, name).errors[0].message, words);
	}
	for (const [doc, field] of [[{ _connectionId: c, rest: { relativeURI: '/', metod: 'GET' } }, 'rest.metod'],
		[{ _connectionId: 'f'.repeat(24), rest: { relativeURI: '/' } }, '_connectionId'], [{ _connectionId: c, _id: 'f'.repeat(24), rest: { relativeURI: '/' } }, '_id'],
		[{ _connectionId: c, postData: 1, rest: { relativeURI: '/' } }, 'postData']]) {
		const bad = await server.call('POST', '/v1/exports/preview', doc);
		assert.equal(bad.status, 422, bad.text);
		assert.equal(bad.json.errors[0].field, field);
	}
});

test('a preview of an import asks lookups, shows requests and sends nothing', async () => {
	const seen = [];
	const app = await application((req, res) => { seen.push(`${req.method} ${req.url}`); json(res, 200, req.url === '/owner/1' ? { id: 77 } : {}); });
	const c = await connect(app.url, { bearerToken: 'very-secret' });
	const doc = { _connectionId: c, rest: { relativeURI: '/t/{id}', method: 'PUT', headers: [{ name: 'X-Owner', value: '{{owner}}' }],
		lookups: [{ name: 'owner', relativeURI: '/owner/{id}', extract: 'id' }] },
		filter: { rules: ['notequals', ['extract', 'id'], 3] },
		mapping: { fields: [{ extract: 'name', generate: 'title' }, { generate: 'owner', lookupName: 'owner' }] } };
	const r = await server.call('POST', '/v1/imports/preview', { ...doc, data: [{ id: 1, name: 'a' }, { id: 2, name: 'b' }, { id: 3 }] });
	assert.equal(r.status, 200, r.text);
	assert.deepEqual(seen.sort(), ['GET /owner/1', 'GET /owner/2']);
	assert.deepEqual(r.json.stages.map((s) => s.name), ['filter', 'lookup', 'mapping', 'request']);
	assert.deepEqual(r.json.data, [{ title: 'a', owner: 77 }, null, null]);
	assert.deepEqual(stage(r.json, 'filter').data.map((x) => x.passes), [true, true, false]);
	assert.deepEqual(stage(r.json, 'lookup').errors.map((e) => [e.record, e.code]), [[1, 'lookup_failed']]);
	const [request, failed, ignored] = stage(r.json, 'request').data;
	assert.equal(`${request.method} ${request.url}`, `PUT ${app.url}/t/1`);
	assert.equal(request.body, '{"title":"a","owner":77}');
	assert.equal(request.headers.find((h) => h.name === 'X-Owner').value, '77');
	assert.deepEqual([failed, ignored], [null, null]);
	assert.ok(!r.text.includes('very-secret'));
	for (const data of [undefined, 5]) assert.equal((await server.call('POST', '/v1/imports/preview', { ...doc, data })).status, 422);
	assert.equal((await server.ok(200, 'POST', '/v1/imports/preview', { ...doc, data: { id: 1, name: 'one' } })).data[0].title, 'one');
});

// ---- virtual calls ----

test('json-server: a virtual export, and its pages', async () => {
	const c = await connect(shop.url);
	const doc = { asynchronous: true, pageSize: 10, rest: { relativeURI: '/customers?_page=1&_limit=7', method: 'GET', pagingMethod: 'linkheader' } };
	assert.equal((await server.ok(200, 'POST', `/v1/connections/${c}/export`, { export: doc })).data.length, 25);
	const pages = [];
	let state;
	do {
		const r = await server.ok(200, 'POST', `/v1/connections/${c}/export/pages`, state ? { pagedExportState: state } : { export: doc });
		state = r.pagedExportState;
		pages.push(r.data.map((x) => x.id));
		assert.equal(r.dataURIs.length, r.data.length);
		assert.equal(state.pageIndex, pages.length + 1);
		assert.equal(state.pageSize, 10);
		assert.match(state.sig, /^[0-9a-f]{64}$/);
	} while (!state.done);
	assert.deepEqual(pages.map((p) => p.length), [10, 10, 5]);
	assert.deepEqual(pages.flat(), customers.map((x) => x.id));
	// members in another order are the same state
	const first = (await server.ok(200, 'POST', `/v1/connections/${c}/export/pages`, { export: doc })).pagedExportState;
	const turned = Object.fromEntries(Object.entries(first).reverse());
	assert.deepEqual((await server.ok(200, 'POST', `/v1/connections/${c}/export/pages`, { pagedExportState: turned })).data.map((x) => x.id), pages[1]);
	const other = await connect(shop.url);
	for (const [at, bad] of [[c, { ...first, pageIndex: 5 }], [c, { ...first, done: true }], [c, { ...first, issuedAt: first.issuedAt + 1 }],
		[c, { ...first, sig: '0'.repeat(64) }], [c, { ...first, searchId: first.searchId.slice(0, -8) + 'AAAAAAA=' }], [c, {}], [other, first], [c, 'x']]) {
		const r = await server.call('POST', `/v1/connections/${at}/export/pages`, { pagedExportState: bad });
		assert.equal(r.status, 422, r.text);
		assert.match(r.json.errors[0].field, /pagedExportState/);
	}
});

test('json-server: a virtual import, and only its mapping', async () => {
	const app = await jsonApplication({ things: [] });
	const c = await connect(app.url);
	const body = { import: { rest: { relativeURI: '/things', method: 'POST' }, mapping: { fields: [{ extract: 'name', generate: 'title' }] } }, data: [{ name: 'a' }, { name: 'b' }] };
	assert.deepEqual(await server.ok(200, 'POST', `/v1/connections/${c}/import/map`, body), [{ title: 'a' }, { title: 'b' }]);
	assert.deepEqual(app.all().things, []);
	const r = await server.ok(200, 'POST', `/v1/connections/${c}/import`, body);
	assert.deepEqual(r.map((x) => [x.statusCode, x._json.title]), [[200, 'a'], [200, 'b']]);
	assert.equal(app.all().things.length, 2);
	for (const [bad, field] of [[{}, 'import'], [{ import: 1 }, 'import'], [{ import: body.import }, 'data'], [{ import: body.import, data: {} }, 'data'],
		[{ import: { ...body.import, nope: 1 }, data: [] }, 'nope'], [{ import: { ...body.import, _connectionId: 'f'.repeat(24) }, data: [] }, '_connectionId']]) {
		const no = await server.call('POST', `/v1/connections/${c}/import`, bad);
		assert.equal(no.status, 422, no.text);
		assert.equal(no.json.errors[0].field, field);
	}
	assert.equal((await server.call('POST', `/v1/connections/${'f'.repeat(24)}/import`, body)).status, 422);
});

// ---- once ----

test('an Idempotency-Key on what creates: one resource, one run', async () => {
	const key = { 'idempotency-key': 'k1' };
	const doc = { name: 'only one', type: 'rest', rest: { baseURI: shop.url } };
	const all = await Promise.all(Array.from({ length: 8 }, () => server.call('POST', '/v1/connections', doc, key)));
	const made = all.filter((r) => r.status === 201), busy = all.filter((r) => r.status === 409);
	assert.equal(made.length + busy.length, 8);
	assert.equal(new Set(made.map((r) => r.json._id)).size, 1);
	assert.equal(made.filter((r) => r.headers.get('idempotency-replayed') === null).length, 1);
	assert.equal((await server.ok(200, 'GET', '/v1/connections?name=only%20one')).length, 1);
	assert.equal((await server.call('POST', '/v1/connections', { ...doc, name: 'x' }, key)).status, 422);
	assert.equal((await server.call('POST', '/v1/connections', doc, { 'idempotency-key': 'a b' })).status, 400);
	// a request that failed leaves its key free
	const k2 = { 'idempotency-key': 'k2' };
	assert.equal((await server.call('POST', '/v1/connections', { name: 'bad' }, k2)).status, 422);
	assert.equal((await server.call('POST', '/v1/connections', doc, k2)).status, 201);
});

test('a repeat gets the whole answer: where the new thing is, and what is shown only once', async () => {
	const doc = { name: 'first answer', type: 'rest', rest: { baseURI: shop.url } };
	const twice = async (url, body, k) => {
		const [a, b] = [await server.call('POST', url, body, { 'idempotency-key': k }), await server.call('POST', url, body, { 'idempotency-key': k })];
		assert.deepEqual([a.status, a.text], [b.status, b.text]);
		for (const h of ['location', 'etag', 'content-type']) assert.equal(b.headers.get(h), a.headers.get(h), h);
		assert.deepEqual([a.headers.get('idempotency-replayed'), b.headers.get('idempotency-replayed')], [null, 'true']);
		assert.notEqual(a.headers.get('request-id'), b.headers.get('request-id'));
		return b;
	};
	const made = await twice('/v1/connections', doc, 'k3');
	assert.equal(made.headers.get('location'), `/v1/connections/${made.json._id}`);
	assert.equal(made.headers.get('etag'), '"1"');
	const cloned = await twice(`/v1/connections/${made.json._id}/clone`, { name: 'second' }, 'k4');
	assert.equal((await server.ok(200, 'GET', '/v1/connections?name=second')).length, 1, cloned.text);
	const token = await twice('/v1/accesstokens', { name: 'once' }, 'k5');
	assert.equal((await server.ok(200, 'GET', '/v1/accesstokens')).filter((t) => t.name === 'once').length, 1);
	// kept, but not in clear text
	const files = readdirSync(server.data).filter((f) => f.startsWith('integrator.db'));
	const kept = files.map((f) => readFileSync(`${server.data}/${f}`));
	assert.ok(kept.some((bytes) => bytes.includes(token.json._id)));
	assert.ok(kept.every((bytes) => !bytes.includes(token.json.token)));
});

test('a key whose request never got its answer is refused, not done again', async () => {
	const mine = await new Server().start();
	let hold;
	const app = await application((req, res) => { hold = res; });
	const c = (await mine.ok(201, 'POST', '/v1/connections', { type: 'rest', rest: { baseURI: app.url } }))._id;
	const body = { import: { rest: { relativeURI: '/t', method: 'POST' } }, data: [{ a: 1 }] };
	const key = { 'idempotency-key': 'cut' };
	const first = mine.call('POST', `/v1/connections/${c}/import`, body, key).catch(() => 'cut');
	await until('the application was asked', () => hold);
	await mine.kill();
	assert.equal(await first, 'cut');
	await mine.start();
	const r = await mine.call('POST', `/v1/connections/${c}/import`, body, key);
	assert.equal(r.status, 409, r.text);
	assert.match(r.json.errors[0].message, /has no answer yet/);
	await mine.kill();
});

test('a call tries again once, and not later than a few seconds', async () => {
	let asked = 0, answer = [500, {}];
	const app = await application((req, res) => { asked++; json(res, ...answer); });
	const c = await connect(app.url);
	const e = await server.ok(201, 'POST', '/v1/exports', { _connectionId: c, rest: { relativeURI: '/e' } });
	const i = await server.ok(201, 'POST', '/v1/imports', { _connectionId: c, rest: { relativeURI: '/i', method: 'POST' } });
	const call = async (url, body) => { asked = 0; return server.call('POST', url, body); };
	assert.equal((await call(`/v1/exports/${e._id}/invoke`)).status, 502);
	assert.equal(asked, 2);
	const [r] = (await call(`/v1/imports/${i._id}/invoke`, [{ id: 1 }])).json;
	assert.deepEqual([r.errors[0].code, asked], ['500', 2], JSON.stringify(r));
	answer = [503, {}, { 'retry-after': '30' }];
	const later = await call(`/v1/exports/${e._id}/invoke`);
	assert.deepEqual([later.headers.get('retry-after'), asked], ['30', 1]);
	await call(`/v1/imports/${i._id}/invoke`, [{ id: 1 }]);
	assert.equal(asked, 1);
});

test('a call whose client has left is canceled; with a key it goes on, and a repeat gets its answer', async () => {
	let hold, ended = false;
	const app = await application((req, res) => { hold = res; res.on('close', () => { ended = true; }); });
	const i = await server.ok(201, 'POST', '/v1/imports', { _connectionId: await connect(app.url), rest: { relativeURI: '/i', method: 'POST' } });
	const leave = async (headers) => {
		hold = undefined;
		const gone = new AbortController();
		const call = fetch(`${server.base}/v1/imports/${i._id}/invoke`, { method: 'POST', signal: gone.signal, body: '[{"id":1}]',
			headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json', ...headers } }).catch((e) => e.name);
		await until('the application was asked', () => hold);
		gone.abort();
		assert.equal(await call, 'AbortError');
	};
	await leave({});
	await until('the request was broken off', () => ended, 20000);
	ended = false;
	await leave({ 'idempotency-key': 'comes-back' });
	const url = `/v1/imports/${i._id}/invoke`, key = { 'idempotency-key': 'comes-back' };
	assert.equal((await server.call('POST', url, [{ id: 1 }], key)).status, 409); // under way
	assert.equal(ended, false);
	json(hold, 201, { id: 7 });
	const again = await until('the answer is kept', async () => {
		const r = await server.call('POST', url, [{ id: 1 }], key);
		return r.status === 200 && r;
	});
	assert.deepEqual([again.headers.get('idempotency-replayed'), String(again.json[0].id)], ['true', '7']);
});

test('the end of the server ends a call that waits for an application', async () => {
	const mine = await new Server().start();
	let asked = false;
	const app = await application(() => { asked = true; });
	const c = (await mine.ok(201, 'POST', '/v1/connections', { type: 'rest', rest: { baseURI: app.url } }))._id;
	const call = mine.call('POST', `/v1/connections/${c}/export`, { export: { rest: { relativeURI: '/' } } }).catch(() => null);
	await until('the application was asked', () => asked);
	const before = Date.now();
	mine.child.kill('SIGTERM');
	assert.deepEqual(await mine.exited, [0, null], mine.log);
	assert.ok(Date.now() - before < 20000);
	await call;
});

await runTests();
