// The whole server on a disk that gives up: full for a while (a real small file system where one can
// be mounted, and one that is told to be full), and failing writes and syncs. What was answered with
// 201 is there afterwards, what was answered with 503 is not, reading goes on throughout.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Server, application, installFlow, json, onEnd, pagedSource, program, runTests, test, until } from './lib.mjs';

const library = process.env.FAULTY_DISK_LIBRARY;
if (!library || !fs.existsSync(library)) {
	console.log('FAULTY_DISK_LIBRARY names no library: run this through meson');
	process.exit(77);
}

function tempDir() {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'integrator-disk-'));
	onEnd(() => fs.rmSync(dir, { recursive: true, force: true }));
	return dir;
}

// A server whose disk can be told to fail; `say(word)` commands it, `say()` makes it well again.
function commandedDisk() {
	const dir = tempDir(), command = path.join(dir, 'command');
	return {
		name: 'told to be full',
		startsWhenFull: false, // a start needs 128 KiB for the log's index, which it has just given back
		server: new Server({ dir, env: { LD_PRELOAD: library, FAULTY_DISK: command,
			FAULTY_DISK_DIR: path.join(dir, 'data') } }),
		say(word) {
			if (word) fs.writeFileSync(command, word);
			else fs.rmSync(command, { force: true });
		},
		fill() { this.say('full'); },
		makeRoom() { this.say(); },
	};
}

// A file system of 16 MiB, filled up by a file of our own; undefined where none can be mounted.
function smallDisk() {
	const dir = tempDir();
	try {
		execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', dir], { stdio: 'ignore' });
	} catch {
		return undefined;
	}
	onEnd(() => execFileSync('umount', ['-l', dir]));
	const ballast = path.join(dir, 'ballast');
	return {
		name: 'a small file system',
		startsWhenFull: true, // on what the log's index had taken up
		server: new Server({ dir }),
		fill() {
			const fd = fs.openSync(ballast, 'a');
			try {
				for (const size of [65536, 4096]) {
					const bytes = Buffer.alloc(size);
					try {
						while (fs.writeSync(fd, bytes) === size);
					} catch (e) {
						assert.equal(e.code, 'ENOSPC');
					}
				}
			} finally {
				fs.closeSync(fd);
			}
		},
		makeRoom() { fs.rmSync(ballast); },
	};
}

const names = async (server) => new Set((await server.ok(200, 'GET', '/v1/integrations')).map((i) => i.name));
const add = (server, name) => server.call('POST', '/v1/integrations', { name, description: 'x'.repeat(2000) });

// Adds until the store refuses; the name that was refused.
async function addUntilRefused(server, prefix, acknowledged) {
	for (let n = 0; n < 20000; n++) {
		const r = await add(server, `${prefix} ${n}`);
		if (r.status === 201) {
			acknowledged.push(r.json.name);
			continue;
		}
		assert.equal(r.status, 503, r.text);
		assert.equal(r.json.errors[0].code, 'store_failed', r.text);
		return { name: `${prefix} ${n}`, error: r.json.errors[0] };
	}
	throw new Error('the disk never became full');
}

async function checkKept(server, acknowledged, refused) {
	const there = await names(server);
	assert.deepEqual(acknowledged.filter((n) => !there.has(n)), []);
	assert.deepEqual(refused.filter((n) => there.has(n)), []);
}

function verify(server) {
	execFileSync(program, ['verify', '--data', server.data]);
}

for (const make of [smallDisk, commandedDisk]) {
	const disk = make();
	if (!disk) {
		console.log('no file system can be mounted here: only one that is told to be full is tried');
		continue;
	}

	test(`${disk.name}: writes are refused with the reason, reading goes on, and room is all it takes`, async () => {
		const server = await disk.server.start();
		const acknowledged = [], refused = [];
		for (let round = 0; round < 3; round++) {
			acknowledged.push((await server.ok(201, 'POST', '/v1/integrations', { name: `room ${round}` })).name);
			disk.fill();
			const { name, error } = await addUntilRefused(server, `full ${round}`, acknowledged);
			refused.push(name);
			assert.match(error.message, /the disk of the data directory is full/);
			await checkKept(server, acknowledged, refused);
			assert.equal((await server.call('GET', '/readyz')).status, 200); // it goes on by itself
			assert.equal((await server.call('GET', '/healthz')).status, 200);
			const again = await add(server, `again ${round}`);
			(again.status === 201 ? acknowledged : refused).push(`again ${round}`);
			disk.makeRoom();
		}
		acknowledged.push((await server.ok(201, 'POST', '/v1/integrations', { name: 'last' })).name);
		await server.kill();
		verify(server);
		await server.start();
		await checkKept(server, acknowledged, refused);
		await server.kill();
	});

	test(`${disk.name}: fills up and is cleared under load; killed while it is full`, async () => {
		const server = await disk.server.start();
		const acknowledged = [], refused = [];
		let stop = false;
		const writers = Array.from({ length: 8 }, async (_, w) => {
			for (let n = 0; !stop; n++) {
				const name = `load ${w} ${n}`;
				try {
					const r = await add(server, name);
					assert.ok(r.status === 201 || (r.status === 503 && r.json.errors[0].code === 'store_failed'),
						`${r.status} ${r.text}`);
					(r.status === 201 ? acknowledged : refused).push(name);
				} catch (e) {
					if (e instanceof assert.AssertionError) throw e;
					return; // the kill
				}
			}
		});
		for (let round = 0; round < 4; round++) {
			const before = refused.length, kept = acknowledged.length;
			await until('some are acknowledged', () => acknowledged.length >= kept + 20);
			disk.fill();
			await until('some are refused', () => refused.length >= before + 20);
			if (round < 3) disk.makeRoom();
		}
		await server.kill();
		stop = true;
		await Promise.all(writers);
		if (disk.startsWhenFull) {
			await server.start();
			await checkKept(server, acknowledged, refused);
			disk.makeRoom();
		} else {
			await assert.rejects(server.start(), /can't be opened: [^]*free some space on the disk/);
			disk.makeRoom();
			await server.start();
			await checkKept(server, acknowledged, refused);
		}
		await server.ok(201, 'POST', '/v1/integrations', { name: 'after' });
		await server.kill('SIGTERM');
		verify(server);
	});

	test(`${disk.name}: a flow that runs into it keeps its ledger`, async () => {
		const server = await disk.server.start();
		const source = await application(pagedSource(400, 20));
		let received = 0;
		const sink = await application((req, res) => {
			if (++received === 100) disk.fill();
			json(res, 200, {});
		});
		const ids = await installFlow(server, { source: source.url, sink: sink.url, exportMore: { pageSize: 20 } });
		const { _jobId } = await server.ok(201, 'POST', `/v1/flows/${ids.flow}/run`);
		await until('the disk is full', () => received >= 100);
		if (disk.name === 'a small file system') await addUntilRefused(server, 'flow', []);
		else await until('the store refuses', async () => (await add(server, 'flow')).status === 503);
		const seen = await server.ok(200, 'GET', `/v1/jobs/${_jobId}`); // reading goes on
		assert.equal(seen.ledger.exported, seen.ledger.succeeded + seen.ledger.ignored + seen.ledger.failed +
			seen.ledger.inFlight);
		await server.kill(); // before there is room, so that no other page is begun
		disk.makeRoom();
		verify(server);
		await server.start();
		const job = await server.jobEnd(_jobId);
		const l = job.ledger;
		assert.equal(l.exported, l.succeeded + l.ignored + l.failed + l.inFlight);
		assert.equal(job.status, 'completed'); // it went on where it was; the page in work came again
		assert.equal(l.succeeded, 400);
		assert.ok(received >= 400 && received <= 420, `${received}`);
		const next = await server.runFlow(ids.flow);
		assert.equal(next.status, 'completed');
		await server.kill();
	});
}

for (const fault of ['sync', 'write']) {
	test(`a failed ${fault}: nothing more is written until a restart, and /readyz says why`, async () => {
		const disk = commandedDisk(), server = await disk.server.start();
		const acknowledged = [];
		for (let n = 0; n < 20; n++) acknowledged.push((await add(server, `before ${n}`)).json.name);
		assert.equal((await server.call('GET', '/readyz')).status, 200);
		disk.say(fault);
		// many at once: whatever shares the failed commit is refused too
		const during = await Promise.all(Array.from({ length: 16 }, (_, n) => add(server, `during ${n}`)));
		for (const r of during) {
			assert.equal(r.status, 503, r.text);
			assert.equal(r.json.errors[0].code, 'store_failed');
		}
		disk.say();
		const late = await add(server, 'late'); // the disk is well, but what it holds is not known
		assert.equal(late.status, 503);
		assert.match(late.json.errors[0].message, /takes no writes since one failed/);
		const ready = await server.call('GET', '/readyz');
		assert.equal(ready.status, 503);
		assert.match(ready.text, /^store: the store takes no writes since one failed: .*disk I\/O error/);
		assert.equal((await server.call('GET', '/healthz')).status, 200);
		assert.match((await server.call('GET', '/metrics')).text, /^integrator_store_healthy 0$/m);
		assert.match(server.log, /store\.failed/);
		await checkKept(server, acknowledged, ['late']);
		// an orderly stop loses nothing either
		server.child.kill('SIGTERM');
		await server.exited;
		verify(server);
		await server.start();
		assert.equal((await server.call('GET', '/readyz')).status, 200);
		await checkKept(server, acknowledged, ['late']);
		await server.ok(201, 'POST', '/v1/integrations', { name: 'after' });
		await server.kill();
	});
}

await runTests();
