#!/usr/bin/env node
// Stands where the daemon's shim stands, and behaves as no daemon of ours does: it is too old, it dies, or it asks for edits that an
// editor must refuse. What it is answered it writes into a file. It is a program of the tests, started as `pilotfish lsp` is.
import { appendFileSync } from 'node:fs';

const kind = process.env.PILOTFISH_TEST_FORGED;
const record = process.env.PILOTFISH_TEST_FORGED_RECORD;
const features = kind === 'old' ? ['session'] : ['session', 'items', 'review', 'approvals', 'files'];
const texts = new Map();

appendFileSync(record, `${JSON.stringify({ started: process.argv.slice(2) })}\n`);
if (kind === 'mute') {
  console.error('no model of the world: config.toml line 3');
  process.exit(1);
}

const send = (message) => {
  const body = JSON.stringify({ jsonrpc: '2.0', ...message });
  process.stdout.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
};

const edit = (id, uri, version) => ({
  id,
  method: 'workspace/applyEdit',
  params: {
    edit: { documentChanges: [{ textDocument: { uri, version }, edits: [{ range: { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } }, newText: 'forged ' }] }] },
  },
});

/** Every edit that is not to be made, once both texts are open. */
function attack() {
  const [outside] = [...texts.keys()].filter((uri) => uri.endsWith('/outside.txt'));
  const [inside] = [...texts.keys()].filter((uri) => uri.endsWith('/notes.txt'));
  if (!outside || !inside) return;
  const place = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };
  send(edit('outside', outside, texts.get(outside)));
  send(edit('closed', outside.replace('outside.txt', 'closed.txt'), 1));
  send(edit('stale', inside, texts.get(inside) - 1));
  send({ id: 'changes', method: 'workspace/applyEdit', params: { edit: { changes: { [inside]: [{ range: place, newText: 'forged ' }] } } } });
  send({ id: 'create', method: 'workspace/applyEdit', params: { edit: { documentChanges: [{ kind: 'create', uri: outside.replace('outside.txt', 'made.txt') }] } } });
  send({ id: 'delete', method: 'workspace/applyEdit', params: { edit: { documentChanges: [{ kind: 'delete', uri: outside }] } } });
  send(edit('virtual', 'untitled:Untitled-1', 1));
  send(edit('good', inside, texts.get(inside)));
}

function take({ id, method, params, result, error }) {
  if (method === 'initialize') {
    const capabilities = { textDocumentSync: { openClose: true, change: 2, save: true }, experimental: { pilotfish: { protocol: 1, build: '0.0.1', features } } };
    return send({ id, result: { capabilities } });
  }
  if (method === 'initialized' && kind === 'dying') return void setTimeout(() => process.exit(3), 100);
  if (method === 'textDocument/didOpen') {
    texts.set(params.textDocument.uri, params.textDocument.version);
    return attack();
  }
  if (method === 'textDocument/didChange') return void texts.set(params.textDocument.uri, params.textDocument.version);
  if (method === 'exit') process.exit(0);
  if (method === undefined) return appendFileSync(record, `${JSON.stringify({ id, result, error })}\n`);
  if (id !== undefined) send({ id, result: { sessions: [], hunks: [], ships: [], trust: 'unknown', models: [] } });
}

let unread = Buffer.alloc(0);
process.stdin.on('end', () => process.exit(0));
process.stdin.on('data', (chunk) => {
  unread = Buffer.concat([unread, chunk]);
  for (;;) {
    const end = unread.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = Number(/Content-Length: (\d+)/i.exec(unread.subarray(0, end).toString())[1]);
    if (unread.length < end + 4 + length) return;
    const body = unread.subarray(end + 4, end + 4 + length).toString();
    unread = unread.subarray(end + 4 + length);
    take(JSON.parse(body));
  }
});
