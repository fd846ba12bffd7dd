// The product document's NetSuite order import, ours against the same mapping by hand with jansson.
//
//   node bench/mapping/run.mjs BUILD_DIR [ROUNDS]
//
// Exit status 1 when a target was missed.
import { execFileSync } from 'node:child_process';
import path from 'node:path';

const build = path.resolve(process.argv[2] ?? 'build-bench');
const rounds = process.argv[3] ?? '31';
const r = JSON.parse(execFileSync(path.join(build, 'bench/mapping/bench_mapping'), [rounds]));
const n = (v) => Math.round(v).toLocaleString('en-US');

console.log(`1,000 orders of three lines and two shipments, ${n(r.bytes)} bytes; 14 fields, two static lookups and one from memory; medians of ${r.rounds} turns; the targets were compared.\n`);
console.log('| | ns of CPU a record | records a second | jansson, ns | times as fast |\n|---|---|---|---|---|');
for (const [name, words] of [['map', 'map, from memory to memory'], ['page', 'parse, map, print']])
	console.log(`| ${words} | ${n(r[name].ns)} | ${n(r[name].recordsPerSecond)} | ${n(r[name].janssonNs)} | ${r[name].times.toFixed(1)} |`);
const targets = [['records a second, parse to print', r.page.recordsPerSecond, 200000], ['times jansson, parse to print', r.page.times, 20]];
console.log('');
for (const [what, is, want] of targets) console.log(`${is >= want ? 'met' : 'MISSED'}: ${what}: ${n(is)}, wanted ${n(want)}`);
process.exitCode = targets.every(([, is, want]) => is >= want) ? 0 : 1;
