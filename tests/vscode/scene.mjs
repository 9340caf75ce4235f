// A conversation as it might be, for looking at the panel.
import { ago } from './page.mjs';

const item = (id, turnId, content, seconds = 60) => ({ id, turnId, at: ago(seconds), content });
const watch = 'file:///home/ann/watcher/src/watch.rs';

const hunk = (id, state, oldText, newText, start = 41) => ({
  id, uri: watch, kind: 'change', oldRange: { start, end: start + oldText.split('\n').length - 1 }, newRange: { start, end: start + newText.split('\n').length - 1 },
  oldText, newText, spans: [], sessionId: 's1', turnId: 't2', state, userLines: [],
});

export const applied = hunk('h1', 'applied', '    let delay = Duration::from_millis(10);\n', '    let delay = self.clock.delay();\n    trace!(?delay, "waiting");\n');
export const proposed = hunk('h2', 'proposed', '    fn settle(&self) {\n        std::thread::sleep(self.delay);\n', '    async fn settle(&self) {\n        self.clock.sleep(self.delay).await;\n', 66);

export const answer = `The timer is the culprit. \`src/watch.rs:42\` waits ten milliseconds of **real** time, and the test's clock is a fake one, so it loses the race one time in ten.

Three ways to mend it, from the smallest:

1. Ask the injected clock for the delay.
2. Wait for the event and not for time.
3. Run the test with \`--test-threads=1\` (hides it).

\`\`\`rust
/// How long events are gathered before they are told.
fn delay(&self) -> Duration {
    // The test's clock says zero.
    self.clock.delay().max(Duration::from_millis(10))
}
\`\`\`

| way | risk | lines |
|---|---|---:|
| clock | none | 4 |
| event | a new channel | 31 |

I take the first. See [the test](tests/debounce.rs#L12) and [tokio's docs](https://docs.rs/tokio/latest/tokio/time/).`;

/** A session in the middle of work: everything there is at once. */
export function busy() {
  const items = [
    item('i1', 't1', { kind: 'userMessage', input: [{ type: 'text', text: 'The debounce test fails one time in ten. Why?' }, { type: 'file', uri: watch }] }, 400),
    item('i2', 't1', { kind: 'context', parts: [{ source: 'instructions', title: 'AGENTS.md', text: 'Be brief.' }, { source: 'file', title: 'src/watch.rs', uri: watch, text: 'fn main() {}' }] }, 399),
    item('i3', 't1', { kind: 'reasoning', text: 'The test uses a fake clock. I should look at the timer first.', completion: 'whole' }, 398),
    item('i4', 't1', { kind: 'agentMessage', text: "I'll look at the timer first.", completion: 'whole' }, 397),
    item('i5', 't1', { kind: 'toolCall', callId: 'c1', name: 'read', title: 'read src/watch.rs', input: '{}', output: 'fn main', status: 'done', durationMs: 4 }, 396),
    item('i6', 't1', { kind: 'toolCall', callId: 'c2', name: 'read', title: 'read src/clock.rs', input: '{}', output: 'fn main', status: 'done', durationMs: 3 }, 395),
    item('i7', 't1', { kind: 'toolCall', callId: 'c3', name: 'shell', title: '$ cargo test watch::debounce', input: '{}', output: 'running 1 test\ntest watch::debounce ... FAILED\n', status: 'failed', durationMs: 2140, exitCode: 101 }, 390),
    item('i8', 't1', { kind: 'agentMessage', text: answer, completion: 'whole' }, 380),
    item('i9', 't1', { kind: 'compaction', way: 'summarized', text: 'Found the timer in src/watch.rs.', tokensBefore: 118200, tokensAfter: 9400 }, 300),
    item('i10', 't2', { kind: 'userMessage', input: [{ type: 'text', text: 'Do that, and make the test wait for the event.' }] }, 134),
    item('i11', 't2', { kind: 'edit', callId: 'c4', uri: watch, path: 'src/watch.rs', change: { kind: 'changed' }, state: 'applied', added: 12, removed: 4, hunks: [applied] }, 120),
    item('i12', 't2', { kind: 'edit', callId: 'c5', uri: 'file:///home/ann/watcher/src/clock.rs', path: 'src/clock.rs', change: { kind: 'created' }, state: 'applied', added: 29, removed: 0, hunks: [{ ...applied, id: 'h3' }] }, 110),
    item('i13', 't2', { kind: 'toolCall', callId: 'c6', name: 'shell', title: '$ cargo nextest run watch', input: '{}', output: Array.from({ length: 14 }, (_, line) => `    Compiling watcher-part${line} v0.${line}.0`).join('\n') + '\n', status: 'running' }, 20),
  ];
  return {
    items, openItems: [items.at(-1)], turnId: 't2',
    session: { mode: 'agent', status: { state: 'running', text: 'running cargo nextest run watch' } },
    plan: { steps: [{ step: 'Reproduce the failure', status: 'completed' }, { step: 'Ask the clock for the delay', status: 'completed' }, { step: 'Wait for the event in the test', status: 'in_progress' }, { step: 'Run it a hundred times', status: 'pending' }] },
    commands: [{ id: 'k1', sessionId: 's1', command: 'npm run dev -- --port 5173', startedAt: ago(75), outputBytes: 28 }],
    files: [{ uri: watch, path: 'src/watch.rs', added: 12, removed: 4, hunks: [{ id: 'h1', state: 'applied', turnId: 't2' }] }, { uri: 'file:///home/ann/watcher/src/clock.rs', path: 'src/clock.rs', added: 29, removed: 5, hunks: [{ id: 'h3', state: 'applied', turnId: 't2' }] }],
    chips: [{ id: 'sel', label: 'watch.rs:40–61', icon: 'listSelection', part: { type: 'file', uri: watch } }, { id: 'file', label: 'clock.rs', icon: 'file', off: true, part: { type: 'file', uri: watch } }],
    queue: [{ id: 'q1', input: [{ type: 'text', text: 'Then run it a hundred times.' }] }],
  };
}

export const approval = {
  id: 's1.i20', itemId: 'i13', title: 'let a command reach github.com', detail: 'make && git push origin fix/debounce', cwd: '/home/ann/watcher',
  reason: 'it needs the network: github.com', grants: ['host:github.com'],
  segments: [{ text: 'make', asks: false }, { text: 'git push origin fix/debounce', asks: true }], edits: [], escaped: false,
  rule: { scope: 'workspace', argv: ['git', 'push', 'origin', 'fix/debounce'], prefix: false, grants: ['host:github.com'], hits: 0 },
};

export const preview = ({ rule }) => ({ result: {
  rule, file: '/home/ann/.config/pilotfish/rules.toml', alsoRuns: rule.prefix ? ['git push origin anything'] : [],
  stillAsks: ['git push origin main', 'git push --force origin fix/debounce'],
} });

export const question = { id: 'i30', turnId: 't2', at: ago(3), content: { kind: 'question', text: 'Which branch should the fix go to?', choices: ['main', 'fix/debounce'] } };

/** A proposal in read-only mode, at the end of a short turn. */
export function proposal() {
  const items = [
    item('i1', 't1', { kind: 'userMessage', input: [{ type: 'text', text: 'How would you make settle wait without blocking?' }] }),
    item('i2', 't1', { kind: 'agentMessage', text: 'By the clock that is there already. Two lines change:', completion: 'whole' }),
    item('i3', 't1', { kind: 'edit', callId: 'c', uri: watch, path: 'src/watch.rs', change: { kind: 'changed' }, state: 'proposed', added: 2, removed: 2, hunks: [proposed] }),
    item('i4', 't1', { kind: 'error', fault: 'endpoint', message: 'http://127.0.0.1:11434/v1 answered 503: the model is loading', retryable: true }),
    item('i5', 't1', { kind: 'approval', ...approval, decision: { kind: 'always', rule: { ...approval.rule, id: 'r1' } }, by: 'n1' }),
    item('i6', undefined, { kind: 'notice', text: 'The daemon restarted; the running command was stopped.', audience: 'both' }),
  ];
  return { items, files: [{ uri: watch, path: 'src/watch.rs', added: 2, removed: 2, hunks: [{ id: 'h2', state: 'proposed', turnId: 't1' }] }] };
}
