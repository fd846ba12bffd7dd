// Compares what the program says (jobs, errors) with what the applications know (the sink's ledger,
// the records that were exported, the events that were acknowledged), and names every record for
// which the two do not agree. An empty list means that all promises held.

const ended = (job) => ['completed', 'failed', 'canceled'].includes(job.status);
const isUnknown = (e) => /outcome is unknown/.test(e.message);

// All pages of a list.
export async function listAll(server, url) {
	const all = [];
	for (let after = ''; ;) {
		const page = await server.ok(200, 'GET', `${url}${url.includes('?') ? '&' : '?'}limit=1000${after && `&after=${after}`}`);
		all.push(...page);
		if (page.length < 1000) return all;
		after = page.at(-1)._id;
	}
}

export async function jobsOf(server, flowId) {
	return (await listAll(server, `/v1/jobs?_flowId=${flowId}`)).filter((j) => !j._flowJobId);
}

// ---- promise 3: counts ----

const SUMMED = ['numError', 'numResolved', 'numOpenError', 'numSuccess', 'numExport', 'numIgnore', 'numPagesGenerated'];

// One job with its children, as read at any moment.
export function checkFamily(job) {
	const bad = [], say = (text) => bad.push(`counts: job ${job._id} (${job.type}, ${job.status}): ${text}`);
	for (const j of [job, ...job.children]) {
		const l = j.ledger;
		if (l && l.exported !== l.succeeded + l.ignored + l.failed + l.inFlight) say(`${j.type} does not add up: ${JSON.stringify(l)}`);
		if (l && ended(job) && l.inFlight !== 0) say(`${j.type} has ended with ${l.inFlight} in flight`);
		if (l && Object.values(l).some((v) => v < 0)) say(`${j.type} has a negative count: ${JSON.stringify(l)}`);
		if (j.numOpenError !== j.numError - j.numResolved) say(`${j.type} has ${j.numOpenError} open of ${j.numError} errors, ${j.numResolved} resolved`);
	}
	if (job.children.length === 0) return bad;
	const sum = (f) => job.children.reduce((n, c) => n + (f(c) ?? 0), 0);
	for (const name of SUMMED) {
		const want = name === 'numExport' || name === 'numPagesGenerated' ? sum((c) => (c.type === 'export' ? c[name] : 0)) : sum((c) => c[name]);
		if (job[name] !== want) say(`${name} is ${job[name]}, its children's sum ${want}`);
	}
	for (const name of ['exported', 'succeeded', 'ignored', 'failed', 'inFlight']) {
		const want = sum((c) => (c.type === 'import' ? c.ledger[name] : 0));
		if ((job.ledger?.[name] ?? 0) !== want) say(`ledger.${name} is ${job.ledger?.[name]}, its imports' sum ${want}`);
	}
	return bad;
}

// ---- promise 2: repeats ----

// A repeat follows a fault: the program was killed in between, or the sink's earlier answer was none.
export function checkRepeats(entries) {
	const bad = [], byKey = new Map();
	for (const e of entries) {
		if (!e.key) {
			bad.push(`repeat: ${e.flow} record ${e.id}, request ${e.n}: came without a key`);
			continue;
		}
		const first = byKey.get(e.key)?.[0];
		if (!first) {
			byKey.set(e.key, [e]);
			continue;
		}
		const last = byKey.get(e.key).at(-1);
		if (e.sha256 !== first.sha256) bad.push(`repeat: ${e.flow} record ${e.id}, request ${e.n}: other bytes than request ${first.n} under key ${e.key}`);
		if (e.epoch === last.epoch && !last.manner)
			bad.push(`repeat: ${e.flow} record ${e.id}, request ${e.n}: repeats request ${last.n}, and no fault was between them`);
		byKey.get(e.key).push(e);
	}
	return bad;
}

// ---- promise 1: each record ----

const jobOfKey = (key) => key.slice(0, 24);
const keyOfError = (e) => /^Idempotency-Key: (\S+)/im.exec(e.request ?? '')?.[1];

function index(entries) {
	const byJob = new Map(), byRecord = new Map(), ofJob = new Map();
	const put = (map, k, key) => { if (!map.has(k)) map.set(k, new Set()); map.get(k).add(key); };
	for (const e of entries) {
		if (!e.key || e.status >= 400) continue;
		put(byJob, `${jobOfKey(e.key)} ${e.id}`, e.key);
		put(byRecord, `${e.flow} ${e.id}`, e.key);
		put(ofJob, jobOfKey(e.key), e.key);
	}
	return { byJob, byRecord, ofJob };
}

// The records of one job that has exported IDS: each is at the sink under one key, or in one open error.
// RETRIED: what retries of its errors have delivered since, by record.
function checkRun(flow, job, ids, errors, at, retried) {
	const bad = [], open = new Map();
	for (const e of errors.filter((e) => !e.resolved && e.traceKey !== undefined)) open.set(e.traceKey, [...(open.get(e.traceKey) ?? []), e]);
	for (const id of ids) {
		const keys = at.byJob.get(`${job._id} ${id}`)?.size ?? 0, list = open.get(id) ?? [];
		const say = (text) => bad.push(`record: ${flow} record ${id}, job ${job._id}: ${text}`);
		if (keys + list.length === 0 && !retried.has(id)) say('is lost: not at the sink and in no open error');
		if (keys > 1) say(`is at the sink under ${keys} keys`);
		if (list.length > 1) say(`is in ${list.length} open errors`);
		if (keys > 0 && list.length > 0 && !list.every(isUnknown)) say(`is at the sink and in an open error that does not say so: ${list[0].message}`);
	}
	return bad;
}

// Everything. FLOWS: by name {flow, kind, records}; kind "all" (each completed run exports all records),
// "exactly" (each record once, over all runs), "least" (each at least once). Events that were acknowledged
// are the records of a listener; `possible` may be there besides.
export async function checkAll(server, flows, entries) {
	const bad = checkRepeats(entries), at = index(entries);
	const count = { records: 0, jobs: 0, unknown: 0, requests: entries.length, repeats: entries.length - new Set(entries.map((e) => e.key)).size };
	for (const [name, f] of Object.entries(flows)) {
		const jobs = await jobsOf(server, f.flow), known = new Set(jobs.map((j) => j._id));
		for (const e of entries)
			if (e.flow === name && e.key && !known.has(jobOfKey(e.key))) bad.push(`record: ${name} record ${e.id}, request ${e.n}: its key ${e.key} is of no job`);
		const open = new Map(), unknowns = new Map(), retried = new Set();
		const retries = new Set(jobs.filter((j) => j.type === 'retry').map((j) => j._id));
		for (const e of entries)
			if (e.key && e.status < 400 && retries.has(jobOfKey(e.key))) retried.add(e.id);
		for (const job of jobs) {
			count.jobs++;
			if (!ended(job)) bad.push(`counts: job ${job._id} of ${name} has not ended: ${job.status}, ${JSON.stringify(job.waitingFor)}`);
			bad.push(...checkFamily(await server.ok(200, 'GET', `/v1/jobs/${job._id}/family`)));
			if (job.type === 'retry') continue;
			const errors = job.numError > 0 ? await listAll(server, `/v1/jobs/${job._id}/joberrors`) : [];
			const still = errors.filter((e) => !e.resolved);
			if (job.numOpenError !== still.length) bad.push(`counts: job ${job._id} of ${name} says ${job.numOpenError} open errors, ${still.length} are listed`);
			if (job.numError !== errors.length) bad.push(`counts: job ${job._id} of ${name} says ${job.numError} errors, ${errors.length} are listed`);
			for (const e of errors.filter(isUnknown)) unknowns.set(e.traceKey, (unknowns.get(e.traceKey) ?? 0) + 1);
			for (const e of still) open.set(e.traceKey, [...(open.get(e.traceKey) ?? []), e]);
			if (f.kind === 'all' && job.status === 'completed') bad.push(...checkRun(name, job, f.records, errors, at, retried));
			const delivered = at.ofJob.get(job._id)?.size ?? 0;
			const retriedOk = errors.filter((e) => e.resolved && /^retry /.test(e.resolvedBy ?? '')), credited = retriedOk.length;
			// an unchanged record goes again under the key of this job, unless it was refused
			const again = retriedOk.filter((e) => !isUnknown(e) && at.ofJob.get(job._id)?.has(keyOfError(e))).length;
			const unknown = errors.filter(isUnknown).length; // those may be at the sink, under the keys of this job
			count.unknown += unknown;
			const l = job.ledger ?? { succeeded: 0 };
			const first = delivered - again;
			if (l.succeeded - credited > first || first > l.succeeded - credited + unknown)
				bad.push(`counts: job ${job._id} of ${name} says ${l.succeeded} succeeded, ${credited} of them by retries; the sink has ${delivered} keys of it, ${again} of them from retries`);
		}
		const openNow = [...open.values()].flat().length;
		for (const job of jobs.filter((j) => j.type === 'retry')) {
			const own = (await listAll(server, `/v1/jobs/${job._id}/joberrors?resolved=false`)).length;
			if (job.numOpenError > openNow + own) bad.push(`counts: retry ${job._id} of ${name} says ${job.numOpenError} open errors, there are ${openNow + own}`);
		}
		const possible = new Set([...f.records, ...(f.possible ?? [])]);
		for (const k of at.byRecord.keys()) {
			const [flow, id] = k.split(' ');
			if (flow === name && !possible.has(id)) bad.push(`record: ${name} record ${id}: is at the sink and was never exported`);
		}
		if (f.kind === 'all') continue;
		for (const id of f.records) {
			count.records++;
			const keys = at.byRecord.get(`${name} ${id}`)?.size ?? 0, errors = open.get(id)?.length ?? 0;
			if (keys + errors === 0) bad.push(`record: ${name} record ${id}: is lost: not at the sink and in no open error`);
			if (f.kind === 'exactly' && keys > 1 + (unknowns.get(id) ?? 0)) bad.push(`record: ${name} record ${id}: is at the sink under ${keys} keys`);
			if (f.kind === 'exactly' && keys === 1 && errors > 0 && !unknowns.has(id)) bad.push(`record: ${name} record ${id}: is at the sink and in an open error`);
		}
	}
	return { bad, count };
}
