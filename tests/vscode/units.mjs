// What the panel computes without a page: the fold of updates, where blocks of Markdown end, which stretches are drawn.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const extension = join(dirname(fileURLToPath(import.meta.url)), '../../editors/vscode');
const { buildSync } = createRequire(join(extension, 'package.json'))('esbuild');

async function load(name) {
  const built = buildSync({ entryPoints: [join(extension, 'panel', `${name}.ts`)], bundle: true, format: 'esm', write: false, external: ['codicons'] });
  return import(`data:text/javascript,${encodeURIComponent(built.outputFiles[0].text)}`);
}
const { blocks, finishedBlock } = await load('blocks');
const { alike, attached, fold, isRunning, order } = await load('state');
const { drawnStretches } = await load('window');
const { clock, duration } = await load('words');

const session = { id: 's1', workspace: '/w', title: 't', mode: 'read-only', status: { state: 'thinking', text: 'thinking' } };
const answer = { session, seq: 4, turnId: 't1', openItems: [], approvals: [], draft: '', queue: [], plan: { steps: [] }, usage: {} };
const folded = (...updates) => updates.reduce((state, update, index) => fold(state, { sessionId: 's1', seq: 5 + index, update }), attached(answer));

test('a block ends where nothing more can belong to it', () => {
  assert.equal(finishedBlock('One'), undefined);
  assert.equal(finishedBlock('One\n\n'), undefined);
  assert.equal(finishedBlock('One\n\nT'), 5);
  assert.equal(finishedBlock('- a\n\n  more of a\n'), undefined);
  assert.equal(finishedBlock('```js\nlet x;\n\nlet y;\n'), undefined);
  assert.equal(finishedBlock('```js\nlet x;\n```\n'), 17);
  assert.equal(finishedBlock('~~~\n```\n~~~\nx'), 12);
  assert.equal(finishedBlock('Text\n```js\n'), 5);
});

test('blocks together are the text, and cutting it anywhere changes none', () => {
  const text = 'Para one\nline two\n\n1. a\n\n   ```sh\n\n   x\n   ```\n\n2. b\n\n| a |\n|---|\n| b |\n\n```rust\nfn x() {}\n\n```\nAfter';
  const whole = blocks(text);
  assert.equal(whole.join(''), text);
  for (let cut = 1; cut < text.length; cut++) {
    let rest = '';
    const found = [];
    for (const part of [text.slice(0, cut), text.slice(cut)]) {
      rest += part;
      for (let length = finishedBlock(rest); length !== undefined; length = finishedBlock(rest)) {
        found.push(rest.slice(0, length));
        rest = rest.slice(length);
      }
    }
    assert.deepEqual([...found, rest], whole, `cut at ${cut}`);
  }
});

test('updates fold, and parts that did not change stay the same', () => {
  const before = attached(answer);
  const after = folded({ kind: 'modeChanged', mode: 'agent' }, { kind: 'titleChanged', title: 'new' });
  assert.deepEqual([after.session.mode, after.session.title, after.seq], ['agent', 'new', 6]);
  assert.equal(after.plan, answer.plan);
  assert.equal(before.session.mode, 'read-only');
});

test('the end of a turn closes what waited', () => {
  const question = { id: 'i1', content: { kind: 'question', text: '?', choices: [] } };
  const asking = folded({ kind: 'approvalOpened', approval: { id: 'a' } }, { kind: 'itemStarted', item: question });
  assert.deepEqual([asking.approvals.length, asking.questions.length, isRunning(asking)], [1, 1, true]);
  const ended = fold(asking, { sessionId: 's1', seq: 7, update: { kind: 'turnEnded', turnId: 't1', stop: 'done' } });
  assert.deepEqual([ended.approvals, ended.questions, ended.turnId], [[], [], undefined]);
});

test('a gap is told from what was seen and from what has no number', () => {
  const state = attached(answer);
  assert.deepEqual([3, 4, 5, 6, undefined].map((seq) => order(state, { seq })), ['known', 'known', 'next', 'gap', 'next']);
});

test('a word that nobody knows changes nothing', () => {
  assert.deepEqual({ ...folded({ kind: 'somethingNew' }), seq: 4 }, attached(answer));
});

test('only the same question is answered along', () => {
  const ask = (id, detail) => ({ id, title: 't', detail, grants: ['host:a'] });
  assert.deepEqual(alike([ask('1', 'x'), ask('2', 'x'), ask('3', 'y')]).map(({ id }) => id), ['1', '2']);
});

test('what is in sight is drawn, then what is nearest, and no more than there is room for', () => {
  const stretches = Array.from({ length: 40 }, (_, index) => ({ top: index * 3000, height: 3000, count: 50 }));
  assert.deepEqual([...drawnStretches(stretches, 30_000, 700, 200)].sort((a, b) => a - b), [9, 10]);
  assert.equal(drawnStretches(stretches.map((stretch) => ({ ...stretch, top: stretch.top / 30, height: 100 })), 0, 1990, 200).size, 20, 'all that can be seen');
});

test('times', () => {
  assert.deepEqual([clock(134_000), clock(3_723_000), duration(200), duration(134_000)], ['2:14', '1:02:03', '0.2 s', '2:14']);
});
