// Events into a listener: HMAC verified, on disk before the 204. Beside it, in interleaved rounds: a
// bare epoll program that does no more than that (bench_intake.c), Node-RED verifying the same HMAC
// and storing nothing, and nginx answering `return 204` to the same requests. wrk, 64 connections.
//
//   tool/npm bench                                       (Node-RED, once)
//   node bench/intake/run.mjs BUILD_DIR [ROUNDS] [SECONDS]
//
// The bare program has one thread, which stands still while the disk syncs; ours goes on verifying on
// other threads meanwhile. Events a second therefore tell of the disk and of the cores that are free,
// and the CPU time of an event stands beside them: it is what an event costs, wherever it runs.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bench, freePort, integrator, median, nginx, ratios, spread, start, table, target, until, wrk } from '../lib.mjs';

const build = path.resolve(process.argv[2] ?? 'build-bench');
const rounds = Number(process.argv[3] ?? 5), seconds = Number(process.argv[4] ?? 3);
const red = path.join(path.dirname(fileURLToPath(import.meta.url)), '../node_modules/node-red/red.js');

const KEY = 'a key that both sides know';
const body = JSON.stringify({ id: 'evt_1', type: 'order.created', created: 1700000000, data: { number: 'SO-1001', total: '129.90',
	currency: 'EUR', customer: { name: 'Jürgen Müller', email: 'jm@example.com', city: 'Köln', zip: '50667' },
	lines: [{ sku: 'A-100', qty: 2, price: 49.95 }, { sku: 'B-7', qty: 1, price: 30 }] } });
const signature = crypto.createHmac('sha256', KEY).update(body).digest('hex');
const wrong = signature.replace(/^./, (c) => (c === '0' ? '1' : '0'));
const post = async (url, sig) => (await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json', 'x-signature': sig } })).status;

const LUA = `wrk.method = "POST"
wrk.body = ${JSON.stringify(body)}
wrk.headers["Content-Type"] = "application/json"
wrk.headers["X-Signature"] = "${signature}"
`;
// with an id of its own for each event, so that repeats are looked for and never found
const luaOfRound = (round) => `${LUA}
local n = 0
local mine = tostring(math.random(1, 1000000000)) .. tostring({}):sub(8) .. "-${round}-"
request = function()
	n = n + 1
	wrk.headers["X-Event-Id"] = mine .. n
	return wrk.format()
end
`;

const makeListener = async (call, more) => (await call('POST', '/v1/exports', { name: 'events', type: 'webhook',
	webhook: { verify: 'hmac', algorithm: 'sha256', encoding: 'hex', key: KEY, header: 'X-Signature', ...more } }))._id;

// http in -> a function that checks the HMAC over the raw body -> http response
const FUNCTION = `const digest = global.get('crypto').createHmac('sha256', ${JSON.stringify(KEY)}).update(msg.payload).digest();
const given = Buffer.from(msg.req.headers['x-signature'] || '', 'hex');
const genuine = given.length === digest.length && global.get('crypto').timingSafeEqual(given, digest);
if (genuine) JSON.parse(msg.payload);
msg.statusCode = genuine ? 204 : 401;
msg.payload = '';
return msg;`;
const startNodeRed = async ({ dir, children }) => {
	const port = await freePort(), home = path.join(dir, 'node-red');
	fs.mkdirSync(home);
	fs.writeFileSync(path.join(home, 'settings.js'), `module.exports = { uiHost: '127.0.0.1', uiPort: ${port}, httpAdminRoot: false,
 flowFile: 'flows.json', credentialSecret: false, functionGlobalContext: { crypto: require('crypto') },
 logging: { console: { level: 'info', metrics: false, audit: false } } };`);
	fs.writeFileSync(path.join(home, 'flows.json'), JSON.stringify([{ id: 't', type: 'tab', label: 'intake' },
		{ id: 'in', z: 't', type: 'http in', url: '/events', method: 'post', skipBodyParsing: true, wires: [['f']] },
		{ id: 'f', z: 't', type: 'function', outputs: 1, wires: [['out']], func: FUNCTION },
		{ id: 'out', z: 't', type: 'http response', wires: [] }]));
	const { pid } = await start(children, 'env', ['NODE_ENV=production', process.execPath, red, '-u', home], /Started flows/);
	return { pid, url: `http://127.0.0.1:${port}/events` };
};

const startAll = async (env) => {
	const server = await integrator(env, build, ['--listener-rate', '1000000,1000000', '--access-log', 'off']);
	const bare = await start(env.children, path.join(build, 'bench/intake/bench_intake'), [path.join(env.dir, 'events'), KEY], /listening on (\d+)/);
	const plain = await makeListener(server.call, {}), ids = await makeListener(server.call, { idHeader: 'X-Event-Id' });
	const side = (name, id) => ({ name, id, pid: server.pid, url: `${server.url}/v1/exports/${id}/data` });
	const sides = { ours: side('integrator', plain), ids: side('integrator, ids looked up', ids),
		bare: { name: 'bare epoll program, one thread', pid: bare.pid, url: `http://127.0.0.1:${bare.match[1]}/` },
		red: { name: 'Node-RED, nothing stored', ...await startNodeRed(env) },
		nginx: { name: 'nginx, return 204', ...await nginx(env, env.dir, 'location / { return 204; }') } };

	for (const { name, url } of Object.values(sides)) await until(name, async () => await post(url, signature) === 204);
	for (const { name, url } of [sides.ours, sides.ids, sides.bare, sides.red])
		if (await post(url, wrong) !== 401) throw new Error(`${name} takes what is not signed`);
	return { server, sides };
};

await bench('intake', async (env) => {
	const { server, sides } = await startAll(env);
	const all = Object.values(sides), script = path.join(env.dir, 'post.lua'), scriptIds = path.join(env.dir, 'ids.lua');

	fs.writeFileSync(script, LUA);
	for (const side of all) side.runs = [];
	for (let i = 0; i < rounds; i++) {
		fs.writeFileSync(scriptIds, luaOfRound(i));
		for (const side of all) side.runs.push(wrk(side.url, side.pid, seconds, { script: side === sides.ids ? scriptIds : script }));
	}
	for (const { id, name, runs } of [sides.ours, sides.ids]) { // nothing acknowledged may be missing
		const { waiting } = await server.call('GET', `/v1/exports/${id}/listener`), sent = runs.reduce((sum, r) => sum + r.requests, 0);
		if (waiting < sent) throw new Error(`${name}: ${waiting} events are stored, ${sent} were acknowledged`);
	}
	const of = (side, key) => side.runs.map((r) => r[key]);
	const beside = (side) => ratios(of(sides.ours, 'rate'), of(side, 'rate'));

	console.log(`A body of ${Buffer.byteLength(body)} bytes, 64 connections, ${rounds} rounds of ${seconds} s.\n`);
	table(['', 'events/s', 'us of CPU each', 'p99, ms'],
		[...all.map((s) => [s.name, spread(of(s, 'rate')), spread(of(s, 'us'), 1), spread(of(s, 'p99'), 1)]),
			...[sides.bare, sides.red, sides.nginx].map((s) => [`integrator / ${s.name.split(',')[0]}`, spread(beside(s), 2),
				spread(ratios(of(sides.ours, 'us'), of(s, 'us')), 2), ''])]);
	console.log('');
	return [target('events/s beside the bare program', median(beside(sides.bare)), 0.4),
		target('events/s beside Node-RED', median(beside(sides.red)), 1.5)].every(Boolean);
}, { under: build });
