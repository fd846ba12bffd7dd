// json-server, a REST API that many know, as source and destination: Link headers, pages, offsets and
// filters as it really does them.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { once } from 'node:events';
import { Server, installFlow, onEnd, runTests, test } from './lib.mjs';

const jsonServer = createRequire(import.meta.url)('json-server');

async function jsonApplication(db) {
	const app = jsonServer.create();
	const router = jsonServer.router(db);
	const asked = [];
	app.use((req, res, next) => { asked.push(`${req.method} ${req.url}`); next(); });
	app.use(jsonServer.bodyParser);
	app.use(router);
	const server = app.listen(0, '127.0.0.1');
	await once(server, 'listening');
	onEnd(() => { server.closeAllConnections(); server.close(); });
	return { url: `http://127.0.0.1:${server.address().port}`, db: router.db, asked };
}

const orders = (n) => Array.from({ length: n }, (_, i) => ({ id: i + 1, name: `order ${i + 1}`, status: i % 3 ? 'open' : 'done' }));
const server = await new Server().start();

async function run(exportRest, exportMore = {}) {
	const source = await jsonApplication({ orders: orders(23) });
	const sink = await jsonApplication({ copies: [] });
	const ids = await installFlow(server, { source: source.url, sink: sink.url,
		exportRest: { resourcePath: null, pagingMethod: null, nextPagePath: null, ...exportRest }, exportMore,
		importRest: { relativeURI: '/copies' }, sinkConnection: { concurrencyLevel: 1 } });
	const job = await server.runFlow(ids.flow);
	return { job, asked: source.asked, copies: sink.db.get('copies').value() };
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

await runTests();
