// An application that others wrote: json-server over `data`. `asked` are the requests it got, `all()` what it has now,
// read by other means than those that are tested, `db` its lowdb.
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { onEnd } from './lib.mjs';

const jsonServer = createRequire(import.meta.url)('json-server');

export async function jsonApplication(data) {
	const app = jsonServer.create(), router = jsonServer.router(data), asked = [];
	app.use((req, res, next) => { asked.push(`${req.method} ${req.url}`); next(); });
	app.use(jsonServer.bodyParser);
	app.use(router);
	const http = app.listen(0, '127.0.0.1');
	await once(http, 'listening');
	onEnd(() => { http.closeAllConnections(); http.close(); });
	return { url: `http://127.0.0.1:${http.address().port}`, db: router.db, all: () => router.db.getState(), asked };
}
