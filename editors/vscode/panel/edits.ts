// A change of a file: one line that leads to the real text, its hunks when the reader wants them here, and the card of a proposal.

import type { Edit, Hunk, Item } from '../src/protocol';
import { button, div, element, icon, span } from './dom';
import { folding, type ItemContext } from './items';

const MAX_LINES = 40;

/** Draws an edit, a conflict or a proposal into its article. */
export function editView(made: HTMLElement, item: Item, edit: Edit, context: ItemContext): void {
  const { words, bridge } = context;
  const proposed = edit.state === 'proposed';
  const conflict = edit.state === 'conflict';
  made.classList.add('edit', proposed ? 'proposal' : 'applied');
  made.setAttribute('aria-label', `${proposed ? words.say('proposal') : words.say('changes')}: ${edit.path}`);
  const waiting = context.waiting(edit.uri, item.turnId, proposed);
  const head = [icon(conflict ? 'warning' : 'edit'), ...summary(edit, context)];
  const [row, body] = folding(context, item.id, proposed && waiting.length > 0, head, () => hunks(edit, waiting, context));
  const open = () => bridge.post({ type: 'open', uri: edit.uri, range: edit.hunks[0] && placeOf(edit.hunks[0]) });
  const actions = proposed
    ? []
    : [
        button(words.say('show'), open, { icon: 'goToFile', quiet: true, title: edit.path }),
        waiting.length > 0 && button(words.say('review'), () => bridge.command('pilotfish.reviewFile', edit.uri), { class: 'link' }),
      ];
  made.append(div('row-line', row, ...actions), body!);
  if (proposed) made.append(proposalActions(edit, waiting, context));
}

function placeOf({ newRange }: Hunk) {
  return { start: { line: newRange.start, character: 0 }, end: { line: newRange.start, character: 0 } };
}

/** Name and size of a change. */
export function summary(edit: Edit, { words }: Pick<ItemContext, 'words'>): HTMLElement[] {
  const slash = edit.path.lastIndexOf('/') + 1;
  const kind = edit.change.kind;
  const facts = [
    kind === 'changed' ? '' : words.say(`edit.${kind}`),
    edit.state === 'conflict' ? words.say('edit.conflict') : edit.hunks.length > 0 ? words.count('hunks', edit.hunks.length) : '',
  ];
  return [
    span('words', span('name', edit.path.slice(slash)), span('faint folder', edit.path.slice(0, slash))),
    counts(edit.added, edit.removed),
    span('faint', facts.filter((fact) => fact !== '').join(' · ')),
  ];
}

/** Lines added and removed. */
export function counts(added: number, removed: number): HTMLElement {
  return span('counts', added > 0 && span('added', `+${added}`),
    removed > 0 && span('removed', `−${removed}`),
  );
}

function hunks(edit: Edit, waiting: string[], context: ItemContext): HTMLElement {
  const { words } = context;
  const each = edit.state === 'proposed' && edit.hunks.length > 1 && edit.hunks.length === waiting.length;
  return div('hunks', ...edit.hunks.flatMap((hunk, index) => [
      diff(hunk),
      each ? button(words.say('applyHunk'), () => verb('review/accept', [waiting[index]!], context), { class: 'link' }) : span(''),
    ]),
  );
}

/** The lines of a hunk, those that go before those that come. */
export function diff(hunk: Hunk, most = MAX_LINES): HTMLElement {
  const lines = [...linesOf(hunk.oldText, 'removed', '−', hunk.oldRange.start), ...linesOf(hunk.newText, 'added', '+', hunk.newRange.start)];
  const made = element('div', { class: 'diff', role: 'group', tabindex: '0' }, ...lines.slice(0, most));
  if (lines.length > most) made.append(div('faint', `⋯ ${lines.length - most}`));
  return made;
}

function linesOf(text: string, kind: string, sign: string, start: number): HTMLElement[] {
  if (text === '') return [];
  return text.replace(/\n$/, '').split('\n').map((line, index) =>
    div(`diff-line ${kind}`, element('span', { class: 'number', 'aria-hidden': 'true' }, String(start + index + 1)),
      span('sign', sign),
      span('source', line),
    ),
  );
}

function verb(method: 'review/accept' | 'review/reject', hunkIds: string[], { bridge, session }: ItemContext): void {
  const workspace = session()?.workspace;
  // The hunks that are left come by themselves.
  if (workspace) void bridge.request(method, { workspace, hunkIds }).catch(bridge.failed);
}

function proposalActions(edit: Edit, ids: string[], context: ItemContext): HTMLElement {
  const { words, bridge } = context;
  if (ids.length === 0) return div('faint note', words.say('proposal.gone'));
  return div('buttons', button(words.say('show'), () => bridge.command('pilotfish.showProposal', edit.uri)),
    button(words.say(ids.length > 1 ? 'applyAll' : 'apply'), () => verb('review/accept', ids, context)),
    span('gap'),
    button(words.say('drop'), () => verb('review/reject', ids, context)),
  );
}
