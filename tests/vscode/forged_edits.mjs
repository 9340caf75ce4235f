// ED-05: a daemon that asks for edits outside of the workspace is refused, and so is everything that is no edit of an open text.
import assert from 'node:assert/strict';
import { readFileSync, existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { answersOf, forged, test, until } from './workbench.mjs';

const project = process.env.PILOTFISH_TEST_PROJECT;
const outside = join(dirname(project), 'outside.txt');

await test({ program: forged('edits') }, async (workbench) => {
  await workbench.execute('pilotfish.openChat');
  await workbench.spied(async (vscode, path) => void (await vscode.window.showTextDocument(vscode.Uri.file(path), { preview: false })), outside);
  await workbench.open('notes.txt');
  await until('all are answered', () => answersOf().good !== undefined);
  const answers = answersOf();
  for (const name of ['outside', 'closed', 'stale', 'changes', 'create', 'delete', 'virtual']) {
    assert.equal(answers[name]?.applied, false, `${name} was answered ${JSON.stringify(answers[name])}`);
  }
  assert.match(answers.outside.failureReason, /outside of the folders/);
  assert.equal(answers.good.applied, true, JSON.stringify(answers.good));
  assert.equal(readFileSync(outside, 'utf8'), 'not yours\n');
  assert.equal(existsSync(join(dirname(project), 'made.txt')), false);
  assert.match(readFileSync(join(project, 'notes.txt'), 'utf8'), /^forged one\n/, 'what was saved before is saved again');
});
