// Events into a listener: HMAC verified, on disk before the 204. Beside it, in interleaved rounds: a
// bare epoll program that does no more than that (bench_intake.c), Node-RED verifying the same HMAC
// and storing nothing, and nginx answering `return 204` to the same requests. wrk, 64 connections.
//
// Install its peers first: tool/npm bench
//
//   node bench/intake/run.mjs BUILD_DIR [ROUNDS] [SECONDS]
import { execFileSync, spawn } from 'node:child_process';
import crypto from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const build = path.resolve(process.argv[2] ?? 'build-bench');
const rounds = Number(process.argv[3] ?? 5), seconds = Number(process.argv[4] ?? 3);
// beside the build, since /tmp may be memory and this is about a disk
const dir = fs.mkdtempSync(path.join(build, 'bench-intake-'));
const children = [];
const KEY = 'a key that both sides know';
const body = JSON.stringify({ id: 'evt_1', type: 'order.created', created: 1700000000, data: { number: 'SO-1001', total: '129.90',
	currency: 'EUR', customer: { name: 'Jürgen Müller', email: 'jm@example.com', city: 'Köln', zip: '50667' },
	lines: [{ sku: 'A-100', qty: 2, price: 49.95 }, { sku: 'B-7', qty: 1, price: 30 }] } });
const signature = crypto.createHmac('sha256', KEY).update(body).digest('hex');

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const freePort = async () => {
	const s = net.createServer().listen(0, '127.0.0.1');
	await once(s, 'listening');
	const { port } = s.address();
	s.close();
	await once(s, 'close');
	return port;
};
const start = (command, args, ready, options = {}) => new Promise((resolve, reject) => {
	const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], ...options });
	children.push(child);
	let out = '';
	child.stdout.on('data', (d) => {
		out += d;
		const m = ready.exec(out);
		if (m) resolve({ child, match: m });
	});
	child.on('exit', (code) => reject(new Error(`${command} ended with ${code}: ${out}`)));
});
const post = (url, sig) => fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json', 'x-signature': sig } });
const accepts = async (url) => {
	for (let i = 0; i < 600; i++) {
		try {
			const r = await post(url, signature);
			if (r.status === 204) return;
		} catch { /* not yet */ }
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	throw new Error(`${url} does not answer 204`);
};
const cpuMs = (pids) => pids.reduce((sum, pid) => {
	const f = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
	return sum + (Number(f[11]) + Number(f[12])) * 10;
}, 0);
const lua = path.join(dir, 'post.lua');
fs.writeFileSync(lua, `wrk.method = "POST"
wrk.body = ${JSON.stringify(body).replace(/\\u/g, '\\\\u')}
wrk.headers["Content-Type"] = "application/json"
wrk.headers["X-Signature"] = "${signature}"
`);
// with an id of its own for each event, so that repeats are looked for
const luaIds = path.join(dir, 'ids.lua');
fs.writeFileSync(luaIds, `${fs.readFileSync(lua, 'utf8')}
local n = 0
local mine = tostring(math.random(1, 1000000000)) .. tostring({}):sub(8)
request = function()
	n = n + 1
	wrk.headers["X-Event-Id"] = mine .. "-" .. ROUND .. "-" .. n
	return wrk.format()
end
`);
const wrk = (url, pids, script = lua) => {
	const before = cpuMs(pids);
	const out = execFileSync('wrk', ['-t2', '-c64', `-d${seconds}s`, '--latency', '-s', script, url]).toString();
	if (/Non-2xx|Socket errors/.test(out)) throw new Error(`${url}: ${out}`);
	const requests = Number(/(\d+) requests in/.exec(out)[1]);
	return { rate: requests / seconds, requests, p99: /99%\s+(\S+)/.exec(out)[1], us: (cpuMs(pids) - before) * 1000 / requests };
};

try {
	const results = {};
	// ours
	const ours = await start(path.join(build, 'integrator'), ['serve', '--listen', '127.0.0.1:0', '--data', path.join(dir, 'data'),
		'--listener-rate', '1000000,1000000', '--access-log', 'off', '--log-level', 'warn'], /listening on (\S+)/);
	const base = ours.match[1];
	const token = fs.readFileSync(path.join(dir, 'data/token'), 'utf8').trim();
	const listener = async (more) => {
		const r = await fetch(`${base}/v1/exports`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
			body: JSON.stringify({ name: 'events', type: 'webhook', webhook: { verify: 'hmac', algorithm: 'sha256', encoding: 'hex', key: KEY,
				header: 'X-Signature', ...more } }) });
		if (r.status !== 201) throw new Error(await r.text());
		return (await r.json())._id;
	};
	const plain = await listener({}), withIds = await listener({ idHeader: 'X-Event-Id' });
	const waiting = async (id) => (await (await fetch(`${base}/v1/exports/${id}/listener`, { headers: { authorization: `Bearer ${token}` } })).json()).waiting;
	const urls = { ours: `${base}/v1/exports/${plain}/data`, ids: `${base}/v1/exports/${withIds}/data` };

	// the yardstick
	const bare = await start(path.join(build, 'bench/intake/bench_intake'), [path.join(dir, 'events'), KEY], /listening on (\d+)/);
	urls.bare = `http://127.0.0.1:${bare.match[1]}/`;

	// nginx
	const nginxPort = await freePort();
	fs.chmodSync(dir, 0o755);
	fs.writeFileSync(path.join(dir, 'nginx.conf'), `worker_processes auto; daemon off; pid ${dir}/pid; error_log ${dir}/error.log;
events { worker_connections 4096; }
http { access_log off; keepalive_requests 1000000000; client_body_temp_path ${dir}/b; proxy_temp_path ${dir}/p;
 fastcgi_temp_path ${dir}/f; uwsgi_temp_path ${dir}/u; scgi_temp_path ${dir}/s;
 server { listen 127.0.0.1:${nginxPort} reuseport; location / { return 204; } } }`);
	const nginx = spawn('nginx', ['-c', `${dir}/nginx.conf`, '-p', dir], { stdio: 'ignore' });
	children.push(nginx);
	urls.nginx = `http://127.0.0.1:${nginxPort}/`;

	// Node-RED: http in -> function that checks the HMAC over the raw body -> http response
	const redPort = await freePort(), redDir = path.join(dir, 'node-red');
	fs.mkdirSync(redDir);
	fs.writeFileSync(path.join(redDir, 'settings.js'), `module.exports = { uiHost: '127.0.0.1', uiPort: ${redPort}, httpAdminRoot: false,
 flowFile: 'flows.json', credentialSecret: false, functionGlobalContext: { crypto: require('crypto') },
 logging: { console: { level: 'warn', metrics: false, audit: false } } };`);
	fs.writeFileSync(path.join(redDir, 'flows.json'), JSON.stringify([
		{ id: 't', type: 'tab', label: 'intake' },
		{ id: 'in', z: 't', type: 'http in', url: '/events', method: 'post', skipBodyParsing: true, wires: [['f']] },
		{ id: 'f', z: 't', type: 'function', outputs: 1, wires: [['out']], func: `
const crypto = global.get('crypto');
const digest = crypto.createHmac('sha256', ${JSON.stringify(KEY)}).update(msg.payload).digest();
const given = Buffer.from(msg.req.headers['x-signature'] || '', 'hex');
if (given.length !== digest.length || !crypto.timingSafeEqual(given, digest)) { msg.statusCode = 401; msg.payload = 'Unauthorized'; return msg; }
JSON.parse(msg.payload);
msg.statusCode = 204; msg.payload = ''; return msg;` },
		{ id: 'out', z: 't', type: 'http response', wires: [] }]));
	const red = spawn(process.execPath, [path.join(here, '../node_modules/node-red/red.js'), '-u', redDir],
		{ stdio: 'ignore', env: { ...process.env, NODE_ENV: 'production' } });
	children.push(red);
	urls.red = `http://127.0.0.1:${redPort}/events`;

	for (const url of Object.values(urls)) await accepts(url);
	for (const url of [urls.ours, urls.bare, urls.red])
		if ((await post(url, signature.replace(/^./, (c) => (c === '0' ? '1' : '0')))).status !== 401) throw new Error(`${url} takes what is not signed`);
	const workers = fs.readFileSync(`/proc/${nginx.pid}/task/${nginx.pid}/children`, 'utf8').trim().split(' ').map(Number);
	const sides = [['bare', [bare.child.pid]], ['ours', [ours.child.pid]], ['ids', [ours.child.pid]], ['red', [red.pid]], ['nginx', workers]];
	let stored = 1, storedIds = 0;
	for (let i = 0; i < rounds; i++) {
		for (const [name, pids] of sides) {
			const script = name === 'ids' ? path.join(dir, `ids-${i}.lua`) : lua;
			if (name === 'ids') fs.writeFileSync(script, fs.readFileSync(luaIds, 'utf8').replace('ROUND', i));
			const r = wrk(urls[name], pids, script);
			(results[name] ??= []).push(r);
			if (name === 'ours') stored += r.requests;
			if (name === 'ids') storedIds += r.requests;
		}
	}
	if (await waiting(plain) < stored) throw new Error(`${await waiting(plain)} events are stored, ${stored} were acknowledged`);
	if (await waiting(withIds) < storedIds) throw new Error(`${await waiting(withIds)} events with ids are stored, ${storedIds} were acknowledged`);
	const words = { bare: 'bare epoll program', ours: 'integrator', ids: 'integrator, ids looked up', red: 'Node-RED', nginx: 'nginx, return 204' };
	const rate = (name) => median(results[name].map((r) => r.rate));
	console.log(`body of ${body.length} bytes, 64 connections, ${rounds} rounds of ${seconds} s, medians`);
	for (const [name] of sides)
		console.log(`${words[name].padEnd(28)} ${rate(name).toFixed(0).padStart(8)}/s  p99 ${results[name].map((r) => r.p99).join(' ')}  ${median(results[name].map((r) => r.us)).toFixed(1)} us CPU`);
	console.log(`ours / bare: ${(rate('ours') / rate('bare')).toFixed(2)}   ours / Node-RED: ${(rate('ours') / rate('red')).toFixed(2)}   ours / nginx: ${(rate('ours') / rate('nginx')).toFixed(2)}`);
} finally {
	for (const c of children) c.kill('SIGTERM');
	fs.rmSync(dir, { recursive: true, force: true });
}
process.exit(0);
