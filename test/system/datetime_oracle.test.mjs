// The date functions against moment-timezone: the same formats, instants and zones must print the same
// text and read back the same instant. The samples are random, from a fixed seed; SEED=n takes others.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { test, runTests } from './lib.mjs';
import { ask as askDriver, pick, random } from './oracle.mjs';

const moment = createRequire(import.meta.url)('moment-timezone');
moment.suppressDeprecationWarnings = true;

const ask = (questions) => askDriver(process.env.DATETIME_DRIVER, questions);

// Left out: names that this system's data lack (Debian 13 has the old ones in a package of their own),
// Liberia, whose offset had seconds until 1972, which moment rounds, and those of which releases of
// the data tell different pasts.
const unsettled = ['Africa/Monrovia', 'America/Bogota', 'America/Ensenada', 'America/Santa_Isabel', 'America/Tijuana', 'Mexico/BajaNorte', 'Asia/Tehran', 'Europe/Chisinau', 'Europe/Tiraspol'];
const zones = moment.tz.names().filter((z) => z.includes('/') && !z.startsWith('Etc/') && !unsettled.includes(z) && fs.existsSync(`/usr/share/zoneinfo/${z}`));
assert.ok(zones.length > 400);
const fixed = ['UTC', 'America/New_York', 'Europe/Berlin', 'Asia/Kolkata', 'Australia/Lord_Howe', 'Pacific/Apia', 'America/St_Johns', 'Africa/Casablanca'];
// 1973 to 2024: what both have settled data for.
const first = Date.UTC(1973, 0, 1), last = Date.UTC(2025, 0, 1);
const instant = () => first + random(Math.floor((last - first) / 1000)) * 1000 + random(1000);
const zone = () => (random(3) === 0 ? pick(fixed) : pick(zones));

const tokens = ['YYYY', 'YY', 'Y', 'YYYYY', 'YYYYYY', 'Q', 'M', 'MM', 'MMM', 'MMMM', 'D', 'DD', 'Do', 'DDD', 'DDDD', 'd', 'dd', 'ddd', 'dddd',
	'e', 'E', 'w', 'ww', 'W', 'WW', 'GGGG', 'GG', 'GGGGG', 'gggg', 'gg', 'ggggg', 'A', 'a', 'H', 'HH', 'h', 'hh', 'k', 'kk', 'm', 'mm', 's', 'ss', 'S', 'SS', 'SSS', 'SSSS',
	'SSSSSS', 'SSSSSSSSS', 'z', 'zz', 'Z', 'ZZ', 'X', 'x', 'LT', 'LTS', 'L', 'LL', 'LLL', 'LLLL', 'l', 'll', 'lll', 'llll', 'Mo', 'Qo', 'DDDo', 'do', 'wo', 'Wo', 'y', 'yyyy', 'yo',
	'Hmm', 'hmm', 'Hmmss', 'hmmss'];
const between = ['-', '/', ' ', ', ', ':', '.', '[T]', ' [at the] ', '\\M-', '#', '[', ']', '[a[b]', 'T', 'o', 'é', '"', ''];

// The rules of reading from here on are those of strict mode, which has no zone abbreviations.
const dates = ['YYYY-MM-DD', 'DD.MM.YYYY', 'MM/DD/YYYY', 'M/D/YYYY', 'D MMM YYYY', 'MMMM D, YYYY', 'dddd, MMMM Do YYYY', 'ddd DD MMM YY', 'YYYYMMDD', 'YYYY-DDDD', 'YYYY-DDD',
	'GGGG-[W]WW-E', 'gggg-ww-e', 'gggg w d', 'L', 'LL', 'l', 'll', 'YYYYYY-MM-DD', 'Y/M/D', 'Do [of] MMMM, YYYY', 'dd D/M/YYYY'];
const times = ['HH:mm:ss.SSS', 'H:m:s', 'h:mm:ss A', 'hh:mm a', 'HHmm', 'kk:mm:ss', 'LT', 'LTS', 'HH:mm', 'Hmm', 'hmmss a', 'HH:mm:ss,SS', 'HH:mm:ss.SSSSSS', ''];
const offsets = ['Z', 'ZZ', '', ''];
function readable() {
	if (random(12) === 0) return pick(['x', 'X', 'LLL', 'LLLL', 'lll', 'llll', 'YYYY', 'YYYY-MM', 'YYYY-[Q]Q']);
	return `${pick(dates)}${pick([' ', '[T]', ' [at] '])}${pick(times)}${pick(offsets)}`;
}

// These left out a day of the calendar once, and moment counts the days and weeks of that year one short.
const skippers = ['Pacific/Kwajalein', 'Pacific/Enderbury', 'Pacific/Kanton', 'Pacific/Kiritimati', 'Pacific/Fakaofo', 'Pacific/Apia'];

test('8,000 instants print as moment prints them, in random formats and zones', async () => {
	const questions = [];
	for (let i = 0; i < 8000; i++) {
		let format = '';
		for (let n = 1 + random(6); n > 0; n--) format += pick(tokens) + pick(between);
		// moment expands L first and cuts tokens then, so that "hLT" has "hh" in it
		if (/[A-Za-z\\]L|L[A-Za-z]|[A-Za-z\\]l|l[A-Za-z]/.test(format.replace(/LTS?|L{2,4}|l{2,4}/g, 'L'))) { i--; continue; }
		let z = zone();
		while (skippers.includes(z)) z = zone();
		questions.push(['print', format, z, instant()]);
	}
	const answers = await ask(questions);
	questions.forEach((q, i) => assert.equal(answers[i], moment.tz(q[3], q[2]).format(q[1]), JSON.stringify(q)));
});

test('6,000 texts that moment printed are read to the instant that moment reads', async () => {
	const questions = [];
	while (questions.length < 6000) {
		const [format, z] = [readable(), zone()];
		const text = moment.tz(instant(), z).format(format);
		if (moment.tz(text, format, true, z).isValid()) questions.push(['read', format, z, text]);
	}
	const answers = await ask(questions);
	questions.forEach((q, i) => assert.equal(answers[i], moment.tz(q[3], q[1], true, q[2]).valueOf(), JSON.stringify([q, answers[i]])));
});

test('of 6,000 damaged texts, what moment takes is taken, and nothing is taken that moment reads otherwise', async () => {
	const questions = [];
	for (let i = 0; i < 6000; i++) {
		const [format, z] = [readable(), zone()];
		const text = moment.tz(instant(), z).format(format);
		const at = random(text.length), c = pick([...'0123456789-/: AaPTZ+.']);
		questions.push(['read', format, z, pick([text.slice(0, at) + c + text.slice(at + 1), text.slice(0, at) + text.slice(at + 1), text.slice(0, at) + c + text.slice(at)])]);
	}
	const answers = await ask(questions);
	let refused = 0, taken = 0;
	questions.forEach((q, i) => {
		const strict = moment.tz(q[3], q[1], true, q[2]);
		const lenient = moment.tz(q[3], q[1], q[2]);
		const said = JSON.stringify([q, answers[i], strict.isValid(), lenient.format()]);
		// the distant past and the future change from release to release of the data
		if (lenient.year() > 2024 || lenient.year() < 1973) return;
		if (!lenient.isValid() && /[+-]1[2-5]:?\d\d$/.test(q[3])) return; // moment knows how far the islands are
		if (typeof answers[i] === 'number') {
			taken++;
			assert.equal(answers[i], lenient.valueOf(), said);
		} else {
			refused++;
			assert.match(answers[i].error, /position \d+|in the years/, said);
			if (strict.isValid() && strict.year() >= 0 && strict.year() <= 9999) assert.match(answers[i].error, / E needs| e needs/, said);
		}
	});
	assert.ok(refused > 1000 && taken > 300, `${refused} refused, ${taken} taken`);
});

test('every zone has the offsets that moment has, around each of its changes of 1973 to 2024', async () => {
	const questions = [];
	for (const z of zones) {
		const changes = moment.tz.zone(z).untils.filter((t) => t > first && t < last);
		for (const t of changes) for (const ms of [t - 1, t]) questions.push(['offset', z, ms]);
		for (let i = 0; i < 4; i++) questions.push(['offset', z, instant()]);
	}
	assert.ok(questions.length > 20000);
	const answers = await ask(questions);
	questions.forEach((q, i) => assert.equal(answers[i] / 60, moment.tz(q[2], q[1]).utcOffset(), JSON.stringify(q)));
});

test('local times in gaps and overlaps become the instants that moment takes', async () => {
	const questions = [];
	for (const z of zones) {
		const changes = moment.tz.zone(z).untils.filter((t) => t > first && t < last);
		for (let i = 0; i < 12 && changes.length > 0; i++) {
			const t = pick(changes);
			const local = t + moment.tz(t - 1, z).utcOffset() * 60000;
			questions.push(['local', z, local + (random(240) - 120) * 60000]);
		}
	}
	assert.ok(questions.length > 3000);
	const answers = await ask(questions);
	let same = 0;
	questions.forEach((q, i) => {
		const text = new Date(q[2]).toISOString().slice(0, 19);
		const want = moment.tz(text, 'YYYY-MM-DDTHH:mm:ss', q[1]);
		// moment judges by the nearest two offsets only: where it misses the local time, ours must hit it
		if (answers[i] === want.valueOf()) same++;
		else assert.equal(moment.tz(answers[i], q[1]).format('YYYY-MM-DDTHH:mm:ss'), text, JSON.stringify([q, text, want.format(), answers[i]]));
	});
	assert.ok(same > questions.length * 0.97, `${same} of ${questions.length}`);
});

await runTests();
