// Imports against applications that others wrote, and against hostile ones: json-server keeps what it
// is sent, so that what arrived can be read back by other means.
import assert from 'node:assert/strict';
import zlib from 'node:zlib';
import { jsonApplication } from './json_application.mjs';
import { Server, application, installFlow, json, pagedSource, runTests, test } from './lib.mjs';

const server = await new Server().start();

const records = (items) => application((req, res) => json(res, 200, { items }));
const fields = (...names) => ({ fields: names.map((n) => ({ extract: n, generate: n })) });

test('json-server: a composite import creates what is missing and updates what is there', async () => {
	const app = await jsonApplication({ customers: [{ id: 1, ns_id: 'a', city: 'Ulm', kept: true }, { id: 2, ns_id: 'b', city: 'Bonn' }] });
	const source = await records([{ internalId: 'a', city: 'Köln' }, { internalId: 'new & old', city: 'Berlin' }, { internalId: 'b', city: 'Bonn' }]);
	const importRest = { relativeURI: ['/customers/{idLookup}', '/customers'], method: ['PATCH', 'POST'],
		lookups: [{ name: 'idLookup', relativeURI: '/customers?ns_id={internalId}', method: 'GET', extract: '0.id' }] };
	const importMore = { mapping: { fields: [{ extract: 'internalId', generate: 'ns_id' }, { extract: 'city', generate: 'city' }] } };
	const ids = await installFlow(server, { source: source.url, sink: app.url, importRest, importMore });
	for (let run = 0; run < 2; run++) { // the second updates all three
		const job = await server.runFlow(ids.flow);
		assert.deepEqual(job.ledger, { exported: 3, succeeded: 3, ignored: 0, failed: 0, inFlight: 0 });
		assert.deepEqual(app.all().customers, [{ id: 1, ns_id: 'a', city: 'Köln', kept: true }, { id: 2, ns_id: 'b', city: 'Bonn' },
			{ id: 3, ns_id: 'new & old', city: 'Berlin' }]);
	}
});

test('json-server: PUT replaces, POST creates, DELETE removes', async () => {
	const app = await jsonApplication({ things: [{ id: 1, a: 1, b: 2 }, { id: 2, a: 1 }] });
	const source = await records([{ id: 1, a: 9 }]);
	const run = async (importRest) => {
		const ids = await installFlow(server, { source: source.url, sink: app.url, importRest, importMore: { mapping: fields('id', 'a') } });
		assert.equal((await server.runFlow(ids.flow)).ledger.succeeded, 1);
	};
	await run({ relativeURI: '/things/{id}', method: 'PUT' });
	assert.deepEqual(app.all().things, [{ id: 1, a: 9 }, { id: 2, a: 1 }]);
	await run({ relativeURI: '/things', method: 'POST', body: { id: 3, sum: '{a}+{a}' } });
	assert.deepEqual(app.all().things[2], { id: 3, sum: '9+9' });
	await run({ relativeURI: '/things/{id}', method: 'DELETE' });
	assert.deepEqual(app.all().things.map((t) => t.id), [2, 3]);
});

test('json-server: ignoreExisting and ignoreMissing count as ignored', async () => {
	const app = await jsonApplication({ things: [{ id: 1, key: 'x' }] });
	const source = await records([{ key: 'x' }, { key: 'y' }]);
	const lookups = [{ name: 'there', relativeURI: '/things?key={key}', extract: 'id' }];
	const run = async (importMore, rest) => (await server.runFlow((await installFlow(server, { source: source.url, sink: app.url,
		importRest: { lookups, ...rest }, importMore: { mapping: fields('key', 'n'), ...importMore } })).flow)).ledger;
	assert.deepEqual(await run({ ignoreMissing: true }, { relativeURI: '/things/{there}', method: 'PATCH' }),
		{ exported: 2, succeeded: 1, ignored: 1, failed: 0, inFlight: 0 });
	assert.deepEqual(await run({ ignoreExisting: true, ignoreExistingLoE: 'there' }, { relativeURI: '/things', method: 'POST' }),
		{ exported: 2, succeeded: 1, ignored: 1, failed: 0, inFlight: 0 });
	assert.deepEqual(app.all().things.map((t) => t.key), ['x', 'y']);
});

// ---- hostile applications ----

const bomb = zlib.gzipSync(Buffer.alloc(64 << 20, 0x20), { level: 9 });
const hostile = [
	['a gzip bomb', (res) => { res.writeHead(200, { 'content-encoding': 'gzip', 'content-type': 'application/json' }); res.end(bomb); }, /larger than the limit of 8388608 bytes/],
	['a body of a gigabyte', (res) => {
		res.writeHead(200, { 'content-length': 1 << 30 });
		const part = Buffer.alloc(1 << 16, 0x20);
		const more = () => { while (!res.destroyed && res.write(part)); if (!res.destroyed) res.once('drain', more); };
		more();
	}, /larger than the limit/],
	['a body without an end', (res) => {
		res.writeHead(200, { 'transfer-encoding': 'chunked' });
		const part = Buffer.alloc(1 << 16, 0x20);
		const more = () => { while (!res.destroyed && res.write(part)); if (!res.destroyed) res.once('drain', more); };
		more();
	}, /larger than the limit/],
	['compression that is broken', (res) => { res.writeHead(200, { 'content-encoding': 'gzip' }); res.end('this is no gzip at all'); }, /./],
];
for (const [name, answer, pattern] of hostile) {
	test(`${name} is one record's error, its siblings go on; as a lookup's answer too`, async () => {
		const source = await application(pagedSource(4, 4));
		const sink = await application((req, res, body) => {
			const bad = req.url === '/owner/2' || (req.method === 'POST' && JSON.parse(body).key === 1);
			if (bad) answer(res);
			else json(res, 200, { id: 7 });
		});
		const ids = await installFlow(server, { source: source.url, sink: sink.url,
			importRest: { lookups: [{ name: 'owner', relativeURI: '/owner/{id}', extract: 'id' }] },
			importMore: { mapping: { fields: [{ extract: 'id', generate: 'key' }, { generate: 'owner', lookupName: 'owner' }] } } });
		const job = await server.runFlow(ids.flow);
		assert.deepEqual(job.ledger, { exported: 4, succeeded: 2, ignored: 0, failed: 2, inFlight: 0 });
		const errors = (await server.errorsOf(job._id)).sort((a, b) => a.recordIndex - b.recordIndex);
		assert.deepEqual(errors.map((e) => [e.recordIndex, e.stage]), [[1, 'submit'], [2, 'lookup']]);
		for (const e of errors) assert.match(e.message, pattern);
	});
}

test('what is wrong with an import is said when it is saved', async () => {
	const connection = (await server.ok(201, 'POST', '/v1/connections', { name: 'c', type: 'rest', rest: { baseURI: 'http://127.0.0.1:1', mediaType: 'json' } }))._id;
	const lookup = { name: 'l', relativeURI: '/l/{id}' };
	for (const [rest, more, field, words] of [
		[{ relativeURI: ['/a/{id}', '/a'], method: ['PUT', 'POST'] }, {}, 'rest.resourceId', /nothing says whether/],
		[{ relativeURI: ['/a', '/b', '/c'], method: ['PUT', 'POST', 'POST'] }, {}, 'rest.relativeURI', /one or two/],
		[{ relativeURI: ['/a/{l}', '/a'], method: ['PUT'], lookups: [lookup] }, {}, 'rest.method', /one by one/],
		[{ relativeURI: ['/a/{l}', '/a'], method: ['PUT', 'POST'], lookups: [lookup], body: ['x'] }, {}, 'rest.body', /two relative URIs/],
		[{ relativeURI: '/a', body: 'x', postBody: 'y' }, {}, 'rest.postBody', /same field/],
		[{ relativeURI: '/a', body: { x: '{open' } }, {}, 'rest.body', /not closed/],
		[{ relativeURI: '/a', headers: [{ name: 'X', value: '{open' }] }, {}, 'rest.headers.0.value', /not closed/],
		[{ relativeURI: '/a', resourceId: { lookupName: 'nope' } }, {}, 'rest.resourceId.lookupName', /none called "nope"/],
		[{ relativeURI: '/a', lookups: [{ ...lookup, relativeURI: '/{}' }] }, {}, 'rest.lookups.0.relativeURI', /empty/],
		[{ relativeURI: '/a', lookups: [{ ...lookup, postData: 'x', body: 'y' }] }, {}, 'rest.lookups.0.body', /same field/],
		[{ relativeURI: '/a', lookups: [{ ...lookup, method: 'POST', postData: { x: '{' } }] }, {}, 'rest.lookups.0.postData', /not closed/],
		[{ relativeURI: '/a', resourceId: { extract: 'id' } }, { ignoreExisting: true, ignoreMissing: true }, 'ignoreMissing', /ignore every record/],
		[{ relativeURI: '/a' }, { mapping: { fields: [{ generate: 'x', lookupName: 'nope' }] } }, 'mapping.fields.0.lookupName', /no lookup named/],
	]) {
		const r = await server.call('POST', '/v1/imports', { name: 'i', _connectionId: connection, rest, ...more });
		assert.equal(r.status, 422, JSON.stringify(rest));
		assert.equal(r.json.errors[0].field, field, r.text);
		assert.match(r.json.errors[0].message, words);
	}
});

await runTests();
