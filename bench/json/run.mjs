// Pages of 1,000 orders parsed, mapped and printed by us, jansson and cJSON.
//
//   node bench/json/run.mjs BUILD_DIR [ROUNDS]
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { median, ratios, spread, table, target } from '../lib.mjs';

const build = path.resolve(process.argv[2] ?? 'build-bench');
const rounds = process.argv[3] ?? '9';
const { records, bytes, us } = JSON.parse(execFileSync(path.join(build, 'bench/json/bench_json'), [rounds]));
const faster = (name) => ratios(us[name], us.integrator);

console.log(`A page of ${records.toLocaleString('en-US')} orders, ${bytes.toLocaleString('en-US')} bytes: parse, map 8 fields, print; ${rounds} rounds; the results were compared.\n`);
table(['', 'ms of CPU a page', 'MB/s', 'ours is faster by'],
	Object.entries(us).map(([name, list]) => [name, spread(list.map((n) => n / 1000), 3), (bytes / median(list)).toFixed(0), spread(faster(name), 2)]));
console.log('');
const ok = [target('times jansson', median(faster('jansson')), 12), target('times cJSON', median(faster('cJSON')), 6)];
process.exitCode = ok.every(Boolean) ? 0 : 1;
