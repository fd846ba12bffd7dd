// Clones, dependencies, other connections, externalId, the flows of an integration, and the processors.
import assert from 'node:assert/strict';
import { Server, application, installFlow, json, pagedSource, runTests, test } from './lib.mjs';

const server = await new Server({ args: ['--log-level', 'warn'] }).start();

test('a cloned flow runs on its own connections, with their secrets', async () => {
	const seen = [];
	const app = (name) => application((req, res) => {
		seen.push([name, req.headers.authorization]);
		if (req.method === 'POST') json(res, 201, {});
		else pagedSource(3, 3)(req, res);
	});
	const [one, two] = [await app('one'), await app('two')];
	const x = await installFlow(server, { source: one.url, sink: one.url });
	const secret = await server.ok(201, 'POST', '/v1/connections', { name: 'two', type: 'rest',
		rest: { baseURI: two.url, mediaType: 'json', authType: 'token', bearerToken: 'T0KEN',
			tokenLocation: 'header', authHeader: 'Authorization', authScheme: 'Bearer' } });
	// the connection itself is cloned: its token must open at the new place
	const [copy] = await server.ok(201, 'POST', `/v1/connections/${secret._id}/clone`, { name: 'copy' });
	assert.equal(copy.model, 'Connection');
	assert.equal(copy._sourceId, secret._id);
	const connectionMap = { [x.connections[0]]: copy._id, [x.connections[1]]: copy._id };
	const r = await server.call('POST', `/v1/flows/${x.flow}/clone`, { connectionMap, name: 'Second' });
	assert.equal(r.status, 201);
	assert.deepEqual(r.json.map((m) => m.model), ['Flow', 'Export', 'Import']);
	assert.equal(r.headers.get('location'), `/v1/flows/${r.json[0]._id}`);
	const flow = await server.ok(200, 'GET', r.headers.get('location'));
	assert.equal(flow.name, 'Second');
	assert.equal(flow.disabled, true);
	assert.equal(flow._exportId, r.json[1]._id);
	assert.equal(flow._importId, r.json[2]._id);
	await server.ok(200, 'PATCH', `/v1/flows/${flow._id}`, { disabled: false });
	const job = await server.runFlow(flow._id);
	assert.equal(job.status, 'completed');
	assert.equal(job.numSuccess, 6);
	assert.ok(seen.length > 0);
	assert.ok(seen.every(([name, auth]) => name === 'two' && auth === 'Bearer T0KEN'), JSON.stringify(seen));
	assert.ok(!JSON.stringify(await server.ok(200, 'GET', '/v1/connections')).includes('T0KEN'));
});

test('a clone without its connections is refused', async () => {
	const x = await installFlow(server, { source: 'http://127.0.0.1:1', sink: 'http://127.0.0.1:1' });
	const before = (await server.ok(200, 'GET', '/v1/exports')).length;
	for (const body of [undefined, {}, { connectionMap: [] }, { connectionMap: { [x.connections[0]]: x.connections[0] } }]) {
		const r = await server.call('POST', `/v1/flows/${x.flow}/clone`, body);
		assert.equal(r.status, 400, r.text);
		assert.equal(r.json.errors[0].code, 'invalid_connectionMap');
		assert.match(r.json.errors[0].field, /^connectionMap/);
	}
	const self = { [x.connections[0]]: x.connections[0], [x.connections[1]]: x.connections[1] };
	const lost = await server.call('POST', `/v1/flows/${x.flow}/clone`, { connectionMap: self, _integrationId: '5560092ed7922800000f000e' });
	assert.equal(lost.status, 422);
	assert.equal(lost.json.errors[0].code, 'invalid_ref');
	assert.match(lost.json.errors[0].message, /Integration not found for the given id/);
	const odd = await server.call('POST', `/v1/flows/${x.flow}/clone`, { connectionMap: self, nmae: 'x' });
	assert.equal(odd.json.errors[0].code, 'unknown_field');
	await server.ok(404, 'POST', '/v1/flows/5560092ed7922800000f000e/clone', {});
	assert.equal((await server.ok(200, 'GET', '/v1/exports')).length, before);
});

test('who refers to it, and the flows of an integration', async () => {
	const x = await installFlow(server, { source: 'http://127.0.0.1:1', sink: 'http://127.0.0.1:1' });
	assert.deepEqual(await server.ok(200, 'GET', `/v1/exports/${x.export}/dependencies`), { flows: [{ id: x.flow, name: 'Flow' }] });
	assert.deepEqual(await server.ok(200, 'GET', `/v1/flows/${x.flow}/dependencies`), {});
	assert.deepEqual(Object.keys(await server.ok(200, 'GET', `/v1/connections/${x.connections[0]}/dependencies`)), ['exports']);
	const integration = await server.ok(201, 'POST', '/v1/integrations', { name: 'I' });
	assert.deepEqual(await server.ok(200, 'GET', `/v1/integrations/${integration._id}/flows`), []);
	await server.ok(200, 'PATCH', `/v1/flows/${x.flow}`, { _integrationId: integration._id });
	assert.deepEqual((await server.ok(200, 'GET', `/v1/integrations/${integration._id}/flows`)).map((f) => f._id), [x.flow]);
	await server.ok(404, 'GET', '/v1/integrations/5560092ed7922800000f000e/flows');
});

test('another connection', async () => {
	const x = await installFlow(server, { source: 'http://127.0.0.1:1', sink: 'http://127.0.0.1:1' });
	const r = await server.call('PUT', `/v1/exports/${x.export}/replaceConnection`, { _newConnectionId: x.connections[1] });
	assert.equal(r.status, 200);
	assert.equal(r.json._connectionId, x.connections[1]);
	assert.equal(r.headers.get('etag'), '"2"');
	await server.ok(412, 'PUT', `/v1/exports/${x.export}/replaceConnection`, { _newConnectionId: x.connections[0] }, { 'if-match': '"1"' });
	assert.equal((await server.ok(200, 'PUT', `/v1/imports/${x.import}/replaceConnection`, { _newConnectionId: x.connections[0] }))._connectionId, x.connections[0]);
	const lost = await server.call('PUT', `/v1/imports/${x.import}/replaceConnection`, { _newConnectionId: x.flow });
	assert.equal(lost.status, 422);
	assert.equal(lost.json.errors[0].field, '_newConnectionId');
	await server.ok(422, 'PUT', `/v1/imports/${x.import}/replaceConnection`, {});
});

test('lists by externalId', async () => {
	for (const externalId of ['a', 'b', 'c', 'c'])
		await server.ok(201, 'POST', '/v1/scripts', { name: externalId, externalId, content: 'export function f() {}' });
	const ids = async (q) => (await server.ok(200, 'GET', `/v1/scripts?${q}`)).map((s) => s.externalId);
	assert.deepEqual(await ids('externalId=a&externalId=b'), ['a', 'b']);
	assert.deepEqual(await ids('externalId=c'), ['c', 'c']);
	assert.deepEqual(await ids('externalId=d'), []);
});

test('one step on given data', async () => {
	const lookups = [{ name: 'color', map: { r: 'red' }, allowFailures: true }];
	const mapped = await server.ok(200, 'POST', '/v1/processors/mapping', {
		mapping: {
			fields: [
				{ extract: 'id', generate: 'key' },
				{ extract: 'missing', generate: 'gone' },
				{ extract: 'c', generate: 'color', lookupName: 'color' },
				{ extract: 'empty', generate: 'nothing', discardIfEmpty: true },
			],
			lists: [{ generate: 'lines', fields: [{ extract: 'items[*].sku', generate: 'sku' }] }],
		},
		lookups,
		data: { id: 7, c: 'x', empty: '', items: [{ sku: 'A' }, { sku: 'B' }] },
	});
	assert.deepEqual(mapped.data, { key: 7, lines: [{ sku: 'A' }, { sku: 'B' }] });
	assert.deepEqual(mapped.fields.slice(0, 4), [
		{ generate: 'key', value: 7 },
		{ generate: 'gone', omitted: 'the extract has no value in this record' },
		{ generate: 'color', omitted: 'the lookup has nothing for the value' },
		{ generate: 'nothing', omitted: 'it is empty, and discardIfEmpty is set' },
	]);
	assert.deepEqual(mapped.fields[4], { generate: 'lines', elements: 2,
		lines: [[{ generate: 'sku', value: 'A' }], [{ generate: 'sku', value: 'B' }]] });
	const bad = await server.call('POST', '/v1/processors/mapping', { mapping: { fields: [{ extract: 'a[', generate: 'x' }] }, data: {} });
	assert.equal(bad.status, 422);
	assert.equal(bad.json.errors[0].field, 'mapping.fields.0.extract');

	const text = async (template, use, data = { a: '<b & c>' }) => server.call('POST', '/v1/processors/template', { template, data, use });
	assert.equal((await text('{a}!')).json.text, '<b & c>!');
	assert.equal((await text('/x/{{a}}', 'uri')).json.text, '/x/%3Cb%20%26%20c%3E');
	assert.equal((await text('{{a}}', 'html')).json.text, '&lt;b &amp; c&gt;');
	assert.equal((await text('{{#if a}}yes{{/if}}', 'text')).json.text, 'yes');
	const open = await text('ab {{#if a}}yes');
	assert.equal(open.status, 422);
	assert.equal(open.json.errors[0].field, 'template');
	assert.match(open.json.errors[0].message, /position \d+/);
	assert.equal((await text('/x/{nix}', 'uri')).json.errors[0].code, 'missing_value');
	assert.equal((await text('x', 'sql')).json.errors[0].field, 'use');

	const filter = await server.ok(200, 'POST', '/v1/processors/filter', { filter: ['equals', ['extract', 'n'], 5], data: { n: 5 } });
	assert.equal(filter.passes, true);
	assert.equal(filter.expression.operator, 'equals');
	assert.equal((await server.ok(200, 'POST', '/v1/processors/filter', { filter: { rules: ['not', true] }, data: {} })).passes, false);
	const odd = await server.call('POST', '/v1/processors/filter', { filter: ['equalz', 1, 1], data: {} });
	assert.equal(odd.status, 422);
	assert.match(odd.json.errors[0].field, /^filter/);
	assert.match(odd.json.errors[0].hint, /equals/);

	assert.deepEqual(await server.ok(200, 'POST', '/v1/processors/transform', { transform: [{ extract: 'a.b', generate: 'c' }], data: { a: { b: 1 } } }),
		{ data: { c: 1 } });
	const missing = await server.call('POST', '/v1/processors/transform', { data: {} });
	assert.equal(missing.json.errors[0].field, 'transform');

	const problems = async (step, body) => (await server.call('POST', `/v1/processors/${step}`, body)).json.errors.map((e) => e.field);
	assert.deepEqual(await problems('mapping', { maping: {} }), ['maping', 'mapping', 'data']);
	assert.deepEqual(await problems('template', { template: 5, use: 'text' }), ['data']);
	const array = await server.call('POST', '/v1/processors/filter', []);
	assert.match(array.json.errors[0].message, /must be a JSON object; found an array/);
	const list = await server.ok(200, 'GET', '/v1/processors');
	assert.deepEqual(list.processors.map((p) => p.name), ['mapping', 'template', 'filter', 'transform']);
	assert.ok(list.helpers.length > 70);
	assert.ok(list.helpers.some((h) => h.name === 'hmac'));
});

await runTests();
