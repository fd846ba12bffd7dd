// The HTTP client through whole flows, against a real nginx that this test configures, starts on ports
// of its own and stops: TLS, compression, redirects, keep-alive, closed connections.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';
import { Server, application, installFlow, json, onEnd, runTests, test, until } from './lib.mjs';

const RECORDS = 400;
const BOMB_BYTES = 256 * 1024 * 1024;
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'integrator-nginx-'));
onEnd(() => fs.rmSync(dir, { recursive: true, force: true }));

try {
	execFileSync('nginx', ['-v'], { stdio: 'ignore' });
} catch {
	console.log('nginx is not installed');
	process.exit(77);
}

// ---- nginx ----

// Free ports, held open until all are known so that they differ.
async function freePorts(n) {
	const servers = await Promise.all(Array.from({ length: n }, async () => {
		const s = net.createServer().listen(0, '127.0.0.1');
		await once(s, 'listening');
		return s;
	}));
	const ports = servers.map((s) => s.address().port);
	await Promise.all(servers.map((s) => new Promise((resolve) => s.close(resolve))));
	return ports;
}

function certificate(name, subjectAlt) {
	execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
		'-subj', `/CN=${name}`, '-addext', `subjectAltName=${subjectAlt}`, '-keyout', `${dir}/${name}.key`,
		'-out', `${dir}/${name}.pem`], { stdio: 'ignore' });
}

const config = ([plain, other, tls, wrong]) => `
daemon off;
worker_processes 1;
pid ${dir}/nginx.pid;
error_log ${dir}/error.log warn;
events { worker_connections 512; }
http {
	log_format test '$server_port|$request_method|$request_uri|$status|$http_authorization|$http_cookie|$http_x_api_key|$connection|$sent_http_content_encoding|$sent_http_transfer_encoding';
	access_log ${dir}/access.log test;
	client_body_temp_path ${dir}/body; proxy_temp_path ${dir}/proxy; fastcgi_temp_path ${dir}/f;
	uwsgi_temp_path ${dir}/u; scgi_temp_path ${dir}/s;
	default_type application/json;
	root ${dir}/www;
	gzip on; gzip_types application/json; gzip_min_length 100;
	keepalive_requests 10000;
	absolute_redirect off;
	server {
		listen 127.0.0.1:${plain};
		location = / { return 204; } # pings
		location = /mark { return 204; }
		location = /plain { gzip off; alias ${dir}/www/items; }
		location = /moved { return 302 /items; }
		location = /moved-twice { return 301 /moved; }
		location = /away { return 307 http://127.0.0.1:${other}/items; }
		location = /loop { return 302 /loop; }
		location = /inside { return 302 http://10.11.12.13/items; }
		location = /metadata { return 302 http://169.254.169.254/latest/meta-data/; }
		location = /file { return 302 file:///etc/passwd; }
		location = /post-moved { return 307 /take; }
		location = /take { return 201 '{}'; }
		location = /shut { return 444; }
		location = /bomb { gzip off; add_header Content-Encoding gzip; alias ${dir}/www/bomb; }
		location = /torn { gzip off; add_header Content-Encoding gzip; alias ${dir}/www/torn; }
	}
	server { listen 127.0.0.1:${other}; }
	server { listen 127.0.0.1:${tls} ssl; ssl_certificate ${dir}/localhost.pem; ssl_certificate_key ${dir}/localhost.key;
		location = /down { return 302 http://127.0.0.1:${plain}/items; } }
	server { listen 127.0.0.1:${wrong} ssl; ssl_certificate ${dir}/other.example.pem; ssl_certificate_key ${dir}/other.example.key; }
}
`;

function makeFiles() {
	fs.chmodSync(dir, 0o755); // nginx's worker is nobody when this runs as root
	fs.mkdirSync(`${dir}/www`);
	const items = Array.from({ length: RECORDS }, (_, id) => ({ id, name: `name ${id}` }));
	const text = JSON.stringify({ items, next: null });
	fs.writeFileSync(`${dir}/www/items`, text);
	fs.writeFileSync(`${dir}/www/torn`, zlib.gzipSync(text).subarray(0, 500));
	// a JSON text of blanks: it is valid up to any limit but its own
	const packed = fs.openSync(`${dir}/www/bomb`, 'w');
	const part = zlib.gzipSync(Buffer.alloc(1 << 20, ' '), { level: 9 });
	for (let n = 0; n < BOMB_BYTES; n += 1 << 20) fs.writeSync(packed, part); // members, one behind the other
	fs.closeSync(packed);
	certificate('localhost', 'DNS:localhost');
	certificate('other.example', 'DNS:other.example');
}

// Starts nginx on these ports; false when somebody else took one of them meanwhile.
async function startNginx(ports) {
	fs.writeFileSync(`${dir}/nginx.conf`, config(ports));
	// The shell waits for its input to end, so that nginx ends with this program however that ends.
	const nginx = spawn('sh', ['-c', `nginx -p "$1" -e "$1/error.log" -c "$1/nginx.conf" & read -r _; kill $!; wait $!`, 'sh', dir],
		{ stdio: ['pipe', 'ignore', 'ignore'] });
	const ended = once(nginx, 'exit');
	onEnd(async () => { nginx.stdin.end(); await ended; });
	const log = () => { try { return fs.readFileSync(`${dir}/error.log`, 'utf8'); } catch { return ''; } };
	// It writes its number when it has all ports, and nothing else into a file that is new.
	return until('nginx has its ports', () => {
		if (fs.existsSync(`${dir}/nginx.pid`) && fs.readFileSync(`${dir}/nginx.pid`, 'utf8') !== '') return 'started';
		return /still could not bind/.test(log()) ? 'taken' : null;
	}).then((how) => {
		fs.rmSync(`${dir}/error.log`, { force: true });
		return how === 'started';
	});
}

makeFiles();
let ports = await freePorts(4);
while (!(await startNginx(ports))) ports = await freePorts(4);
const [plain, other, tls, wrong] = ports;

// What nginx has logged since the last call for this.
let logRead = 0;
async function logged(count, wanted = () => true) {
	const rows = () => fs.readFileSync(`${dir}/access.log`, 'utf8').split('\n').filter(Boolean).slice(logRead).map((line) => {
		const [port, method, uri, status, authorization, cookie, key, connection, encoding, transfer] = line.split('|');
		return { port: Number(port), method, uri, status: Number(status), authorization, cookie, key, connection, encoding, transfer };
	}).filter(wanted);
	const got = await until(`nginx has logged ${count} requests`, () => (rows().length >= count ? rows() : null));
	logRead = fs.readFileSync(`${dir}/access.log`, 'utf8').split('\n').filter(Boolean).length;
	return got;
}
// What was answered before this is not of the next call of logged(). nginx writes a line behind the answer,
// and in order: it has one worker.
let marks = 0;
async function forget() {
	const mark = `/mark?${++marks}`;
	await fetch(`http://127.0.0.1:${plain}${mark}`);
	await logged(1, (r) => r.uri === mark);
}

// ---- the flows ----

const server = await new Server({ args: ['--ca-file', `${dir}/localhost.pem`] }).start();
const got = [];
const sink = await application((req, res, body) => { got.push(JSON.parse(body)); json(res, 201, {}); });

// Runs an export of this path to the sink; the job, its errors, and the keys that arrived.
async function run(source, relativeURI, sourceConnection = {}, on = server) {
	got.length = 0;
	const ids = await installFlow(on, { source, sink: sink.url, sourceConnection, exportRest: { relativeURI }, exportMore: { pageSize: 1000 } });
	const job = await on.runFlow(ids.flow);
	return { job, errors: await on.errorsOf(job._id), keys: got.map((g) => g.key).sort((a, b) => a - b) };
}
function assertAll({ job, errors, keys }) {
	assert.equal(job.status, 'completed', JSON.stringify([job, errors]));
	assert.deepEqual(errors, []);
	assert.deepEqual(keys, [...Array(RECORDS).keys()]);
}
function assertFails({ job, errors, keys }, code, pattern) {
	const all = JSON.stringify([job, errors]);
	assert.equal(job.status, 'failed', all);
	assert.ok(errors.some((e) => e.code === code && pattern.test(e.message)), all);
	assert.deepEqual(keys, []);
}
const at = (port, host = '127.0.0.1', scheme = 'http') => `${scheme}://${host}:${port}`;

test('plain and compressed answers, sized and chunked, are the same records', async () => {
	assertAll(await run(at(plain), '/plain'));
	assertAll(await run(at(plain), '/items'));
	const [a, b] = await logged(2);
	assert.equal(a.encoding, '-');
	assert.deepEqual([b.encoding, b.transfer], ['gzip', 'chunked']);
});

test('a gzip bomb ends at the limit on what it becomes, and costs no more memory', async () => {
	const rss = () => Number(/^VmRSS:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${server.child.pid}/status`, 'utf8'))[1]) / 1024;
	const before = rss();
	let most = 0;
	const watch = setInterval(() => { most = Math.max(most, rss()); }, 5);
	const r = await run(at(plain), '/bomb');
	clearInterval(watch);
	assertFails(r, 'limit_exceeded', /larger than the limit of 67108864 bytes/);
	console.log(`# ${BOMB_BYTES >> 20} MB in ${fs.statSync(`${dir}/www/bomb`).size} bytes; resident ${before.toFixed(0)} MB before, ${most.toFixed(0)} MB at most`);
	assert.ok(most - before < 160, `${most - before} MB more`);
});

test('compressed data that ends too early is no answer', async () => {
	assertFails(await run(at(plain), '/torn'), 'invalid_response', /ended too early/);
});

test('redirects are followed for an export', async () => {
	assertAll(await run(at(plain), '/moved-twice'));
	await logged(3);
});

test('five redirects and no more', async () => {
	await forget();
	assertFails(await run(at(plain), '/loop'), 'http_status', /status 302/);
	assert.equal((await logged(6)).length, 6);
});

test('a redirect into this network is refused by the egress guard', async () => {
	assertFails(await run(at(plain), '/inside'), 'egress_denied', /10\.0\.0\.0\/8/);
	assertFails(await run(at(plain), '/metadata'), 'egress_denied', /metadata/);
	assertFails(await run(at(plain), '/file'), 'invalid_field', /scheme "file"/);
});

test('credentials stay with the origin they are for', async () => {
	await forget();
	assertAll(await run(at(plain), '/away', { bearerToken: 's3cret',
		headers: [{ name: 'Cookie', value: 'session=s3cret' }, { name: 'X-Api-Key', value: 's3cret' }] }));
	const [home, away] = await logged(2);
	assert.deepEqual([home.port, home.authorization, home.cookie, home.key], [plain, 'Bearer s3cret', 'session=s3cret', 's3cret']);
	assert.deepEqual([away.port, away.authorization, away.cookie, away.key], [other, '-', '-', '-']);
});

test('a redirect of an import is its answer, and an error of each record', async () => {
	await forget();
	const source = await application((req, res) => json(res, 200, { items: [{ id: 1 }, { id: 2 }], next: null }));
	const ids = await installFlow(server, { source: source.url, sink: at(plain), importRest: { relativeURI: '/post-moved' } });
	const job = await server.runFlow(ids.flow);
	assert.deepEqual([job.ledger.failed, job.ledger.succeeded], [2, 0]);
	for (const e of await server.errorsOf(job._id)) assert.equal(e.code, '307');
	assert.ok((await logged(2)).every((r) => r.uri === '/post-moved'));
});

test('an import of many records uses few connections', async () => {
	await forget();
	const source = await application((req, res) =>
		json(res, 200, { items: Array.from({ length: 300 }, (_, id) => ({ id })), next: null }));
	const ids = await installFlow(server, { source: source.url, sink: at(plain), importRest: { relativeURI: '/take' },
		exportMore: { pageSize: 300 }, sinkConnection: { concurrencyLevel: 4 } });
	assert.equal((await server.runFlow(ids.flow)).ledger.succeeded, 300);
	const rows = await logged(300);
	assert.ok(new Set(rows.map((r) => r.connection)).size <= 4);
});

test('a connection that is closed without an answer is an error that says so', async () => {
	assertFails(await run(at(plain), '/shut'), 'connection_failed', /closed the connection without an answer/);
});

test('TLS: a certificate that can be verified', async () => {
	assertAll(await run(at(tls, 'localhost', 'https'), '/items'));
});

test('TLS: the wrong name, and another authority, are refused and nothing is sent', async () => {
	await forget();
	assertFails(await run(at(tls, '127.0.0.1', 'https'), '/items', { bearerToken: 's3cret' }), 'tls_failed', /can't be verified/);
	assertFails(await run(at(wrong, 'localhost', 'https'), '/items', { bearerToken: 's3cret' }), 'tls_failed', /can't be verified/);
	const strict = await new Server().start(); // trusts what the system trusts
	assertFails(await run(at(tls, 'localhost', 'https'), '/items', {}, strict), 'tls_failed', /can't be verified/);
	await strict.kill();
	assert.equal((await logged(0, (r) => r.uri === '/items')).length, 0);
});

test('TLS: disableStrictSSL accepts both', async () => {
	assertAll(await run(at(tls, '127.0.0.1', 'https'), '/items', { disableStrictSSL: true }));
	assertAll(await run(at(wrong, 'localhost', 'https'), '/items', { disableStrictSSL: true }));
});

test('TLS: a redirect to plain HTTP is refused', async () => {
	assertFails(await run(at(tls, 'localhost', 'https'), '/down', { bearerToken: 's3cret' }), 'egress_denied', /in the clear/);
});

await runTests();
