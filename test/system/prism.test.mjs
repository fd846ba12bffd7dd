// Imports against Prism, which mocks a published OpenAPI file (the Petstore of @readme/oas-examples) and
// refuses every request that does not fit it: method, path, parameters, media type, body, security.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Server, application, installFlow, json, onEnd, runTests, test, until } from './lib.mjs';

const modules = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../node_modules');
const prism = spawn(process.execPath, [path.join(modules, '@stoplight/prism-cli/dist/index.js'), 'mock', '--errors', '-h', '127.0.0.1',
	'-p', '0', path.join(modules, '@readme/oas-examples/3.0/json/petstore.json')], { stdio: ['ignore', 'pipe', 'inherit'] });
onEnd(async () => { const gone = once(prism, 'exit'); prism.kill(); await gone; });
const petstore = await new Promise((resolve, reject) => {
	let out = '';
	prism.stdout.on('data', (d) => {
		out += d;
		const m = /listening on (http:\S+)/.exec(out);
		if (m) resolve(m[1]);
	});
	prism.on('exit', (code) => reject(new Error(`prism ended with ${code}: ${out}`)));
});
const server = await new Server().start();

// Runs a flow of `items` into the pet store; returns the ledger and the errors.
async function run(items, importRest, mapping, sinkConnection = { bearerToken: 'special-key' }) {
	const source = await application((req, res) => json(res, 200, { items }));
	const ids = await installFlow(server, { source: source.url, sink: petstore, importRest, importMore: { mapping }, sinkConnection });
	const job = await server.runFlow(ids.flow);
	return { ledger: job.ledger, errors: (await server.errorsOf(job._id)).sort((a, b) => a.recordIndex - b.recordIndex) };
}
// Of these operations the file documents failures only, so that a valid request gets one of them, but
// without a violation.
function assertValid(ledger, errors) {
	assert.equal(ledger.exported, 1);
	assert.equal(errors.length, 1);
	assert.match(errors[0].response, /^HTTP\/1.1 4\d\d/);
	assert.doesNotMatch(errors[0].response, /sl-violations/);
}
const good = (n) => ({ exported: n, succeeded: n, ignored: 0, failed: 0, inFlight: 0 });

test('orders are created with the types that the schema wants', async () => {
	const mapping = { fields: [{ extract: 'pet', generate: 'petId', dataType: 'number' }, { extract: 'n', generate: 'quantity' },
		{ extract: 'status', generate: 'status' }, { extract: 'done', generate: 'complete', dataType: 'boolean' }] };
	const { ledger, errors } = await run([{ pet: '5', n: 2, status: 'placed', done: 'true' }, { pet: '6', n: 1, status: 'approved', done: 'false' }],
		{ relativeURI: '/store/order', method: 'POST', responseIdPath: 'id' }, mapping);
	assert.deepEqual(ledger, good(2), JSON.stringify(errors));
});

test('what the schema forbids fails its record alone, with the validator\'s words', async () => {
	const mapping = { fields: [{ extract: 'n', generate: 'quantity' }, { extract: 'status', generate: 'status' }] };
	const { ledger, errors } = await run([{ n: 1, status: 'placed' }, { n: 'two', status: 'placed' }, { n: 3, status: 'nonsense' }],
		{ relativeURI: '/store/order', method: 'POST' }, mapping);
	assert.deepEqual(ledger, { exported: 3, succeeded: 1, ignored: 0, failed: 2, inFlight: 0 });
	assert.deepEqual(errors.map((e) => [e.recordIndex, e.code]), [[1, '400'], [2, '400']]);
	assert.match(errors[0].response, /quantity must be integer/);
	assert.match(errors[1].response, /status must be equal to one of/);
});

test('a composite import: the pet is looked up under its API key, then the user is updated', async () => {
	const importRest = { relativeURI: ['/user/{name}', '/user'], method: ['PUT', 'POST'], resourceId: { lookupName: 'there' },
		lookups: [{ name: 'there', relativeURI: '/user/{name}', extract: 'username' },
			{ name: 'pet', relativeURI: '/pet/findByStatus?status={status}', extract: '0.name' }] };
	const mapping = { fields: [{ extract: 'name', generate: 'username' }, { generate: 'firstName', lookupName: 'pet' }] };
	const { ledger, errors } = await run([{ name: 'a b', status: 'sold' }], importRest, mapping);
	assertValid(ledger, errors);
	assert.match(errors[0].request, /^PUT \S+\/user\/a%20b HTTP/);
	assert.match(errors[0].request, /"firstName":"doggie"/);
});

test('a form where the file wants one', async () => {
	const { ledger, errors } = await run([{ id: 5, name: 'Rex & Co', status: 'sold' }], { relativeURI: '/pet/{id}', method: 'POST' },
		{ fields: [{ extract: 'name', generate: 'name' }, { extract: 'status', generate: 'status' }] },
		{ mediaType: 'urlencoded', bearerToken: 'special-key' });
	assertValid(ledger, errors);
	assert.match(errors[0].request, /name=Rex%20%26%20Co&status=sold/);
});

test('without credentials the operation is refused, and the record waits with its connection', async () => {
	const source = await application((req, res) => json(res, 200, { items: [{ id: 5 }] }));
	const ids = await installFlow(server, { source: source.url, sink: petstore,
		sinkConnection: { pingRelativeURI: '/pet/findByStatus?status=sold' }, importRest: { relativeURI: '/pet', method: 'PUT',
		body: { name: 'Rex', photoUrls: ['http://example.com/{id}.png'] } } });
	const { _jobId } = await server.ok(201, 'POST', `/v1/flows/${ids.flow}/run`);
	await until('the connection is offline', async () =>
		(await server.ok(200, 'GET', `/v1/connections/${ids.connections[1]}`)).offline === true);
	assert.equal((await server.ok(200, 'GET', `/v1/jobs/${_jobId}`)).ledger.succeeded, 0);
});

await runTests();
