// Our HTTP server beside Node.js's: the same raw bytes go to both, and whatever Node's strict parser
// refuses we must refuse too, or a proxy that reads like Node could be played against us. Behind every
// request stands a second one: if the two servers disagree where the first ends, they count differently.
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { once } from 'node:events';
import { Server, onEnd, runTests, test } from './lib.mjs';

const MUTANTS = 8000;
const SEED = Number(process.env.SEED ?? 9112); // the same mutants each time, unless somebody looks for more
const PARALLEL = 48;
const SENTINEL = 'GET /healthz HTTP/1.1\r\nHost: sentinel\r\nConnection: close\r\n\r\n';
// What our server answers when it refuses the bytes themselves; all else comes from behind the parser.
const REFUSALS = new Set([400, 413, 414, 417, 431, 501, 505]);

// ---- what is sent ----

const H = 'Host: example.com\r\n';
const CHUNKED = `POST /healthz HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\n\r\n`;
const bases = [
	`GET /healthz HTTP/1.1\r\n${H}\r\n`,
	`GET /healthz?a=b&c=%20 HTTP/1.1\r\n${H}Accept: */*\r\nUser-Agent: x/1.0 (y; z)\r\n\r\n`,
	`HEAD /healthz HTTP/1.1\r\n${H}Connection: keep-alive\r\n\r\n`,
	`OPTIONS * HTTP/1.1\r\n${H}\r\n`,
	`DELETE /healthz HTTP/1.1\r\n${H}X-Empty:\r\nX-Tab:\tx\t\r\n\r\n`,
	`GET http://example.com/healthz HTTP/1.1\r\n${H}\r\n`,
	`GET /healthz HTTP/1.1\r\nHost: [::1]:8080\r\nCookie: a=b; c="d"\r\n\r\n`,
	`GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n`,
	`POST /healthz HTTP/1.1\r\n${H}Content-Type: application/json\r\nContent-Length: 13\r\n\r\n{"name":"abc"}`.slice(0, -1),
	`PUT /healthz HTTP/1.1\r\n${H}Content-Length: 0\r\n\r\n`,
	`${CHUNKED}5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n`,
	`${CHUNKED}a;name=value;q="x y"\r\n0123456789\r\n000\r\nX-Trailer: t\r\n\r\n`,
	`POST /healthz HTTP/1.1\r\n${H}Content-Length: 3\r\n\r\nabcGET /healthz HTTP/1.1\r\n${H}\r\n`,
];

const named = {
	'both lengths': `POST /healthz HTTP/1.1\r\n${H}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
	'both lengths, the other way': `POST /healthz HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
	'two lengths': `POST /healthz HTTP/1.1\r\n${H}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`,
	'the same length twice': `POST /healthz HTTP/1.1\r\n${H}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`,
	'a list of lengths': `POST /healthz HTTP/1.1\r\n${H}Content-Length: 5, 5\r\n\r\nhello`,
	'a signed length': `POST /healthz HTTP/1.1\r\n${H}Content-Length: +5\r\n\r\nhello`,
	'a negative length': `POST /healthz HTTP/1.1\r\n${H}Content-Length: -5\r\n\r\nhello`,
	'a hexadecimal length': `POST /healthz HTTP/1.1\r\n${H}Content-Length: 0x5\r\n\r\nhello`,
	'a length with a fraction': `POST /healthz HTTP/1.1\r\n${H}Content-Length: 5.0\r\n\r\nhello`,
	'a length with a space': `POST /healthz HTTP/1.1\r\n${H}Content-Length: 1 5\r\n\r\nhello`,
	'an empty length': `POST /healthz HTTP/1.1\r\n${H}Content-Length:\r\n\r\nhello`,
	'a length beyond 64 bits': `POST /healthz HTTP/1.1\r\n${H}Content-Length: 99999999999999999999\r\n\r\nhello`,
	'a length that wraps': `POST /healthz HTTP/1.1\r\n${H}Content-Length: 18446744073709551621\r\n\r\nhello`,
	'bare LF in the request line': `GET /healthz HTTP/1.1\n${H}\r\n`,
	'bare LF behind a field': 'GET /healthz HTTP/1.1\r\nHost: x\nX: y\r\n\r\n',
	'bare LF at the end': `GET /healthz HTTP/1.1\r\n${H}\n`,
	'bare CR in a value': `GET /healthz HTTP/1.1\r\n${H}X: a\rb\r\n\r\n`,
	'CR CR LF': `GET /healthz HTTP/1.1\r\n${H}\r\r\n`,
	'CR CR LF behind a field': 'GET /healthz HTTP/1.1\r\nHost: x\r\r\n\r\n',
	'obs-fold': `GET /healthz HTTP/1.1\r\n${H}X: a\r\n b\r\n\r\n`,
	'obs-fold by tab': `GET /healthz HTTP/1.1\r\n${H}X: a\r\n\tb\r\n\r\n`,
	'a fold before any field': 'GET /healthz HTTP/1.1\r\n Host: x\r\n\r\n',
	'space before the colon': 'GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n',
	'tab before the colon': `POST /healthz HTTP/1.1\r\n${H}Content-Length\t: 5\r\n\r\nhello`,
	'no name': `GET /healthz HTTP/1.1\r\n${H}: x\r\n\r\n`,
	'no colon': `GET /healthz HTTP/1.1\r\n${H}X\r\n\r\n`,
	'NUL in a value': `GET /healthz HTTP/1.1\r\n${H}X: a\0b\r\n\r\n`,
	'NUL in a name': `GET /healthz HTTP/1.1\r\n${H}X\0: a\r\n\r\n`,
	'NUL in the target': `GET /health\0z HTTP/1.1\r\n${H}\r\n`,
	'DEL in a value': `GET /healthz HTTP/1.1\r\n${H}X: a\x7fb\r\n\r\n`,
	'an unknown coding': `POST /healthz HTTP/1.1\r\n${H}Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n`,
	'a coding before chunked': `POST /healthz HTTP/1.1\r\n${H}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
	'a coding behind chunked': `POST /healthz HTTP/1.1\r\n${H}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`,
	'chunked twice': `POST /healthz HTTP/1.1\r\n${H}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`,
	'two fields of codings': `POST /healthz HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n`,
	'identity': `POST /healthz HTTP/1.1\r\n${H}Transfer-Encoding: identity\r\n\r\n`,
	'almost chunked': `POST /healthz HTTP/1.1\r\n${H}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
	'chunked in quotes': `POST /healthz HTTP/1.1\r\n${H}Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n`,
	'chunked behind VT': `POST /healthz HTTP/1.1\r\n${H}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`,
	'chunked in HTTP/1.0': 'POST /healthz HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
	'chunk data without CRLF': `${CHUNKED}5\r\nhello0\r\n\r\n`,
	'chunk data with LF': `${CHUNKED}5\r\nhello\n0\r\n\r\n`,
	'too much chunk data': `${CHUNKED}5\r\nhello!\r\n0\r\n\r\n`,
	'no chunk size': `${CHUNKED}\r\n\r\n`,
	'a chunk size in words': `${CHUNKED}five\r\nhello\r\n0\r\n\r\n`,
	'a signed chunk size': `${CHUNKED}+5\r\nhello\r\n0\r\n\r\n`,
	'a negative chunk size': `${CHUNKED}-5\r\nhello\r\n0\r\n\r\n`,
	'a chunk size with 0x': `${CHUNKED}0x5\r\nhello\r\n0\r\n\r\n`,
	'a chunk size with an underscore': `${CHUNKED}0_5\r\nhello\r\n0\r\n\r\n`,
	'a space before a chunk size': `${CHUNKED} 5\r\nhello\r\n0\r\n\r\n`,
	'a space behind a chunk size': `${CHUNKED}5 \r\nhello\r\n0\r\n\r\n`,
	'a chunk size beyond 64 bits': `${CHUNKED}10000000000000005\r\nhello\r\n0\r\n\r\n`,
	'LF behind a chunk size': `${CHUNKED}5\nhello\r\n0\r\n\r\n`,
	'CR in an extension': `${CHUNKED}5;a\rb\r\nhello\r\n0\r\n\r\n`,
	'LF in an extension': `${CHUNKED}5;a\nhello\r\n0\r\n\r\n`,
	'a bad trailer': `${CHUNKED}0\r\nX Y: z\r\n\r\n`,
	'a trailer without colon': `${CHUNKED}0\r\nX\r\n\r\n`,
	'no Host': 'GET /healthz HTTP/1.1\r\nX: y\r\n\r\n',
	'two Hosts': `GET /healthz HTTP/1.1\r\n${H}${H}\r\n`,
	'an empty Host': 'GET /healthz HTTP/1.1\r\nHost:\r\n\r\n',
	'a Host with a path': 'GET /healthz HTTP/1.1\r\nHost: a/b\r\n\r\n',
	'a Host with a user': 'GET /healthz HTTP/1.1\r\nHost: a@b\r\n\r\n',
	'a Host with a bad port': 'GET /healthz HTTP/1.1\r\nHost: a:b\r\n\r\n',
	'Host differs from the target': `GET http://other.example/ HTTP/1.1\r\n${H}\r\n`,
	'no version': 'GET /healthz\r\n',
	'HTTP/2.0': `GET /healthz HTTP/2.0\r\n${H}\r\n`,
	'HTTP/1.2': `GET /healthz HTTP/1.2\r\n${H}\r\n`,
	'HTTP/0.9': `GET /healthz HTTP/0.9\r\n${H}\r\n`,
	'HTTP/1.10': `GET /healthz HTTP/1.10\r\n${H}\r\n`,
	'http/1.1': `GET /healthz http/1.1\r\n${H}\r\n`,
	'two spaces': `GET  /healthz HTTP/1.1\r\n${H}\r\n`,
	'a space in the target': `GET /a b HTTP/1.1\r\n${H}\r\n`,
	'a tab for a space': `GET\t/healthz HTTP/1.1\r\n${H}\r\n`,
	'a space at the end': `GET /healthz HTTP/1.1 \r\n${H}\r\n`,
	'a space at the beginning': ` GET /healthz HTTP/1.1\r\n${H}\r\n`,
	'a target without slash': `GET healthz HTTP/1.1\r\n${H}\r\n`,
	'a fragment': `GET /healthz#x HTTP/1.1\r\n${H}\r\n`,
	'CONNECT': `CONNECT example.com:443 HTTP/1.1\r\n${H}\r\n`,
	'a method in lower case': `get /healthz HTTP/1.1\r\n${H}\r\n`,
	'a method of our own': `BREW /healthz HTTP/1.1\r\n${H}\r\n`,
	'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
	'TLS': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
	'empty lines in front': `\r\n\r\nGET /healthz HTTP/1.1\r\n${H}\r\n`,
	'many empty lines in front': `${'\r\n'.repeat(20)}GET /healthz HTTP/1.1\r\n${H}\r\n`,
	'an expectation': `POST /healthz HTTP/1.1\r\n${H}Expect: a miracle\r\nContent-Length: 0\r\n\r\n`,
	'200 fields': `GET /healthz HTTP/1.1\r\n${H}${'X: y\r\n'.repeat(200)}\r\n`,
};

function random(seed) { // mulberry32
	return (n) => {
		seed = (seed + 0x6D2B79F5) | 0;
		let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) % n;
	};
}

const bytes = ['\0', '\x01', '\t', '\n', '\r', '\r\n', '\x0b', '\x0c', ' ', '"', '#', '%', '+', ',', '-', '0', '1', '9', 'a',
	':', ';', '=', '@', '[', '\\', '_', '\x7f', '\x80', '\xff', 'chunked', '\r\n\r\n', 'HTTP/1.1'];
const lines = ['Content-Length: 3', 'Content-Length: 0', 'content-length : 5', 'Content-Length: 1,1', 'Transfer-Encoding: chunked',
	'Transfer-Encoding: identity', 'transfer-encoding:\tchunked', 'Transfer_Encoding: chunked', 'Host: other', 'Connection: close',
	'Connection: upgrade, x', 'Upgrade: h2c', 'Expect: 100-continue', ' folded', '\tfolded', 'X-A:b', 'X: \xe9', ': none', 'X', ''];

function mutate(pick) {
	let s = bases[pick(bases.length)];
	for (let n = 1 + pick(3); n > 0; n--) {
		const at = pick(s.length + 1), some = bytes[pick(bytes.length)];
		const ends = [...s.matchAll(/\r\n/g)].map((m) => m.index);
		const end = ends.length ? ends[pick(ends.length)] : 0;
		switch (pick(7)) {
		case 0: s = s.slice(0, at) + some + s.slice(at + 1); break;
		case 1: s = s.slice(0, at) + some + s.slice(at); break;
		case 2: s = s.slice(0, at) + s.slice(at + 1 + pick(3)); break;
		case 3: s = s.slice(0, end) + ['\n', '\r', '\r\r\n', '\n\r', ' \r\n', ''][pick(6)] + s.slice(end + 2); break;
		case 4: case 5: s = s.slice(0, end + 2) + lines[pick(lines.length)] + '\r\n' + s.slice(end + 2); break;
		default: { // a line twice
			const next = s.indexOf('\r\n', end + 2);
			if (next > 0) s = s.slice(0, next) + s.slice(end, next) + s.slice(next);
		}
		}
	}
	return s;
}

// ---- both servers ----

const server = await new Server().start();

const seen = new Map(); // client's port: what Node made of it
const node = http.createServer({ insecureHTTPParser: false, requireHostHeader: true }, (req, res) => {
	const verdict = seen.get(req.socket.remotePort);
	req.on('end', () => { verdict.accepted++; res.end(); });
	req.on('error', () => {});
	req.resume();
});
node.on('connection', (s) => {
	const verdict = { accepted: 0, why: null };
	verdict.closed = once(s, 'close').catch(() => {});
	seen.set(s.remotePort, verdict);
});
node.on('clientError', (e, s) => {
	seen.get(s.remotePort).why ??= e.code;
	s.destroy();
});
node.on('connect', (req, s) => s.destroy());
// Without this Node would answer 100 or 417 before it has judged the body.
node.on('checkContinue', (req, res) => node.emit('request', req, res));
node.on('checkExpectation', (req, res) => { seen.get(req.socket.remotePort).why = '417'; res.writeHead(417); res.end(); });
node.listen(0, '127.0.0.1');
await once(node, 'listening');
onEnd(() => { node.closeAllConnections(); node.close(); });

// Sends all, ends our side, and returns what came until the server's end.
function exchange(port, text) {
	return new Promise((resolve, reject) => {
		const s = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
		let got = '', local;
		const timer = setTimeout(() => { s.destroy(); reject(new Error(`no end to ${JSON.stringify(text)}: ${got}`)); }, 60000);
		s.on('connect', () => { local = s.localPort; s.end(Buffer.from(text, 'latin1')); });
		s.on('data', (d) => { got += d.toString('latin1'); });
		s.on('end', () => s.destroy());
		s.on('error', () => {});
		s.on('close', () => { clearTimeout(timer); resolve({ got, local }); });
	});
}

// The final answers in a run of bytes. An answer to HEAD has no body, whatever its length says.
function answers(got) {
	const list = [];
	for (let at = 0; at < got.length;) {
		const m = /^HTTP\/1\.1 (\d{3}) [^]*?\r\n\r\n/.exec(got.slice(at));
		assert.ok(m, `no answer: ${got.slice(at)}`);
		at += m[0].length;
		const length = Number(/content-length: (\d+)/i.exec(m[0])?.[1] ?? 0);
		const body = got.startsWith('HTTP/1.1 ', at) ? '' : got.slice(at, at + length);
		at += body.length;
		if (Number(m[1]) >= 200) list.push({ status: Number(m[1]), body, close: /^connection: close/im.test(m[0]) });
	}
	return list;
}

async function ours(text) {
	const list = answers((await exchange(server.port, text)).got);
	const refused = list.findIndex((r) => REFUSALS.has(r.status));
	assert.ok(refused < 0 || refused === list.length - 1, `an answer behind a refusal: ${JSON.stringify([text, list])}`);
	assert.ok(!list.some((r) => r.status === 500), `500 for ${JSON.stringify(text)}`);
	if (refused < 0) return { accepted: list.length, why: null, closed: list.at(-1)?.close };
	const { status, body } = list[refused];
	const why = body === '' ? `${status}, to a HEAD` : JSON.parse(body).errors[0].message;
	assert.ok(why.length > 10, body);
	return { accepted: refused, why, status };
}

async function nodes(text) {
	const { local } = await exchange(node.address().port, text);
	const verdict = seen.get(local);
	await verdict.closed;
	seen.delete(local);
	return verdict;
}

// ---- where the two may differ ----

// What Node refuses and we do not, each with its reason.
const lenient = [
	['any token is a method to us; unknown ones get 404 or 405 (RFC 9110, 9.1)', (text, n) => n.why === 'HPE_INVALID_METHOD'],
	['Connection in a trailer is no connection option to us (RFC 9110, 6.5.1); Node reads it and closes', (text, n) =>
		n.why === 'HPE_CLOSED_CONNECTION' && /\r\n0+(;[^\r]*)?\r\n([^\r]+\r\n)*connection:/i.test(text)],
	['an Upgrade is ignored here, as it may be (RFC 9110, 7.8); Node reads no further request', (text, n) =>
		n.why === null && /^upgrade:/im.test(text) && /^connection:.*upgrade/im.test(text)],
];
// Our message without what is particular to one request.
const category = (why) => why.replace(/"[^"]*"|0x[0-9A-F]{2}|\d{4,} bytes/g, '...').replace(/\s+/g, ' ');

async function all(texts, fn) {
	const queue = texts.slice();
	await Promise.all(Array.from({ length: PARALLEL }, async () => {
		for (let t = queue.pop(); t !== undefined; t = queue.pop()) await fn(t);
	}));
}

const stricter = new Map(), allowed = new Map();
const count = (map, key) => map.set(key, (map.get(key) ?? 0) + 1);
function print(title, map) {
	console.log(`# ${title}`);
	for (const [key, n] of [...map].sort((a, b) => b[1] - a[1])) console.log(`#   ${n} ${key}`);
}

async function compare(text) {
	const sent = text + SENTINEL;
	const [we, n] = await Promise.all([ours(sent), nodes(sent)]);
	const shown = () => `${JSON.stringify(text)}\nours: ${JSON.stringify(we)}\nNode: ${n.accepted} accepted, ${n.why}`;
	if (we.accepted > n.accepted) {
		const known = lenient.find(([, fits]) => fits(text, n));
		assert.ok(known, `we accept what Node refuses: ${shown()}`);
		count(allowed, known[0]);
	} else if (we.accepted < n.accepted) {
		// stricter is right, but only in so many words; the request may also have asked for the end
		assert.ok(we.why || (we.closed && /close|HTTP\/1\.0/i.test(text)),
			`fewer requests than Node saw, and no reason: ${shown()}`);
		count(stricter, we.why ? category(we.why) : '(no refusal: the end of the connection was asked for)');
	}
}

test('valid requests pass on both', async () => {
	await all(bases, async (text) => {
		const [we, n] = await Promise.all([ours(text + SENTINEL), nodes(text + SENTINEL)]);
		assert.equal(we.why, null, text);
		assert.equal(we.accepted, n.accepted, text);
		assert.ok(we.accepted >= 2, text);
	});
});

// Of the named ones these are fine; all others are refused by us whatever Node says.
const fine = new Set(['a method in lower case', 'a method of our own', 'empty lines in front']);

test('the known ways to be misread are refused, each with one answer', async () => {
	await all(Object.values(named), compare);
	const passed = [];
	await all(Object.entries(named), async ([name, text]) => {
		const we = await ours(text);
		if (we.accepted > 0 || !we.why) passed.push(name);
	});
	assert.deepEqual(passed.sort(), [...fine].sort());
});

test(`${MUTANTS} mutants: what Node refuses we refuse`, async () => {
	const pick = random(SEED);
	const began = Date.now();
	await all(Array.from({ length: MUTANTS }, () => mutate(pick)), compare);
	print('stricter than Node, by our reason:', stricter);
	print('accepted here and refused by Node:', allowed);
	console.log(`# ${Date.now() - began} ms`);
});

test('the server is as it was', async () => {
	assert.equal((await server.call('GET', '/healthz')).status, 200);
	await server.ok(200, 'GET', '/v1/connections');
});

await runTests();
