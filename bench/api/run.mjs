// GET /v1/connections/{_id} with a token against nginx serving a static file of the same size: wrk,
// 64 keep-alive connections, both on all cores, interleaved rounds, medians.
//
//   node bench/api/run.mjs BUILD_DIR [ROUNDS] [SECONDS]
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

const build = path.resolve(process.argv[2] ?? 'build-bench');
const rounds = Number(process.argv[3] ?? 5), seconds = Number(process.argv[4] ?? 3);
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-api-'));
const children = [];
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const freePort = async () => {
	const s = net.createServer().listen(0, '127.0.0.1');
	await once(s, 'listening');
	const { port } = s.address();
	s.close();
	await once(s, 'close');
	return port;
};
const answers = async (url, headers) => {
	for (let i = 0; i < 100; i++) {
		try {
			const r = await fetch(url, { headers });
			if (r.ok) return Buffer.from(await r.arrayBuffer());
		} catch { /* not yet */ }
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	throw new Error(`${url} does not answer`);
};
const cpuMs = (pids) => pids.reduce((sum, pid) => {
	const f = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
	return sum + (Number(f[11]) + Number(f[12])) * 10;
}, 0);
const wrk = (url, token, pids) => {
	const before = cpuMs(pids);
	const out = execFileSync('wrk', ['-t2', '-c64', `-d${seconds}s`, ...(token ? ['-H', `Authorization: Bearer ${token}`] : []), url]).toString();
	if (/Non-2xx|Socket errors/.test(out)) throw new Error(out);
	const requests = Number(/(\d+) requests in/.exec(out)[1]);
	return { rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(out)[1]), us: (cpuMs(pids) - before) * 1000 / requests };
};

try {
	const port = await freePort();
	const server = spawn(path.join(build, 'integrator'), ['serve', '--listen', `127.0.0.1:${port}`, '--data', path.join(dir, 'data'),
		'--rate-limit', '1000000,1000000', '--access-log', 'off', '--log-level', 'warn'], { stdio: 'ignore' });
	children.push(server);
	await answers(`http://127.0.0.1:${port}/readyz`);
	const token = fs.readFileSync(path.join(dir, 'data/token'), 'utf8').trim();
	const made = await (await fetch(`http://127.0.0.1:${port}/v1/connections`, { method: 'POST',
		headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
		body: JSON.stringify({ name: 'Slack', type: 'rest', rest: { baseURI: 'https://slack.com/api', mediaType: 'json',
			bearerToken: 'xoxb-0123456789', tokenLocation: 'header', pingRelativeURI: '/api.test', disableStrictSSL: false } }) })).json();
	const url = `http://127.0.0.1:${port}/v1/connections/${made._id}`;
	const body = await answers(url, { authorization: `Bearer ${token}` });

	const nginxPort = await freePort();
	fs.writeFileSync(path.join(dir, 'data.json'), body);
	fs.chmodSync(dir, 0o755);
	fs.writeFileSync(path.join(dir, 'nginx.conf'), `worker_processes auto; daemon off; pid ${dir}/pid; error_log ${dir}/error.log;
events { worker_connections 4096; }
http { access_log off; sendfile on; tcp_nopush on; open_file_cache max=100; keepalive_requests 1000000000; types { application/json json; }
 client_body_temp_path ${dir}/b; proxy_temp_path ${dir}/p; fastcgi_temp_path ${dir}/f; uwsgi_temp_path ${dir}/u; scgi_temp_path ${dir}/s;
 server { listen 127.0.0.1:${nginxPort} reuseport; root ${dir}; } }`);
	const nginx = spawn('nginx', ['-c', `${dir}/nginx.conf`, '-p', dir], { stdio: 'ignore' });
	children.push(nginx);
	await answers(`http://127.0.0.1:${nginxPort}/data.json`);
	const workers = fs.readFileSync(`/proc/${nginx.pid}/task/${nginx.pid}/children`, 'utf8').trim().split(' ').map(Number);

	const ours = [], theirs = [];
	for (let i = 0; i < rounds; i++) {
		ours.push(wrk(url, token, [server.pid]));
		theirs.push(wrk(`http://127.0.0.1:${nginxPort}/data.json`, null, workers));
	}
	const rate = (l) => median(l.map((r) => r.rate)), us = (l) => median(l.map((r) => r.us));
	console.log(`body of ${body.length} bytes, 64 connections, ${rounds} rounds of ${seconds} s`);
	console.log(`GET /v1/connections/{_id}: ${rate(ours).toFixed(0)} requests/s, ${us(ours).toFixed(2)} us CPU each`);
	console.log(`nginx, static file:        ${rate(theirs).toFixed(0)} requests/s, ${us(theirs).toFixed(2)} us CPU each`);
	console.log(`ratio of requests/s: ${(rate(ours) / rate(theirs)).toFixed(2)}, of CPU: ${(us(ours) / us(theirs)).toFixed(2)}`);
} finally {
	for (const c of children) c.kill('SIGTERM');
	await new Promise((resolve) => setTimeout(resolve, 300));
	fs.rmSync(dir, { recursive: true, force: true });
}
process.exit(0);
