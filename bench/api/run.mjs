// GET /v1/connections/{_id} with a token beside nginx serving a static file of the same size: wrk
// with 64 keep-alive connections, both on all cores.
//
//   node bench/api/run.mjs BUILD_DIR [ROUNDS] [SECONDS]
//
// The server runs as it comes: the access log is on and goes into a file, as a service's would. Only
// the rate limit is raised, for the one account, since it would end the run after 100 requests.
// nginx is its best: no access log, the file's descriptor cached, sendfile.
import fs from 'node:fs';
import path from 'node:path';
import { bench, median, nginx, ratios, spread, table, target, unlimited, wrk } from '../lib.mjs';

const build = path.resolve(process.argv[2] ?? 'build-bench');
const rounds = Number(process.argv[3] ?? 15), seconds = Number(process.argv[4] ?? 2);

const connection = { name: 'Slack', type: 'rest', rest: { baseURI: 'https://slack.example.com/api', mediaType: 'json',
	bearerToken: 'xoxb-0123456789', tokenLocation: 'header', pingRelativeURI: '/api.test', disableStrictSSL: false } };

await bench('api', async (env) => {
	const server = await unlimited(env, build, []);
	const { _id } = await server.call('POST', '/v1/connections', connection);
	const url = `${server.url}/v1/connections/${_id}`;
	const auth = `Authorization: Bearer ${server.token}`;
	const body = await (await fetch(url, { headers: { authorization: `Bearer ${server.token}` } })).text();

	fs.mkdirSync(path.join(env.dir, 'www'));
	fs.writeFileSync(path.join(env.dir, 'www/data.json'), body);
	const other = await nginx(env, path.join(env.dir, 'www'));
	const ours = [], theirs = [];

	for (let i = 0; i < rounds; i++) {
		ours.push(wrk(url, server.pid, seconds, { headers: [auth] }));
		theirs.push(wrk(`${other.url}/data.json`, other.pid, seconds));
	}
	const rate = (l) => l.map((r) => r.rate), us = (l) => l.map((r) => r.us);
	const ratio = ratios(rate(ours), rate(theirs));

	console.log(`A document of ${body.length} bytes, 64 connections, ${rounds} rounds of ${seconds} s; our access log is on, nginx's off.\n`);
	table(['', 'requests/s', 'us of CPU each'], [['GET /v1/connections/{_id}', spread(rate(ours)), spread(us(ours), 2)],
		['nginx, static file', spread(rate(theirs)), spread(us(theirs), 2)],
		['ours / nginx', spread(ratio, 2), spread(ratios(us(ours), us(theirs)), 2)]]);
	console.log('');
	return target('requests/s beside nginx', median(ratio), 0.5);
});
