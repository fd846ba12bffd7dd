// A flow of 100,000 records, one POST each, against a bare libcurl loop that posts the same bodies;
// then 1,000,000 records for the memory. Source: nginx with static pages of 1,000. Sink: bench_sink.
// Prints medians of interleaved rounds.
//
//   node bench/flow/run.mjs BUILD_DIR [ROUNDS] [CONCURRENCY]
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import net from 'node:net';
import { once } from 'node:events';

const build = path.resolve(process.argv[2] ?? 'build-bench');
const rounds = Number(process.argv[3] ?? 5);
const concurrency = Number(process.argv[4] ?? 64);
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-flow-'));
const children = [];

const freePort = async () => {
	const s = net.createServer().listen(0, '127.0.0.1');
	await once(s, 'listening');
	const { port } = s.address();
	s.close();
	await once(s, 'close');
	return port;
};
const start = (command, args, ready) => new Promise((resolve, reject) => {
	const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
	children.push(child);
	let out = '';
	child.stdout.on('data', (d) => {
		out += d;
		const m = ready.exec(out);
		if (m) resolve({ child, match: m });
	});
	child.on('exit', (code) => reject(new Error(`${command} ended with ${code}: ${out}`)));
});
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const status = (pid, field) => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;

const record = (i) => ({ id: i, number: `SO-${i}`, email: `user${i}@example.com`, total: `${i % 1000}.10`,
	customer: { first: 'Jürgen', last: `Müller ${i}`, city: 'Köln', zip: '50667' },
	lines: [{ sku: `A-${i % 100}`, qty: 2, price: 9.99 }, { sku: `B-${i % 70}`, qty: 1, price: 19.5 }] });
const fields = [['id', 'key'], ['number', 'orderNumber'], ['email', 'contact.email'], ['total', 'amount'],
	['{customer.first} {customer.last}', 'billing.addressee'], ['customer.city', 'billing.city'],
	['customer.zip', 'billing.zip']];
const mapped = (r) => JSON.stringify({ key: r.id, orderNumber: r.number, contact: { email: r.email }, amount: r.total,
	billing: { addressee: `${r.customer.first} ${r.customer.last}`, city: r.customer.city, zip: r.customer.zip }, source: 'web' });

// ---- data: pages 0..99 of a run of 100,000; a million reads them ten times, by another name ----
const PAGE = 1000, PAGES = 100;
fs.mkdirSync(path.join(dir, 'www'));
let bodies = '';
for (let p = 0; p < PAGES; p++) {
	const items = Array.from({ length: PAGE }, (_, k) => record(p * PAGE + k));
	bodies += items.map((r) => `${mapped(r)}\n`).join('');
	const text = JSON.stringify(items);
	for (let turn = 0; turn < 10; turn++) {
		const next = p + 1 < PAGES ? `/m${turn}-${p + 1}` : turn < 9 ? `/m${turn + 1}-0` : null;
		if (p < 1 || turn < 10)
			fs.writeFileSync(path.join(dir, 'www', `m${turn}-${p}`), `{"items":${text},"next":${JSON.stringify(next)}}`);
	}
	fs.writeFileSync(path.join(dir, 'www', `p${p}`), `{"items":${text},"next":${p + 1 < PAGES ? `"/p${p + 1}"` : null}}`);
}
fs.writeFileSync(path.join(dir, 'bodies'), bodies);

try {
	// ---- the two sides ----
	const sourcePort = await freePort();
	fs.writeFileSync(path.join(dir, 'nginx.conf'), `daemon off; worker_processes 1; pid ${dir}/nginx.pid; error_log ${dir}/error.log;
events { worker_connections 256; }
http { access_log off; default_type application/json; keepalive_requests 100000; client_body_temp_path ${dir}/b; proxy_temp_path ${dir}/p;
 fastcgi_temp_path ${dir}/f; uwsgi_temp_path ${dir}/u; scgi_temp_path ${dir}/s;
 server { listen 127.0.0.1:${sourcePort}; root ${dir}/www; } }`);
	children.push(spawn('nginx', ['-c', `${dir}/nginx.conf`, '-p', dir], { stdio: 'ignore' }));
	const sinkPort = await freePort();
	await start(path.join(build, 'bench/bench_sink'), ['--port', String(sinkPort)], /listening/);
	const { child: server, match } = await start(path.join(build, 'integrator'), ['serve', '--listen', '127.0.0.1:0', '--data',
		path.join(dir, 'data'), '--egress-allow', '127.0.0.0/8', '--rate-limit', '100000,100000', '--log-level', 'warn'],
		/listening on (\S+)/);
	const token = fs.readFileSync(path.join(dir, 'data/token'), 'utf8').trim();
	const call = async (method, url, body) => {
		const r = await fetch(match[1] + url, { method, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
			body: body && JSON.stringify(body) });
		if (!r.ok) throw new Error(`${method} ${url}: ${r.status} ${await r.text()}`);
		return r.json();
	};
	const connection = async (name, port) => (await call('POST', '/v1/connections', { name, type: 'rest',
		rest: { baseURI: `http://127.0.0.1:${port}`, mediaType: 'json', concurrencyLevel: concurrency } }))._id;
	const from = await connection('source', sourcePort), to = await connection('sink', sinkPort);
	const imp = (await call('POST', '/v1/imports', { name: 'Load', _connectionId: to, rest: { relativeURI: '/load', method: 'POST' },
		mapping: { fields: [...fields.map(([extract, generate]) => ({ extract, generate })), { generate: 'source', hardCodedValue: 'web' }] } }))._id;
	const flow = async (first) => {
		const exp = (await call('POST', '/v1/exports', { name: first, _connectionId: from, asynchronous: true, pageSize: PAGE,
			rest: { relativeURI: first, method: 'GET', resourcePath: 'items', pagingMethod: 'nextpageurl', nextPagePath: 'next' } }))._id;
		return (await call('POST', '/v1/flows', { name: first, _exportId: exp, _importId: imp }))._id;
	};
	const run = async (id) => {
		const { _jobId } = await call('POST', `/v1/flows/${id}/run`);
		for (;;) {
			const job = await call('GET', `/v1/jobs/${_jobId}`);
			if (job.status === 'failed') throw new Error(JSON.stringify(job));
			if (job.status === 'completed') return { ms: new Date(job.endedAt) - new Date(job.startedAt), ledger: job.ledger };
			await new Promise((resolve) => setTimeout(resolve, 50));
		}
	};
	const idle = status(server.pid, 'VmRSS');
	const small = await flow('/p0'), large = await flow('/m0-0');
	await run(small); // warm-up
	const ours = [], bare = [];
	for (let i = 0; i < rounds; i++) {
		const r = await run(small);
		if (r.ledger.succeeded !== PAGE * PAGES) throw new Error(JSON.stringify(r.ledger));
		ours.push(r.ms);
		bare.push(JSON.parse(execFileSync(path.join(build, 'bench/bench_post'),
			[`http://127.0.0.1:${sinkPort}/load`, path.join(dir, 'bodies'), String(concurrency)])).ms);
	}
	const peakSmall = status(server.pid, 'VmHWM');
	const million = await run(large);
	const peakLarge = status(server.pid, 'VmHWM');
	const mb = (n) => (n / 1e6).toFixed(1);
	console.log(`flow, 100,000 records: ${median(ours)} ms (all: ${ours.join(' ')})`);
	console.log(`bare libcurl loop:     ${median(bare)} ms (all: ${bare.join(' ')})`);
	console.log(`ratio (bare / flow):   ${(median(bare) / median(ours)).toFixed(2)}`);
	console.log(`flow, 1,000,000 records: ${million.ms} ms, ${JSON.stringify(million.ledger)}`);
	console.log(`resident memory: idle ${mb(idle)} MB, peak at 100,000 ${mb(peakSmall)} MB, peak at 1,000,000 ${mb(peakLarge)} MB`);
} finally {
	for (const c of children) c.kill('SIGTERM');
	fs.rmSync(dir, { recursive: true, force: true });
}
process.exit(0);
