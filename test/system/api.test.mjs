// The HTTP API as the product document and the API rules have it, against the real program.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Server, installFlow, program, raw, runTests, test } from './lib.mjs';

const server = await new Server().start();
const conn = (more = {}) => ({ name: 'Slack', type: 'rest',
	rest: { baseURI: 'https://slack.com/api', mediaType: 'json', bearerToken: 'xoxb-very-secret', ...more } });
const create = (segment, body) => server.ok(201, 'POST', `/v1/${segment}`, body);
async function fails(status, code, method, url, body, headers) {
	const r = await server.call(method, url, body, headers);
	assert.equal(r.status, status, r.text);
	assert.equal(r.json.errors[0].code, code, r.text);
	return r.json.errors;
}

// ---- tokens and rate limit ----

test('tokenInfo answers as documented, and nothing is told without a token', async () => {
	const info = await server.ok(200, 'GET', '/v1/tokenInfo');
	assert.match(info._userId, /^[0-9a-f]{24}$/);
	assert.equal(info.scope, '*');
	for (const authorization of ['', 'Bearer', 'Bearer x', 'Basic eDp5', `Bearer ${server.token}x`, 'Bearer  ']) {
		const r = await server.call('GET', '/v1/tokenInfo', undefined, { authorization });
		assert.equal(r.status, 401);
		assert.match(r.headers.get('www-authenticate'), /^Bearer/);
		assert.equal(r.json.errors[0].code, 'unauthorized');
	}
	assert.equal((await server.call('GET', '/v1/no/such/route', undefined, { authorization: 'Bearer x' })).status, 401);
});

test('tokens are made, used and revoked at once', async () => {
	const made = await create('accesstokens', { name: 'ci' });
	assert.match(made.token, /^iio_[0-9A-Za-z]{40}$/);
	const as = { authorization: `Bearer ${made.token}` };
	await server.ok(200, 'GET', '/v1/tokenInfo', undefined, as);
	const list = await server.ok(200, 'GET', '/v1/accesstokens');
	assert.ok(list.some((t) => t.name === 'ci') && !JSON.stringify(list).includes(made.token));
	await server.ok(204, 'DELETE', `/v1/accesstokens/${made._id}`).catch((e) => { throw e; });
	assert.equal((await server.call('GET', '/v1/tokenInfo', undefined, as)).status, 401);
});

test('the bucket: 100 at once, then 429 with Retry-After', async () => {
	const limited = await new Server({ args: ['--rate-limit', '100,1'] }).start(), began = performance.now();
	const answers = await Promise.all(Array.from({ length: 160 }, () => limited.call('GET', '/v1/tokenInfo')));
	const count = (s) => answers.filter((r) => r.status === s).length;
	const refilled = Math.ceil((performance.now() - began) / 1000);
	assert.ok(count(200) >= 100 && count(200) <= 100 + refilled, `${count(200)} passed`);
	assert.equal(count(200) + count(429), 160);
	const r = answers.find((a) => a.status === 429);
	assert.equal(r.headers.get('retry-after'), '1');
	assert.equal(r.json.errors[0].code, 'rate_limited');
	assert.equal((await limited.call('GET', '/healthz')).status, 200);
	await limited.kill();
});

// ---- resources ----

test('every resource type: create, get, replace, patch, list, delete', async () => {
	const c = await create('connections', conn());
	const e = await create('exports', { name: 'E', _connectionId: c._id, rest: { relativeURI: '/x', method: 'GET' } });
	const i = await create('imports', { name: 'I', _connectionId: c._id, rest: { relativeURI: '/y', method: 'POST' } });
	const stack = await create('stacks', { name: 'S', type: 'server', server: { hostURI: 'https://stack.example.com', systemToken: 'st' } });
	const bodies = {
		integrations: { name: 'Integration' },
		flows: { name: 'Flow', _exportId: e._id, _importId: i._id },
		connectors: { name: 'Connector', description: 'What it does' },
		iclients: { provider: 'shopify', clientId: 'id', clientSecret: 'very-secret' },
		stacks: { name: 'S2', type: 'server', server: { hostURI: 'https://stack.example.com', systemToken: 'st' } },
		scripts: { name: 'Script', content: 'export function f(options) { return options.data }' },
		hooks: { name: 'Hook', function: 'f', _stackId: stack._id },
	};
	for (const [segment, body] of Object.entries(bodies)) {
		const made = await create(segment, body);
		assert.match(made._id, /^[0-9a-f]{24}$/, segment);
		assert.match(made.lastModified, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
		const got = await server.call('GET', `/v1/${segment}/${made._id}`);
		assert.deepEqual(got.json, made);
		const etag = got.headers.get('etag');
		assert.match(etag, /^"\d+"$/);
		const put = await server.ok(200, 'PUT', `/v1/${segment}/${made._id}`, { ...made, externalId: 'ext' });
		assert.equal(put.externalId, 'ext');
		const patched = await server.ok(200, 'PATCH', `/v1/${segment}/${made._id}`, { externalId: null });
		assert.equal(patched.externalId, undefined);
		assert.ok((await server.ok(200, 'GET', `/v1/${segment}/`)).some((r) => r._id === made._id));
		assert.equal((await server.call('DELETE', `/v1/${segment}/${made._id}`)).status, 204);
		assert.equal((await server.call('GET', `/v1/${segment}/${made._id}`)).status, 404);
	}
	assert.match(e.apiIdentifier, /^e[0-9a-f]{8}$/);
	assert.match(i.apiIdentifier, /^i[0-9a-f]{8}$/);
});

test('an empty list is 200 and []; an unknown type is 404', async () => {
	assert.deepEqual(await server.ok(200, 'GET', '/v1/connectors'), []);
	await fails(404, 'not_found', 'GET', '/v1/nonsense');
	await fails(404, 'not_found', 'GET', '/nonsense');
});

test('all problems at once, each with its field and a hint', async () => {
	const errors = await fails(422, 'unknown_field', 'POST', '/v1/connections',
		{ nam: 'x', type: 'rest', rest: { baseUri: 'https://a.example', mediaType: 'yaml', concurrencyLevel: 'many' } });
	const by = Object.fromEntries(errors.map((e) => [e.field, e]));
	assert.match(by.nam.hint, /name/);
	assert.match(by['rest.baseUri'].hint, /baseURI/);
	assert.match(by['rest.mediaType'].message + by['rest.mediaType'].hint, /json/);
	assert.equal(by['rest.concurrencyLevel'].code, 'invalid_field');
	assert.equal(by['rest.baseURI'].code, 'missing_required_field');
});

test('what a request asks for and nobody can do is refused, not ignored', async () => {
	const c = await create('connections', conn());
	const e = await create('exports', { name: 'e', _connectionId: c._id, rest: { relativeURI: '/e' } });
	const i = await create('imports', { name: 'i', _connectionId: c._id, rest: { relativeURI: '/i' } });
	const f = await create('flows', { name: 'f', _exportId: e._id, _importId: i._id });
	const unknown = async (field, method, url, body) =>
		assert.equal((await fails(422, 'unknown_field', method, url, body))[0].field, field);
	await unknown('scope', 'POST', '/v1/accesstokens', { name: 'ci', scope: 'exports' });
	await unknown('exprt', 'POST', `/v1/flows/${f._id}/run`, { exprt: { startDate: '2020-01-01' } });
	await fails(422, 'invalid_field', 'POST', `/v1/flows/${f._id}/run`, []);
	await fails(400, 'invalid_json', 'POST', `/v1/flows/${f._id}/run`, '{', { 'content-type': 'application/json' });
	await unknown('_flowId', 'POST', '/v1/jobs/current', { _flowId: f._id });
	await unknown('dat', 'POST', `/v1/connections/${c._id}/export`, { export: { rest: { relativeURI: '/e' } }, dat: {} });
	await unknown('dat', 'POST', `/v1/connections/${c._id}/import`, { import: { rest: { relativeURI: '/i' } }, dat: [], data: [] });
	await unknown('data', 'POST', `/v1/connections/${c._id}/export/pages`, { export: { rest: { relativeURI: '/e' } }, data: {} });
	await unknown('nam', 'POST', `/v1/connections/${c._id}/clone`, { nam: 'copy' });
	assert.equal((await server.ok(200, 'POST', '/v1/jobs/current', { _flowIds: [f._id] })).length, 0, 'a refused run was queued');
	for (const body of [undefined, {}]) assert.match((await server.ok(201, 'POST', `/v1/flows/${f._id}/run`, body))._jobId, /^[0-9a-f]{24}$/);
});

test('secrets are masked, kept by a masked PUT, changed by a new value, never in clear on disk', async () => {
	const c = await create('connections', conn());
	assert.equal(c.rest.bearerToken, '******');
	const kept = await server.ok(200, 'PUT', `/v1/connections/${c._id}`, { ...c, name: 'renamed' });
	assert.equal(kept.rest.bearerToken, '******');
	await server.ok(200, 'PATCH', `/v1/connections/${c._id}`, { rest: { bearerToken: 'another-secret-value' } });
	await fails(422, 'invalid_field', 'POST', '/v1/connections', conn({ bearerToken: '******' }));
	const bytes = fs.readdirSync(server.data).filter((f) => f.startsWith('integrator.db'))
		.map((f) => fs.readFileSync(path.join(server.data, f)).toString('latin1')).join('');
	assert.ok(bytes.includes('renamed'));
	assert.ok(!bytes.includes('xoxb-very-secret') && !bytes.includes('another-secret-value'));
	assert.ok(!bytes.includes(server.token));
	assert.ok(!server.log.includes('very-secret') && !server.log.includes(server.token));
});

test('If-Match guards against lost updates', async () => {
	const c = await create('connections', conn());
	const url = `/v1/connections/${c._id}`;
	const etag = (await server.call('GET', url)).headers.get('etag');
	await server.ok(200, 'PATCH', url, { name: 'one' }, { 'if-match': etag });
	await fails(412, 'precondition_failed', 'PATCH', url, { name: 'two' }, { 'if-match': etag });
	await fails(412, 'precondition_failed', 'PUT', url, conn(), { 'if-match': '"x"' });
	await fails(412, 'precondition_failed', 'DELETE', url, undefined, { 'if-match': etag });
	await server.ok(200, 'PATCH', url, { name: 'three' }, { 'if-match': '*' });
	const now = await server.call('GET', url);
	assert.equal((await server.call('GET', url, undefined, { 'if-none-match': now.headers.get('etag') })).status, 304);
});

test('references must be yours; what is referred to can not be deleted, but with cascade', async () => {
	const [e0] = await fails(422, 'invalid_ref', 'POST', '/v1/exports',
		{ name: 'E', _connectionId: 'ffffffffffffffffffffffff', rest: { relativeURI: '/x', method: 'GET' } });
	assert.equal(e0.field, '_connectionId');
	const c = await create('connections', conn());
	const e = await create('exports', { name: 'Uses it', _connectionId: c._id, rest: { relativeURI: '/x', method: 'GET' } });
	const [conflict] = await fails(409, 'conflict', 'DELETE', `/v1/connections/${c._id}`);
	assert.match(JSON.stringify(conflict), new RegExp(e._id));
	assert.equal((await server.call('DELETE', `/v1/connections/${c._id}?cascade=true`)).status, 204);
	assert.equal((await server.call('GET', `/v1/exports/${e._id}`)).status, 404);
});

test('an account has its own rate limit when it was given one', async () => {
	const own = await new Server({ args: ['--rate-limit', '100,30'] });
	const rate = (value) => execFileSync(program, ['account', 'rate', 'default', value, '--data', own.data], { stdio: 'pipe' });
	const burst = async () => {
		// many more at once than the small bucket gets back meanwhile, and fewer than the large one has
		const answers = await Promise.all(Array.from({ length: 80 }, () => own.call('GET', '/v1/connections')));
		return answers.filter((a) => a.status === 429).length;
	};
	await own.start();
	assert.equal(await burst(), 0);
	await own.kill('SIGTERM');
	for (const wrong of ['5', '5,', '0,1', '5,x', '5,1,1', '1000001,1'])
		assert.throws(() => rate(wrong), (e) => e.status === 3 && /rate/.test(e.stderr.toString()));
	rate('5,1');
	await own.start();
	assert.ok(await burst() > 0);
	await own.kill('SIGTERM');
	rate('default');
	await own.start();
	assert.equal(await burst(), 0);
	await own.kill('SIGTERM');
});

test('foreign ids behave like missing ones', async () => {
	const c = await create('connections', conn());
	await server.kill('SIGTERM');
	const token = execFileSync(program, ['account', 'add', 'other', '--data', server.data]).toString().trim();
	await server.start();
	const as = { authorization: `Bearer ${token}` };
	const mine = await server.call('GET', '/v1/connections/000000000000000000000000', undefined, as);
	for (const [method, body] of [['GET'], ['PUT', conn()], ['PATCH', { name: 'x' }], ['DELETE']]) {
		const r = await server.call(method, `/v1/connections/${c._id}`, body, as);
		assert.equal(r.status, 404);
		assert.equal(r.json.errors[0].code, mine.json.errors[0].code);
	}
	assert.deepEqual(await server.ok(200, 'GET', '/v1/connections', undefined, as), []);
	const r = await server.call('POST', '/v1/exports', { name: 'E', _connectionId: c._id, rest: { relativeURI: '/x', method: 'GET' } }, as);
	assert.equal(r.json.errors[0].code, 'invalid_ref');
	await server.ok(200, 'GET', `/v1/connections/${c._id}`);
	// and those of flows, jobs and errors, in every route that names one
	const ids = await installFlow(server, { source: 'http://127.0.0.1:9', sink: 'http://127.0.0.1:9' });
	const integration = await create('integrations', { name: 'mine' });
	const flow = await server.ok(200, 'PATCH', `/v1/flows/${ids.flow}`, { _integrationId: integration._id });
	const { _jobId: job } = await server.ok(201, 'POST', `/v1/flows/${ids.flow}/run`);
	const step = `/v1/flows/${ids.flow}/${ids.import}`;
	const retry = '5560092ed7922800000f000e';
	for (const [method, path, body] of [
		['GET', `/v1/jobs/${job}`], ['GET', `/v1/jobs/${job}/joberrors`], ['GET', `/v1/jobs/${job}/diagnostics`],
		['GET', `/v1/jobs/${job}/errorFile/signedURL`], ['PUT', `/v1/jobs/${job}/joberrors`, '_id,resolve\n'], ['PUT', `/v1/jobs/${job}/cancel`],
		['PUT', `/v1/jobs/${job}/resolve`], ['PUT', `/v1/jobs/${job}/unresolve`], ['POST', `/v1/jobs/${job}/retry`],
		['PUT', '/v1/jobs/resolve', [job]], ['PUT', '/v1/jobs/unresolve', [job]], ['PUT', '/v1/jobs/retry', [job]],
		['GET', `/v1/retries?_jobId=${job}`], ['GET', `/v1/retries/${retry}/data`], ['POST', `/v1/retries/${retry}/retry`],
		['GET', `/v1/flows/${ids.flow}/errors`], ['GET', `/v1/flows/${ids.flow}/issues`], ['POST', `/v1/flows/${ids.flow}/run`],
		['PUT', `/v1/flows/${ids.flow}/jobs/resolve`], ['PUT', `/v1/flows/${ids.flow}/jobs/unresolve`], ['PUT', `/v1/flows/${ids.flow}/jobs/retry`],
		['GET', `${step}/errors`], ['GET', `${step}/resolved`], ['PUT', `${step}/resolved`, { errors: [retry] }],
		['POST', `${step}/retry`, { retryDataKeys: [retry] }], ['GET', `${step}/${retry}/data`],
		['GET', `/v1/integrations/${integration._id}/errors`], ['PUT', `/v1/integrations/${integration._id}/jobs/resolve`],
		['PUT', `/v1/integrations/${integration._id}/jobs/unresolve`], ['PUT', `/v1/integrations/${integration._id}/jobs/retry`],
		['GET', `/v1/connections/${c._id}/debug`], ['POST', `/v1/connections/${c._id}/debug`],
	]) {
		const headers = typeof body === 'string' ? { ...as, 'content-type': 'text/csv' } : as;
		const r = await server.call(method, path, body, headers);
		assert.equal(r.status, 404, `${method} ${path}: ${r.text}`);
		const own = await server.call(method, path, body, typeof body === 'string' ? { 'content-type': 'text/csv' } : {});
		assert.ok(own.status !== 404 || path.includes(retry), `${method} ${path} is no route: ${own.text}`);
	}
	assert.equal(flow._integrationId, integration._id);
	// a profile is the caller's own
	const profile = await server.ok(200, 'GET', '/v1/profile');
	await server.ok(200, 'PUT', '/v1/profile', { timezone: 'Asia/Tokyo' }, as);
	assert.deepEqual(await server.ok(200, 'GET', '/v1/profile'), profile);
	await server.ok(422, 'PUT', '/v1/profile', { ...profile, timezone: null }, as);
});

test('lists filter, and page with Link when asked', async () => {
	for (let n = 0; n < 7; n++)
		await create('integrations', { name: `list ${n}`, externalId: `list-${n % 2}` });
	const odd = await server.ok(200, 'GET', '/v1/integrations?externalId=list-1');
	assert.equal(odd.length, 3);
	const both = await server.ok(200, 'GET', '/v1/integrations?externalId=list-1&externalId=list-0');
	assert.deepEqual(both.map((i) => i.name), [0, 1, 2, 3, 4, 5, 6].map((n) => `list ${n}`));
	const names = [];
	let url = '/v1/integrations?limit=3&externalId=list-1&externalId=list-0';
	while (url) {
		const r = await server.call('GET', url);
		names.push(...r.json.map((i) => i.name));
		url = /<([^>]+)>; rel="next"/.exec(r.headers.get('link') ?? '')?.[1];
	}
	assert.deepEqual(names, [0, 1, 2, 3, 4, 5, 6].map((n) => `list ${n}`));
	await fails(400, 'invalid_query_params', 'GET', '/v1/integrations?limit=0');
	await fails(400, 'invalid_query_params', 'GET', '/v1/integrations?colour=red');
	await fails(400, 'invalid_query_params', 'GET', '/v1/integrations?after=x');
});

test('booleans may come as strings, read-only fields may come back, duplicates may not', async () => {
	const flowParts = await create('connections', { ...conn(), offline: 'false' });
	assert.equal(flowParts.offline, false);
	await server.ok(200, 'PUT', `/v1/connections/${flowParts._id}`, flowParts);
	await fails(422, 'read_only_field', 'PUT', `/v1/connections/${flowParts._id}`, { ...flowParts, _id: '0'.repeat(24) });
	await fails(422, 'invalid_field', 'POST', '/v1/integrations', '{"name":"a","name":"b"}');
});

test('a mapping, template or path that can not be parsed is refused at save, with its place', async () => {
	const c = await create('connections', conn());
	const errors = await fails(422, 'invalid_field', 'POST', '/v1/imports', { name: 'I', _connectionId: c._id,
		rest: { relativeURI: '/x', method: 'POST' },
		mapping: { fields: [{ extract: 'a', generate: 'b' }, { extract: '{a', generate: 'c' }] } });
	assert.equal(errors[0].field, 'mapping.fields.1.extract');
});

// ---- bad input ----

test('malformed JSON: 400 with line, column and what was expected', async () => {
	for (const [body, pattern] of [
		['{"name":"x",}', /line 1, column 13: expected a name in quotes/],
		['{\n "name": x}', /line 2, column 10: expected a value/],
		['{"name":"x"', /expected ',' or '}', but the text ends/],
		['{"name":"x"} y', /expected the end/],
		['{"a":01}', /number/], ['{"a":"\t"}', /control character/], ['', /no body/],
		[Buffer.from([0x22, 0xc3, 0x28, 0x22]), /UTF-8/], ['"\\ud800"', /surrogate/],
	]) {
		const [e] = await fails(400, 'invalid_json', 'POST', '/v1/integrations', body);
		assert.match(e.message, pattern);
	}
	for (const body of ['[]', '"x"', '17', 'null'])
		await fails(422, 'invalid_field', 'POST', '/v1/integrations', body);
});

test('100,000 nested brackets, NUL in a string, numbers where text belongs', async () => {
	const r = await server.call('POST', '/v1/integrations', '['.repeat(100000));
	assert.ok(r.status === 400 || r.status === 422, r.text);
	assert.equal(r.json.errors[0].code, 'limit_exceeded');
	await fails(422, 'invalid_field', 'POST', '/v1/integrations', '{"name":"a\\u0000b"}');
	await fails(422, 'invalid_field', 'POST', '/v1/integrations', { name: 17 });
	await fails(422, 'invalid_field', 'POST', '/v1/connections', conn({ baseURI: 'https://a.example/\r\nX: y' }));
	await fails(422, 'invalid_field', 'POST', '/v1/connections', conn({ headers: [{ name: 'X-A', value: 'a\r\nB: c' }] }));
});

test('413 for an oversized body, 415 for another media type, 405 with Allow', async () => {
	const big = await raw(server.port, `POST /v1/integrations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${server.token}\r\n` +
		'Content-Type: application/json\r\nContent-Length: 99999999\r\n\r\n');
	assert.match(big, /^HTTP\/1\.1 413 /);
	assert.equal((await server.call('POST', '/v1/integrations', 'name=x', { 'content-type': 'application/x-www-form-urlencoded' })).status, 415);
	const r = await server.call('PUT', '/v1/tokenInfo', {});
	assert.equal(r.status, 405);
	assert.equal(r.headers.get('allow'), 'GET');
});

test('malformed requests get 400 and the connection is closed', async () => {
	const auth = `Host: x\r\nAuthorization: Bearer ${server.token}\r\n`;
	for (const [name, bytes, status] of [
		['Content-Length and Transfer-Encoding', `POST / HTTP/1.1\r\n${auth}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
		['two lengths', `POST / HTTP/1.1\r\n${auth}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`, 400],
		['a signed length', `POST / HTTP/1.1\r\n${auth}Content-Length: +5\r\n\r\nhello`, 400],
		['bare LF', `GET /v1/tokenInfo HTTP/1.1\n${auth}\n`, 400],
		['obs-fold', `GET /v1/tokenInfo HTTP/1.1\r\n${auth}X-A: b\r\n c\r\n\r\n`, 400],
		['space before the colon', `GET /v1/tokenInfo HTTP/1.1\r\n${auth}X-A : b\r\n\r\n`, 400],
		['NUL in a header', `GET /v1/tokenInfo HTTP/1.1\r\n${auth}X-A: b\0c\r\n\r\n`, 400],
		['an unknown coding', `POST / HTTP/1.1\r\n${auth}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, 501],
		['no Host', 'GET /v1/tokenInfo HTTP/1.1\r\n\r\n', 400],
		['two Hosts', 'GET /v1/tokenInfo HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400],
		['HTTP/2.0', 'GET / HTTP/2.0\r\nHost: a\r\n\r\n', 505],
		['a header section without end', `GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(20000)}`, 431],
		['a long target', `GET /${'a'.repeat(20000)} HTTP/1.1\r\n${auth}\r\n`, 414],
	]) {
		const text = await raw(server.port, Buffer.from(bytes, 'latin1'));
		assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `), `${name}: ${text.slice(0, 200)}`);
		assert.match(text, /"errors":\[\{/, name);
		assert.equal(text.match(/^HTTP\/1\.1 \d{3} /gm).length, 1, `${name}: one answer, then close`);
	}
});

// ---- around the API ----

test('request ids come back, or are made; HEAD has no body', async () => {
	assert.equal((await server.call('GET', '/v1/tokenInfo', undefined, { 'request-id': 'mine-1' })).headers.get('request-id'), 'mine-1');
	assert.match((await server.call('GET', '/v1/tokenInfo')).headers.get('request-id'), /^[0-9a-f]{32}$/);
	const r = await server.call('HEAD', '/v1/tokenInfo');
	assert.equal(r.status, 200);
	assert.equal(r.text, '');
});

test('health, readiness and metrics need no token', async () => {
	for (const p of ['/healthz', '/livez', '/readyz'])
		assert.equal((await server.call('GET', p, undefined, { authorization: '' })).status, 200);
	const m = await server.call('GET', '/metrics', undefined, { authorization: '' });
	for (const name of ['integrator_http_requests_total', 'integrator_store_commits_total', 'process_resident_memory_bytes'])
		assert.ok(m.text.includes(`# TYPE ${name} `), name);
	for (const line of m.text.trim().split('\n'))
		assert.match(line, /^(# (HELP|TYPE) .+|[a-z_]+(\{.*\})? [0-9.e+-]+)$/);
});

test('the OpenAPI document names every route of every type, and its references resolve', async () => {
	const doc = await server.ok(200, 'GET', '/v1/openapi.json', undefined, { authorization: '' });
	assert.equal(doc.openapi, '3.1.0');
	for (const segment of ['connections', 'exports', 'imports', 'flows', 'integrations', 'connectors', 'iclients', 'stacks', 'scripts', 'hooks']) {
		assert.ok(doc.paths[`/v1/${segment}`].get && doc.paths[`/v1/${segment}`].post, segment);
		const one = doc.paths[`/v1/${segment}/{_id}`];
		assert.ok(one.get && one.put && one.patch && one.delete, segment);
	}
	const ids = new Set();
	const walk = (v) => {
		if (v === null || typeof v !== 'object') return;
		if (typeof v.$ref === 'string')
			assert.ok(v.$ref.slice(2).split('/').reduce((o, k) => o?.[k], doc), v.$ref);
		if (typeof v.operationId === 'string') {
			assert.ok(!ids.has(v.operationId), v.operationId);
			ids.add(v.operationId);
		}
		Object.values(v).forEach(walk);
	};
	walk(doc);
	for (const [path, item] of Object.entries(doc.paths))
		for (const [method, op] of Object.entries(item)) {
			const names = op.parameters.filter((p) => p.in === 'path').map((p) => p.name);
			assert.deepEqual(names, [...path.matchAll(/\{([^}]+)\}/g)].map((m) => m[1]), `${method} ${path}`);
			assert.equal(new Set(op.parameters.map((p) => p.in + p.name)).size, op.parameters.length, `${method} ${path}`);
		}
	// what the lists take is what they are said to take
	const c = await create('connections', conn());
	const e = await create('exports', { name: 'e', _connectionId: c._id, rest: { relativeURI: '/e' } });
	const i = await create('imports', { name: 'i', _connectionId: c._id, rest: { relativeURI: '/i' } });
	const f = await create('flows', { name: 'f', _exportId: e._id, _importId: i._id });
	await fails(400, 'invalid_query_params', 'GET', `/v1/flows/${f._id}/issues?code=422`);
	for (const path of ['/v1/connections', '/v1/flows/{_id}/errors', '/v1/jobs/{_id}/joberrors']) {
		const said = doc.paths[path].get.parameters.filter((p) => p.in === 'query').map((p) => p.name);
		const [{ hint }] = await fails(400, 'invalid_query_params', 'GET', `${path.replace('{_id}', f._id)}?nosuchname=1`);
		assert.deepEqual(hint.split(', '), said, path);
	}
	const limits = await server.ok(200, 'GET', '/v1/limits');
	assert.ok(limits.every((l) => l.name && l.unit && l.description && Number.isInteger(l.value)));
});

test('a query parameter that a route does not know, or a word that it does not, is refused on every route', async () => {
	const { _id } = await create('connections', conn());
	const hint = async (method, url, body) => (await fails(400, 'invalid_query_params', method, url, body))[0].hint;
	assert.equal(await hint('DELETE', `/v1/connections/${_id}?cascade=maybe`), 'it is one of true|false');
	assert.equal(await hint('DELETE', `/v1/connections/${_id}?cascad=true`), 'did you mean cascade?');
	assert.equal(await hint('DELETE', `/v1/connections/${_id}?cascade[0]=true`), 'did you mean cascade?');
	assert.equal(await hint('GET', `/v1/connections/${_id}?x=1`), 'leave it out: there is none');
	assert.equal(await hint('POST', '/v1/connections?dry_run=true', conn()), 'leave it out: there is none');
	assert.equal(await hint('GET', '/v1/jobs?_flowID=5560092ed7922800000f000e'), 'did you mean _flowId?');
	assert.equal(await hint('GET', '/v1/jobs?colour=red'), 'GET /v1/openapi.json lists them');
	assert.equal(await hint('GET', `/v1/jobs/${_id}/joberrors?format=xml`), 'it is one of csv');
	await server.ok(204, 'DELETE', `/v1/connections/${_id}?cascade=true`); // none of these deleted it
	const doc = await server.ok(200, 'GET', '/v1/openapi.json');
	for (const [path, methods] of Object.entries(doc.paths))
		for (const [method, op] of Object.entries(methods)) {
			if (op.security?.length === 0) continue; // probes and senders of events ask as they like
			const r = await server.call(method.toUpperCase(), `${path.replace(/\{[^}]+\}/g, _id)}?nosuchname=1`);
			assert.equal(r.json?.errors[0].code, 'invalid_query_params', `${method} ${path}: ${r.status} ${r.text}`);
		}
	assert.deepEqual(doc.paths['/v1/connections/{_id}'].delete.parameters.find((p) => p.name === 'cascade').schema.enum, ['true', 'false']);
	assert.equal((await server.call('GET', '/healthz?from=probe')).status, 200);
});

test('every query parameter of errors and jobs in the OpenAPI document is one, and the filters are there', async () => {
	const doc = await server.ok(200, 'GET', '/v1/openapi.json');
	const id = '5560092ed7922800000f000e';
	const values = { dry_run: 'true', createdAt_gte: '0', createdAt_lte: '0', after: id, limit: '1', resolved: 'all', config: 'current', format: 'csv',
		status: 'queued', type: 'flow', type_in: 'flow', retriable: 'true' };
	const seen = new Map();
	for (const [path, methods] of Object.entries(doc.paths)) {
		if (!/errors|\/resolve$|\/unresolve$|\/retry$|^\/v1\/retries$|^\/v1\/jobs$|resolved$/.test(path)) continue;
		for (const [method, op] of Object.entries(methods)) {
			const query = (op.parameters ?? []).filter((x) => x.in === 'query').map((x) => x.name);
			seen.set(`${method} ${path}`, query);
			for (const name of query) {
				const value = values[name] ?? (name.startsWith('num') ? '1' : name.startsWith('_') ? id : 'x');
				const r = await server.call(method.toUpperCase(), `${path.replace(/\{[^}]+\}/g, id)}?${name}=${value}`, method === 'get' ? undefined : [id]);
				assert.doesNotMatch(r.text, /there is no query parameter|is no value for/, `${method} ${path} ${name}`);
			}
		}
	}
	for (const route of ['put /v1/flows/{_id}/errors/resolve', 'post /v1/jobs/{_id}/retry', 'put /v1/integrations/{_id}/jobs/retry', 'put /v1/jobs/resolve'])
		for (const name of ['dry_run', 'code', 'fingerprint', 'traceKey']) assert.ok(seen.get(route).includes(name), `${route} ${name}`);
	assert.ok(seen.get('get /v1/jobs').includes('retriable'));
	assert.ok(seen.get('get /v1/retries').includes('_jobId'));
});

test('the access log is JSON lines with the request id, without query or secrets', async () => {
	await server.call('GET', '/v1/connections?name=private-name', undefined, { 'request-id': 'find-me' });
	const { until } = await import('./lib.mjs');
	const line = await until('the log has the line', () => server.log.split('\n').find((l) => l.includes('find-me')));
	const e = JSON.parse(line);
	assert.deepEqual([e.event, e.method, e.path, e.status], ['http.request', 'GET', '/v1/connections', 200]);
	assert.ok(!server.log.includes('private-name') && !server.log.includes(server.token));
});

test('as text, the access log has the request id too', async () => {
	const { until } = await import('./lib.mjs');
	const s = await new Server({ args: ['--log', 'text'] }).start();
	await s.call('GET', '/v1/tokenInfo', undefined, { 'request-id': 'find-me' });
	const line = await until('the log has the line', () => s.log.split('\n').find((l) => l.includes('find-me')));
	assert.match(line, / http\.request GET "\/v1\/tokenInfo" status=200 us=\d+ bytes=\d+ request=find-me$/);
	await s.kill();
});

test('a key file that is missing beside data is not replaced by a new one', async () => {
	const s = await new Server().start();
	await s.kill('SIGTERM');
	const key = `${s.data}.key`;
	fs.renameSync(key, `${key}.away`);
	assert.throws(() => execFileSync(program, ['serve', '--data', s.data, '--listen', '127.0.0.1:0'], { stdio: 'pipe' }), (e) => {
		assert.equal(e.status, 3);
		assert.match(e.stderr.toString(), /the key file .* is missing, and .* has data[^]*hint: put it back/);
		return true;
	});
	assert.ok(!fs.existsSync(key));
	fs.renameSync(`${key}.away`, key);
	await s.start();
	await s.kill();
});

test('SIGTERM drains: a request in work is answered, then the program ends with 0', async () => {
	const s = await new Server().start();
	const write = s.ok(201, 'POST', '/v1/integrations', { name: 'last words' });
	await write;
	s.child.kill('SIGTERM');
	assert.deepEqual(await s.exited, [0, null]);
	execFileSync(program, ['verify', '--data', s.data]);
});

test('a second server on the same data, a taken port and bad options end with their exit codes', async () => {
	const run = (...args) => {
		try {
			execFileSync(program, args, { stdio: 'pipe' });
			return [0, ''];
		} catch (e) {
			return [e.status, e.stderr.toString()];
		}
	};
	const [code, words] = run('serve', '--data', server.data, '--listen', '127.0.0.1:0');
	assert.equal(code, 4);
	assert.match(words, new RegExp(String(server.child.pid)));
	assert.equal(run('serve', '--lissten', 'x')[0], 2);
	assert.match(run('serve', '--lissten', 'x')[1], /listen/);
	assert.equal(run('serve', '--egress-allow', '300.0.0.0/8', '--data', `${server.dir}/none`)[0], 3);
	for (const [args, words] of [
		[['nonsense'], /there is no command "nonsense"/], [['help', 'nonsense'], /there is no command "nonsense"/],
		[['serve', '--lissten'], /there is no option "lissten"\n {2}hint: did you mean "listen"/],
		[['serve', '--listen'], /--listen needs a value/],
		[['serve', `${server.dir}/none`], /serve does not take ".*none"\n {2}hint: integrator help serve/],
		[['verify', 'x'], /verify does not take "x"/], [[], /Usage: integrator COMMAND/],
	]) {
		const [status, said] = run(...args);
		assert.equal(status, 2, said);
		assert.match(said, words);
	}
	const pem = `${server.dir}/none.pem`;
	fs.writeFileSync(pem, 'no certificate\n');
	for (const [args, words] of [
		[['--access-log', 'maybe'], /--access-log is on or off, not "maybe"/],
		[['--listener-rate', 'a,b'], /--listener-rate: "a" is no number/],
		[['--rate-limit', '5'], /--rate-limit is BUCKET,REFILL/],
		[['--ca-file', '/nope'], /--ca-file: can't read \/nope: No such file/],
		[['--ca-file', pem], /--ca-file: .* is not in the form of PEM/],
		[['--tls-cert', pem], /--tls-cert and --tls-key go together/],
		[['--tls-cert', pem, '--tls-key', pem], /--tls-cert: .* is not in the form of PEM/],
	]) {
		const [status, said] = run('serve', '--data', `${server.dir}/none`, '--listen', '127.0.0.1:0', ...args);
		assert.equal(status, 3, said);
		assert.match(said, words);
	}
	assert.ok(!fs.existsSync(`${server.dir}/none`), 'a start that could not succeed made a data directory');
	const told = (...args) => execFileSync(program, args, { encoding: 'utf8' });
	assert.match(told('version'), /^integrator \d+\.\d+\.\d+\n$/);
	assert.equal(told('--version'), told('version'));
	assert.match(told('help'), /serve \[OPTIONS\][^]*--listen[^]*Exit codes/);
	for (const args of [['help', 'token'], ['token', '--help'], ['token', 'list', '-h']]) {
		assert.match(told(...args), /^Usage: integrator token list \|[^]*--data DIR/);
		assert.ok(!told(...args).includes('--listen'));
	}
});

await runTests();
