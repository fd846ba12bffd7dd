// The tests of the tests: what the checker is to find, it finds. A sink that hides one request in a
// thousand, a disk that lies about syncs, a repeat under a new key, a repeat with other bytes, a
// count that is off: each is made here on purpose, and must be named.
import assert from 'node:assert/strict';
import { Server, runTests, test, until } from '../system/lib.mjs';
import { checkAll, checkFamily, checkRepeats } from './check.mjs';
import { Disk } from './disk.mjs';
import { Flows, Sender, Sink, Source } from './world.mjs';

async function world(server, count = 1000) {
	const sink = await new Sink(server.dir).start(), source = await new Source(250).start();
	await server.start();
	const flows = await new Flows(server, source, sink).connect();
	source.add('plain', count);
	await flows.plain('plain');
	return { sink, source, flows, expected: { plain: { ...flows.ids.plain, kind: 'all', records: source.ids('plain') } } };
}

test('a flow without a fault: the checker finds nothing; and then each flaw that is made in its ledger', async () => {
	const server = new Server(), { sink, flows, expected } = await world(server, 100);
	const job = await server.runFlow(flows.ids.plain.flow);
	const good = sink.entries();
	assert.equal(good.length, 100);
	assert.deepEqual((await checkAll(server, expected, good)).bad, []);
	const found = async (entries) => (await checkAll(server, expected, entries)).bad.join('\n');
	assert.match(await found(good.filter((e) => e.id !== '42')), /plain record 42, job \w+: is lost/);
	const e = good[41], copy = { ...e, n: 101 };
	assert.match(await found([...good, copy]), /record 42, request 101: repeats request 42, and no fault was between/);
	const later = { ...copy, epoch: 1 };
	assert.deepEqual((await checkAll(server, expected, [...good, later])).bad, []);
	assert.match(await found([...good, { ...later, key: `${job._id}-0-4711` }]), /record 42, job \w+: is at the sink under 2 keys/);
	assert.match(await found([...good, { ...later, key: `${'a'.repeat(24)}-0-41` }]), /its key a+-0-41 is of no job/);
	assert.match(await found([...good, { ...later, sha256: 'x' }]), /request 101: other bytes than request 42/);
	assert.match(await found([...good, { ...later, id: '4711', key: `${job._id}-0-4711` }]), /record 4711: is at the sink and was never exported/);
	assert.deepEqual(checkRepeats([{ ...e, key: null }]).length, 1);
	const family = await server.ok(200, 'GET', `/v1/jobs/${job._id}/family`);
	for (const flaw of [(f) => f.ledger.succeeded--, (f) => f.children[1].numSuccess--, (f) => f.children[1].ledger.inFlight++,
		(f) => f.numOpenError++, (f) => { f.ledger.inFlight = 1; f.ledger.succeeded--; }]) {
		const bent = structuredClone(family);
		flaw(bent);
		assert.notDeepEqual(checkFamily(bent), []);
	}
	await server.kill();
});

test('a sink that hides one request in a thousand', async () => {
	const server = new Server(), { sink, flows, expected } = await world(server);
	sink.hides = (entry) => entry.n === 617;
	await server.runFlow(flows.ids.plain.flow);
	const { bad } = await checkAll(server, expected, sink.entries());
	assert.equal(bad.length, 2, bad.join('\n'));
	assert.match(bad[0], /is lost: not at the sink/);
	assert.match(bad[1], /1000 succeeded, .* the sink has 999 keys/);
	await server.kill();
});

// Events are acknowledged, then the power is cut. RETURNS the records that are missed.
async function cutThePower(lie) {
	const disk = new Disk(), server = disk.server, { sink, flows } = await world(server, 1);
	const events = await flows.listener('events');
	if (lie) disk.say('lie');
	const sender = new Sender(server, events.export, 4);
	await until('events are acknowledged', () => sender.acknowledged.length >= 100);
	sender.stopped = true;
	await server.kill();
	disk.cutPower();
	disk.say();
	await sink.nextEpoch();
	await server.start();
	await sender.stop();
	await until('the listener has nothing left', async () =>
		(await server.ok(200, 'GET', `/v1/exports/${events.export}/listener`)).flows.every((f) => f.waiting === 0), 180000);
	await until('its jobs have ended', async () => (await server.ok(200, 'GET', `/v1/jobs?_flowId=${events.flow}&type=flow`))
		.every((j) => j.status === 'completed'));
	const { bad } = await checkAll(server, { events: { ...events, kind: 'exactly', records: sender.acknowledged } }, sink.entries());
	await server.kill();
	return bad;
}

test('a power cut with an honest disk is no loss; with a disk that lies about syncs it is, and is found', async () => {
	assert.deepEqual(await cutThePower(false), []);
	const bad = await cutThePower(true);
	assert.ok(bad.some((b) => /is lost|is of no job/.test(b)), bad.join('\n'));
});

await runTests();
