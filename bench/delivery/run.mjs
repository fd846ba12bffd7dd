// From a webhook to its destination: signed events come into a listener (HMAC verified, on disk before
// the 204), and a flow maps each and posts it to bench_sink. How many a second come out at the end while
// they come in; then how soon an event is acknowledged at half the target's load while a flow of
// 1,000,000 records runs. wrk sends, 64 connections.
//
//   node bench/delivery/run.mjs BUILD_DIR [ROUNDS] [SECONDS]
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { bench, cpuMs, integrator, median, memoryMb, nginx, spread, start, table, target, targetBelow, wrk } from '../lib.mjs';

const build = path.resolve(process.argv[2] ?? 'build-bench');
const rounds = Number(process.argv[3] ?? 5), seconds = Number(process.argv[4] ?? 4);
const PAGE = 1000, PAGES = 1000, CONNECTIONS = 64, KEY = 'a key that both sides know', TARGET = 10_000, P99_MS = 25, POLL_MS = 20;

const record = (i) => ({ id: i, number: `SO-${i}`, email: `user${i}@example.com`, total: `${i % 1000}.10`,
	customer: { first: 'Jürgen', last: `Müller ${i}`, city: 'Köln', zip: '50667' } });
const body = JSON.stringify(record(1));
const signature = crypto.createHmac('sha256', KEY).update(body).digest('hex');

const writeScripts = (dir) => {
	const lua = `wrk.method = "POST"
wrk.body = ${JSON.stringify(body)}
wrk.headers["Content-Type"] = "application/json"
wrk.headers["X-Signature"] = "${signature}"
`;
	const fast = path.join(dir, 'fast.lua'), slow = path.join(dir, 'slow.lua');
	fs.writeFileSync(fast, lua);
	fs.writeFileSync(slow, `${lua}function delay() return ${CONNECTIONS * 1000 / (TARGET / 2)} end\n`);
	return { fast, slow };
};
// the same page again and again, but for its number: an export ends that is answered the same all the time
const NUMBERED = `sub_filter_types application/json; sub_filter '"pages"' '"page":$arg_n,"pages"';`;
const pages = (dir) => {
	const www = path.join(dir, 'www');
	fs.mkdirSync(www);
	const items = JSON.stringify(Array.from({ length: PAGE }, (_, k) => record(k)));
	fs.writeFileSync(path.join(www, 'page'), `{"items":${items},"pages":${PAGES}}`);
	return www;
};

await bench('delivery', async (env) => {
	const { fast, slow } = writeScripts(env.dir), source = await nginx(env, pages(env.dir), NUMBERED);
	const sink = `http://127.0.0.1:${(await start(env.children, path.join(build, 'bench/flow/bench_sink'), [], /listening on (\d+)/)).match[1]}`;
	const server = await integrator(env, build, ['--egress-allow', '127.0.0.0/8', '--listener-rate', '1000000,1000000', '--access-log', 'off']);
	const { call } = server, posts = async () => (await (await fetch(sink)).json()).posts;
	const connection = async (name, baseURI) => (await call('POST', '/v1/connections', { name, type: 'rest',
		rest: { baseURI, mediaType: 'json', concurrencyLevel: CONNECTIONS } }))._id;
	const makeImport = async (name) => (await call('POST', '/v1/imports', { name, _connectionId: await connection(name, sink),
		rest: { relativeURI: '/load', method: 'POST' },
		mapping: { fields: [['id', 'key'], ['number', 'orderNumber'], ['email', 'contact.email'], ['total', 'amount'],
			['{customer.first} {customer.last}', 'billing.addressee'], ['customer.city', 'billing.city'], ['customer.zip', 'billing.zip']]
			.map(([extract, generate]) => ({ extract, generate })) } }))._id;
	const events = (await call('POST', '/v1/exports', { name: 'events', type: 'webhook', webhook: { verify: 'hmac', algorithm: 'sha256',
		encoding: 'hex', key: KEY, header: 'X-Signature' } }))._id;
	await call('POST', '/v1/flows', { name: 'deliver', _exportId: events, _importId: await makeImport('deliver') });
	const url = `${server.url}/v1/exports/${events}/data`;
	let sent = 0;
	// wrk does not count what is under way when a round's time is up: up to an event for each connection
	const delivered = async (counted, uncounted = CONNECTIONS) => {
		for (;;) {
			const { waiting } = (await call('GET', `/v1/exports/${events}/listener`)).flows[0], n = await posts() - sent;
			if (waiting === 0 && n > counted + uncounted) throw new Error(`${n} posts came out of ${counted} events`);
			if (waiting === 0 && n >= counted) {
				sent += n;
				return n;
			}
			await new Promise((resolve) => setTimeout(resolve, POLL_MS));
		}
	};
	const round = async () => {
		const began = Date.now(), cpu = cpuMs(server.pid), r = wrk(url, server.pid, seconds, { script: fast });
		const behind = Math.max(0, sent + r.requests - await posts());
		const n = await delivered(r.requests);
		return { perSecond: n / (Date.now() - began) * 1000, in: r.rate, behind, us: (cpuMs(server.pid) - cpu) * 1000 / n, p99: r.p99 };
	};

	await round();
	const list = [];
	for (let i = 0; i < rounds; i++) list.push(await round());
	const of = (name) => list.map((r) => r[name]);
	console.log(`Events of ${body.length} bytes over ${CONNECTIONS} connections, one POST each to the destination; ${rounds} rounds of ${seconds} s.\n`);
	table(['', 'events/s'], [['acknowledged', spread(of('in'))], ['delivered, until the last one is out', spread(of('perSecond'))]]);
	console.log('');
	table(['', ''], [['us of CPU an event', spread(of('us'), 1)], ['p99 of the acknowledgement, ms', spread(of('p99'), 1)],
		['acknowledged and not out when the last one came in', spread(of('behind'))]]);

	const large = (await call('POST', '/v1/exports', { name: 'large', _connectionId: await connection('source', source.url), pageSize: PAGE,
		rest: { relativeURI: '/page', method: 'GET', resourcePath: 'items', pagingMethod: 'pageargument', pageArgument: 'n', maxPagePath: 'pages' } }))._id;
	const flow = (await call('POST', '/v1/flows', { name: 'large', _exportId: large, _importId: await makeImport('large') }))._id;
	const { _jobId } = await call('POST', `/v1/flows/${flow}/run`);
	const beside = [];
	let job, counted = PAGE * PAGES, uncounted = 0;
	do {
		const r = wrk(url, server.pid, seconds, { script: slow });
		counted += r.requests;
		uncounted += CONNECTIONS;
		job = await call('GET', `/v1/jobs/${_jobId}`);
		if (job.status !== 'completed' || beside.length === 0) beside.push(r);
	} while (job.status === 'running' || job.status === 'queued');
	if (job.status !== 'completed' || job.ledger.succeeded !== PAGE * PAGES) throw new Error(JSON.stringify(job));
	await delivered(counted, uncounted);
	console.log(`\nBeside a flow of ${(PAGE * PAGES).toLocaleString('en-US')} records (${Math.round(PAGE * PAGES / (new Date(job.endedAt) - new Date(job.startedAt)) * 1000).toLocaleString('en-US')} a second), ${beside.length} rounds:\n`);
	table(['', ''], [['acknowledged a second', spread(beside.map((r) => r.rate))], ['p99 of the acknowledgement, ms', spread(beside.map((r) => r.p99), 1)],
		['peak of resident memory, MB', memoryMb(server.pid, 'VmHWM').toFixed(1)]]);
	console.log('');
	return [target('events delivered a second', median(of('perSecond')), TARGET),
		targetBelow('p99 of the acknowledgement at half of that, beside the large flow', median(beside.map((r) => r.p99)), P99_MS, 'ms')].every(Boolean);
}, { under: build });
