// kill -9 again and again, under a mixed load: a listener, a scheduled delta export into a composite
// import, an export of type `once`, and a flow that another one starts. Each kill is at a moment that
// the seed decides: behind the k-th request at the sink since the last one. Afterwards every record and
// event is looked for, one by one. Then the same with power cuts: of the store only what was synced is left.
//   KILLS: how many (200); SEED: to repeat a run, which is printed.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { Server, onEnd, program, runTests, test, until } from '../system/lib.mjs';
import { checkAll, checkFamily, jobsOf, listAll } from './check.mjs';
import { Disk } from './disk.mjs';
import { Flows, Sender, Sink, Source, randomOf } from './world.mjs';

const kills = Number(process.env.KILLS ?? 200);
const seed = Number(process.env.SEED ?? Date.now() % 1e9);
const random = randomOf(seed);
const RECORDS = 40;

// Has work queued at all times, whatever becomes of the program.
async function pump(server, flows, source, state) {
	while (!state.stopped) {
		for (const name of ['first', 'once', 'delta']) {
			if (name !== 'first' && random(4) === 0) source.add(name, 1 + random(20));
			await server.call('POST', `/v1/flows/${flows.ids[name].flow}/run`).catch(() => {});
		}
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
}

// At any moment: what the program says of its jobs adds up.
async function lookAtJobs(server, bad) {
	try {
		for (const job of await server.ok(200, 'GET', '/v1/jobs?type=flow&limit=4'))
			bad.push(...checkFamily(await server.ok(200, 'GET', `/v1/jobs/${job._id}/family`)));
	} catch {
		// killed meanwhile
	}
}

async function allEnded(server, flows) {
	for (const f of Object.values(flows.ids)) {
		await until(`all jobs of flow ${f.flow} have ended`, async () =>
			(await jobsOf(server, f.flow)).every((j) => ['completed', 'failed', 'canceled'].includes(j.status)), 300000);
	}
}

const ARGS = ['--listener-rate', '100000,100000'];

// `die()` ends the program as a fault would.
async function ordeal(server, kills, die) {
	const sink = await new Sink(server.dir).start(), source = await new Source().start();
	await server.start();
	const flows = await new Flows(server, source, sink).connect();
	source.add('next', RECORDS);
	source.add('first', RECORDS);
	source.add('once', 10);
	source.add('delta', 10);
	const next = await flows.plain('next');
	await flows.plain('first', { _runNextFlowIds: [next.flow] });
	await flows.once('once');
	await flows.delta('delta', '? * * * * *');
	const events = await flows.listener('events');
	let strict = true;
	sink.refuses = (flow, id) => strict && (flow === 'first' || flow === 'delta') && Number(id) % 17 === 3;

	const state = { stopped: false }, bad = [];
	const sender = new Sender(server, events.export, 2), pumping = pump(server, flows, source, state);
	onEnd(() => { state.stopped = sender.stopped = true; });
	const began = Date.now();
	let moments = 0;
	for (let n = 0; n < kills; n++) {
		const at = sink.after(1 + random(40), 20000);
		if (n % 8 === 0) await lookAtJobs(server, bad);
		moments += await at;
		await die();
		await sink.nextEpoch();
		await server.start();
	}
	const took = Date.now() - began;
	state.stopped = true;
	await Promise.all([sender.stop(), pumping]);
	await allEnded(server, flows);
	await until('the listener has nothing left', async () =>
		(await server.ok(200, 'GET', `/v1/exports/${events.export}/listener`)).flows.every((f) => f.waiting === 0), 180000);
	await allEnded(server, flows);

	const of = (name, kind, records) => ({ ...flows.ids[name], kind, records });
	const expected = { next: of('next', 'all', source.ids('next')), first: of('first', 'all', source.ids('first')),
		once: of('once', 'exactly', source.ids('once')), delta: of('delta', 'least', source.ids('delta')),
		events: of('events', 'exactly', sender.acknowledged) };
	const settle = async (what) => {
		for (const name of ['once', 'delta']) await server.runFlow(flows.ids[name].flow); // what was added last
		await allEnded(server, flows);
		const { bad: found, count } = await checkAll(server, expected, sink.entries());
		console.log(`# ${what}: ${JSON.stringify({ ...count, acknowledged: sender.acknowledged.length })}`);
		assert.deepEqual([...bad, ...found].slice(0, 20), []);
		return count;
	};
	const count = await settle(`${kills} kills in ${took} ms, ${moments} of them at their moment`);
	assert.ok(count.repeats > 0 && moments > kills / 2, 'the kills met nothing under way');
	assert.deepEqual(sender.unexpected, []);

	// the refused records are taken now: all errors are tried again, and that is killed too
	strict = false;
	const names = Object.keys(flows.ids);
	const retryAll = async () => {
		for (const name of names) await server.ok(200, 'POST', `/v1/flows/${flows.ids[name].flow}/errors/retry`);
	};
	const left = async () => (await Promise.all(names.map((name) => listAll(server, `/v1/flows/${flows.ids[name].flow}/errors`))))
		.flat().filter((e) => e._retryId);
	assert.ok((await left()).length > 0);
	await retryAll();
	for (let n = 0; n < Math.min(kills / 10, 20); n++) {
		await sink.after(1 + random(20), 500);
		await die();
		await sink.nextEpoch();
		await server.start();
	}
	await allEnded(server, flows);
	await retryAll(); // what a retry that was killed too often has put aside
	await allEnded(server, flows);
	assert.deepEqual(await left(), []);
	await settle('after the retries');
	await server.kill('SIGTERM');
	execFileSync(program, ['verify', '--data', server.data]);
}

test(`${kills} kills, SEED=${seed}: every record and every event is accounted for, and every repeat is recognisable`, async () => {
	const server = new Server({ args: ARGS });
	await ordeal(server, kills, () => server.kill());
});

const cuts = Math.ceil(kills / 10);
test(`${cuts} power cuts, SEED=${seed}: the same`, async () => {
	const disk = new Disk(ARGS);
	await ordeal(disk.server, cuts, async () => {
		await disk.server.kill();
		disk.cutPower();
	});
});

await runTests();
