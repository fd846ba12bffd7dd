// A flow with one lookup and one POST per record against an application that takes 5 ms for each
// request. Ideal: the connection's concurrency is busy all the time, 2 * N * 5 ms / concurrency.
// Prints ideal / measured for several page sizes, medians of the rounds.
//
//   node bench/lookup/run.mjs BUILD_DIR [ROUNDS] [CONCURRENCY] [RECORDS]
import { once } from 'node:events';
import http from 'node:http';
import path from 'node:path';
import { bench, integrator, median, start, target } from '../lib.mjs';

const build = path.resolve(process.argv[2] ?? 'build-bench');
const rounds = Number(process.argv[3] ?? 3);
const concurrency = Number(process.argv[4] ?? 16);
const count = Number(process.argv[5] ?? 4000);
const DELAY_MS = 5;

await bench('lookup', async (env) => {
	// the records, in answers of 1,000, made beforehand
	const answers = [];
	for (let at = 0; at < count; at += 1000) {
		const items = Array.from({ length: Math.min(1000, count - at) }, (_, k) => ({ id: at + k,
			email: `user${at + k}@example.com`, name: `Name ${at + k}` }));
		answers.push(JSON.stringify({ items, next: at + 1000 < count ? `/items/${answers.length + 1}` : null }));
	}
	const source = http.createServer((req, res) => {
		res.writeHead(200, { 'content-type': 'application/json' });
		res.end(answers[Number(req.url.split('/')[2])]);
	}).listen(0, '127.0.0.1');
	await once(source, 'listening');
	const peer = await start(env.children, path.join(build, 'bench/lookup/bench_peer'), [String(DELAY_MS * 1000)], /^(\d+)/);
	const { call } = await integrator(env, build, ['--egress-allow', '127.0.0.0/8', '--rate-limit', '100000,100000', '--log-level', 'warn']);
	const connection = async (name, port, rest) => (await call('POST', '/v1/connections', { name, type: 'rest',
		rest: { baseURI: `http://127.0.0.1:${port}`, mediaType: 'json', ...rest } }))._id;
	const from = await connection('source', source.address().port, {});
	const to = await connection('sink', peer.match[1], { concurrencyLevel: concurrency });
	const imp = (await call('POST', '/v1/imports', { name: 'Load', _connectionId: to,
		rest: { relativeURI: '/orders', method: 'POST',
			lookups: [{ name: 'customer', relativeURI: '/customers?email={email}', extract: '0.id' }] },
		mapping: { fields: [{ extract: 'name', generate: 'name' }, { generate: 'customer', lookupName: 'customer' }] } }))._id;
	const run = async (pageSize) => {
		const exp = (await call('POST', '/v1/exports', { name: `pages of ${pageSize}`, _connectionId: from, asynchronous: true, pageSize,
			rest: { relativeURI: '/items/0', method: 'GET', resourcePath: 'items', pagingMethod: 'nextpageurl', nextPagePath: 'next' } }))._id;
		const flow = (await call('POST', '/v1/flows', { name: 'f', _exportId: exp, _importId: imp }))._id;
		const { _jobId } = await call('POST', `/v1/flows/${flow}/run`);
		for (;;) {
			const job = await call('GET', `/v1/jobs/${_jobId}`);
			if (job.status === 'failed' || job.ledger.failed > 0) throw new Error(JSON.stringify(job));
			if (job.status === 'completed') return new Date(job.endedAt) - new Date(job.startedAt);
			await new Promise((resolve) => setTimeout(resolve, 20));
		}
	};
	const ideal = 2 * count * DELAY_MS / concurrency;
	console.log(`${count} records, a lookup and a POST each of ${DELAY_MS} ms, ${concurrency} at once: ideal ${ideal} ms`);
	let ratio = 0;
	for (const pageSize of [20, 100, 1000]) { // a page's lookups are all answered before its first POST
		const ms = [];
		for (let i = 0; i < rounds; i++) ms.push(await run(pageSize));
		ratio = ideal / median(ms);
		console.log(`pages of ${pageSize}: ${median(ms)} ms (all: ${ms.join(' ')}), ideal / measured ${ratio.toFixed(2)}`);
	}
	source.close();
	return target('ideal / measured at pages of 1,000', ratio, 0.8);
});
