// json-server, a REST API that many know, as source and destination: Link headers, pages, offsets and
// filters as it really does them.
import assert from 'node:assert/strict';
import { jsonApplication } from './json_application.mjs';
import { Server, installFlow, runTests, test } from './lib.mjs';

const orders = (n) => Array.from({ length: n }, (_, i) => ({ id: i + 1, name: `order ${i + 1}`, status: i % 3 ? 'open' : 'done' }));
const server = await new Server().start();

async function run(exportRest, exportMore = {}) {
	const source = await jsonApplication({ orders: orders(23) });
	const sink = await jsonApplication({ copies: [] });
	const ids = await installFlow(server, { source: source.url, sink: sink.url,
		exportRest: { resourcePath: null, pagingMethod: null, nextPagePath: null, ...exportRest }, exportMore,
		importRest: { relativeURI: '/copies' }, sinkConnection: { concurrencyLevel: 1 } });
	const job = await server.runFlow(ids.flow);
	return { job, asked: source.asked, copies: sink.all().copies };
}
const keys = (copies) => copies.map((c) => c.key);
const all = Array.from({ length: 23 }, (_, i) => i + 1);

test('by its Link header', async () => {
	const { job, asked, copies } = await run({ relativeURI: '/orders?_page=1&_limit=10', pagingMethod: 'linkheader' });
	assert.equal(job.status, 'completed', JSON.stringify(job.error));
	assert.deepEqual(keys(copies), all);
	assert.deepEqual(copies[6].data, { label: 'order 7' });
	assert.equal(asked.length, 3); // the last page has no rel="next"
});

test('by page number, to the first empty page', async () => {
	const { job, asked, copies } = await run({ relativeURI: '/orders', query: { _limit: 8 }, pagingMethod: 'pageargument', pageArgument: '_page' });
	assert.equal(job.status, 'completed', JSON.stringify(job.error));
	assert.deepEqual(keys(copies), all);
	assert.deepEqual(asked, [1, 2, 3, 4].map((p) => `GET /orders?_limit=8&_page=${p}`));
});

test('by offset, through a filter and an order', async () => {
	const { job, asked, copies } = await run({ relativeURI: '/orders', query: { status: 'done', _sort: 'id', _order: 'desc', _limit: 3 },
		pagingMethod: 'skipargument', skipArgument: '_start' });
	assert.equal(job.status, 'completed', JSON.stringify(job.error));
	assert.deepEqual(keys(copies), all.filter((n) => n % 3 === 1).reverse());
	assert.deepEqual(asked.map((a) => Number(/_start=(\d+)/.exec(a)[1])), [0, 3, 6, 8]);
});

test('by a template of the last record', async () => {
	const { job, asked, copies } = await run({ relativeURI: '/orders?_limit=9', pagingMethod: 'relativeuri',
		nextPageRelativeURI: '/orders?_limit=9&id_gte={id}&id_ne={id}' });
	assert.equal(job.status, 'completed', JSON.stringify(job.error));
	assert.deepEqual(keys(copies), all);
	assert.equal(asked.length, 4);
});

test('a filter that finds nothing is a finding', async () => {
	const { job, copies } = await run({ relativeURI: '/orders', query: { status: 'lost' } });
	assert.equal(job.status, 'completed', JSON.stringify(job.error));
	assert.match(job.zeroReason, /no records/);
	assert.deepEqual(copies, []);
});

test('a resource that is not there fails the job at once', async () => {
	const { job, asked } = await run({ relativeURI: '/orderz', pagingMethod: 'pageargument', pageArgument: '_page' });
	assert.equal(job.status, 'failed');
	assert.equal(job.error.code, 'http_status');
	assert.match(job.error.message, /\/orderz \(request 1\): answered status 404/);
	assert.equal(asked.length, 1);
});

// A flow that is run several times over the same two applications.
async function twice(items, exportRest, exportMore) {
	const source = await jsonApplication({ orders: items });
	const sink = await jsonApplication({ copies: [] });
	const ids = await installFlow(server, { source: source.url, sink: sink.url,
		exportRest: { relativeURI: '/orders', resourcePath: null, pagingMethod: null, nextPagePath: null, ...exportRest }, exportMore,
		importRest: { relativeURI: '/copies' }, sinkConnection: { concurrencyLevel: 1 } });
	return { source: source.db.get('orders'), asked: source.asked, copies: () => keys(sink.all().copies), run: () => server.runFlow(ids.flow) };
}

test('delta: the second run asks for what has changed since the first', async () => {
	const t = await twice(orders(3).map((o) => ({ ...o, updated: '2020-01-01T00:00:00.000Z' })),
		{ query: { updated_gte: '{{lastExportDateTime}}' } }, { type: 'delta' });
	assert.equal((await t.run()).ledger.succeeded, 3);
	assert.match((await t.run()).zeroReason, /no records/);
	t.source.find({ id: 2 }).assign({ updated: new Date().toISOString() }).write();
	assert.equal((await t.run()).ledger.succeeded, 1);
	assert.deepEqual(t.copies(), [1, 2, 3, 2]);
	assert.match(t.asked[0], /updated_gte=1970-01-01T00%3A00%3A00\.000Z$/);
	assert.doesNotMatch(t.asked[1], /1970/);
});

test('delta without a placeholder: all is fetched, and compared here', async () => {
	const t = await twice(orders(3).map((o) => ({ ...o, updated: '2020-01-01 12:00' })), {},
		{ type: 'delta', delta: { dateField: 'updated', dateFormat: 'YYYY-MM-DD HH:mm' } });
	assert.equal((await t.run()).ledger.succeeded, 3);
	assert.match((await t.run()).zeroReason, /all 3 records of the source were last changed before 20/);
	t.source.find({ id: 3 }).assign({ updated: '2099-01-01 00:00' }).write();
	assert.equal((await t.run()).ledger.succeeded, 1);
	assert.deepEqual(t.copies(), [1, 2, 3, 3]);
});

test('once: what was delivered is marked in the application, and not fetched again', async () => {
	const t = await twice(orders(25).map((o) => ({ ...o, exported: o.id === 7 })),
		{ once: { relativeURI: '/orders/{id}', method: 'PATCH', postBody: { exported: true } } },
		{ type: 'once', once: { booleanField: 'exported' } });
	const job = await t.run();
	assert.equal(job.ledger.succeeded, 24, JSON.stringify(job.error));
	assert.deepEqual(t.copies(), orders(25).map((o) => o.id).filter((id) => id !== 7));
	assert.ok(t.source.value().every((o) => o.exported === true && o.name === `order ${o.id}`));
	assert.match((await t.run()).zeroReason, /all 25 records of the source were exported before: "exported" is true/);
});

await runTests();
