// A disk below the real program that gives up on command (test/system/faulty_disk.c), and that can lose
// its power: then all is gone that was not synced.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Server, onEnd } from '../system/lib.mjs';

const library = process.env.FAULTY_DISK_LIBRARY;
if (!library || !fs.existsSync(library)) {
	console.log('FAULTY_DISK_LIBRARY names no library: run this through meson');
	process.exit(77);
}

export class Disk {
	constructor(args = []) {
		this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'integrator-fault-'));
		onEnd(() => fs.rmSync(this.dir, { recursive: true, force: true }));
		this.command = path.join(this.dir, 'command');
		this.image = path.join(this.dir, 'image');
		this.data = path.join(this.dir, 'data');
		fs.mkdirSync(this.image);
		this.server = new Server({ dir: this.dir, args, env: { LD_PRELOAD: library, FAULTY_DISK: this.command,
			FAULTY_DISK_DIR: this.data, FAULTY_DISK_IMAGE: this.image } });
		onEnd(() => this.server.kill());
	}
	// full, write, sync, lie; nothing: it is well.
	say(word) {
		if (word) fs.writeFileSync(this.command, word);
		else fs.rmSync(this.command, { force: true });
	}
	// Of the database only what was synced is left. The program must be dead.
	cutPower() {
		for (const name of fs.readdirSync(this.data)) {
			if (!name.startsWith('integrator.db')) continue;
			fs.rmSync(path.join(this.data, name));
			if (fs.existsSync(path.join(this.image, name))) fs.copyFileSync(path.join(this.image, name), path.join(this.data, name));
		}
	}
}
