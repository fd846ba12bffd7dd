// Templates against handlebars.js: the same template and context must give the same text, escaped and
// not, and what one refuses to parse the other must refuse. The samples are random, from a seed: SEED=n for
// others, COUNT=n for more of them.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test, runTests } from './lib.mjs';
import { ask as askDriver, pick, random } from './oracle.mjs';

const Handlebars = createRequire(import.meta.url)('handlebars');
const count = Number(process.env.COUNT ?? 6500);
const chance = (percent) => random(100) < percent;
const many = (most, make) => Array.from({ length: random(most + 1) }, make);

const ask = (questions) => askDriver(process.env.HANDLEBARS_DRIVER, questions);

// The console of handlebars.js is its business; a raw block's content is its content.
Handlebars.log = () => {};
Handlebars.registerHelper('raw', (options) => options.fn());

// ---- contexts ----

const keys = ['a', 'b', 'c', 'foo', 'bar', 'items', 'first name', 'x-y', '0', '10', '2', 'Ünï', 'true', 'this', 'elsewhere', 'a.b', ']'];
const texts = ['', 'a', 'text', '<b class="x">&amp;</b>', "it's `=", 'é€😀z', '0', '1.50', ' pad ', 'line\nline', 'false', '\\', '{{a}}'];
const numbers = [0, 1, -1, 2, 3.5, 0.1, 1e21, 1e-7, 123456789012345680, -0.5, 5e-324, 1.7976931348623157e308, 1e300];
function value(depth) {
	switch (random(depth > 0 ? 10 : 6)) {
	case 0: return null;
	case 1: return chance(50);
	case 2: case 3: return pick(numbers);
	case 4: case 5: return pick(texts);
	case 6: case 7: return many(4, () => value(depth - 1));
	default: return object(depth - 1);
	}
}
function object(depth) {
	return Object.fromEntries(many(6, () => [pick(keys), value(depth)]));
}

// ---- templates ----

const tilde = () => (chance(12) ? '~' : '');
const gap = () => pick(['', '', '', ' ', '\n', '\t ']);
const space = () => pick([' ', ' ', ' ', '  ', '\n']);
const content = () => many(3, () => pick(['x', 'word ', ' ', '\n', '\n', '  \n', '\r\n', '\t', '<b>', '{', '}', '"', '\u00a0', 'é', '\\', '$', '}} '])).join('').replaceAll('{{', '{ ').replace(/^}/, ' }').replace(/\{$/, '{ ');

function segment(last, params) {
	const key = params.length > 0 && chance(40) ? pick(params) : pick(keys);
	if (/^[a-zÜï_]+$/i.test(key) && !chance(15) && !['true', 'this'].includes(key)) return key;
	if (/^\d+$/.test(key) && !last && chance(50)) return key;
	return `[${key.replace(']', '\\]')}]`;
}
function path(params) {
	if (chance(14)) return data();
	const up = pick(['', '', '', '', '', '', 'this.', './', 'this/', '../', '../', '../../', '../../../']);
	if (chance(8)) return up === '' ? 'this' : up.replace(/[./]$/, '') || '.';
	const parts = Array.from({ length: 1 + random(3) }, (_, i, all) => segment(false, i === 0 ? params : []));
	if (chance(8)) parts.push('length');
	const last = parts.length - 1;
	if (/^\d/.test(parts[last])) parts[last] = `[${parts[last]}]`;
	if (up === '' && /^\d/.test(parts[0])) parts[0] = `[${parts[0]}]`;
	return up + parts.join(pick(['.', '.', '.', '/']));
}
const data = () => pick(['@root.' + segment(true, []).replace(/^(\d+)$/, '[$1]'), '@root', '@index', '@key', '@first', '@last', '@../index', '@../key', '@../last', '@../../first', '@missing', '@root.a.b', '@root.foo/bar']);
function literal() {
	return pick([() => '"' + pick(['a', 'b c', 'x\'y', '', 'foo', '\\"', '0', 'é']) + '"', () => "'" + pick(['a', 'b', '10', '"', "\\'"]) + "'", () => pick(['0', '1', '-1', '2.5', '10', '1.50', '007']),
		() => pick(['true', 'false', 'null', 'undefined'])])();
}
function param(depth, params) {
	if (depth > 0 && chance(15)) return `(${gap()}lookup ${param(depth - 1, params)} ${param(depth - 1, params)}${gap()})`;
	return chance(25) ? literal() : path(params);
}
function mustache(depth, params) {
	const [open, close] = pick([['{{', '}}'], ['{{', '}}'], ['{{', '}}'], ['{{{', '}}}'], ['{{&', '}}']]);
	const left = open.startsWith('{{{') ? '{{' + tilde() + '{' : '{{' + tilde() + open.slice(2);
	const right = close === '}}}' ? '}' + tilde() + '}}' : tilde() + '}}';
	const inner = pick([() => path(params), () => path(params), () => path(params), () => path(params), () => literal(), () => `lookup${space()}${param(depth, params)}${space()}${param(depth, params)}`,
		() => `log ${param(0, params)} level="debug"`])();
	return left + gap() + inner + gap() + right;
}
const hash = () => (chance(20) ? ` includeZero=${pick(['true', 'false', '1', 'a'])}` : '');
function condition(depth, params) {
	return pick(['if', 'if', 'unless']) + space() + param(depth, params) + hash();
}
const names = ['item', 'key', 'a', 'v'];
function opening(depth, params) {
	const kind = random(10);
	if (kind < 3) return [condition(depth, params), []];
	if (kind < 7) {
		const as = chance(40) ? names.slice(random(2), 2 + random(2)) : [];
		return [`${pick(['each', 'each', 'with'])} ${param(depth, params)}` + (as.length > 0 ? ` as |${as.join(' ')}|` : ''), as];
	}
	return [path(params), []];
}
const block = (depth, params) => {
	const [text, as] = opening(depth, params);
	const name = /^(if|unless|each|with)\s/.test(text) ? text.split(/\s/)[0] : text;
	const inverted = chance(12);
	const below = (more) => program(depth - 1, [...params, ...more]);
	let out = `{{${tilde()}${inverted ? '^' : '#'}${text}${gap()}${tilde()}}}` + below(as);
	if (!inverted)
		for (let i = random(8) - 5; i > 0; i--) {
			const [chain, more] = chance(70) ? [condition(depth, params), []] : opening(depth, params);
			out += `{{${tilde()}${gap()}else${space()}${chain}${tilde()}}}` + below(more);
		}
	if (chance(40)) out += pick([`{{${tilde()}else${tilde()}}}`, `{{${tilde()}^${tilde()}}}`, `{{${tilde()} else ${tilde()}}}`]) + below([]);
	return out + `{{${tilde()}/${name}${gap()}${tilde()}}}`;
};
function statement(depth, params) {
	switch (random(depth > 0 ? 15 : 8)) {
	case 0: case 1: case 2: return content();
	case 3: return pick([`{{${tilde()}! note }}`, `{{${tilde()}!-- a }} b --${tilde()}}}`, '{{!}}', '{{!--}}', '{{! a --}}', '{{!-- x ---}}']);
	case 4: return pick(['\\{{a}}', '\\\\{{a}}', '\\{{', '\\{{a}} \\{{b}}', '{{{{raw}}}} {{a}} {{{{x}}}} {{{{/x}}}} {{{{/raw}}}}', '{{{{raw}}}}{{{{/raw}}}}', '{{{{a}}}}\n{{b}}{{{{/a}}}}', '\\\\\\{{a}}']);
	case 5: case 6: case 7: return mustache(2, params);
	case 8: return '\n' + gap() + block(depth, params) + gap() + '\n';
	case 9: return `${content()}\n {{! alone }}${pick([' ', ''])}\n${content()}`;
	default: return block(depth, params);
	}
}
function program(depth, params) {
	return many(4, () => statement(depth, params)).join('');
}

// ---- comparison ----

const wellFormed = (text) => text.replace(/\p{Surrogate}/gu, '\ufffd');
const parses = (template) => {
	try {
		Handlebars.parse(template);
		return true;
	} catch {
		return false;
	}
};
function oracle(template, context, escape) {
	try {
		return Handlebars.compile(template, { noEscape: escape === 'raw' })(context);
	} catch (e) {
		return e;
	}
}

test(`${count} templates render as handlebars.js renders them`, async () => {
	const questions = [];
	while (questions.length < count) {
		const template = statement(0, []) + program(4, []) + statement(4, []);
		const context = chance(95) ? object(4) : value(3);
		questions.push({ template, context, escape: pick(['html', 'raw']) });
	}
	const answers = await ask(questions);
	let compared = 0, filled = 0;
	questions.forEach((q, i) => {
		const want = oracle(q.template, q.context, q.escape);
		if (typeof want !== 'string') return; // handlebars.js itself fails there
		// half a character has no UTF-8 form: both write U+FFFD
		assert.equal(answers[i].output, wellFormed(want), JSON.stringify({ ...q, ...answers[i] }));
		compared++;
		if (want.trim() !== '') filled++;
	});
	console.log(`# ${compared} compared, ${filled} of them not empty`);
	assert.ok(compared > count * 0.77, `${compared} compared`);
	assert.ok(filled > count * 0.33, `${filled} not empty`);
});

// What we refuse beyond the grammar, and the one thing that we take beyond it.
const refusals = /there is no helper|argument|can only be used|no partials|no decorators|nested more/;
const beyond = /[./]\s*(-?\d|true|false|null|undefined)/;

const damaged = count / 2;
test(`${damaged} damaged templates are refused where handlebars.js refuses them`, async () => {
	const questions = [];
	const scraps = ['{{', '}}', '{', '}', '~', '#', '/', '^', '"', "'", '[', ']', '(', ')', '.', '..', '@', '|', ' as |x|', '=', ' ', 'else', '!', '--', '&', '1', '\\', 'this', '{{else}}', '{{/if}}', '{{/a}}'];
	while (questions.length < damaged) {
		let t = program(3, []);
		for (let n = 1 + random(2); n > 0; n--) {
			const at = random(t.length + 1);
			t = t.slice(0, at) + (chance(60) ? pick(scraps) : '') + t.slice(at + (chance(60) ? random(4) : 0));
		}
		if (!beyond.test(t)) questions.push({ template: wellFormed(t), context: {}, escape: 'raw' });
	}
	const answers = await ask(questions);
	let refused = 0;
	questions.forEach((q, i) => {
		const compiled = answers[i].compiled !== false;
		const want = parses(q.template);
		const wide = compiled || !refusals.test(answers[i].message) || want;
		if (want && !compiled) assert.match(answers[i].message, refusals, JSON.stringify({ ...q, ...answers[i] }));
		if (!want) assert.equal(compiled, false, JSON.stringify(q));
		if (!want && wide) refused++;
	});
	console.log(`# ${refused} refused by both`);
	assert.ok(refused > damaged * 0.2);
});

test('an error tells the position', async () => {
	const [unclosed, unknown, foreign] = await ask([{ template: 'ab{{#if x}}c' }, { template: '{{a}} {{uppercaze b}}' }, { template: 'x{{> part}}' }]);
	assert.match(unclosed.message, /position 13: expected \{\{\/if\}\}, which closes the block at position 3/);
	assert.match(unknown.message, /position 9: there is no helper "uppercaze"/);
	assert.match(unknown.hint, /"uppercase"/);
	assert.match(foreign.message, /position 2: there are no partials here/);
});

await runTests();
