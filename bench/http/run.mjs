// The HTTP server alone beside nginx: 500 bytes of JSON, wrk with 64 keep-alive connections.
//
//   node bench/http/run.mjs BUILD_DIR [ROUNDS] [SECONDS]
import fs from 'node:fs';
import path from 'node:path';
import { bench, nginx, ratios, spread, start, table, wrk } from '../lib.mjs';

const build = path.resolve(process.argv[2] ?? 'build-bench');
const rounds = Number(process.argv[3] ?? 9), seconds = Number(process.argv[4] ?? 1);

await bench('http', async (env) => {
	const { pid, match } = await start(env.children, path.join(build, 'bench/http/bench_http_server'), [], /(\d+)\n/);
	const url = `http://127.0.0.1:${match[1]}/data.json`;
	const body = await (await fetch(url)).text();
	fs.writeFileSync(path.join(env.dir, 'data.json'), body);
	const other = await nginx(env, env.dir, `location /memory { return 200 '${body}'; }`);
	const sides = [['bench_http_server', url, pid], ['nginx, file', `${other.url}/data.json`, other.pid],
		['nginx, memory', `${other.url}/memory`, other.pid]];
	for (const [name, at] of sides)
		if (await (await fetch(at)).text() !== body) throw new Error(`${name} answers something else`);
	const results = sides.map(() => []);
	for (let i = 0; i < rounds; i++)
		sides.forEach(([, at, p], k) => results[k].push(wrk(at, p, seconds)));
	const rate = results.map((l) => l.map((r) => r.rate)), us = results.map((l) => l.map((r) => r.us));
	console.log(`A body of ${body.length} bytes, 64 connections, ${rounds} rounds of ${seconds} s.\n`);
	table(['', 'requests/s', 'us of CPU each', 'ours: requests', 'ours: CPU'],
		sides.map(([name], k) => [name, spread(rate[k]), spread(us[k], 2), spread(ratios(rate[0], rate[k]), 2),
			spread(ratios(us[0], us[k]), 2)]));
	return true;
});
