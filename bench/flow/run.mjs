// A flow of 100,000 records, one POST each, beside a bare libcurl multi loop that posts the same
// bodies with the same parallelism; then 1,000,000 records for the memory. Source: nginx with static
// pages of 1,000 records. Sink: bench_sink.
//
//   node bench/flow/run.mjs BUILD_DIR [ROUNDS] [CONCURRENCY]
//
// The server runs as it comes, but that the egress guard must let it reach this machine.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { bench, cpuMs, integrator, median, memoryMb, nginx, ratios, spread, start, table, target, targetBelow } from '../lib.mjs';

const build = path.resolve(process.argv[2] ?? 'build-bench');
const rounds = Number(process.argv[3] ?? 5);
const concurrency = Number(process.argv[4] ?? 64);
const PAGE = 1000, PAGES = 100, RECORDS = PAGE * PAGES, TURNS = 10, POLL_MS = 100;

const record = (i) => ({ id: i, number: `SO-${i}`, email: `user${i}@example.com`, total: `${i % 1000}.10`,
	customer: { first: 'Jürgen', last: `Müller ${i}`, city: 'Köln', zip: '50667' },
	lines: [{ sku: `A-${i % 100}`, qty: 2, price: 9.99 }, { sku: `B-${i % 70}`, qty: 1, price: 19.5 }] });
const fields = [['id', 'key'], ['number', 'orderNumber'], ['email', 'contact.email'], ['total', 'amount'],
	['{customer.first} {customer.last}', 'billing.addressee'], ['customer.city', 'billing.city'],
	['customer.zip', 'billing.zip']];
const mapped = (r) => JSON.stringify({ key: r.id, orderNumber: r.number, contact: { email: r.email }, amount: r.total,
	billing: { addressee: `${r.customer.first} ${r.customer.last}`, city: r.customer.city, zip: r.customer.zip }, source: 'web' });

// The large flow reads the 100 pages in ten turns, /t0/s0 ... /t0/last, /t1/s0 ...; the small one is the
// last turn. The pages of the turns are the same files (see TURNS_SHARE), but for each turn's last, which
// leads to the next turn. Beside them, the bodies that the small flow will post.
const writeData = (dir) => {
	let bodies = '';
	fs.mkdirSync(path.join(dir, 'www'));
	const page = (name, text, next) => fs.writeFileSync(path.join(dir, 'www', name), `{"items":${text},"next":${JSON.stringify(next)}}`);
	for (let p = 0; p < PAGES; p++) {
		const items = Array.from({ length: PAGE }, (_, k) => record(p * PAGE + k));
		const text = JSON.stringify(items);
		bodies += items.map((r) => `${mapped(r)}\n`).join('');
		if (p < PAGES - 1)
			page(`s${p}`, text, p + 1 < PAGES - 1 ? `s${p + 1}` : 'last');
		for (let t = 0; t < TURNS && p === PAGES - 1; t++) {
			fs.mkdirSync(path.join(dir, `www/t${t}`));
			page(`t${t}/last`, text, t + 1 < TURNS ? `/t${t + 1}/s0` : null);
		}
	}
	fs.writeFileSync(path.join(dir, 'bodies'), bodies);
};
const TURNS_SHARE = 'location ~ ^/t[0-9]/s { rewrite ^/t[0-9](/s[0-9]+)$ $1 break; }';

const makeFlow = async (call, first, from, importId) => {
	const _exportId = (await call('POST', '/v1/exports', { name: first, _connectionId: from, asynchronous: true, pageSize: PAGE,
		rest: { relativeURI: first, method: 'GET', resourcePath: 'items', pagingMethod: 'nextpageurl', nextPagePath: 'next' } }))._id;
	return (await call('POST', '/v1/flows', { name: first, _exportId, _importId: importId }))._id;
};

const makeImport = async (call, to) => (await call('POST', '/v1/imports', { name: 'Load', _connectionId: to,
	rest: { relativeURI: '/load', method: 'POST' },
	mapping: { fields: [...fields.map(([extract, generate]) => ({ extract, generate })), { generate: 'source', hardCodedValue: 'web' }] } }))._id;

const runFlow = async ({ call, pid }, id, records) => {
	const before = cpuMs(pid);
	const { _jobId } = await call('POST', `/v1/flows/${id}/run`);
	for (;;) {
		const job = await call('GET', `/v1/jobs/${_jobId}`);
		if (job.status === 'failed' || (job.status === 'completed' && job.ledger.succeeded !== records)) throw new Error(JSON.stringify(job));
		if (job.status === 'completed') return { ms: new Date(job.endedAt) - new Date(job.startedAt), cpu: cpuMs(pid) - before };
		await new Promise((resolve) => setTimeout(resolve, POLL_MS));
	}
};

await bench('flow', async (env) => {
	writeData(env.dir);
	const source = await nginx(env, path.join(env.dir, 'www'), TURNS_SHARE);
	const sink = `http://127.0.0.1:${(await start(env.children, path.join(build, 'bench/flow/bench_sink'), [], /listening on (\d+)/)).match[1]}`;
	const server = await integrator(env, build, ['--egress-allow', '127.0.0.0/8']);
	const idle = memoryMb(server.pid, 'VmHWM');
	const connection = async (name, baseURI) => (await server.call('POST', '/v1/connections', { name, type: 'rest',
		rest: { baseURI, mediaType: 'json', concurrencyLevel: concurrency } }))._id;
	const from = await connection('source', source.url), imp = await makeImport(server.call, await connection('sink', sink));
	const small = await makeFlow(server.call, `/t${TURNS - 1}/s0`, from, imp), large = await makeFlow(server.call, '/t0/s0', from, imp);
	const totals = async () => (await fetch(sink)).json();
	const bare = () => JSON.parse(execFileSync(path.join(build, 'bench/flow/bench_post'), [`${sink}/load`, path.join(env.dir, 'bodies'), String(concurrency)]));
	const atStart = await totals();

	await runFlow(server, small, RECORDS); // warm up both, and see that they send the same
	const afterFlow = await totals();
	bare();
	const afterBare = await totals();
	if (afterFlow.posts - atStart.posts !== RECORDS || afterFlow.bytes - atStart.bytes !== afterBare.bytes - afterFlow.bytes)
		throw new Error(`the flow and the loop do not post the same: ${JSON.stringify([atStart, afterFlow, afterBare])}`);

	const ours = [], theirs = [];
	for (let i = 0; i < rounds; i++) {
		ours.push(await runFlow(server, small, RECORDS));
		theirs.push(bare());
	}
	const peak = memoryMb(server.pid, 'VmHWM');
	const million = await runFlow(server, large, RECORDS * TURNS);
	const peakMillion = memoryMb(server.pid, 'VmHWM');
	const perSecond = (l) => l.map((r) => RECORDS / r.ms * 1000), us = (l) => l.map((r) => r.cpu * 1000 / RECORDS);
	const ratio = ratios(perSecond(ours), perSecond(theirs));

	console.log(`${RECORDS.toLocaleString('en-US')} records in pages of ${PAGE.toLocaleString('en-US')}, one POST each over ${concurrency} connections; ${rounds} rounds.\n`);
	table(['', 'records/s', 'us of CPU each'], [['flow', spread(perSecond(ours)), spread(us(ours), 1)],
		['bare libcurl multi loop', spread(perSecond(theirs)), spread(us(theirs), 1)],
		['flow / loop', spread(ratio, 2), spread(ratios(us(ours), us(theirs)), 2)],
		['flow of 1,000,000', Math.round(RECORDS * TURNS / million.ms * 1000).toLocaleString('en-US'), (million.cpu * 1000 / RECORDS / TURNS).toFixed(1)]]);
	console.log('');
	table(['Resident memory of the server', 'MB'], [['peak after the start', idle.toFixed(1)], ['peak, 100,000 records', peak.toFixed(1)],
		['peak, 1,000,000 records', peakMillion.toFixed(1)]]);
	console.log('');
	return [target('records/s beside the loop', median(ratio), 0.5), targetBelow('idle, the peak after the start', idle, 20), targetBelow('peak at 100,000 records', peak, 64),
		targetBelow('peak at 1,000,000 records', peakMillion, 64)].every(Boolean);
});
