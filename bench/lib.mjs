// What the benchmarks share: servers that start and end with them, wrk, nginx, rounds, tables.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

const TICK_MS = 1000 / Number(execFileSync('getconf', ['CLK_TCK']));
const READY_MS = 20_000;
const END_MS = 20_000;

export const median = (list) => {
	const s = [...list].sort((a, b) => a - b), half = s.length >> 1;
	return s.length % 2 ? s[half] : (s[half - 1] + s[half]) / 2;
};

/** Round by round a / b: what else the machine does meets both sides of a round, not of a run. */
export const ratios = (a, b) => a.map((v, i) => v / b[i]);

/** "median (min - max)" with `digits` behind the point. */
export const spread = (list, digits = 0) => {
	const f = (n) => n.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
	return `${f(median(list))} (${f(Math.min(...list))} - ${f(Math.max(...list))})`;
};

/** A Markdown table, its columns aligned for the terminal too. */
export const table = (head, rows) => {
	const all = [head, ...rows].map((r) => r.map(String));
	const width = head.map((_, i) => Math.max(3, ...all.map((r) => r[i].length)));
	const line = (r) => `| ${r.map((c, i) => (i ? c.padStart(width[i]) : c.padEnd(width[i]))).join(' | ')} |`;
	const rule = `| ${width.map((w, i) => (i ? '-'.repeat(w - 1) + ':' : ':' + '-'.repeat(w - 1))).join(' | ')} |`;
	console.log([line(all[0]), rule, ...all.slice(1).map(line)].join('\n'));
};

/** One line for each target: what was to be reached, what was. Returns whether it was. */
export const target = (words, value, atLeast) => {
	const ok = value >= atLeast;
	console.log(`${words}: ${value.toFixed(2)}, target at least ${atLeast}: ${ok ? 'reached' : 'MISSED'}`);
	return ok;
};
export const targetBelow = (words, value, below, unit = 'MB') => {
	const ok = value < below;
	console.log(`${words}: ${value.toFixed(1)} ${unit}, target under ${below} ${unit}: ${ok ? 'reached' : 'MISSED'}`);
	return ok;
};

export const freePort = async () => {
	const s = net.createServer().listen(0, '127.0.0.1');
	await once(s, 'listening');
	const { port } = s.address();
	s.close();
	await once(s, 'close');
	return port;
};

/**
 * A directory and children that are gone when `work` is done. Where the time of a disk counts, the directory belongs
 * under the build's: the one for temporary files may be memory.
 */
export const bench = async (name, work, { under = os.tmpdir() } = {}) => {
	const dir = fs.mkdtempSync(path.join(under, `bench-${name}-`));
	const children = [];
	let ok = false;
	fs.chmodSync(dir, 0o755); // nginx's workers have another user when this runs as root
	try {
		ok = await work({ dir, children });
	} finally {
		await Promise.all(children.map(end));
		fs.rmSync(dir, { recursive: true, force: true });
	}
	process.exitCode = ok ? 0 : 1;
};

const end = async (child) => {
	if (child.exitCode !== null || child.signalCode !== null) return;
	const exited = once(child, 'exit');
	child.kill('SIGTERM');
	const timer = setTimeout(() => child.kill('SIGKILL'), END_MS);
	await exited;
	clearTimeout(timer);
};

/** Starts a program and waits until its standard output matches `ready`; its errors go to ours, or into the file `log`. */
export const start = (children, command, args, ready, log = 'inherit') => new Promise((resolve, reject) => {
	// stdin stays open: the C servers of the benchmarks serve until it ends
	const child = spawn(command, args, { stdio: ['pipe', 'pipe', log] });
	let out = '';
	const timer = setTimeout(() => reject(new Error(`${command} is not ready: ${out}`)), READY_MS);
	children.push(child);
	child.stdout.on('data', (d) => {
		if (out.length < 4096) out += d;
		const match = ready.exec(out);
		if (!match) return;
		clearTimeout(timer);
		resolve({ pid: child.pid, match, stop: () => end(child) });
	});
	child.on('error', reject);
	child.once('exit', (code) => reject(new Error(`${command} ended with ${code}: ${out}`)));
});

/** Starts build/integrator with options; gives pid, url, stop(), and call() with the first token. Its log goes into a file. */
export const integrator = async ({ dir, children }, build, options) => {
	const log = fs.openSync(path.join(dir, 'log'), 'a');
	const { pid, match, stop } = await start(children, path.join(build, 'integrator'),
		['serve', '--listen', '127.0.0.1:0', '--data', path.join(dir, 'data'), ...options], /listening on (\S+)/, log);
	fs.closeSync(log);
	const token = fs.readFileSync(path.join(dir, 'data/token'), 'utf8').trim(), url = match[1];
	const call = async (method, where, body) => {
		const send = () => fetch(url + where, { method, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
			body: body && JSON.stringify(body) });
		// while wrk runs, nobody here sees that the server closed an idle connection
		const r = await (method === 'GET' ? send().catch(send) : send());
		if (!r.ok) throw new Error(`${method} ${where}: ${r.status} ${await r.text()}`);
		return r.json();
	};
	return { pid, url, token, call, stop };
};

/** The same, with the rate limit of its one account raised: it would end a run after 100 requests. */
export const unlimited = async (env, build, options) => {
	const first = await integrator(env, build, []);
	await first.stop();
	execFileSync(path.join(build, 'integrator'), ['account', 'rate', 'default', '1000000,1000000', '--data', path.join(env.dir, 'data')]);
	return integrator(env, build, options);
};

/** Asks, again and again, until `ask` answers true; a refused connection is a no. */
export const until = async (what, ask) => {
	for (const end = Date.now() + READY_MS;;) {
		let why = '';
		try {
			if (await ask()) return;
		} catch (e) {
			why = `: ${e.message}`;
		}
		if (Date.now() > end) throw new Error(`${what} is not ready${why}`);
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
};

/** nginx over the files of `root`, one worker a core, without an access log. `more` goes into its server {}. */
export const nginx = async ({ dir, children }, root, more = '') => {
	const port = await freePort();
	const conf = path.join(dir, 'nginx.conf');
	fs.writeFileSync(conf, `worker_processes auto; daemon off; pid ${dir}/nginx.pid; error_log ${dir}/nginx.log;
events { worker_connections 4096; }
http { access_log off; sendfile on; tcp_nopush on; open_file_cache max=1000; open_file_cache_valid 60s; keepalive_requests 1000000000;
 types { application/json json; } default_type application/json;
 client_body_temp_path ${dir}/body; proxy_temp_path ${dir}/proxy; fastcgi_temp_path ${dir}/fastcgi; uwsgi_temp_path ${dir}/uwsgi; scgi_temp_path ${dir}/scgi;
 server { listen 127.0.0.1:${port} reuseport; root ${root}; ${more} } }`);
	const command = ['/usr/sbin/nginx', '/usr/bin/nginx'].find((p) => fs.existsSync(p)) ?? 'nginx';
	const child = spawn(command, ['-e', path.join(dir, 'nginx.log'), '-c', conf], { stdio: 'ignore' });
	children.push(child);
	const url = `http://127.0.0.1:${port}`;
	await until('nginx', async () => (await fetch(url)).arrayBuffer());
	return { pid: child.pid, url };
};

/** CPU time of a process, its threads and its children so far. */
export const cpuMs = (pid) => {
	const family = [pid, ...fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean)];
	return family.reduce((sum, p) => {
		const f = fs.readFileSync(`/proc/${p}/stat`, 'utf8').split(') ').pop().split(' ');
		return sum + (Number(f[11]) + Number(f[12])) * TICK_MS;
	}, 0);
};

/** VmRSS (now) or VmHWM (at most so far) of a process in MB (1,000,000 bytes). */
export const memoryMb = (pid, field) =>
	Number(new RegExp(`${field}:\\s+(\\d+)`).exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024 / 1e6;

const MS = { us: 0.001, ms: 1, s: 1000, m: 60_000 };

/**
 * wrk with 64 keep-alive connections: requests in all and a second, the server's CPU time for each in us, the 99th
 * percentile of the latency in ms. `script` is a file of Lua that says what is sent.
 */
export const wrk = (url, pid, seconds, { headers = [], script } = {}) => {
	const before = cpuMs(pid);
	const out = execFileSync('wrk', ['-t2', '-c64', `-d${seconds}s`, '--latency', ...headers.flatMap((h) => ['-H', h]),
		...(script ? ['-s', script] : []), url]).toString();
	if (/Non-2xx|Socket errors/.test(out)) throw new Error(`${url}: ${out}`);
	const requests = Number(/(\d+) requests in/.exec(out)[1]);
	const [, p99, unit] = /99%\s+([\d.]+)(\w+)/.exec(out);
	return { requests, rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(out)[1]), us: (cpuMs(pid) - before) * 1000 / requests, p99: p99 * MS[unit] };
};
