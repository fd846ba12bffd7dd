// What every system test starts from: the real program on a fresh data directory, a client for its
// API, and scripted applications on both sides of a flow. Nothing here sleeps: `until` asks again
// until a condition holds, and says what it waited for when it gives up.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const program = process.env.INTEGRATOR ?? path.join(root, 'build/integrator');

// ---- tests ----

const tests = [];
const cleanups = [];
export function test(name, fn) {
	tests.push({ name, fn });
}
export function onEnd(fn) {
	cleanups.push(fn);
}
export async function runTests() {
	let passed = 0, failed = 0;
	const only = process.argv[2];
	for (const { name, fn } of tests) {
		if (only && !name.includes(only)) continue;
		try {
			await fn();
			passed++;
			console.log(`ok - ${name}`);
		} catch (e) {
			failed++;
			console.log(`not ok - ${name}\n${e.stack ?? e}`);
		}
	}
	for (const fn of cleanups.reverse()) await fn();
	console.log(`${passed} passed, ${failed} failed`);
	process.exit(failed > 0 || passed === 0 ? 1 : 0);
}

// The time is for machines that are busy with other things: nothing is promised by it.
export async function until(what, fn, ms = 60000) {
	const end = Date.now() + ms;
	for (;;) {
		const v = await fn();
		if (v) return v;
		if (Date.now() > end) throw new Error(`gave up waiting until ${what}`);
		await new Promise((resolve) => setTimeout(resolve, 10));
	}
}

// ---- the program ----

export class Server {
	constructor(options = {}) {
		this.dir = options.dir ?? fs.mkdtempSync(path.join(os.tmpdir(), 'integrator-'));
		this.data = path.join(this.dir, 'data');
		this.args = options.args ?? [];
		this.env = options.env ?? {};
		if (!options.dir) onEnd(() => fs.rmSync(this.dir, { recursive: true, force: true }));
		onEnd(() => this.kill());
	}
	async start() {
		this.log = '';
		this.child = spawn(program, ['serve', '--listen', '127.0.0.1:0', '--data', this.data, '--log', 'json',
			'--rate-limit', '100000,100000', '--egress-allow', '127.0.0.0/8,::1/128', ...this.args],
			{ stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...this.env } });
		this.exited = once(this.child, 'exit');
		this.child.stderr.on('data', (d) => { this.log += d; });
		let out = '';
		this.base = await new Promise((resolve, reject) => {
			this.child.stdout.on('data', (d) => {
				out += d;
				const m = /listening on (\S+)/.exec(out);
				if (m) resolve(m[1]);
			});
			this.exited.then(([code]) => reject(new Error(`exit ${code}: ${out}${this.log}`)));
		});
		this.port = Number(new URL(this.base).port);
		this.token = fs.readFileSync(path.join(this.data, 'token'), 'utf8').trim();
		return this;
	}
	async kill(signal = 'SIGKILL') {
		if (!this.child || this.child.exitCode !== null || this.child.signalCode !== null) return;
		this.child.kill(signal);
		await this.exited;
	}
	// One request; `json` is the parsed answer where it is JSON.
	async call(method, url, body, headers = {}) {
		const r = await fetch(this.base + url, {
			method,
			headers: {
				...(this.token ? { authorization: `Bearer ${this.token}` } : {}),
				...(body === undefined ? {} : { 'content-type': 'application/json' }),
				...headers,
			},
			body: body === undefined ? undefined
				: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
		});
		const text = await r.text();
		let json;
		try {
			json = JSON.parse(text);
		} catch {
			json = undefined;
		}
		return { status: r.status, headers: r.headers, text, json };
	}
	// As call(), and the status must be this one.
	async ok(status, method, url, body, headers) {
		const r = await this.call(method, url, body, headers);
		if (r.status !== status) throw new Error(`${method} ${url}: ${r.status} instead of ${status}: ${r.text}`);
		return r.json;
	}
	async jobEnd(id) {
		return until(`job ${id} has ended`, async () => {
			const job = await this.ok(200, 'GET', `/v1/jobs/${id}`);
			return ['completed', 'failed', 'canceled'].includes(job.status) ? job : null;
		}, 180000);
	}
	async runFlow(flowId) {
		const { _jobId } = await this.ok(201, 'POST', `/v1/flows/${flowId}/run`);
		return this.jobEnd(_jobId);
	}
	errorsOf(jobId) {
		return this.ok(200, 'GET', `/v1/jobs/${jobId}/joberrors`);
	}
}

// Sends raw bytes, ends when the server closes or `enough(text)` says so; returns what came.
export function raw(port, bytes, enough = () => false, ms = 60000) {
	return new Promise((resolve, reject) => {
		const s = net.connect(port, '127.0.0.1');
		let text = '';
		const timer = setTimeout(() => { s.destroy(); reject(new Error(`no end to: ${text}`)); }, ms);
		const end = () => { clearTimeout(timer); s.destroy(); resolve(text); };
		s.on('connect', () => s.write(bytes));
		s.on('data', (d) => { text += d.toString('latin1'); if (enough(text)) end(); });
		s.on('close', end);
		s.on('error', () => {});
	});
}

// ---- applications ----

// An HTTP application: `handler(request, response, body)`.
export async function application(handler) {
	const server = http.createServer((req, res) => {
		const parts = [];
		req.on('data', (d) => parts.push(d));
		req.on('end', () => handler(req, res, Buffer.concat(parts).toString()));
		req.on('error', () => {});
	});
	server.keepAliveTimeout = 60000;
	server.on('clientError', (e, socket) => socket.destroy());
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	onEnd(() => { server.closeAllConnections(); server.close(); });
	return { server, url: `http://127.0.0.1:${server.address().port}` };
}
// A TCP application: `handler(socket)`, for answers that are no HTTP.
export async function tcpApplication(handler) {
	const sockets = new Set();
	const server = net.createServer((s) => {
		sockets.add(s);
		s.on('close', () => sockets.delete(s));
		s.on('error', () => {});
		handler(s);
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	onEnd(() => { for (const s of sockets) s.destroy(); server.close(); });
	return { server, url: `http://127.0.0.1:${server.address().port}` };
}
// Until all is seen that a program sent which was killed: what comes from here on is of its next life.
export async function connectionsGone(app) {
	await until('the connections of the killed program are gone', () =>
		new Promise((resolve) => app.server.getConnections((e, n) => resolve(n === 0))));
}
export function json(res, status, value, headers = {}) {
	res.writeHead(status, { 'content-type': 'application/json', ...headers });
	res.end(JSON.stringify(value));
}

// Installs a flow from `source` to `sink` (base URLs); returns the ids.
export async function installFlow(server, { source, sink, exportRest = {}, exportMore = {}, importRest = {},
	importMore = {}, sinkConnection = {}, sourceConnection = {} }) {
	const connection = async (name, baseURI, more) => (await server.ok(201, 'POST', '/v1/connections',
		{ name, type: 'rest', rest: { baseURI, mediaType: 'json', ...more } }))._id;
	const from = await connection('source', source, sourceConnection);
	const to = await connection('sink', sink, sinkConnection);
	const exp = await server.ok(201, 'POST', '/v1/exports', { name: 'Orders', _connectionId: from,
		asynchronous: true, pageSize: 10,
		maxAttempts: 1, // tests of failures do not wait; those of retries say how many
		rest: { relativeURI: '/items', method: 'GET', resourcePath: 'items', pagingMethod: 'nextpageurl',
			nextPagePath: 'next', ...exportRest }, ...exportMore });
	const imp = await server.ok(201, 'POST', '/v1/imports', { name: 'Load', _connectionId: to,
		maxAttempts: 1, // tests of failures do not wait; those of retries say how many
		rest: { relativeURI: '/load', method: 'POST', ...importRest },
		mapping: { fields: [{ extract: 'id', generate: 'key' }, { extract: 'name', generate: 'data.label' }] },
		...importMore });
	const flow = await server.ok(201, 'POST', '/v1/flows', { name: 'Flow', _exportId: exp._id, _importId: imp._id });
	return { connections: [from, to], export: exp._id, import: imp._id, flow: flow._id };
}

// `count` records in pages of `size`, as an HTTP handler for a source.
export function pagedSource(count, size) {
	return (req, res) => {
		const page = Number(new URL(req.url, 'http://x').searchParams.get('page') ?? 0);
		const items = [];
		for (let i = page * size; i < Math.min(count, (page + 1) * size); i++) items.push({ id: i, name: `name ${i}` });
		json(res, 200, { items, next: (page + 1) * size < count ? `/items?page=${page + 1}` : null });
	};
}
