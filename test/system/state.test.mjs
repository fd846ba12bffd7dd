// Values by key: for the account and for a resource, with their limits.
import assert from 'node:assert/strict';
import { Server, runTests, test } from './lib.mjs';

const server = await new Server({ args: ['--log-level', 'warn'] }).start();

const put = (url, value) => server.call('PUT', url, JSON.stringify(value));

test('values of the account', async () => {
	assert.deepEqual(await server.ok(200, 'GET', '/v1/state'), { keys: [] });
	const created = await put('/v1/state/cursor', { at: 12345678901234567890n.toString() });
	assert.equal(created.status, 201);
	assert.equal(created.text, 'Created');
	assert.match(created.headers.get('content-type'), /^text\/plain/);
	const again = await put('/v1/state/cursor', [1, 'two', null]);
	assert.equal(again.status, 200);
	assert.equal(again.text, 'OK');
	assert.deepEqual(await server.ok(200, 'GET', '/v1/state/cursor'), [1, 'two', null]);
	for (const value of [null, true, 0, '', 'text', {}]) {
		await put('/v1/state/any', value);
		assert.deepEqual(await server.ok(200, 'GET', '/v1/state/any'), value);
	}
	const exact = await server.call('PUT', '/v1/state/number', '9007199254740993.10');
	assert.equal(exact.status, 201);
	assert.equal((await server.call('GET', '/v1/state/number')).text, '9007199254740993.10');
	assert.deepEqual(await server.ok(200, 'GET', '/v1/state'), { keys: ['any', 'cursor', 'number'] });
	assert.equal((await server.call('DELETE', '/v1/state/any')).status, 204);
	await server.ok(404, 'DELETE', '/v1/state/any');
	await server.ok(404, 'GET', '/v1/state/any');
	assert.equal((await server.call('DELETE', '/v1/state')).status, 204);
	assert.deepEqual(await server.ok(200, 'GET', '/v1/state'), { keys: [] });
});

test('keys are text', async () => {
	await put('/v1/state/' + encodeURIComponent('a/b ü'), 1);
	assert.deepEqual(await server.ok(200, 'GET', '/v1/state'), { keys: ['a/b ü'] });
	assert.equal(await server.ok(200, 'GET', '/v1/state/a%2Fb%20%C3%BC'), 1);
	for (const key of ['x'.repeat(257), '%00', '%0A', '%FF']) {
		const r = await put('/v1/state/' + key, 1);
		assert.equal(r.status, 422, key);
		assert.equal(r.json.errors[0].field, 'key');
	}
	await server.call('DELETE', '/v1/state');
});

test('values of a resource: theirs alone, and gone with it', async () => {
	const integration = await server.ok(201, 'POST', '/v1/integrations', { name: 'App' });
	const other = await server.ok(201, 'POST', '/v1/integrations', { name: 'Other' });
	const base = `/v1/integrations/${integration._id}/state`;
	assert.equal((await put(`${base}/serializedState`, { step: 1 })).status, 201);
	await put(`/v1/integrations/${other._id}/state/kept`, 1);
	assert.deepEqual(await server.ok(200, 'GET', base), { keys: ['serializedState'] });
	assert.deepEqual(await server.ok(200, 'GET', `${base}/serializedState`), { step: 1 });
	assert.deepEqual(await server.ok(200, 'GET', '/v1/state'), { keys: [] });
	assert.equal((await server.call('DELETE', `${base}/serializedState`)).status, 200);
	await put(`${base}/a`, 1);
	await put(`${base}/b`, 2);
	assert.equal((await server.call('DELETE', base)).status, 200);
	assert.deepEqual(await server.ok(200, 'GET', base), { keys: [] });
	await put(`${base}/a`, 1);
	await server.call('DELETE', `/v1/integrations/${integration._id}`);
	await server.ok(404, 'GET', base);
	await server.ok(404, 'GET', `${base}/a`);
	assert.equal((await put(`${base}/a`, 1)).status, 404);
	assert.deepEqual(await server.ok(200, 'GET', `/v1/integrations/${other._id}/state`), { keys: ['kept'] });
});

test('a scope has a limit of keys, and a value one of bytes', async () => {
	const limits = await server.ok(200, 'GET', '/v1/limits');
	assert.ok(JSON.stringify(limits).includes('Values kept by key'));
	for (let i = 0; i < 1000; i += 50)
		await Promise.all(Array.from({ length: 50 }, (_, k) => put(`/v1/state/k${i + k}`, i)));
	const full = await put('/v1/state/one-more', 1);
	assert.equal(full.status, 422);
	assert.equal(full.json.errors[0].code, 'limit_exceeded');
	assert.equal((await put('/v1/state/k7', 'new')).status, 200);
	assert.equal((await server.ok(200, 'GET', '/v1/state')).keys.length, 1000);
	assert.equal((await put('/v1/state/k7', 'x'.repeat(1 << 20))).status, 413);
	assert.equal((await server.call('PUT', '/v1/state/k7', '{"open":')).status, 400);
});

await runTests();
