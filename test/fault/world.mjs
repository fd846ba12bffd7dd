// The world that the fault tests put around the real program: applications whose data the test
// knows, a sender of events, and a sink that keeps a ledger of its own. What they know does not
// come from the program; check.mjs compares the two.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { application, connectionsGone, json } from '../system/lib.mjs';

// A generator of numbers that a seed repeats (xorshift32).
export function randomOf(seed) {
	let x = (seed >>> 0) || 1;
	return (below) => {
		x ^= x << 13;
		x >>>= 0;
		x ^= x >>> 17;
		x ^= x << 5;
		x >>>= 0;
		return x % below;
	};
}

// ---- the sink ----

// What came, in a file: a line a request, on disk before the request is answered. Many that come at
// once share one sync.
export class Ledger {
	constructor(file) {
		this.file = file;
		this.fd = fs.openSync(file, 'a');
		this.waiting = [];
		this.writing = false;
	}
	add(entry, then) {
		this.waiting.push({ line: `${JSON.stringify(entry)}\n`, then });
		if (!this.writing) this.write();
	}
	write() {
		const batch = this.waiting;
		if (batch.length === 0) {
			this.writing = false;
			return;
		}
		this.writing = true;
		this.waiting = [];
		fs.writeSync(this.fd, batch.map((b) => b.line).join(''));
		fs.fdatasync(this.fd, (e) => {
			if (e) throw e;
			for (const b of batch) b.then();
			this.write();
		});
	}
	close() {
		fs.closeSync(this.fd);
	}
	static read(file) {
		return fs.readFileSync(file, 'utf8').split('\n').filter((l) => l).map((l) => JSON.parse(l));
	}
}

// An application that takes records at /load/NAME, and for composite imports at /things/NAME. It does
// once what comes under one key, as a good application does. `epoch` says which life of the
// program a request came from. `manner(entry)` may misbehave: it returns {status, act}, where act(response,
// answer) is done in place of the answer, and a status from 400 on says that the record was not taken.
export class Sink {
	constructor(dir) {
		this.ledger = new Ledger(path.join(dir, 'ledger'));
		this.epoch = 0;
		this.count = 0;
		this.seen = new Map(); // by key: the answer
		this.things = new Map(); // NAME/id
		this.watchers = [];
		this.refuses = () => false;
		this.manner = null;
		this.hides = () => false;
	}
	async start() {
		this.app = await application((req, res, body) => this.take(req, res, body));
		this.url = this.app.url;
		return this;
	}
	take(req, res, body) {
		const [, what, flow, thing] = req.url.split(/[/?]/);
		if (req.method === 'GET') {
			const id = new URL(req.url, this.url).searchParams.get('key');
			json(res, 200, what === 'things' && this.things.has(`${flow}/${id}`) ? [{ id }] : []);
			return;
		}
		const record = JSON.parse(body), id = String(record.key), key = req.headers['idempotency-key'] ?? null;
		const entry = { n: ++this.count, epoch: this.epoch, time: Date.now(), flow, method: req.method, id, key,
			sha256: crypto.createHash('sha256').update(req.method + req.url + body).digest('hex') };
		const refused = this.refuses(flow, id);
		entry.status = refused ? 422 : thing || this.seen.has(key) ? 200 : 201;
		const manner = this.manner?.(entry);
		if (manner) {
			entry.manner = true; // its answer may be no answer
			entry.status = manner.status ?? entry.status;
		}
		const answer = () => {
			if (refused) {
				json(res, 422, { message: 'this record is refused' });
				return;
			}
			if (!this.seen.has(key)) this.seen.set(key, { id });
			if (what === 'things') this.things.set(`${flow}/${id}`, record);
			json(res, entry.status, this.seen.get(key));
		};
		if (this.hides(entry)) answer(); // a sink that lies: the harness must find out
		else this.ledger.add(entry, () => (manner ? manner.act(res, answer) : answer()));
		this.watchers = this.watchers.filter((w) => !w());
	}
	// When `count` more requests have come; or never, then `given up` resolves it.
	after(count, ms) {
		const goal = this.count + count;
		return new Promise((resolve) => {
			const timer = setTimeout(() => resolve(false), ms);
			this.watchers.push(() => {
				if (this.count < goal) return false;
				clearTimeout(timer);
				resolve(true);
				return true;
			});
		});
	}
	// A new life of the program begins: nothing of the last one is under way any more.
	async nextEpoch() {
		await connectionsGone(this.app);
		this.epoch++;
	}
	entries() {
		return Ledger.read(this.ledger.file);
	}
}

// ---- the source ----

// Records at /NAME, in pages; what is there never changes, but for the marks of /NAME/ID and for records
// that are added. Answers what was changed since `since`, and what is not marked where `unmarked` is set.
export class Source {
	constructor(pageSize = 25) {
		this.pageSize = pageSize;
		this.sets = new Map();
	}
	async start() {
		this.app = await application((req, res) => this.take(req, res));
		this.url = this.app.url;
		return this;
	}
	add(name, count) {
		const set = this.sets.get(name) ?? [];
		this.sets.set(name, set);
		for (let i = 0; i < count; i++)
			set.push({ id: set.length + 1, name: `${name} ${set.length + 1}`, done: false, updated: new Date().toISOString() });
	}
	ids(name) {
		return this.sets.get(name).map((r) => String(r.id));
	}
	take(req, res) {
		const u = new URL(req.url, 'http://x'), [, name, id] = u.pathname.split('/');
		const set = this.sets.get(name);
		if (id) {
			set[Number(id) - 1].done = true;
			json(res, 200, {});
			return;
		}
		const after = Number(u.searchParams.get('after') ?? 0), since = u.searchParams.get('since');
		const items = set.filter((r) => r.id > after && (!since || r.updated >= since) && !(u.searchParams.has('unmarked') && r.done))
			.slice(0, this.pageSize);
		u.searchParams.set('after', items.at(-1)?.id);
		json(res, 200, { items, next: items.length === this.pageSize ? `${u.pathname}${u.search}` : null });
	}
}

// ---- a sender of events ----

// Posts events to a listener as an application does: each until it is acknowledged, whatever happens
// in between, under one id.
export class Sender {
	constructor(server, exportId, lanes) {
		this.server = server;
		this.path = `/v1/exports/${exportId}/data`;
		this.acknowledged = [];
		this.unexpected = [];
		this.next = 1;
		this.stopped = false;
		this.lanes = Array.from({ length: lanes }, () => this.run());
	}
	async run() {
		while (!this.stopped) {
			const id = String(this.next++);
			while (!(await this.post(id))) await new Promise((resolve) => setTimeout(resolve, 5));
			this.acknowledged.push(id);
		}
	}
	async post(id) {
		try {
			const r = await fetch(this.server.base + this.path, { method: 'POST', body: JSON.stringify({ id, name: `event ${id}` }),
				headers: { 'content-type': 'application/json', 'x-token': 'sesame', 'x-event-id': id } });
			await r.arrayBuffer();
			if (r.status >= 200 && r.status < 300) return true;
			if (r.status !== 503 && r.status !== 429) this.unexpected.push(`event ${id}: ${r.status}`);
		} catch {
			// killed, or not up yet
		}
		return false;
	}
	async stop() {
		this.stopped = true;
		await Promise.all(this.lanes);
	}
}

// ---- flows ----

const paged = { method: 'GET', resourcePath: 'items', pagingMethod: 'nextpageurl', nextPagePath: 'next' };
const mapping = { fields: [{ extract: 'id', generate: 'key' }, { extract: 'name', generate: 'label' }] };

// Installs flows of each kind, from SOURCE to SINK.
export class Flows {
	constructor(server, source, sink) {
		Object.assign(this, { server, source, sink, ids: {} });
	}
	post(path, body) {
		return this.server.ok(201, 'POST', `/v1/${path}`, body);
	}
	async connect(more = {}) {
		const connection = async (name, baseURI, more) => (await this.post('connections',
			{ name, type: 'rest', rest: { baseURI, mediaType: 'json', concurrencyLevel: 4, ...more } }))._id;
		this.from = await connection('source', this.source.url, {});
		this.to = await connection('sink', this.sink.url, { pingRelativeURI: '/ping', pingMethod: 'GET', ...more });
		return this;
	}
	async add(name, { rest = {}, exp = {}, imp = {}, importRest = {}, flow = {} } = {}) {
		const e = await this.post('exports', exp.type === 'webhook' ? { name, pageSize: 5, ...exp }
			: { name, _connectionId: this.from, pageSize: 5, rest: { relativeURI: `/${name}`, ...paged, ...rest }, ...exp });
		const i = await this.post('imports', { name, _connectionId: this.to, mapping, ...imp,
			rest: { relativeURI: `/load/${name}`, method: 'POST', ...importRest } });
		const f = await this.post('flows', { name, _exportId: e._id, _importId: i._id, ...flow });
		this.ids[name] = { flow: f._id, export: e._id, import: i._id };
		return this.ids[name];
	}
	plain(name, flow) {
		return this.add(name, { flow });
	}
	once(name) {
		return this.add(name, { rest: { query: { unmarked: '1' }, once: { relativeURI: `/${name}/{id}`, method: 'PUT', postBody: { done: true } } },
			exp: { type: 'once', once: { booleanField: 'done' } } });
	}
	delta(name, schedule) {
		return this.add(name, { rest: { query: { since: '{{lastExportDateTime}}' } }, exp: { type: 'delta' }, flow: { schedule },
			importRest: { relativeURI: [`/things/${name}/{there}`, `/things/${name}`], method: ['PUT', 'POST'],
				lookups: [{ name: 'there', relativeURI: `/things/${name}?key={id}`, method: 'GET', extract: '0.id' }] } });
	}
	listener(name) {
		return this.add(name, { exp: { type: 'webhook', webhook: { verify: 'token', tokenLocation: 'header', tokenHeaderName: 'X-Token',
			token: 'sesame', idHeader: 'X-Event-Id' } } });
	}
}
