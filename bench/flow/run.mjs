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
import { bench, integrator, median, memoryMb, ratios, spread, table, target, targetBelow } from '../lib.mjs';
import { PAGE, PAGES, RECORDS, TURNS, firstOf, itemsOf, makeFlow, runFlow, sourceAndSink } from './flow.mjs';

const build = path.resolve(process.argv[2] ?? 'build-bench');
const rounds = Number(process.argv[3] ?? 5);
const concurrency = Number(process.argv[4] ?? 64);

// what the flow is to post
const mapped = (r) => JSON.stringify({ key: r.id, orderNumber: r.number, contact: { email: r.email }, amount: r.total,
	billing: { addressee: `${r.customer.first} ${r.customer.last}`, city: r.customer.city, zip: r.customer.zip }, source: 'web' });
const writeBodies = (file) => {
	for (let p = 0; p < PAGES; p++) fs.appendFileSync(file, itemsOf(p).map((r) => `${mapped(r)}\n`).join(''));
};

await bench('flow', async (env) => {
	writeBodies(path.join(env.dir, 'bodies'));
	const server = await integrator(env, build, ['--egress-allow', '127.0.0.0/8']);
	const idle = memoryMb(server.pid, 'VmHWM');
	const { sink, from, imp } = await sourceAndSink(env, build, server, concurrency);
	const small = await makeFlow(server.call, firstOf(RECORDS), from, imp), large = await makeFlow(server.call, '/t0/s0', from, imp);
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
