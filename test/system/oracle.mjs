// What the comparisons with libraries that others wrote share: samples from a seed, and the program of ours that is
// asked, lines of JSON in, lines out. SEED=n takes other samples.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const seed = Number(process.env.SEED ?? 1);
console.log(`# SEED=${seed}`);
let state = seed;

export function random(n) { // mulberry32
	state = (state + 0x6d2b79f5) | 0;
	let t = Math.imul(state ^ (state >>> 15), 1 | state);
	t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
	return ((t ^ (t >>> 14)) >>> 0) % n;
}
export const pick = (list) => list[random(list.length)];

// All questions at once.
export async function ask(driver, questions) {
	const child = spawn(driver, { stdio: ['pipe', 'pipe', 'inherit'] });
	const chunks = [];
	child.stdout.on('data', (c) => chunks.push(c));
	child.stdin.end(questions.map((q) => JSON.stringify(q) + '\n').join(''));
	const [code] = await once(child, 'close');
	assert.equal(code, 0);
	const answers = Buffer.concat(chunks).toString().trim().split('\n').map((l) => JSON.parse(l));
	assert.equal(answers.length, questions.length);
	return answers;
}
