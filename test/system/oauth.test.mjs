// OAuth 2.0: an application whose tokens end and whose refresh tokens are replaced with each use, as strict as
// RFC 6749, 10.4 wants it: a refresh token that comes a second time ends the grant.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { Server, application, connectionsGone, installFlow, json, pagedSource, runTests, test, until } from './lib.mjs';

const server = await new Server({ args: ['--outbound-timeout', '5'] }).start();
const CLIENT = 'my client', SECRET = 's3cret/of the client';

// Everything that must never be seen by anybody but the application.
const secrets = new Set([SECRET, encodeURIComponent(SECRET), encodeURIComponent(SECRET).replaceAll('%20', '+')]);
const issue = (kind) => {
	const t = `${kind}-${crypto.randomBytes(12).toString('hex')}`;
	secrets.add(t);
	return t;
};
const basic = Buffer.from(`${encodeURIComponent(CLIENT)}:${encodeURIComponent(SECRET)}`).toString('base64');
secrets.add(basic);
const hidden = (text) => {
	for (const s of secrets) assert.ok(!text.includes(s), `${s} is told: ${text.slice(0, 2000)}`);
};

// The authorization server, and the application behind it.
async function provider({ life = 3600, rotate = true } = {}) {
	const p = { refresh: issue('rt'), used: [], access: new Set(), refreshes: 0, refused: 0, life, rotate,
		answer: null, seen: [], before: async () => {} };
	p.token = async (req, res, body) => {
		p.refreshes++;
		await p.before();
		const form = new URLSearchParams(body);
		const bad = (status, error, error_description) => json(res, status, { error, error_description });
		if (req.method !== 'POST' || req.headers['content-type'] !== 'application/x-www-form-urlencoded') return bad(400, 'invalid_request');
		if (p.answer) return p.answer(req, res);
		if (req.headers.authorization !== `Basic ${basic}`) return bad(401, 'invalid_client');
		if (form.get('grant_type') === 'authorization_code') return p.exchange(form, res, bad);
		if (form.get('grant_type') !== 'refresh_token') return bad(400, 'unsupported_grant_type');
		if (p.used.includes(form.get('refresh_token'))) p.refresh = null; // somebody has stolen it
		if (p.refresh === null || form.get('refresh_token') !== p.refresh) return bad(400, 'invalid_grant', `Token ${form.get('refresh_token')} has been revoked.`);
		const answer = { access_token: issue('at'), token_type: 'Bearer', ...(p.life ? { expires_in: p.life } : {}) };
		if (p.rotate) {
			p.used.push(p.refresh);
			answer.refresh_token = p.refresh = issue('rt');
		}
		p.access.add(answer.access_token);
		json(res, 200, answer);
	};
	// What the page for people gives to whom: a code that is good once, for whoever knows the verifier.
	p.codes = new Map();
	p.authorize = (url) => {
		const q = new URL(url).searchParams, code = issue('code');
		p.codes.set(code, q);
		return code;
	};
	p.exchange = (form, res, bad) => {
		const q = p.codes.get(form.get('code'));
		p.codes.delete(form.get('code'));
		const digest = crypto.createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url');
		if (!q || q.get('redirect_uri') !== form.get('redirect_uri') || q.get('code_challenge') !== digest)
			return bad(400, 'invalid_grant', `no such code: ${form.get('code')}`);
		secrets.add(form.get('code_verifier'));
		p.refresh = issue('rt');
		const access_token = issue('at');
		p.access.add(access_token);
		json(res, 200, { access_token, refresh_token: p.refresh, token_type: 'bearer', expires_in: p.life });
	};
	p.handler = (req, res) => json(res, 200, { ok: true });
	p.app = await application((req, res, body) => {
		if (req.url === '/token') return p.token(req, res, body);
		const token = (req.headers.authorization ?? '').replace(/^Bearer /, '');
		p.seen.push(req.url);
		if (p.access.has(token)) return p.handler(req, res, body);
		p.refused++;
		json(res, 401, { message: `the token ${token} has ended` });
	});
	p.client = (await server.ok(201, 'POST', '/v1/iclients', { name: 'app', provider: 'p', clientId: CLIENT, clientSecret: SECRET, tokenURI: `${p.app.url}/token` }))._id;
	p.rest = { baseURI: p.app.url, authType: 'oauth', refreshToken: p.refresh, tokenURI: `${p.app.url}/token`, _iClientId: p.client, pingRelativeURI: '/me' };
	p.connect = async (more = {}) => (await server.ok(201, 'POST', '/v1/connections', { name: 'app', type: 'rest', rest: { ...p.rest, ...more } }))._id;
	p.doc = (id) => server.ok(200, 'GET', `/v1/connections/${id}`);
	return p;
}
const ping = (id) => server.ok(200, 'GET', `/v1/connections/${id}/ping`);
const proxy = (id, uri = '/x') => server.call('GET', `/v1/connections/${id}/proxy`, undefined, { 'integrator-relative-uri': uri });
const waiting = (id) => until('the job waits', async () => {
	const job = await server.ok(200, 'GET', `/v1/jobs/${id}`);
	return job.waitingFor?._connectionId ? job : null;
});

test('a first token is fetched, kept sealed and used by all that comes behind', async () => {
	const p = await provider();
	const id = await p.connect();
	const before = Date.now();
	assert.deepEqual(await ping(id), { code: 200 });
	assert.deepEqual(await ping(id), { code: 200 });
	assert.equal((await proxy(id)).status, 200);
	assert.deepEqual([p.refreshes, p.refused], [1, 0]);
	const doc = await p.doc(id);
	assert.deepEqual([doc.rest.bearerToken, doc.rest.refreshToken], ['******', '******']);
	const ends = Date.parse(doc.rest.tokenExpiresAt) - before;
	assert.ok(ends >= 3540000 && ends < 3540000 + 60000, doc.rest.tokenExpiresAt);
	// what a client read and sends back changes nothing
	await server.ok(200, 'PUT', `/v1/connections/${id}`, doc);
	assert.deepEqual(await ping(id), { code: 200 });
	assert.equal(p.refreshes, 1);
	for (const f of fs.readdirSync(server.data)) if (f.startsWith('integrator.db')) hidden(fs.readFileSync(path.join(server.data, f), 'latin1'));
});

test('a token that has ended is renewed before it is tried, one that is refused behind it, each once', async () => {
	const p = await provider({ life: 0 });
	const id = await p.connect();
	await ping(id);
	assert.equal((await p.doc(id)).rest.tokenExpiresAt, undefined);
	p.access.clear(); // it ends, and nobody said when
	assert.equal((await proxy(id)).status, 200);
	assert.deepEqual([p.refreshes, p.refused], [2, 1]);
	await server.ok(200, 'PATCH', `/v1/connections/${id}`, { rest: { tokenExpiresAt: '2020-01-01T00:00:00Z' } });
	assert.equal((await proxy(id)).status, 200);
	assert.deepEqual([p.refreshes, p.refused], [3, 1]);
	// a new one that is refused too: the answer is the application's
	p.handler = (req, res) => json(res, 401, { message: 'not you' });
	const r = await proxy(id);
	assert.deepEqual([r.status, p.refreshes], [401, 4], r.text);
});

test('many that are refused at once make one renewal, and none is refused twice', async () => {
	const p = await provider({ life: 0 });
	const id = await p.connect({ concurrencyLevel: 50 });
	await ping(id);
	p.access.clear();
	// no answer before all are refused: each must find out for itself that the token has ended
	p.before = () => until('all were refused', () => p.refused >= 20);
	const answers = await Promise.all([...Array(20)].map((_, i) => proxy(id, `/x${i}`)));
	assert.deepEqual([...new Set(answers.map((a) => a.status))], [200], answers.map((a) => a.text).join('\n'));
	assert.deepEqual([p.refreshes, p.refused, p.used.length], [2, 20, 2]);
});

test('a run whose token ends in the middle loses nothing, repeats nothing, and sees one renewal', async () => {
	const p = await provider({ life: 0 }), got = [];
	const source = pagedSource(60, 20);
	p.handler = (req, res, body) => {
		if (req.method === 'GET') return source(req, res);
		got.push(JSON.parse(body).key);
		if (got.length === 25) p.access.clear();
		json(res, 201, {});
	};
	const rest = { ...p.rest, concurrencyLevel: 4 };
	const ids = await installFlow(server, { source: p.app.url, sink: p.app.url, sourceConnection: rest, exportMore: { pageSize: 20 } });
	// both ends by the same connection, as two sessions
	await server.ok(200, 'PUT', `/v1/imports/${ids.import}`, { ...(await server.ok(200, 'GET', `/v1/imports/${ids.import}`)), _connectionId: ids.connections[0] });
	const job = await server.runFlow(ids.flow);
	assert.deepEqual([job.status, job.ledger], ['completed', { exported: 60, succeeded: 60, ignored: 0, failed: 0, inFlight: 0 }]);
	assert.deepEqual(got.sort((a, b) => a - b), [...Array(60).keys()]);
	assert.equal(p.refreshes, 2);
	hidden(JSON.stringify(await server.errorsOf(job._id)));
});

test('a refresh token that was replaced outlives kill -9', async () => {
	const p = await provider({ life: 0 });
	const id = await p.connect();
	// the program is killed when the first call comes with the new token: it is on disk by then
	let killed = null;
	p.handler = () => { killed ??= server.kill('SIGKILL'); };
	await assert.rejects(proxy(id));
	await killed;
	await connectionsGone(p.app);
	p.handler = (req, res) => json(res, 200, {});
	await server.start();
	assert.deepEqual(await ping(id), { code: 200 });
	assert.equal(p.refreshes, 1);
	p.access.clear();
	assert.deepEqual(await ping(id), { code: 200 });
	assert.deepEqual([p.refreshes, p.refresh !== null], [2, true]);
});

test('a job that is canceled while its token is renewed loses no refresh token', async () => {
	const p = await provider({ life: 0 });
	const sink = await application((req, res) => json(res, 201, {}));
	const ids = await installFlow(server, { source: p.app.url, sink: sink.url, sourceConnection: p.rest });
	let release;
	const wait = new Promise((resolve) => { release = resolve; });
	p.before = () => wait;
	const { _jobId } = await server.ok(201, 'POST', `/v1/flows/${ids.flow}/run`);
	await until('the token is asked for', () => p.refreshes === 1);
	await server.ok(200, 'PUT', `/v1/jobs/${_jobId}/cancel`);
	release();
	assert.equal((await server.jobEnd(_jobId)).status, 'canceled');
	assert.deepEqual(await ping(ids.connections[0]), { code: 200 });
	assert.deepEqual([p.refreshes, p.used.length], [1, 1]);
});

test('a grant that has ended takes the connection offline with the application\'s words, and jobs wait', async () => {
	const p = await provider({ life: 0 }), got = [];
	p.handler = (req, res, body) => {
		if (req.url === '/me') return json(res, 200, {});
		got.push(JSON.parse(body).key);
		if (got.length === 3) {
			p.access.clear();
			p.refresh = null;
		}
		json(res, 201, {});
	};
	const source = await application(pagedSource(10, 10));
	const ids = await installFlow(server, { source: source.url, sink: p.app.url, sinkConnection: { ...p.rest, concurrencyLevel: 1 } });
	const [, to] = ids.connections;
	const { _jobId } = await server.ok(201, 'POST', `/v1/flows/${ids.flow}/run`);
	const job = await waiting(_jobId);
	assert.match(job.waitingFor.what, /connection "sink" is offline: .*token endpoint .*answered status 400: invalid_grant: Token \*{6} has been revoked/);
	assert.equal(job.ledger.failed, 0);
	assert.equal((await p.doc(to)).offline, true);
	// the run asked once, for all of its records, and its ping
	assert.ok(p.refreshes <= 3, String(p.refreshes));
	const said = await ping(to);
	assert.match(said.message, /invalid_grant/);
	hidden(JSON.stringify([job, said]));
	p.refresh = issue('rt');
	await server.ok(200, 'PATCH', `/v1/connections/${to}`, { rest: { refreshToken: p.refresh } });
	assert.deepEqual(await ping(to), { code: 200 });
	const done = await server.jobEnd(_jobId);
	assert.equal(done.ledger.succeeded, 10);
	assert.deepEqual(got.sort((a, b) => a - b), [...Array(10).keys()]);
});

test('a token endpoint that is out of order is an application out of reach: the job waits and goes on by itself', async () => {
	const p = await provider({ life: 0 });
	const source = await application(pagedSource(5, 5));
	p.answer = (req, res) => json(res, 503, {});
	p.handler = (req, res) => json(res, 201, {});
	const ids = await installFlow(server, { source: source.url, sink: p.app.url, sinkConnection: p.rest });
	const { _jobId } = await server.ok(201, 'POST', `/v1/flows/${ids.flow}/run`);
	const job = await waiting(_jobId);
	assert.match(job.waitingFor.what, /token endpoint .*answered status 503/);
	p.answer = null;
	assert.equal((await server.jobEnd(_jobId)).ledger.succeeded, 5);
});

test('answers that are no token end in words, within limits, and harm nothing', async () => {
	const p = await provider({ life: 0 });
	const id = await p.connect();
	const raw = (status, type, body) => (req, res) => { res.writeHead(status, { 'content-type': type }); res.end(body); };
	for (const [what, answer, words] of [
		['HTML', raw(200, 'text/html', `<html>${issue('at')}</html>`), /no JSON object/],
		['an HTML error', raw(404, 'text/html', '<html>Not found</html>'), /answered status 404: <html>Not found/],
		['garbage', raw(200, 'application/json', Buffer.from([0xff, 0xfe, 0, 1, 2])), /no JSON object/],
		['nothing', raw(200, 'application/json', ''), /no JSON object/],
		['no token', raw(200, 'application/json', '{"token":"x"}'), /without access_token/],
		['a token of two lines', raw(200, 'application/json', JSON.stringify({ access_token: 'a\r\nHost: evil' })), /no token/],
		['a number', raw(200, 'application/json', '{"access_token":1}'), /no token/],
		['too much', raw(200, 'application/json', `{"access_token":"${'x'.repeat(70000)}"}`), /65536/],
		['without an end', (req, res) => {
			res.writeHead(200, { 'content-type': 'application/json' });
			const more = () => { while (!res.destroyed && res.write('x'.repeat(4096))); };
			res.on('drain', more);
			more();
		}, /65536/],
		['a redirect', (req, res) => { res.writeHead(307, { location: '/token' }); res.end(); }, /redirects are not followed/],
		['none', () => {}, /did not answer|within|timed? ?out|deadline/i],
		['slow', (req, res) => {
			res.writeHead(200, { 'content-type': 'application/json' });
			const t = setInterval(() => res.write(' '), 100);
			res.on('close', () => clearInterval(t));
		}, /./],
		['a break', (req) => req.socket.destroy(), /./],
	]) {
		p.answer = answer;
		const r = await ping(id);
		assert.notEqual(r.code, 200, what);
		assert.match(r.message, words, `${what}: ${r.message}`);
		assert.match(r.message, /token endpoint http/, what);
		hidden(r.message);
	}
	p.answer = null;
	assert.deepEqual(await ping(id), { code: 200 });
});

test('what is not stored fetches no token: a new refresh token would be lost', async () => {
	const p = await provider({ life: 0 });
	const unsaved = { type: 'rest', rest: p.rest };
	const r = await server.ok(200, 'POST', '/v1/connections/ping', unsaved);
	assert.match(r.message, /not saved/);
	const id = await p.connect();
	const named = await server.ok(200, 'POST', '/v1/connections/ping', { ...(await p.doc(id)) });
	assert.match(named.message, /not saved/);
	assert.equal(p.refreshes, 0);
	await ping(id);
	// with its token it works, as long as that is good
	assert.deepEqual(await server.ok(200, 'POST', '/v1/connections/ping', await p.doc(id)), { code: 200 });
	p.access.clear();
	assert.equal((await server.ok(200, 'POST', '/v1/connections/ping', await p.doc(id))).code, 401);
	assert.equal(p.refreshes, 1);
});

test('refresh token and client secret go to no server but those they were given for', async () => {
	const p = await provider({ life: 0 });
	const id = await p.connect();
	const stolen = [];
	const thief = await application((req, res, body) => { stolen.push([req.headers, body]); json(res, 200, { access_token: 'x' }); });
	const r = await server.call('PATCH', `/v1/connections/${id}`, { rest: { tokenURI: `${thief.url}/token` } });
	assert.equal(r.status, 422);
	assert.equal(r.json.errors[0].field, 'rest.refreshToken');
	// a connection of somebody else's making that names the iClient
	const mine = await server.ok(201, 'POST', '/v1/connections', { name: 'm', type: 'rest', rest: { ...p.rest, baseURI: thief.url, tokenURI: `${thief.url}/token`, refreshToken: 'mine' } });
	assert.match((await ping(mine._id)).message, /clientSecret is for the server of its own tokenURI/);
	const c = await server.call('PATCH', `/v1/iclients/${p.client}`, { tokenURI: `${thief.url}/token` });
	assert.equal(c.json.errors[0].field, 'clientSecret', c.text);
	assert.deepEqual(stolen, []);
});

test('logs, debug logs, previews and answers hold no secret', async () => {
	const p = await provider({ life: 0 });
	const source = pagedSource(4, 4);
	p.handler = (req, res) => req.method === 'GET' ? source(req, res) : json(res, 500, { echo: req.headers.authorization });
	const ids = await installFlow(server, { source: p.app.url, sink: p.app.url, sourceConnection: p.rest });
	await server.ok(200, 'PUT', `/v1/imports/${ids.import}`, { ...(await server.ok(200, 'GET', `/v1/imports/${ids.import}`)), _connectionId: ids.connections[0] });
	const [id] = ids.connections;
	await server.ok(200, 'POST', `/v1/connections/${id}/debug`);
	const job = await server.runFlow(ids.flow);
	assert.equal(job.ledger.failed, 4);
	p.access.clear();
	const preview = await server.call('POST', '/v1/exports/preview', { ...(await server.ok(200, 'GET', `/v1/exports/${ids.export}`)) });
	assert.equal(preview.status, 200, preview.text);
	const debug = (await server.call('GET', `/v1/connections/${id}/debug`)).text;
	assert.match(debug, /"purpose":"token"/);
	const errors = await server.errorsOf(job._id);
	assert.equal(errors.length, 4);
	for (const text of [debug, preview.text, JSON.stringify(errors), JSON.stringify(job), server.log]) hidden(text);
	assert.match(server.log, /connection\.token_renewed/);
});

// ---- access that a user gives in a browser ----

const begin = async (id, on = server) => (await on.ok(200, 'GET', `/v1/connections/${id}/oauth2`)).url;
// The application sends the browser back, which has no token of ours.
const back = async (url, query) => {
	const q = new URL(url).searchParams;
	const r = await fetch(`${q.get('redirect_uri')}?${new URLSearchParams({ state: q.get('state'), ...query })}`);
	const text = await r.text();
	assert.match(r.headers.get('content-type'), /^text\/plain/);
	assert.equal(r.headers.get('cache-control'), 'no-store');
	hidden(text);
	return { status: r.status, text };
};
const ungranted = async (more = {}) => {
	const p = await provider();
	const { refreshToken, ...rest } = p.rest;
	p.rest = { ...rest, authURI: `${p.app.url}/authorize?prompt=consent`, scope: ['orders.read', 'offline access'], ...more };
	return [p, await p.connect()];
};

test('a user gives access in a browser: the code becomes tokens, and the way back is good once', async () => {
	const [p, id] = await ungranted();
	assert.match((await ping(id)).message, /nobody has granted access yet/);
	const url = await begin(id), q = new URL(url).searchParams;
	assert.ok(url.startsWith(`${p.app.url}/authorize?prompt=consent&`), url);
	assert.deepEqual([q.get('response_type'), q.get('client_id'), q.get('scope'), q.get('redirect_uri'), q.get('code_challenge_method')],
		['code', CLIENT, 'orders.read offline access', `${server.base}/connection/oauth2callback`, 'S256']);
	assert.match(q.get('code_challenge'), /^[\w-]{43}$/);
	assert.match(q.get('state'), /^[0-9a-f]{64}$/);
	const code = p.authorize(url);
	const page = await back(url, { code });
	assert.equal(page.status, 200, page.text);
	assert.match(page.text, /Access was given/);
	assert.match(page.text, /\{"code":200\}/);
	assert.deepEqual(await ping(id), { code: 200 });
	const doc = await p.doc(id);
	assert.deepEqual([doc.rest.bearerToken, doc.rest.refreshToken], ['******', '******']);
	assert.ok(doc.rest.tokenExpiresAt);
	const again = await back(url, { code: p.authorize(url) });
	assert.equal(again.status, 403);
	assert.match(again.text, /used already/);
	// what came goes on by itself, and access given anew takes the place of what was
	await server.ok(200, 'PATCH', `/v1/connections/${id}`, { rest: { tokenExpiresAt: '2020-01-01T00:00:00Z' } });
	assert.deepEqual(await ping(id), { code: 200 });
	const next = await begin(id);
	assert.notEqual(new URL(next).searchParams.get('state'), q.get('state'));
	assert.equal((await back(next, { code: p.authorize(next) })).status, 200);
	assert.deepEqual(await ping(id), { code: 200 });
	hidden(server.log);
	assert.ok(!server.log.includes(q.get('state')), 'the state is logged');
});

test('a user who says no, a code of nobody, a state of nobody: a page that says so, and nothing is kept', async () => {
	const [p, id] = await ungranted();
	let url = await begin(id);
	const denied = await back(url, { error: 'access_denied', error_description: '<script>alert(1)</script>' });
	assert.equal(denied.status, 403);
	assert.match(denied.text, /the application says access_denied: <script>/);
	assert.match((await back(url, { code: p.authorize(url) })).text, /not known/); // it was an answer
	url = await begin(id);
	const wrong = await back(url, { code: 'made-up-code' });
	assert.ok(wrong.status >= 400, wrong.text);
	assert.match(wrong.text, /invalid_grant: no such code: \*{6}/);
	url = await begin(id);
	assert.equal((await back(url, {})).status, 400);
	assert.equal((await back(url, { state: 'f'.repeat(64), code: 'x' })).status, 403);
	assert.equal((await back(url, { state: '', code: 'x' })).status, 403);
	url = await begin(id);
	await server.ok(200, 'PATCH', `/v1/connections/${id}`, { rest: { tokenURI: `${p.app.url}/token?other` } });
	assert.equal((await back(url, { code: p.authorize(url) })).status, 409);
	url = await begin(id);
	await server.ok(204, 'DELETE', `/v1/connections/${id}`);
	assert.equal((await back(url, { code: p.authorize(url) })).status, 404);
	assert.equal(p.refreshes, 1); // the code of nobody
});

test('a code and a refresh token in one moment: what becomes of the one is not told of the other', async () => {
	const [p, id] = await ungranted();
	let url = await begin(id);
	assert.equal((await back(url, { code: p.authorize(url) })).status, 200);
	// the grant ends, and while that is being found out the user gives access anew
	const hold = () => {
		let release;
		const wait = new Promise((resolve) => { release = resolve; });
		p.before = async () => { p.before = async () => {}; await wait; };
		return release;
	};
	const dead = async () => {
		p.access.clear();
		p.refresh = null;
		await server.ok(200, 'PATCH', `/v1/connections/${id}`, { rest: { tokenExpiresAt: '2020-01-01T00:00:00Z' } });
	};
	await dead();
	let release = hold(), before = p.refreshes;
	const pinged = ping(id);
	await until('the refresh token is asked for', () => p.refreshes === before + 1);
	url = await begin(id);
	const given = back(url, { code: p.authorize(url) });
	release();
	assert.match((await pinged).message, /invalid_grant/);
	assert.equal((await given).status, 200);
	assert.deepEqual(await ping(id), { code: 200 });
	// and the other way: a code that is none, while a good refresh token waits for its turn
	await server.ok(200, 'PATCH', `/v1/connections/${id}`, { rest: { tokenExpiresAt: '2020-01-01T00:00:00Z' } });
	[release, before] = [hold(), p.refreshes];
	url = await begin(id);
	const wrong = back(url, { code: 'made-up-code' });
	await until('the code is asked for', () => p.refreshes === before + 1);
	const waits = ping(id);
	release();
	assert.match((await wrong).text, /invalid_grant/);
	assert.deepEqual(await waits, { code: 200 });
});

test('what is not set up for it is told by field, and --public-url says where users come back to', async () => {
	const [p] = await ungranted();
	const field = async (rest) => {
		const c = await server.ok(201, 'POST', '/v1/connections', { name: 'x', type: 'rest', rest });
		const r = await server.call('GET', `/v1/connections/${c._id}/oauth2`);
		return [r.status, r.json.errors[0].field];
	};
	assert.deepEqual(await field({ baseURI: p.app.url, bearerToken: 'x' }), [422, 'rest.authType']);
	const { authURI, ...without } = p.rest;
	assert.deepEqual(await field(without), [422, 'rest.authURI']);
	assert.equal((await server.call('GET', '/v1/connections/5587092ef78228000000000a/oauth2')).status, 404);
	const other = await new Server({ args: ['--public-url', 'https://Integrator.example/'] }).start();
	const client = await other.ok(201, 'POST', '/v1/iclients', { name: 'app', provider: 'p', clientId: CLIENT, scope: ['a', 'b'], scopeDelimiter: ',' });
	const c = await other.ok(201, 'POST', '/v1/connections', { name: 'x', type: 'rest', rest: { ...p.rest, scope: undefined, _iClientId: client._id } });
	const q = new URL(await begin(c._id, other)).searchParams;
	assert.equal(q.get('redirect_uri').toLowerCase(), 'https://integrator.example/connection/oauth2callback');
	assert.equal(q.get('scope'), 'a,b');
	await other.kill();
	await assert.rejects(new Server({ args: ['--public-url', 'https://integrator.example/path'] }).start(), /without a path/);
});

await runTests();
