// What the benchmarks of flows share: a source of 100,000 records in static pages, the flow that posts
// them one by one, and its runs.
import fs from 'node:fs';
import path from 'node:path';
import { cpuMs, nginx, start } from '../lib.mjs';

export const PAGE = 1000, PAGES = 100, RECORDS = PAGE * PAGES, TURNS = 10;
const POLL_MS = 100;

const record = (i) => ({ id: i, number: `SO-${i}`, email: `user${i}@example.com`, total: `${i % 1000}.10`,
	customer: { first: 'Jürgen', last: `Müller ${i}`, city: 'Köln', zip: '50667' },
	lines: [{ sku: `A-${i % 100}`, qty: 2, price: 9.99 }, { sku: `B-${i % 70}`, qty: 1, price: 19.5 }] });
const fields = [['id', 'key'], ['number', 'orderNumber'], ['email', 'contact.email'], ['total', 'amount'],
	['{customer.first} {customer.last}', 'billing.addressee'], ['customer.city', 'billing.city'],
	['customer.zip', 'billing.zip']];
export const itemsOf = (page) => Array.from({ length: PAGE }, (_, k) => record(page * PAGE + k));

// A flow of a million reads the 100 pages in ten turns, /t0/s0 ... /t0/last, /t1/s0 ...; one of 100,000
// is the last turn, and one of N pages the end of it (see firstOf). The pages of the turns are the same
// files (see TURNS_SHARE), but for each turn's last, which leads to the next turn.
const writePages = (dir) => {
	fs.mkdirSync(path.join(dir, 'www'));
	const page = (name, text, next) => fs.writeFileSync(path.join(dir, 'www', name), `{"items":${text},"next":${JSON.stringify(next)}}`);
	for (let p = 0; p < PAGES; p++) {
		const text = JSON.stringify(itemsOf(p));
		if (p < PAGES - 1)
			page(`s${p}`, text, p + 1 < PAGES - 1 ? `s${p + 1}` : 'last');
		for (let t = 0; t < TURNS && p === PAGES - 1; t++) {
			fs.mkdirSync(path.join(dir, `www/t${t}`));
			page(`t${t}/last`, text, t + 1 < TURNS ? `/t${t + 1}/s0` : null);
		}
	}
};
const TURNS_SHARE = 'location ~ ^/t[0-9]/s { rewrite ^/t[0-9](/s[0-9]+)$ $1 break; }';

/** The first page of a flow of `records`, up to RECORDS of them in whole pages. */
export const firstOf = (records) => `/t${TURNS - 1}/s${PAGES - records / PAGE}`;

export const makeFlow = async (call, first, from, importId) => {
	const _exportId = (await call('POST', '/v1/exports', { name: first, _connectionId: from, asynchronous: true, pageSize: PAGE,
		rest: { relativeURI: first, method: 'GET', resourcePath: 'items', pagingMethod: 'nextpageurl', nextPagePath: 'next' } }))._id;
	return (await call('POST', '/v1/flows', { name: first, _exportId, _importId: importId }))._id;
};

const makeImport = async (call, to) => (await call('POST', '/v1/imports', { name: 'Load', _connectionId: to,
	rest: { relativeURI: '/load', method: 'POST' },
	mapping: { fields: [...fields.map(([extract, generate]) => ({ extract, generate })), { generate: 'source', hardCodedValue: 'web' }] } }))._id;

/** The source, the sink (its URL), and the connection and the import that a flow between them needs. */
export const sourceAndSink = async (env, build, { call }, concurrency) => {
	writePages(env.dir);
	const source = await nginx(env, path.join(env.dir, 'www'), TURNS_SHARE);
	const sink = `http://127.0.0.1:${(await start(env.children, path.join(build, 'bench/flow/bench_sink'), [], /listening on (\d+)/)).match[1]}`;
	const connection = async (name, baseURI) => (await call('POST', '/v1/connections', { name, type: 'rest',
		rest: { baseURI, mediaType: 'json', concurrencyLevel: concurrency } }))._id;
	return { sink, from: await connection('source', source.url), imp: await makeImport(call, await connection('sink', sink)) };
};

export const jobEnds = async (call, id) => {
	for (;;) {
		const job = await call('GET', `/v1/jobs/${id}`);
		if (job.status === 'failed') throw new Error(JSON.stringify(job));
		if (job.status === 'completed') return job;
		await new Promise((resolve) => setTimeout(resolve, POLL_MS));
	}
};

/** Runs a flow whose records all end as `counter` says: succeeded, or failed. */
export const runFlow = async ({ call, pid }, id, records, counter = 'succeeded') => {
	const before = cpuMs(pid);
	const { _jobId } = await call('POST', `/v1/flows/${id}/run`);
	const job = await jobEnds(call, _jobId);
	if (job.ledger[counter] !== records) throw new Error(JSON.stringify(job));
	return { ms: new Date(job.endedAt) - new Date(job.startedAt), cpu: cpuMs(pid) - before };
};
