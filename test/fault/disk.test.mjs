// The whole program on a disk that becomes full and is cleared, and on one whose writes or syncs
// fail, under events and a flow: what was acknowledged is kept, nothing is acknowledged behind a failed
// sync, and when there is room again the work goes on by itself.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { onEnd, program, runTests, test, until } from '../system/lib.mjs';
import { checkAll, jobsOf } from './check.mjs';
import { Disk } from './disk.mjs';
import { Flows, Sender, Sink, Source } from './world.mjs';

async function world(records) {
	const disk = new Disk(), server = disk.server;
	const sink = await new Sink(server.dir).start(), source = await new Source().start();
	await server.start();
	const flows = await new Flows(server, source, sink).connect();
	source.add('plain', records);
	await flows.plain('plain');
	const events = await flows.listener('events');
	const sender = new Sender(server, events.export, 2);
	onEnd(() => { sender.stopped = true; });
	const idle = async (name) => (await jobsOf(server, flows.ids[name].flow)).every((j) => ['completed', 'failed', 'canceled'].includes(j.status));
	const check = async () => {
		await sender.stop();
		await until('the listener has nothing left', async () =>
			(await server.ok(200, 'GET', `/v1/exports/${events.export}/listener`)).flows.every((f) => f.waiting === 0), 180000);
		await until('all jobs have ended', async () => await idle('plain') && idle('events'), 180000);
		const { bad, count } = await checkAll(server, { plain: { ...flows.ids.plain, kind: 'all', records: source.ids('plain') },
			events: { ...events, kind: 'exactly', records: sender.acknowledged } }, sink.entries());
		console.log(`# ${JSON.stringify({ ...count, acknowledged: sender.acknowledged.length })}`);
		assert.deepEqual(bad, []);
		assert.deepEqual(sender.unexpected, []);
	};
	return { disk, server, sink, flows, sender, check, idle };
}

test('full, cleared, full again: the jobs go on by themselves', async () => {
	const { disk, server, sink, flows, sender, check, idle } = await world(400);
	await server.ok(201, 'POST', `/v1/flows/${flows.ids.plain.flow}/run`);
	for (let round = 0; round < 3; round++) {
		assert.ok(await sink.after(40, 60000), 'the work goes on');
		disk.say('full');
		const acknowledged = sender.acknowledged.length;
		await until('the store refuses', async () => (await server.call('POST', '/v1/integrations', { name: 'x' })).status === 503);
		await until('the run has been stopped by it', () => /job\.not_recorded/.test(server.log) || round > 0);
		assert.ok(sender.acknowledged.length <= acknowledged + 2, 'acknowledged on a full disk'); // those under way
		assert.equal((await server.call('GET', '/readyz')).status, 200);
		sink.epoch++; // what the engine could not record comes again
		disk.say();
	}
	const before = sender.acknowledged.length;
	await until('events are acknowledged again', () => sender.acknowledged.length > before + 10);
	await until('the run ends', () => idle('plain'), 180000);
	await check();
	await server.kill('SIGTERM');
	execFileSync(program, ['verify', '--data', server.data]);
});

for (const fault of ['sync', 'write']) {
	test(`a failed ${fault}: nothing is acknowledged behind it; after a restart all is accounted for`, async () => {
		const { disk, server, sink, flows, sender, check } = await world(200);
		await server.ok(201, 'POST', `/v1/flows/${flows.ids.plain.flow}/run`);
		assert.ok(await sink.after(60, 60000));
		disk.say(fault);
		await until('the store has failed', async () => (await server.call('GET', '/readyz')).status === 503);
		const acknowledged = sender.acknowledged.length;
		disk.say(); // too late: what the disk holds is not known
		for (let i = 0; i < 20; i++) assert.equal((await server.call('POST', '/v1/integrations', { name: 'x' })).status, 503);
		assert.ok(sender.acknowledged.length <= acknowledged + 2);
		await server.kill();
		disk.cutPower(); // and the restart is the machine's
		await sink.nextEpoch();
		await server.start();
		await check();
		await server.kill();
		execFileSync(program, ['verify', '--data', server.data]);
	});
}

await runTests();
