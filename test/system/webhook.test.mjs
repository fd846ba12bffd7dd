// Events from real senders' libraries into listeners: verified, on disk before the answer, run by the
// flows that they feed, and never twice.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import path from 'node:path';
import { Server, application, json, runTests, test, until } from './lib.mjs';

const require = createRequire(import.meta.url);
const { sign: githubSign } = await import('@octokit/webhooks-methods');
const githubExamples = require('@octokit/webhooks-examples/api.github.com/index.json').flatMap((e) => e.examples);
const Stripe = require('stripe');
const { Webhook } = require('standardwebhooks');

const server = await new Server({ args: ['--listener-rate', '100000,100000'] }).start();
const hmac = (key, text, encoding = 'hex', algorithm = 'sha256') => crypto.createHmac(algorithm, key).update(text).digest(encoding);

const listener = (webhook, on = server) => on.ok(201, 'POST', '/v1/exports', { name: 'events', type: 'webhook', webhook });
async function post(url, body, headers = {}, method = 'POST', on = server) {
	const r = await fetch(on.base + url, { method, body, headers });
	return { status: r.status, text: await r.text(), id: r.headers.get('integrator-event-id'), headers: r.headers };
}
const state = (id, on = server) => on.ok(200, 'GET', `/v1/exports/${id}/listener`);
const log = (id) => server.ok(200, 'GET', `/v1/exports/${id}/requests`);
// The status line that a request gets which says that it has so many bytes, and sends none.
const announced = (url, bytes) => new Promise((resolve, reject) => {
	let out = '';
	const s = net.connect(server.port, '127.0.0.1', () => s.write(`POST ${url} HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes}\r\n\r\n`));
	s.on('data', (d) => { out += d; });
	s.on('close', () => resolve(out.split('\r\n')[0]));
	s.on('error', reject);
});
async function refused(url, body, headers) {
	const r = await post(url, body, headers);
	assert.deepEqual([r.status, r.text, r.id], [401, 'Unauthorized', null]);
}
async function sinkApplication() {
	const got = [];
	const a = await application((req, res, body) => { got.push(JSON.parse(body)); json(res, 200, {}); });
	return { ...a, got };
}
async function flowTo(sink, exportId, on = server, more = {}) {
	const connection = await on.ok(201, 'POST', '/v1/connections', { name: 'sink', type: 'rest', rest: { baseURI: sink.url, mediaType: 'json' } });
	const imp = await on.ok(201, 'POST', '/v1/imports', { name: 'load', _connectionId: connection._id, rest: { relativeURI: '/load', method: 'POST' },
		mapping: { fields: [{ extract: 'n', generate: 'n' }] } });
	return (await on.ok(201, 'POST', '/v1/flows', { name: 'flow', _exportId: exportId, _importId: imp._id, ...more }))._id;
}
const numbers = (sink) => sink.got.map((r) => r.n).sort((a, b) => a - b);
const upTo = (n) => Array.from({ length: n }, (_, i) => i);
const plain = { verify: 'hmac', algorithm: 'sha256', encoding: 'hex', key: 'k', header: 'X-Signature', idHeader: 'X-Id' };
const signed = (n, more = {}) => {
	const body = JSON.stringify({ n });
	return [body, { 'x-signature': hmac('k', body), ...more }];
};

// ---- senders ----

test('GitHub: every example that its library signs is taken, and none that was changed', async () => {
	const secret = 'It is a secret';
	const e = await listener({ provider: 'github', key: secret });
	const url = `/v1/exports/${e._id}/data`;
	let n = 0;
	for (const example of githubExamples) {
		const body = JSON.stringify(example);
		const signature = await githubSign(secret, body);
		const r = await post(url, body, { 'content-type': 'application/json', 'x-hub-signature-256': signature, 'x-github-delivery': `d-${n}` });
		assert.deepEqual([r.status, r.text, r.id], [204, '', `d-${n++}`]);
		if (n % 20 === 0) await refused(url, body.replace('"', ' "'), { 'x-hub-signature-256': signature });
	}
	assert.equal((await state(e._id)).waiting, githubExamples.length);
	const form = new URLSearchParams({ payload: JSON.stringify(githubExamples[0]) }).toString();
	assert.equal((await post(url, form, { 'content-type': 'application/x-www-form-urlencoded', 'x-hub-signature-256': await githubSign(secret, form) })).status, 204);
	await refused(url, JSON.stringify(githubExamples[0]), {});
});

test('Stripe: its library\'s headers, several signatures, a window, and its event ids', async () => {
	const secret = 'whsec_stripe';
	const e = await listener({ provider: 'stripe', key: secret });
	const url = `/v1/exports/${e._id}/data`, payload = JSON.stringify({ id: 'evt_1', object: 'event' });
	const header = (more = {}) => stripe.webhooks.generateTestHeaderString({ payload, secret, ...more });
	assert.equal((await post(url, payload, { 'stripe-signature': header() })).id, 'evt_1');
	assert.equal((await post(url, payload, { 'stripe-signature': `${header({ secret: 'old' })},${header().split(',')[1]}` })).status, 204);
	await refused(url, payload, { 'stripe-signature': header({ secret: 'another' }) });
	await refused(url, payload, { 'stripe-signature': header({ timestamp: Math.floor(Date.now() / 1000) - 400 }) });
	await refused(url, payload, { 'stripe-signature': header().replace(/t=\d/, 't=2') });
	assert.equal((await state(e._id)).waiting, 1);
});

test('Standard Webhooks: what its library signs, with a rotated key', async () => {
	const old = `whsec_${Buffer.from('the old key of 24 bytes.').toString('base64')}`;
	const now = `whsec_${Buffer.from('the new key of 24 bytes.').toString('base64')}`;
	const e = await listener({ verify: 'standard', key: now, previousKey: old });
	const url = `/v1/exports/${e._id}/data`;
	const send = (key, id, body, at = new Date()) => ({ 'webhook-id': id, 'webhook-timestamp': String(Math.floor(at / 1000)),
		'webhook-signature': new Webhook(key).sign(id, at, body) });
	const body = '{"n":1}';
	assert.equal((await post(url, body, send(now, 'msg_1', body))).id, 'msg_1');
	assert.equal((await post(url, body, send(old, 'msg_2', body))).status, 204);
	const two = send('whsec_bm90IHRoaXMgb25l', 'msg_3', body);
	await refused(url, body, two);
	assert.equal((await post(url, body, { ...two, 'webhook-signature': `${two['webhook-signature']} ${send(now, 'msg_3', body)['webhook-signature']}` })).status, 204);
	await refused(url, body, { ...send(now, 'msg_4', body), 'webhook-id': 'msg_5' });
	await refused(url, body, send(now, 'msg_6', body, new Date(Date.now() - 301000)));
	await refused(url, body, send(now, 'msg_7', body, new Date(Date.now() + 310000)));
	assert.equal((await post(url, body, send(now, 'msg_1', body))).status, 204); // a repeat
	assert.equal((await state(e._id)).waiting, 3);
	const patched = await server.ok(200, 'PATCH', `/v1/exports/${e._id}`, { webhook: { previousKey: null } });
	assert.equal(patched.webhook.key, '******');
	await refused(url, body, send(old, 'msg_8', body)); // at once, whatever was kept of the listener
	assert.equal((await post(url, body, send(now, 'msg_9', body))).status, 204);
});

test('Shopify, Slack with its challenge, Meta with its handshake', async () => {
	const shopify = await listener({ provider: 'shopify', key: 'k' });
	const body = '{"id":1}';
	for (const id of ['w-1', 'w-2', 'w-1'])
		assert.equal((await post(`/v1/exports/${shopify._id}/data`, body, { 'x-shopify-hmac-sha256': hmac('k', body, 'base64'), 'x-shopify-webhook-id': id })).status, 204);
	assert.equal((await state(shopify._id)).waiting, 2);

	const slack = await listener({ provider: 'slack', key: 'k' });
	const slackPost = (text, type = 'application/json', t = String(Math.floor(Date.now() / 1000))) => post(`/v1/exports/${slack._id}/data`, text,
		{ 'content-type': type, 'x-slack-request-timestamp': t, 'x-slack-signature': `v0=${hmac('k', `v0:${t}:${text}`)}` });
	const challenge = await slackPost('{"type":"url_verification","challenge":"abc123"}');
	assert.deepEqual([challenge.status, challenge.text, challenge.headers.get('x-content-type-options')], [200, 'abc123', 'nosniff']);
	assert.equal((await slackPost('token=x&command=%2Fgo&text=a+b', 'application/x-www-form-urlencoded')).status, 204);
	assert.equal((await slackPost('{"a":1}', 'application/json', '1531420618')).status, 401);
	assert.equal((await state(slack._id)).waiting, 1);

	const meta = await listener({ provider: 'meta', key: 'k', token: 'verify' });
	const shake = await post(`/v1/exports/${meta._id}/data?hub.mode=subscribe&hub.verify_token=verify&hub.challenge=42`, undefined, {}, 'GET');
	assert.deepEqual([shake.status, shake.text], [200, '42']);
	assert.equal((await post(`/v1/exports/${meta._id}/data?hub.verify_token=x&hub.challenge=42`, undefined, {}, 'GET')).status, 405);
	assert.equal((await post(`/v1/exports/${meta._id}/data`, undefined, {}, 'HEAD')).status, 200);
});

// The headers that a sender's own package makes of BODY under KEY at the second T.
const stripe = new Stripe('sk_test_1');
const senders = {
	github: { listener: (key) => ({ provider: 'github', key }),
		sign: async (key, body) => ({ 'x-hub-signature-256': await githubSign(key, body) }) },
	stripe: { listener: (key) => ({ provider: 'stripe', key }), timed: true,
		sign: (key, payload, timestamp) => ({ 'stripe-signature': stripe.webhooks.generateTestHeaderString({ payload, secret: key, timestamp }) }) },
	shopify: { listener: (key) => ({ provider: 'shopify', key }),
		sign: (key, body) => ({ 'x-shopify-hmac-sha256': hmac(key, body, 'base64') }) },
	standard: { listener: (key) => ({ verify: 'standard', key: `whsec_${Buffer.from(key).toString('base64')}` }), timed: true,
		sign: (key, body, t, n) => ({ 'webhook-id': `msg_${n}`, 'webhook-timestamp': String(t),
			'webhook-signature': new Webhook(Buffer.from(key).toString('base64')).sign(`msg_${n}`, new Date(t * 1000), body) }) },
};
// TEXT with one bit changed, so that it can still stand in a header or a body of text.
function changed(text) {
	for (;;) {
		const bytes = Buffer.from(text, 'latin1'), at = crypto.randomInt(bytes.length);
		bytes[at] ^= 1 << crypto.randomInt(7);
		if (bytes[at] > 0x20 && bytes[at] < 0x7f) return bytes.toString('latin1');
	}
}

test('10,000 bodies that the senders\' packages sign are taken, and none of which a bit was changed', async () => {
	const key = 'twenty four secret bytes', urls = {}, taken = {};
	for (const [name, s] of Object.entries(senders)) {
		urls[name] = `/v1/exports/${(await listener(s.listener(key)))._id}/data`;
		taken[name] = 0;
	}
	const names = Object.keys(senders);
	const short = githubExamples.map((e) => JSON.stringify(e)).filter((text) => text.length < 4096 && /^[ -~]*$/.test(text));
	assert.ok(short.length > 30, `${short.length} short examples`);
	const one = async (i) => {
		const name = names[i % names.length], { sign, timed } = senders[name], url = urls[name], t = Math.floor(Date.now() / 1000);
		const body = i % 10 === 0 ? short[i / 10 % short.length].replace('{', `{"n":${i},`) : JSON.stringify({ n: i, text: crypto.randomBytes(40).toString('base64') });
		const headers = await sign(key, body, t, i);
		assert.equal((await post(url, body, headers)).status, 204);
		taken[name]++;
		if (i % 20 > 3) return;
		await refused(url, changed(body), headers);
		for (const h of Object.keys(headers)) await refused(url, body, { ...headers, [h]: changed(headers[h]) });
		await refused(url, body, await sign(changed(key), body, t, i));
		if (timed) await refused(url, body, await sign(key, body, t - 301, i));
	};
	for (let i = 0; i < 10000; i += 50) await Promise.all(upTo(50).map((k) => one(i + k)));
	for (const name of names) {
		assert.equal(taken[name], 2500);
		assert.equal((await state(urls[name].split('/')[3])).waiting, 2500, name);
	}
});

// ---- kinds ----

test('tokens, basic, a secret in the URL; nothing is told to who has it not', async () => {
	const token = await listener({ verify: 'token', token: 'T', path: 'auth.token' });
	const url = (e) => `/v1/exports/${e._id}/data`;
	assert.equal((await post(url(token), '{"auth":{"token":"T"}}')).status, 204);
	await refused(url(token), '{"auth":{"token":"t"}}');
	await refused(url(token), 'no json');
	const basic = await listener({ verify: 'basic', username: 'u', password: 'pä' });
	assert.equal((await post(url(basic), '{}', { authorization: `Basic ${Buffer.from('u:pä').toString('base64')}` })).status, 204);
	await refused(url(basic), '{}', { authorization: `Basic ${Buffer.from('u:p').toString('base64')}` });
	await refused(url(basic), '{}', { authorization: `Bearer ${server.token}` });
	const secret = await listener({ verify: 'secret_url', token: 'SECRETinPATH0123' });
	assert.equal((await post(`/v1/exports/${secret._id}/SECRETinPATH0123/data`, '{}')).status, 204);
	assert.equal((await post(`/v1/exports/${secret._id}/SECRETinPATH0123/data`, '{}', {}, 'PUT')).status, 204);
	await refused(`/v1/exports/${secret._id}/secretinpath0123/data`, '{}');
	await refused(url(secret), '{}');
	await server.ok(200, 'PUT', `/v1/exports/${secret._id}`, secret); // masked: it stays what it is
	const short = await server.call('POST', '/v1/exports', { type: 'webhook', webhook: { verify: 'secret_url', token: 'guessable' } });
	assert.equal(short.status, 422, short.text);
	assert.equal(short.json.errors[0].field, 'webhook.token');
	assert.match(short.json.errors[0].message, /at least 16 bytes/);
	assert.match(short.json.errors[0].hint, /openssl rand/);
	assert.match(await announced(`/v1/exports/${secret._id}/SECRETinPATH0123/data`, 6 << 20), /^HTTP\/1.1 413 /);
	await until('the access log is written', () => server.log.includes(`/v1/exports/${secret._id}/***/data`));
	assert.ok(!server.log.includes('SECRETinPATH0123'));
	const text = JSON.stringify(await log(secret._id));
	assert.ok(text.includes('the token in the path is another one') && !text.includes('SECRET'));
});

test('what is there and what is not: ids, other exports, methods', async () => {
	const e = await listener(plain);
	for (const url of ['/v1/exports/0123456789abcdef01234567/data', '/v1/exports/x/data'])
		assert.equal((await post(url, '{}')).status, 404, url);
	// what is no listener is invoked with a token, and says nothing of itself without one
	for (const url of ['/e00000000', '/v1/i00000000']) {
		assert.equal((await post(url, '{}')).status, 401, url);
		assert.equal((await post(url, '{}', { authorization: `Bearer ${server.token}` })).status, 404, url);
	}
	const connection = await server.ok(201, 'POST', '/v1/connections', { name: 'c', type: 'rest', rest: { baseURI: 'http://127.0.0.1:9', mediaType: 'json' } });
	const rest = await server.ok(201, 'POST', '/v1/exports', { name: 'r', _connectionId: connection._id, rest: { relativeURI: '/x' } });
	assert.equal((await post(`/v1/exports/${rest._id}/data`, '{}')).status, 404);
	assert.equal((await server.call('GET', `/v1/exports/${rest._id}/listener`)).status, 404);
	assert.equal((await fetch(`${server.base}/v1/exports/${e._id}/requests`)).status, 401);
	const [body, headers] = signed(1);
	assert.equal((await post(`/${e.apiIdentifier}`, body, headers)).status, 200);
	assert.equal((await post(`/v1/${e.apiIdentifier}`, body, headers)).status, 200);
	await refused(`/${e.apiIdentifier}`, body, { authorization: `Bearer ${server.token}` });
	await server.ok(204, 'DELETE', `/v1/exports/${e._id}`);
	assert.equal((await post(`/${e.apiIdentifier}`, body, headers)).status, 401);
});

test('answers are as the listener says', async () => {
	const e = await listener({ ...plain, successStatusCode: 202, successBody: '{"ok":true}', successMediaType: 'json' });
	const r = await post(`/v1/exports/${e._id}/data`, ...signed(1));
	assert.deepEqual([r.status, r.text, r.headers.get('content-type')], [202, '{"ok":true}', 'application/json']);
	assert.match(r.id, /^[0-9a-f]{24}$/);
});

test('answers have the headers and the challenge the status that the listener says', async () => {
	const head = (name, value) => [{ name, value }];
	const e = await listener({ ...plain, successResponseHeaders: head('X-Taken', 'yes'), challengePath: 'challenge', challengeSuccessStatusCode: 202,
		challengeSuccessResponseHeaders: head('X-Challenge', 'met') });
	const url = `/v1/exports/${e._id}/data`;
	const r = await post(url, ...signed(1));
	assert.deepEqual([r.status, r.headers.get('x-taken'), r.headers.get('x-challenge')], [204, 'yes', null]);
	const asks = '{"challenge":"abc"}';
	const c = await post(url, asks, { 'x-signature': hmac('k', asks) });
	assert.deepEqual([c.status, c.text, c.headers.get('x-taken'), c.headers.get('x-challenge')], [202, 'abc', null, 'met']);
	for (const [name, value] of [['Content-Length', '1'], ['Content-Type', 'a/b'], ['Integrator-Event-Id', 'x'], ['a b', 'x'], ['X', 'a\r\nb']])
		assert.equal((await server.call('POST', '/v1/exports', { name: 'x', type: 'webhook', webhook: { ...plain, successResponseHeaders: head(name, value) } })).status, 422, name);
});

test('senders that can only be given a URL: the secret stands in it', async () => {
	for (const provider of ['jira', 'mailchimp', 'postmark', 'segment', 'stripe', 'intercom', 'pagerduty']) {
		const e = await listener({ provider, token: 'SECRETinPATH0123456789' });
		assert.equal((await post(`/v1/exports/${e._id}/SECRETinPATH0123456789/data`, '{"n":1}')).status, 204, provider);
		await refused(`/v1/exports/${e._id}/other/data`, '{"n":1}');
		await refused(`/v1/exports/${e._id}/data`, '{"n":1}');
		// tried out by a GET
		assert.equal((await fetch(`${server.base}/v1/exports/${e._id}/SECRETinPATH0123456789/data`)).status, 200);
		assert.equal((await fetch(`${server.base}/v1/exports/${e._id}/other/data`)).status, 405);
	}
	const refusal = async (webhook) => (await server.call('POST', '/v1/exports', { name: 'x', type: 'webhook', webhook })).json.errors.map((x) => x.field);
	assert.deepEqual(await refusal({ provider: 'jira', key: 'k' }), ['webhook.token', 'webhook.key']);
	assert.deepEqual(await refusal({ provider: 'stripe', key: 'k', token: 't'.repeat(32) }), ['webhook.token']);
	assert.deepEqual(await refusal({ provider: 'stripe' }), ['webhook.key']);
});

test('a listener that changes while it answers answers whole', async () => {
	const successBody = 'x'.repeat(4000);
	const e = await listener({ ...plain, successBody });
	let going = true;
	const change = (async () => {
		for (let i = 0; going; i++) await server.ok(200, 'PATCH', `/v1/exports/${e._id}`, { name: `events ${i}` });
	})();
	await Promise.all(upTo(8).map(async () => {
		for (let i = 0; i < 60; i++) assert.equal((await post(`/v1/exports/${e._id}/data`, ...signed(i))).text, successBody);
	}));
	going = false;
	await change;
});

// ---- bodies that are wrong ----

test('oversized, truncated, mis-encoded, foreign and empty bodies; the reasons stand in the log', async () => {
	const e = await listener(plain);
	const url = `/v1/exports/${e._id}/data`;
	const send = (body, headers = {}) => post(url, body, { 'x-signature': hmac('k', body), 'content-type': 'application/json', ...headers });
	assert.equal((await send('{"n":')).status, 400);
	assert.equal((await send(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).status, 400);
	assert.equal((await send('7')).status, 422);
	assert.equal((await send('[{"n":1},2]')).status, 422);
	assert.equal((await send('a,b', { 'content-type': 'text/csv' })).status, 415);
	assert.equal((await send('{"n":1}', { 'content-encoding': 'gzip' })).status, 415);
	assert.match(await announced(url, (5 << 20) + 1), /^HTTP\/1.1 413 /);
	assert.equal((await send('[]')).status, 204);
	assert.equal((await state(e._id)).waiting, 0);
	const large = `{"n":1,"x":"${'y'.repeat(4 << 20)}"}`; // verified in the pool
	assert.equal((await send(large)).status, 204);
	await refused(url, large, { 'x-signature': hmac('k', 'other') });
	assert.equal((await send('[{"n":2},{"n":3}]')).status, 204);
	const entries = await log(e._id);
	assert.deepEqual(entries.map((x) => x.status), [204, 401, 204, 204, 415, 415, 422, 422, 400, 400]);
	assert.match(entries[4].reason, /Content-Encoding is gzip/);
	assert.match(entries[1].reason, /signature does not match/);
	assert.match(entries[9].reason, /line 1/);
	assert.equal(entries[2].bytes, large.length);
	const sink = await sinkApplication();
	await flowTo(sink, e._id);
	await until('all three records arrived', () => sink.got.length === 3);
	assert.deepEqual(numbers(sink), [1, 2, 3]);
});

test('XML is read as exports read it', async () => {
	const e = await listener(plain);
	const url = `/v1/exports/${e._id}/data`;
	const send = (body, type) => post(url, body, { 'x-signature': hmac('k', body), 'content-type': type });
	assert.equal((await send('<n>1</n>', 'application/xml')).status, 204);
	assert.equal((await send('<?xml version="1.0"?><n>2</n>', 'text/xml; charset=utf-8')).status, 204);
	assert.equal((await send('<n>3</n>', 'application/atom+xml')).status, 204);
	assert.equal((await send('<n>4', 'application/xml')).status, 422);
	assert.equal((await send('<!DOCTYPE n [<!ENTITY a "b">]><n>&a;</n>', 'application/xml')).status, 422);
	assert.match((await log(e._id))[1].reason, /line 1/);
	const sink = await sinkApplication();
	await flowTo(sink, e._id);
	await until('all three records arrived', () => sink.got.length === 3);
	assert.deepEqual(sink.got.map((r) => String(r.n)).sort(), ['1', '2', '3']);
});

test('a body that ends early is never an event', async () => {
	const e = await listener(plain);
	const [body, headers] = signed(1);
	await new Promise((resolve, reject) => {
		const s = net.connect(server.port, '127.0.0.1', () => {
			s.end(`POST /v1/exports/${e._id}/data HTTP/1.1\r\nHost: x\r\nX-Signature: ${headers['x-signature']}\r\nContent-Length: ${body.length + 1}\r\n\r\n${body}`);
		});
		s.on('data', () => {});
		s.on('close', resolve);
		s.on('error', reject);
	});
	assert.equal((await state(e._id)).waiting, 0);
});

// ---- repeats, budgets ----

test('an event id is taken once, however it is sent', async () => {
	const e = await listener(plain);
	const sink = await sinkApplication();
	await flowTo(sink, e._id);
	const answers = await Promise.all(upTo(200).map((i) => post(`/v1/exports/${e._id}/data`, ...signed(i % 10, { 'x-id': `id ${i % 10}`.replace(' ', '-') }))));
	assert.ok(answers.every((r, i) => r.status === 204 && r.id === `id-${i % 10}`));
	await until('ten arrived', () => sink.got.length >= 10);
	await until('none waits', async () => (await state(e._id)).waiting === 0);
	assert.deepEqual(numbers(sink), upTo(10));
	assert.equal((await log(e._id)).filter((x) => x.duplicate).length, 190);
});

test('over its budget a listener answers 429 with Retry-After, and stores nothing of it', async () => {
	const small = await new Server({ args: ['--listener-rate', '5,1'] }).start();
	const e = await listener(plain, small), other = await listener(plain, small);
	const began = performance.now();
	const answers = await Promise.all(upTo(60).map((i) => post(`/v1/exports/${e._id}/data`, ...signed(i), 'POST', small)));
	const refilled = Math.ceil((performance.now() - began) / 1000);
	const taken = answers.filter((r) => r.status === 204).length, over = answers.filter((r) => r.status === 429);
	assert.ok(taken >= 5 && taken <= 5 + refilled, `${taken} taken`);
	assert.equal(taken + over.length, 60);
	assert.ok(over.length > 0 && over.every((r) => Number(r.headers.get('retry-after')) >= 1));
	assert.equal((await state(e._id, small)).waiting, taken);
	assert.equal((await post(`/v1/exports/${other._id}/data`, ...signed(1), 'POST', small)).status, 204); // a bucket of its own
	const limits = await small.ok(200, 'GET', '/v1/limits');
	assert.match(JSON.stringify(limits), /LISTENER_BUCKET","value":5/);
	await small.kill();
});

// ---- flows ----

test('events before there is a flow, while it is disabled and after: each arrives once', async () => {
	const e = await listener(plain), url = `/v1/exports/${e._id}/data`;
	const send = async (from, to) => { for (let i = from; i < to; i++) assert.equal((await post(url, ...signed(i))).status, 204); };
	const sink = await sinkApplication();
	await send(0, 10);
	const before = await state(e._id);
	assert.equal(before.waiting, 10);
	assert.deepEqual(before.flows, []);
	assert.match(before.keeps, /no enabled flow/);
	assert.ok(Date.now() - new Date(before.oldest) < 60000);
	const flow = await flowTo(sink, e._id, server, { disabled: true });
	await send(10, 20);
	const disabled = await state(e._id);
	assert.deepEqual(disabled.flows.map((f) => [f._id, f.disabled, f.waiting]), [[flow, true, 20]]);
	assert.equal(sink.got.length, 0);
	await server.ok(200, 'PATCH', `/v1/flows/${flow}`, { disabled: false });
	await until('what waited arrived', () => sink.got.length === 20);
	await send(20, 30);
	await until('the rest arrived', () => sink.got.length === 30);
	await until('none waits', async () => (await state(e._id)).waiting === 0);
	await server.ok(200, 'PATCH', `/v1/flows/${flow}`, { disabled: true });
	await send(30, 40);
	assert.equal((await state(e._id)).waiting, 10);
	await server.ok(200, 'PATCH', `/v1/flows/${flow}`, { disabled: false });
	await until('all arrived', () => sink.got.length === 40);
	assert.deepEqual(numbers(sink), upTo(40));
});

test('two flows get every event each, also one that is made while the other runs', async () => {
	const e = await listener(plain), url = `/v1/exports/${e._id}/data`;
	const first = await sinkApplication(), second = await sinkApplication();
	await flowTo(first, e._id);
	let sent = 0, made = 0;
	const send = async () => { assert.equal((await post(url, ...signed(sent))).status, 204); sent++; };
	for (let i = 0; i < 20; i++) await send();
	await until('the first runs', () => first.got.length > 0);
	await flowTo(second, e._id);
	made = sent;
	for (let i = 0; i < 30; i++) await send();
	await until('the first has all', () => first.got.length === sent);
	await until('the second has what came since it was made', () => second.got.filter((r) => r.n >= made).length === sent - made);
	await until('none waits', async () => (await state(e._id)).waiting === 0);
	assert.deepEqual(numbers(first), upTo(sent));
});

test('a connection that is down keeps nobody from posting', async () => {
	const e = await listener(plain), url = `/v1/exports/${e._id}/data`;
	await flowTo({ url: 'http://127.0.0.1:9' }, e._id);
	for (let i = 0; i < 20; i++) assert.equal((await post(url, ...signed(i))).status, 204);
});

// ---- crash ----

test('kill -9 right behind the answer: in 50 rounds no event that was acknowledged is lost', async () => {
	const s = await new Server({ args: ['--listener-rate', '100000,100000'] }).start();
	const e = await listener(plain, s), url = `/v1/exports/${e._id}/data`;
	const acknowledged = new Set();
	let n = 0;
	for (let round = 0; round < 50; round++) {
		const stop = 1 + (round * 7) % 23;
		let got = 0, killed;
		await Promise.all(upTo(8).map(async () => {
			while (!killed) {
				const mine = n++;
				const r = await post(url, ...signed(mine, { 'x-id': `e${mine}` }), 'POST', s).catch(() => null);
				if (r === null) return;
				assert.equal(r.status, 204);
				acknowledged.add(mine);
				if (++got === stop) killed = s.kill('SIGKILL');
			}
		}));
		await killed;
		await s.start();
	}
	assert.ok(acknowledged.size >= 50);
	const waiting = (await state(e._id, s)).waiting;
	assert.ok(waiting >= acknowledged.size && waiting <= n);
	const sink = await sinkApplication();
	await flowTo(sink, e._id, s);
	await until('all arrived', () => sink.got.length >= waiting);
	const arrived = new Set(sink.got.map((r) => r.n));
	for (const i of acknowledged) assert.ok(arrived.has(i), `event ${i} was acknowledged and is gone`);
	assert.equal(sink.got.length, arrived.size);
	await s.kill();
});

test('a disk that takes no more: 503 with Retry-After, and what was acknowledged before is there', async () => {
	const s = await new Server({ args: ['--listener-rate', '100000,100000'] }).start();
	const e = await listener(plain, s), url = `/v1/exports/${e._id}/data`;
	execFileSync('prlimit', ['--pid', String(s.child.pid), '--fsize=1000000']);
	let acknowledged = 0, last;
	for (let i = 0; i < 1000; i++) {
		const body = JSON.stringify({ n: i, text: 'x'.repeat(20000) });
		last = await post(url, body, { 'x-signature': hmac('k', body) }, 'POST', s);
		if (last.status !== 204) break;
		acknowledged++;
	}
	assert.equal(last.status, 503);
	assert.ok(Number(last.headers.get('retry-after')) >= 1);
	assert.ok(acknowledged > 10);
	assert.equal((await post(url, ...signed(1), 'POST', s)).status, 503);
	await s.kill('SIGKILL');
	await s.start();
	assert.ok((await state(e._id, s)).waiting >= acknowledged);
	assert.equal((await post(url, ...signed(1), 'POST', s)).status, 204);
	await s.kill();
});

test('no secret is answered, logged or kept in clear', async () => {
	const secret = 'clear-text-never', e = await listener({ ...plain, key: secret, previousKey: `${secret}-2` });
	assert.ok(!JSON.stringify(await server.ok(200, 'GET', `/v1/exports/${e._id}`)).includes(secret));
	await post(`/v1/exports/${e._id}/data`, ...signed(1));
	assert.ok(!JSON.stringify(await log(e._id)).includes(secret));
	assert.ok(!server.log.includes(secret));
	for (const f of fs.readdirSync(server.data, { recursive: true, withFileTypes: true }))
		if (f.isFile()) assert.ok(!fs.readFileSync(path.join(f.parentPath ?? f.path, f.name)).includes(secret), f.name);
});

await runTests();
