// Errors of jobs: listed, grouped, resolved, downloaded and uploaded, edited and tried again.
import assert from 'node:assert/strict';
import { Server, application, installFlow, json, pagedSource, runTests, test, until } from './lib.mjs';

const server = await new Server({ args: ['--outbound-timeout', '60'] }).start();

// A flow of `count` records whose sink refuses those that `refuses` says, for as long as it says so.
async function failing(count, refuses, more = {}) {
	const state = { refuses, got: [] };
	const source = await application(pagedSource(count, count));
	const sink = await application((req, res, body) => {
		const record = JSON.parse(body);
		state.got.push({ record, key: req.headers['idempotency-key'] });
		if (state.refuses(record)) json(res, 422, { message: `record ${record.key} is odd` });
		else json(res, 201, { id: record.key });
	});
	const ids = await installFlow(server, { source: source.url, sink: sink.url, exportMore: { pageSize: 50 }, ...more });
	const job = await server.runFlow(ids.flow);
	return { ...ids, job, state };
}
const odd = (r) => r.key % 2 === 1;

async function retryEnds(answer) {
	assert.ok(answer.length > 0);
	for (const { _jobId } of answer) await server.jobEnd(_jobId);
	return server.ok(200, 'GET', `/v1/jobs/${answer[0]._jobId}`);
}

test('errors are listed with their record, by filter, and grouped into issues', async () => {
	const { job, flow, import: imp } = await failing(40, odd);
	const errors = await server.errorsOf(job._id);
	assert.equal(errors.length, 20);
	for (const e of errors) {
		assert.equal(e.code, '422');
		assert.equal(e.classification, 'value');
		assert.equal(e._stepId, imp);
		assert.equal(e.resolved, false);
		assert.equal(e.attempts, 1);
		assert.match(e.request, /"key":/);
		assert.match(e.response, /is odd/);
	}
	const issues = await server.ok(200, 'GET', `/v1/flows/${flow}/issues`);
	assert.equal(issues.length, 1);
	assert.equal(issues[0].count, 20);
	const one = errors[3];
	const byKey = await server.ok(200, 'GET', `/v1/jobs/${job._id}/joberrors?traceKey=${one.traceKey}`);
	assert.deepEqual(byKey.map((e) => e._id), [one._id]);
	assert.equal((await server.ok(200, 'GET', `/v1/flows/${flow}/errors?code=500`)).length, 0);
	const first = await server.call('GET', `/v1/flows/${flow}/errors?limit=15`);
	assert.equal(first.json.length, 15);
	const next = /<([^>]+)>/.exec(first.headers.get('link'))[1];
	assert.equal((await server.ok(200, 'GET', next)).length, 5);
	assert.equal((await server.call('GET', `/v1/flows/${flow}/errors?colour=red`)).status, 400);
});

test('resolving and opening again keep the counts of the job and of its parent', async () => {
	const { job, flow } = await failing(20, odd);
	const errors = await server.errorsOf(job._id);
	const plan = await server.ok(200, 'PUT', `/v1/flows/${flow}/errors/resolve?dry_run=true`);
	assert.equal(plan.count, 10);
	assert.equal(plan.steps[0].count, 10);
	assert.ok(plan.oldest && plan.newest);
	await server.ok(201, 'PUT', `/v1/jobs/${job._id}/joberrors/${errors[0]._id}/resolve`);
	assert.deepEqual(await server.ok(200, 'PUT', `/v1/jobs/${job._id}/joberrors/resolve`, errors.slice(0, 4).map((e) => e._id)), { count: 3 });
	let now = await server.ok(200, 'GET', `/v1/jobs/${job._id}/family`);
	assert.deepEqual([now.numError, now.numResolved, now.numOpenError], [10, 4, 6]);
	assert.deepEqual([now.children[1].numResolved, now.children[1].numOpenError], [4, 6]);
	assert.equal((await server.ok(200, 'GET', `/v1/flows/${flow}/errors`)).length, 6);
	assert.equal((await server.ok(200, 'GET', `/v1/flows/${flow}/errors?resolved=true`)).length, 4);
	assert.deepEqual(await server.ok(200, 'PUT', `/v1/jobs/${job._id}/joberrors/unresolve`), { count: 4 });
	now = await server.ok(200, 'GET', `/v1/jobs/${job._id}`);
	assert.deepEqual([now.numResolved, now.numOpenError], [0, 10]);
	assert.deepEqual(await server.ok(200, 'PUT', `/v1/jobs/${job._id}/resolve`), { count: 10 });
});

test('a retry delivers what failed, resolves its errors and credits the job that had them', async () => {
	const { job, state } = await failing(30, odd);
	state.refuses = (r) => r.key === 7;
	state.got.length = 0;
	const plan = await server.ok(200, 'POST', `/v1/jobs/${job._id}/retry?dry_run=true`);
	assert.equal(plan.count, 15);
	const retry = await retryEnds(await server.ok(200, 'POST', `/v1/jobs/${job._id}/retry`));
	assert.equal(retry.type, 'retry');
	assert.equal(retry._retryOfJobId, job._id);
	assert.equal(state.got.length, 15);
	const now = await server.ok(200, 'GET', `/v1/jobs/${job._id}/family`);
	assert.deepEqual(now.ledger, { exported: 30, succeeded: 29, ignored: 0, failed: 1, inFlight: 0 });
	assert.deepEqual([now.numResolved, now.numOpenError], [14, 1]);
	assert.deepEqual(now.children[1].ledger, now.ledger);
	const open = await server.ok(200, 'GET', `/v1/jobs/${job._id}/joberrors?resolved=false`);
	assert.deepEqual(open.map((e) => [e.traceKey, e.attempts]), [['7', 2]]);
	// again, for the one that is left: nothing else is sent
	state.refuses = () => false;
	state.got.length = 0;
	await retryEnds(await server.ok(200, 'POST', `/v1/jobs/${job._id}/retries/${open[0]._retryId}/retry`));
	assert.deepEqual(state.got.map((g) => g.record.key), [7]);
	assert.equal((await server.ok(200, 'GET', `/v1/jobs/${job._id}`)).ledger.failed, 0);
	assert.deepEqual(await server.ok(200, 'POST', `/v1/jobs/${job._id}/retry`), []);
	// and the retry that it had failed in has nothing open any more
	assert.deepEqual([retry.numError, retry.numResolved, retry.numOpenError], [1, 0, 1]);
	const settled = await server.ok(200, 'GET', `/v1/jobs/${retry._id}`);
	assert.deepEqual([settled.numError, settled.numResolved, settled.numOpenError], [1, 1, 0]);
});

test('retry data are read, edited and tried again; nonsense is refused', async () => {
	const { job, state } = await failing(4, (r) => r.key === 3);
	const [error] = await server.errorsOf(job._id);
	const data = await server.ok(200, 'GET', `/v1/retries/${error._retryId}/data`);
	assert.deepEqual(data.data, { id: 3, name: 'name 3' });
	assert.equal(data.traceKey, '3');
	for (const bad of [{}, { data: 3 }, { data: null }, [1]]) {
		assert.equal((await server.call('PUT', `/v1/retries/${error._retryId}/data`, bad)).status, 422, JSON.stringify(bad));
	}
	assert.equal((await server.call('PUT', `/v1/retries/${'0'.repeat(24)}/data`, { data: {} })).status, 404);
	await server.ok(200, 'PUT', `/v1/retries/${error._retryId}/data`, { data: { id: 30, name: 'mended' } });
	await retryEnds(await server.ok(200, 'POST', `/v1/retries/${error._retryId}/retry`));
	assert.deepEqual(state.got.at(-1).record, { key: 30, data: { label: 'mended' } });
	assert.equal((await server.ok(200, 'GET', `/v1/jobs/${job._id}`)).numOpenError, 0);
	assert.deepEqual((await server.ok(200, 'GET', `/v1/retries?_jobId=${job._id}`)), []);
});

test('the error file goes down as CSV, comes back edited, and acts', async () => {
	const { job, state } = await failing(12, odd);
	const file = await server.call('GET', `/v1/jobs/${job._id}/joberrors`, undefined, { accept: 'text/csv' });
	assert.match(file.headers.get('content-type'), /^text\/csv/);
	const lines = file.text.trimEnd().split('\r\n');
	assert.equal(lines.length, 7);
	assert.match(lines[0], /^resolve,retry,createdAt,code,extract,generate,extracted,generated,message,source,exportDataURI,importDataURI,_retryId,_id/);
	const put = (body) => server.call('PUT', `/v1/jobs/${job._id}/joberrors`, body, { 'content-type': 'text/csv' });
	// nothing is done when a row is wrong
	let r = await put([lines[0], lines[1].replace(/^false,false/, 'true,false'), lines[2].replace(/^false,false/, 'maybe,false')].join('\r\n'));
	assert.equal(r.status, 422);
	assert.match(r.json.errors[0].message, /row 3: "maybe" is neither true nor false/);
	r = await put('a,b\n1,2\n');
	assert.equal(r.status, 422);
	assert.match(r.json.errors[0].message, /no column _id/);
	r = await put(`_id,resolve\n${'0'.repeat(24)},true\n`);
	assert.equal(r.status, 422);
	assert.match(r.json.errors[0].message, /nothing was done/);
	assert.equal((await server.ok(200, 'GET', `/v1/jobs/${job._id}`)).numResolved, 0);
	// whatever is wrong with the columns is said, also when there is no row behind them
	const id = (await server.errorsOf(job._id))[0]._id, other = (await server.errorsOf(job._id))[1]._id;
	for (const [body, message] of [
		['', /the file is empty/],
		['\ufeff\r\n', /the file is empty/],
		['a,b\n', /no column _id/],
		['{"resolve": true}', /no column _id/],
		['resolve,retry\ntrue,false\n', /no column _id/],
		['_id,foo\n', /neither a column resolve nor a column retry/],
		[`_id,resolve,resolve\n${id},true,false\n`, /column resolve stands twice/],
		[`_id,resolve,_id\n${id},true,${other}\n`, /column _id stands twice/],
		[`_id,resolve\n${id},true,false\n`, /row 2 has 3 cells, the header 2/],
		[`_id,resolve\n${id},true\n${other},true\n${id},false\n`, /row 4: the error of row 2 again/],
	]) {
		r = await put(body);
		assert.equal(r.status, 422, body);
		assert.match(r.json.errors[0].message, message);
	}
	assert.equal((await server.ok(200, 'GET', `/v1/jobs/${job._id}`)).numResolved, 0);
	// semicolons and tabs, as spreadsheets of other countries write
	for (const d of [';', '\t']) {
		r = await put(`\ufeffresolve${d}retry${d}_id\r\nTRUE${d}FALSE${d}${id}\r\n`);
		assert.deepEqual([r.status, r.json.resolved], [200, 1]);
		assert.equal((await put(`resolve${d}_id\nfalse${d}${id}`)).json.reopened, 1);
	}
	// a dry run says what would be done, and does nothing
	r = await server.call('PUT', `/v1/jobs/${job._id}/joberrors?dry_run=true`,
		[lines[0], lines[1].replace(/^false/, 'true'), lines[2].replace(/^false,false/, 'false,true')].join('\r\n'), { 'content-type': 'text/csv' });
	assert.deepEqual(r.json, { dryRun: true, resolved: 1, reopened: 0, retried: 1 });
	assert.equal((await server.ok(200, 'GET', `/v1/jobs/${job._id}`)).numResolved, 0);
	// two resolved, two tried again, two left alone
	state.refuses = () => false;
	state.got.length = 0;
	r = await put([lines[0], lines[1].replace(/^false/, 'true'), lines[2].replace(/^false/, 'true'),
		lines[3].replace(/^false,false/, 'false,true'), lines[4].replace(/^false,false/, 'false,true')].join('\r\n'));
	assert.equal(r.status, 200, r.text);
	assert.equal(r.json.resolved, 2);
	await retryEnds(r.json.retries);
	assert.equal(state.got.length, 2);
	const now = await server.ok(200, 'GET', `/v1/jobs/${job._id}`);
	assert.deepEqual([now.numResolved, now.numOpenError], [4, 2]);
});

test('the error file is whole, as far as it can be sent back', async () => {
	const { job, state } = await failing(2400, odd, { sinkConnection: { concurrencyLevel: 50 } });
	const get = (query = '') => server.call('GET', `/v1/jobs/${job._id}/joberrors${query}`, undefined, { accept: 'text/csv' });
	const file = await get();
	assert.equal(file.text.trimEnd().split('\r\n').length, 1201);
	assert.equal(file.headers.get('link'), null);
	const part = await get('?limit=3');
	assert.equal(part.text.trimEnd().split('\r\n').length, 4);
	assert.match(part.headers.get('link'), /after=/);
	state.refuses = () => false;
	const r = await server.call('PUT', `/v1/jobs/${job._id}/joberrors`, file.text.replaceAll('\r\nfalse,false', '\r\nfalse,true'), { 'content-type': 'text/csv' });
	assert.equal(r.status, 200, r.text);
	await retryEnds(r.json.retries);
	assert.equal((await server.ok(200, 'GET', `/v1/jobs/${job._id}`)).numOpenError, 0);
});

test('a link to the error file needs no token, for a while, and can not be bent', async () => {
	const { job } = await failing(6, odd), other = await failing(4, odd);
	const { signedURL } = await server.ok(200, 'GET', `/v1/jobs/${job._id}/errorFile/signedURL`);
	assert.ok(signedURL.startsWith(`${server.base}/v1/jobs/${job._id}/errorFile?`), signedURL);
	const file = await fetch(signedURL);
	assert.equal(file.status, 200);
	assert.match(file.headers.get('content-type'), /^text\/csv/);
	assert.equal(await file.text(), (await server.call('GET', `/v1/jobs/${job._id}/joberrors?format=csv`)).text);
	const bent = (change) => { const u = new URL(signedURL); change(u); return fetch(u).then((r) => r.status); };
	assert.equal(await bent((u) => { u.pathname = u.pathname.replace(job._id, other.job._id); }), 403);
	assert.equal(await bent((u) => u.searchParams.set('expires', String(Date.now() + 1e9))), 403);
	assert.equal(await bent((u) => u.searchParams.set('signature', '0'.repeat(64))), 403);
	assert.equal(await bent((u) => u.searchParams.delete('signature')), 403);
	assert.equal(await bent((u) => { u.search = ''; }), 403);
	assert.equal((await fetch(`${server.base}/v1/jobs/${job._id}/errorFile/signedURL`)).status, 401);
	await server.ok(404, 'GET', `/v1/jobs/${'0'.repeat(24)}/errorFile/signedURL`);
	await until('the access log is written', () => server.log.includes(`/v1/jobs/${job._id}/errorFile"`));
	assert.ok(!server.log.includes(new URL(signedURL).searchParams.get('signature')));
});

test('a record that failed at the second of two steps is tried again there', async () => {
	const { job, flow, state, import: second, connections } = await failing(6, () => false);
	assert.equal(job.ledger.failed, 0);
	const firstGot = [];
	const first = await application((req, res, body) => { firstGot.push(JSON.parse(body)); json(res, 201, {}); });
	const conn = await server.ok(201, 'POST', '/v1/connections', { name: 'first', type: 'rest', rest: { baseURI: first.url } });
	const imp = await server.ok(201, 'POST', '/v1/imports', { name: 'first', _connectionId: conn._id, rest: { relativeURI: '/a', method: 'POST' } });
	const doc = await server.ok(200, 'GET', `/v1/flows/${flow}`);
	delete doc._importId;
	await server.ok(200, 'PUT', `/v1/flows/${flow}`, { ...doc, pageProcessors: [{ _importId: imp._id }, { _importId: second }] });
	state.refuses = odd;
	const run = await server.runFlow(flow);
	assert.equal(run.ledger.failed, 3);
	assert.equal(firstGot.length, 6);
	state.refuses = () => false;
	await retryEnds(await server.ok(200, 'POST', `/v1/flows/${flow}/errors/retry`));
	assert.equal(firstGot.length, 6);
	assert.equal((await server.ok(200, 'GET', `/v1/jobs/${run._id}`)).ledger.failed, 0);
	assert.ok(connections.length === 2);
});

test('a retry uses the present documents, or those that the job began with', async () => {
	const { job, import: imp, state } = await failing(4, odd);
	await server.ok(200, 'PATCH', `/v1/imports/${imp}`, { mapping: { fields: [{ extract: 'id', generate: 'renamed' }] } });
	state.refuses = () => false;
	state.got.length = 0;
	const errors = await server.errorsOf(job._id);
	await retryEnds(await server.ok(200, 'POST', `/v1/jobs/${job._id}/retry?config=original`, [errors[0]._id]));
	assert.deepEqual(state.got.map((g) => g.record), [{ key: 1, data: { label: 'name 1' } }]);
	await retryEnds(await server.ok(200, 'POST', `/v1/jobs/${job._id}/retry`));
	assert.deepEqual(state.got.at(-1).record, { renamed: 3 });
	assert.equal((await server.call('POST', `/v1/flows/${job._flowId}/errors/retry?config=original`)).status, 400);
});

test('an unchanged record goes again under its key when the application failed, under a new one when that is changed or was refused', async () => {
	const state = { status: 500, got: [] };
	const source = await application(pagedSource(3, 3));
	const sink = await application((req, res, body) => {
		state.got.push({ record: JSON.parse(body), key: req.headers['idempotency-key'] });
		json(res, state.status, {});
	});
	const ids = await installFlow(server, { source: source.url, sink: sink.url, importMore: { maxAttempts: 1 } });
	const job = await server.runFlow(ids.flow);
	assert.equal(job.ledger.failed, 3);
	const again = async () => {
		const before = state.got.splice(0);
		await retryEnds(await server.ok(200, 'POST', `/v1/flows/${ids.flow}/errors/retry`));
		assert.equal(state.got.length, 3);
		return state.got.map((g) => before.some((b) => b.key === g.key && JSON.stringify(b.record) === JSON.stringify(g.record)));
	};
	assert.deepEqual(await again(), [true, true, true]);
	// edited data make another request, also when they say the same
	const errors = await server.errorsOf(job._id);
	const data = await server.ok(200, 'GET', `/v1/retries/${errors[0]._retryId}/data`);
	assert.ok(data.key && data.requestHash);
	await server.ok(200, 'PUT', `/v1/retries/${errors[0]._retryId}/data`, { data: data.data });
	const same = await again();
	assert.equal(same.filter((s) => s).length, 2);
	state.status = 422;
	assert.deepEqual(await again(), [true, true, true]);
	assert.deepEqual(await again(), [false, false, false]);
	state.status = 500;
	assert.deepEqual(await again(), [false, false, false]);
	await server.ok(200, 'PATCH', `/v1/imports/${ids.import}`, { mapping: { fields: [{ extract: 'id', generate: 'renamed' }] } });
	assert.deepEqual(await again(), [false, false, false]);
	state.status = 201;
	assert.deepEqual(await again(), [true, true, true]);
	assert.equal((await server.ok(200, 'GET', `/v1/jobs/${job._id}`)).ledger.succeeded, 3);
});

test('an action on many errors that a kill -9 cuts off is done to its end', async () => {
	const N = 5000;
	const source = await application((req, res) => {
		const at = Number(new URL(req.url, 'http://x').searchParams.get('after') ?? 0);
		json(res, 200, { items: Array.from({ length: 500 }, (_, i) => ({ id: at + i, name: 'x' })), next: at + 500 < N ? `/items?after=${at + 500}` : null });
	});
	const sink = await application((req, res) => json(res, 422, {}));
	const ids = await installFlow(server, { source: source.url, sink: sink.url, exportMore: { pageSize: 500 }, sinkConnection: { concurrencyLevel: 32 } });
	const job = await server.runFlow(ids.flow);
	assert.equal(job.ledger.failed, N);
	const counts = async () => server.ok(200, 'GET', `/v1/jobs/${job._id}`);
	const asked = server.call('PUT', `/v1/flows/${ids.flow}/errors/resolve`).catch(() => null);
	await until('a part is done', async () => (await counts()).numResolved > 0);
	await server.kill('SIGKILL');
	await asked;
	await server.start();
	const done = await until('all of it is', async () => { const j = await counts(); return j.numResolved === N ? j : null; }, 180000);
	assert.equal(done.numOpenError, 0);
	assert.equal((await server.ok(200, 'GET', `/v1/flows/${ids.flow}/errors?limit=1`)).length, 0);
	assert.deepEqual(await server.ok(200, 'PUT', `/v1/flows/${ids.flow}/errors/unresolve`), { count: N });
	// a retry that is cut off has all of them, and begins with that
	await server.ok(200, 'PATCH', `/v1/connections/${ids.connections[1]}`, { offline: true });
	const retrying = server.call('POST', `/v1/flows/${ids.flow}/errors/retry`).catch(() => null);
	await until('some are handed over', async () => (await server.ok(200, 'GET', `/v1/flows/${ids.flow}/errors?limit=1`))[0].retry);
	await server.kill('SIGKILL');
	await retrying;
	await server.start();
	await until('all are handed over', async () => (await server.ok(200, 'POST', `/v1/flows/${ids.flow}/errors/retry?dry_run=true`)).count === 0, 180000);
	const [retry] = await server.ok(200, 'GET', `/v1/jobs?_flowId=${ids.flow}&type=retry`);
	await server.ok(200, 'PUT', `/v1/jobs/${retry._id}/cancel`);
	await until('they are free again', async () => (await server.ok(200, 'POST', `/v1/flows/${ids.flow}/errors/retry?dry_run=true`)).count === N, 180000);
});

test('a retry survives kill -9', async () => {
	const { job, state } = await failing(300, () => true);
	assert.equal(job.ledger.failed, 300);
	let held = 0;
	state.refuses = () => { held++; return false; };
	const [{ _jobId }] = await server.ok(200, 'POST', `/v1/jobs/${job._id}/retry`);
	await until('it has begun', () => held > 40);
	await server.kill('SIGKILL');
	await server.start();
	assert.equal((await server.jobEnd(_jobId)).status, 'completed');
	const now = await server.ok(200, 'GET', `/v1/jobs/${job._id}`);
	assert.deepEqual(now.ledger, { exported: 300, succeeded: 300, ignored: 0, failed: 0, inFlight: 0 });
	assert.equal(now.numOpenError, 0);
});

test('an error or retry that is not the job\'s is not found', async () => {
	const { job } = await failing(4, odd), other = await failing(4, odd);
	const [error] = await server.errorsOf(job._id);
	for (const id of ['0'.repeat(24), (await server.errorsOf(other.job._id))[0]._id])
		for (const action of ['resolve', 'unresolve']) await server.ok(404, 'PUT', `/v1/jobs/${job._id}/joberrors/${id}/${action}`);
	await server.ok(404, 'POST', `/v1/jobs/${other.job._id}/retries/${error._retryId}/retry`);
	assert.deepEqual(await server.ok(201, 'PUT', `/v1/jobs/${job._id}/joberrors/${error._id}/resolve`), { count: 1 });
	assert.deepEqual(await server.ok(201, 'PUT', `/v1/jobs/${job._id}/joberrors/${error._id}/resolve`), { count: 0 });
});

test('errors are tried again by the ids of their retry data too, by PUT and by POST', async () => {
	const { job, state } = await failing(8, odd);
	const errors = await server.errorsOf(job._id);
	state.refuses = () => false;
	const before = state.got.length;
	const url = `/v1/jobs/${job._id}/retries/retry`;
	await retryEnds(await server.ok(200, 'POST', url, [errors[0]._retryId, errors[2]._retryId]));
	assert.deepEqual(state.got.slice(before).map((g) => g.record.key), [1, 5]);
	assert.equal((await server.ok(200, 'PUT', `${url}?dry_run=true`, [errors[0]._retryId, errors[1]._retryId])).count, 1);
	const one = await retryEnds(await server.ok(200, 'PUT', url, [errors[1]._retryId]));
	assert.equal(one._retryOfJobId, job._id);
	const last = await retryEnds(await server.ok(200, 'POST', `/v1/retries/${errors[3]._retryId}/retry`));
	assert.equal(last._retryOfJobId, job._id);
	assert.equal((await server.ok(200, 'GET', `/v1/jobs/${job._id}`)).numOpenError, 0);
});

test('one retry takes dry_run and config as many do', async () => {
	const { job, state, import: imp } = await failing(4, odd);
	const [error] = await server.errorsOf(job._id);
	await server.ok(200, 'PATCH', `/v1/imports/${imp}`, { mapping: { fields: [{ extract: 'id', generate: 'key' }, { generate: 'now', hardCodedValue: 1 }] } });
	state.refuses = () => false;
	const before = state.got.length;
	for (const url of [`/v1/retries/${error._retryId}/retry`, `/v1/jobs/${job._id}/retries/${error._retryId}/retry`]) {
		assert.deepEqual(Object.keys(await server.ok(200, 'POST', `${url}?dry_run=true`)), ['steps', 'dryRun', 'count', 'oldest', 'newest']);
		await server.ok(400, 'POST', `${url}?dry_run=perhaps`);
		await server.ok(400, 'POST', `${url}?config=old`);
	}
	await retryEnds(await server.ok(200, 'POST', `/v1/retries/${error._retryId}/retry?config=original`));
	assert.deepEqual(state.got.slice(before).map((g) => g.record), [{ key: 1, data: { label: 'name 1' } }]);
});

test('the list of retries goes on by its Link header, and names no job that is not there', async () => {
	const { job } = await failing(10, odd);
	const seen = [];
	for (let url = `/v1/retries?_jobId=${job._id}&limit=2`; url;) {
		const r = await server.call('GET', url);
		assert.equal(r.status, 200);
		seen.push(...r.json.map((x) => x._id));
		url = /<([^>]+)>; rel="next"/.exec(r.headers.get('link') ?? '')?.[1];
	}
	assert.deepEqual(seen, (await server.errorsOf(job._id)).map((e) => e._retryId));
	await server.ok(400, 'GET', '/v1/retries');
	await server.ok(400, 'GET', `/v1/retries?_jobId=${job._id}&colour=red`);
	await server.ok(404, 'GET', '/v1/retries?_jobId=5560092ed7922800000f000e');
});

test('retry data: what is not the record can not be changed', async () => {
	const { job } = await failing(4, odd);
	const [{ _retryId }] = await server.errorsOf(job._id);
	const url = `/v1/retries/${_retryId}/data`;
	const whole = await server.ok(200, 'GET', url);
	await server.ok(200, 'PUT', url, { ...whole, data: { id: 9 } }); // what was read goes back
	for (const [more, field] of [[{ stage: 'export' }, 'stage'], [{ traceKey: 'x' }, 'traceKey'], [{ dta: {} }, 'dta']]) {
		const r = await server.call('PUT', url, { data: { id: 10 }, ...more });
		assert.equal(r.status, 422);
		assert.equal(r.json.errors[0].field, field);
	}
	assert.deepEqual((await server.ok(200, 'GET', url)).data, { id: 9 });
});

test('several jobs, all of a flow, all of an integration: resolved and tried again at once', async () => {
	const a = await failing(4, odd), b = await failing(6, odd);
	const integration = (await server.ok(201, 'POST', '/v1/integrations', { name: 'Bulk' }))._id;
	const jobs = [a.job._id, b.job._id];
	const open = async () => Promise.all(jobs.map(async (id) => (await server.ok(200, 'GET', `/v1/jobs/${id}`)).numOpenError));
	assert.deepEqual(await open(), [2, 3]);
	let plan = await server.ok(200, 'PUT', '/v1/jobs/resolve?dry_run=true', jobs);
	assert.equal(plan.count, 5);
	assert.deepEqual(plan.steps.map((s) => s.count).sort(), [2, 3]);
	// an error is counted once, also of a job that is named twice or beside its parts
	const parts = (await server.ok(200, 'GET', `/v1/jobs?_flowJobId=${jobs[0]}`)).map((j) => j._id);
	assert.ok(parts.length > 0);
	for (const twice of [[jobs[0], ...jobs], [...parts, ...jobs], [...jobs, ...parts, ...parts]])
		assert.equal((await server.ok(200, 'PUT', '/v1/jobs/resolve?dry_run=true', twice)).count, 5);
	assert.equal((await server.ok(200, 'PUT', '/v1/jobs/resolve?dry_run=true', parts)).count, 2);
	for (const bad of [undefined, [], ['x'], {}, jobs.concat('5560092ed7922800000f000e')])
		assert.ok([400, 404, 422].includes((await server.call('PUT', '/v1/jobs/resolve', bad)).status), JSON.stringify(bad));
	assert.deepEqual(await open(), [2, 3]);
	assert.deepEqual(await server.ok(200, 'PUT', '/v1/jobs/resolve?traceKey=3', jobs), { count: 2 });
	assert.deepEqual(await open(), [1, 2]);
	assert.deepEqual(await server.ok(200, 'PUT', '/v1/jobs/unresolve', jobs), { count: 2 });
	assert.deepEqual(await server.ok(200, 'PUT', `/v1/jobs/${jobs[0]}/resolve`), { count: 2 });
	assert.deepEqual(await server.ok(200, 'PUT', `/v1/jobs/${jobs[0]}/unresolve`), { count: 2 });
	a.state.refuses = () => false;
	const retries = await server.ok(200, 'PUT', '/v1/jobs/retry', jobs);
	assert.deepEqual(retries.map((r) => r.count), [2, 3]);
	await retryEnds(retries);
	assert.deepEqual(await open(), [0, 3]);
	assert.deepEqual(await server.ok(200, 'PUT', `/v1/flows/${b.flow}/jobs/resolve`), { count: 3 });
	await server.ok(200, 'PUT', `/v1/flows/${b.flow}/errors/unresolve`);
	await retryEnds(await server.ok(200, 'PUT', `/v1/flows/${b.flow}/jobs/retry`));
	assert.deepEqual(await open(), [0, 3]);
	assert.deepEqual(await server.ok(200, 'PUT', `/v1/integrations/${integration}/jobs/resolve`), { count: 0 });
	for (const flow of [a.flow, b.flow]) await server.ok(200, 'PATCH', `/v1/flows/${flow}`, { _integrationId: integration });
	b.state.refuses = () => false;
	plan = await server.ok(200, 'PUT', `/v1/integrations/${integration}/jobs/retry?dry_run=true`);
	assert.equal(plan.count, 3);
	await retryEnds(await server.ok(200, 'PUT', `/v1/integrations/${integration}/jobs/retry`));
	assert.deepEqual(await open(), [0, 0]);
	await server.ok(404, 'PUT', '/v1/integrations/5560092ed7922800000f000e/jobs/resolve');
	await server.ok(400, 'PUT', '/v1/jobs/retry?colour=red', jobs);
});

test('errors by step, in the words of the platform\'s later routes', async () => {
	const { flow, import: step, export: exp, job, state } = await failing(8, odd);
	const url = `/v1/flows/${flow}/${step}`;
	const own = await server.errorsOf(job._id);
	const first = await server.ok(200, 'GET', `${url}/errors?limit=3`);
	assert.deepEqual(Object.keys(first), ['errors', 'nextPageURL']);
	const e = first.errors[0];
	assert.deepEqual([e.errorId, e.retryDataKey, e.occurredAt, e._flowJobId, e.traceKey, e.code, e.source, e.classification],
		[own[0]._id, own[0]._retryId, own[0].createdAt, job._id, '1', '422', 'application', 'value']);
	const rest = await server.ok(200, 'GET', first.nextPageURL);
	assert.deepEqual([...first.errors, ...rest.errors].map((x) => x.errorId), own.map((x) => x._id));
	assert.equal(rest.nextPageURL, undefined);
	// where it goes on, the filters do too
	const before = await server.ok(200, 'GET', `${url}/errors?limit=1&traceKey=3`);
	assert.deepEqual(before.errors.map((x) => x.errorId), [own[1]._id]);
	assert.deepEqual((await server.ok(200, 'GET', before.nextPageURL)).errors, []);
	assert.deepEqual((await server.ok(200, 'GET', `/v1/flows/${flow}/${exp}/errors`)).errors, []);
	// resolve, look at what is resolved, try again
	assert.deepEqual(await server.ok(200, 'PUT', `${url}/resolved`, { errors: [own[0]._id] }), { count: 1 });
	const resolved = await server.ok(200, 'GET', `${url}/resolved`);
	assert.deepEqual(resolved.errors.map((x) => x.errorId), [own[0]._id]);
	assert.ok(resolved.errors[0].resolvedAt);
	const data = await server.ok(200, 'GET', `${url}/${own[1]._retryId}/data`);
	assert.equal(data.data.id, 3);
	await server.ok(200, 'PUT', `${url}/${own[1]._retryId}/data`, { ...data, data: { id: 30, name: 'mended' } });
	state.refuses = () => false;
	const { _id } = await server.ok(200, 'POST', `${url}/retry`, { retryDataKeys: [own[1]._retryId, own[2]._retryId] });
	assert.equal((await server.jobEnd(_id)).ledger.succeeded, 2);
	assert.deepEqual(state.got.slice(-2).map((g) => g.record.key), [30, 5]);
	assert.deepEqual((await server.ok(200, 'GET', `${url}/errors`)).errors.map((x) => x.errorId), [own[3]._id]);
	// of an integration: its flows that have open errors
	const integration = (await server.ok(201, 'POST', '/v1/integrations', { name: 'Steps' }))._id;
	assert.deepEqual(await server.ok(200, 'GET', `/v1/integrations/${integration}/errors`), []);
	await server.ok(200, 'PATCH', `/v1/flows/${flow}`, { _integrationId: integration });
	assert.deepEqual(await server.ok(200, 'GET', `/v1/integrations/${integration}/errors`),
		[{ _flowId: flow, numError: 1, lastErrorAt: own[3].createdAt }]);
	// nonsense
	for (const [method, path, body, status] of [
		['GET', `${url}/errors?colour=red`, undefined, 400],
		['GET', `/v1/flows/${'0'.repeat(24)}/${step}/errors`, undefined, 404],
		['GET', `/v1/flows/${flow}/${'0'.repeat(24)}/errors`, undefined, 404],
		['GET', `/v1/flows/${flow}/x/errors`, undefined, 404],
		['PUT', `${url}/resolved`, { errors: ['x'] }, 422],
		['PUT', `${url}/resolved`, {}, 422],
		['PUT', `${url}/resolved`, [own[0]._id], 422],
		['POST', `${url}/retry`, { retryDataKeys: [] }, 422],
		['POST', `${url}/retry`, { retryDataKeys: [5] }, 422],
		['POST', `${url}/retry?config=original`, { retryDataKeys: [own[3]._retryId] }, 400],
		['GET', `${url}/${'0'.repeat(24)}/data`, undefined, 404],
		['GET', `/v1/integrations/${'0'.repeat(24)}/errors`, undefined, 404],
	]) assert.equal((await server.call(method, path, body)).status, status, `${method} ${path}`);
	// values kept for a flow under such names are values still
	await server.ok(201, 'PUT', `/v1/flows/${flow}/state/errors`, { a: 1 });
	assert.deepEqual((await server.call('GET', `/v1/flows/${flow}/state/errors`)).json, { a: 1 });
});

await runTests();
