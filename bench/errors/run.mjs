// The open errors of a flow whose sink refused all its records, 10,000 and then 100,000: the run that
// makes them, all pages of their list, the first page with and without filters, the download as CSV,
// and the retry of them all once the sink takes them. For each its time and the server's memory, which
// is not to grow with the errors.
//
//   node bench/errors/run.mjs BUILD_DIR [RECORDS] [ROUNDS]
//
// RECORDS is the larger number, in whole thousands up to 100,000; ROUNDS is how often each first page
// is fetched. The server runs as it comes, but for the egress guard and the rate limit. The peak is the
// server's own count of the memory it had resident, set back before each step.
import fs from 'node:fs';
import path from 'node:path';
import { bench, median, memoryMb, spread, table, targetBelow, unlimited } from '../lib.mjs';
import { PAGE, RECORDS, firstOf, jobEnds, makeFlow, runFlow, sourceAndSink } from '../flow/flow.mjs';

const build = path.resolve(process.argv[2] ?? 'build-bench');
const sizes = [10_000, Number(process.argv[3] ?? RECORDS)], rounds = Number(process.argv[4] ?? 25);
const CONCURRENCY = 64;
const n = (v) => Math.round(v).toLocaleString('en-US');

const ask = async ({ url, token }, where, accept = 'application/json') => {
	const r = await fetch(url + where, { headers: { authorization: `Bearer ${token}`, accept } });
	const text = await r.text();
	if (!r.ok) throw new Error(`GET ${where}: ${r.status} ${text}`);
	return { text, next: /<([^>]+)>; rel="next"/.exec(r.headers.get('link') ?? '')?.[1] };
};

/** All pages of a list: how many rows `count` finds in them, and the time of each page. */
const pages = async (server, first, accept, count) => {
	const ms = [];
	let rows = 0;
	for (let where = first; where;) {
		const from = performance.now(), page = await ask(server, where, accept);
		ms.push(performance.now() - from);
		rows += count(page.text);
		where = page.next;
	}
	return { ms, rows };
};

/** A step of the work: its time, and the most memory that the server had during it. */
const step = async ({ pid }, work) => {
	fs.writeFileSync(`/proc/${pid}/clear_refs`, '5'); // sets VmHWM back to VmRSS
	const from = performance.now(), result = await work();
	return { ms: performance.now() - from, peak: memoryMb(pid, 'VmHWM'), result };
};

const wants = (what, is, want) => {
	if (is !== want) throw new Error(`${what}: ${is}, not ${want}`);
};

/** What a filter finds of the first page, and the median of its times. */
const firstPage = async (server, list, query, want) => {
	const ms = [];
	for (let i = 0; i < rounds; i++) {
		const from = performance.now(), page = await ask(server, `${list}?limit=${PAGE}${query}`);
		ms.push(performance.now() - from);
		wants(query, JSON.parse(page.text).length, want);
	}
	return ms;
};

// those that find too few for a page look at all errors of the flow
const filtersOf = (fingerprint) => [['no filter', '', PAGE, 100], ['classification of 9 in 10', '&classification=value', PAGE, 100],
	['code of 1 in 10', '&code=400', PAGE, 100], ['fingerprint of 9 in 10', `&fingerprint=${fingerprint}`, PAGE, 100],
	['traceKey of the last', `&traceKey=${RECORDS - 1}`, 1, 100], ['code of none', '&code=503', 0, 100]];

const retryAll = async (server, list) => {
	const jobs = await server.call('POST', `${list}/retry`);
	const accepted = performance.now();
	for (const { _jobId } of jobs) await jobEnds(server.call, _jobId);
	wants('open errors', (await server.call('GET', `${list}?limit=1`)).length, 0);
	return { accepted, count: jobs.reduce((sum, j) => sum + j.count, 0) };
};

/** All that is measured with one flow of `records`; the sink refuses at first. */
const measure = async (server, { sink, from, imp }, records) => {
	const flow = await makeFlow(server.call, firstOf(records), from, imp), list = `/v1/flows/${flow}/errors`;
	const turn = async (how) => (await fetch(`${sink}/${how}`, { method: 'PUT' })).json();
	const steps = {};

	await turn('refuse');
	steps['run that fails'] = await step(server, () => runFlow(server, flow, records, 'failed'));
	steps['list, pages of 1,000'] = await step(server, () => pages(server, `${list}?limit=${PAGE}`, 'application/json', (t) => JSON.parse(t).length));
	// lines behind each page's header; no cell of these errors has a line break
	steps['CSV, pages of 1,000'] = await step(server, () => pages(server, `${list}?limit=${PAGE}`, 'text/csv', (t) => t.trimEnd().split('\n').length - 1));
	for (const what of ['list, pages of 1,000', 'CSV, pages of 1,000']) wants(what, steps[what].result.rows, records);

	steps['issues'] = await step(server, () => server.call('GET', `/v1/flows/${flow}/issues`));
	const issues = steps['issues'].result, first = [];
	wants('errors of the issues', issues.reduce((sum, i) => sum + i.count, 0), records);
	steps['first pages, filters'] = await step(server, async () => {
		for (const [name, query, want, below] of filtersOf(issues[0].fingerprint))
			first.push({ name, below, ms: await firstPage(server, list, query, want) });
	});

	const before = await turn('accept'), asked = performance.now();
	steps['retry of all'] = await step(server, () => retryAll(server, list));
	wants('errors tried again', steps['retry of all'].result.count, records);
	wants('records delivered', (await (await fetch(sink)).json()).posts - before.posts, records);
	return { records, steps, first, accepted: steps['retry of all'].result.accepted - asked };
};

await bench('errors', async (env) => {
	const server = await unlimited(env, build, ['--egress-allow', '127.0.0.0/8']);
	const ends = await sourceAndSink(env, build, server, CONCURRENCY);
	const done = [];
	for (const records of sizes) done.push(await measure(server, ends, records));

	const [small, large] = done, names = Object.keys(large.steps);
	table(['', ...done.flatMap((d) => [`${n(d.records)}: s`, 'a second', 'peak, MB'])],
		names.map((name) => [name, ...done.flatMap(({ steps, records }) => [(steps[name].ms / 1000).toFixed(2),
			/filters|issues/.test(name) ? '' : n(records / steps[name].ms * 1000), steps[name].peak.toFixed(1)])]));
	console.log('');
	table(['First page of 1,000, ms', ...done.map((d) => `of ${n(d.records)}`)],
		large.first.map(({ name }, i) => [name, ...done.map((d) => spread(d.first[i].ms, 1))]));
	const pageMs = done.map((d) => d.steps['list, pages of 1,000'].result.ms);
	console.log('');
	table(['One page of the list, ms', ...done.map((d) => `of ${n(d.records)}`)], [['all pages', ...pageMs.map((ms) => spread(ms, 1))],
		['the last ten', ...pageMs.map((ms) => spread(ms.slice(-10), 1))],
		['retry: until it is queued', ...done.map((d) => n(d.accepted))]]);
	console.log('');
	const peak = (d) => Math.max(...names.map((name) => d.steps[name].peak));
	return [targetBelow(`peak of all steps, ${n(small.records)} errors`, peak(small), 64),
		targetBelow(`peak of all steps, ${n(large.records)} errors`, peak(large), 64),
		...large.first.map(({ name, below, ms }) => targetBelow(`first page, ${name}, median`, median(ms), below, 'ms'))].every(Boolean);
}, { under: build });
