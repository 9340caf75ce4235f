// One entry of the transcript as an element: what the person and the model said, and the lines between. Tools and changes of files have
// files of their own.

import type { Approval, Compaction, ContextReceipt, Fault, InputPart, Item, Notice, Question, Reasoning, UserMessage } from '../src/protocol';
import type { Bridge } from './bridge';
import { button, div, element, icon, redraw, span } from './dom';
import { editView } from './edits';
import type { IconName } from './icons';
import type { Links } from './markdown';
import { MessageBody } from './message';
import { toolView } from './tools';
import type { Words } from './words';

/** What items need beside themselves. */
export interface ItemContext {
  words: Words;
  bridge: Bridge;
  links: Links;
  /** The session that is shown, and its folder. */
  session(): { id: string; workspace: string } | undefined;
  /** The hunks of a turn's change of a file that wait for the person: those in the text, or those only proposed. */
  waiting(uri: string, turnId: string | undefined, proposed: boolean): string[];
  /** Calls that have an item of their own for what they changed. */
  edited: Set<string>;
  /** Whether a question of policy is still open. */
  isOpen(approvalId: string): boolean;
  /** What the reader unfolded, or folded against the default. */
  toggled: Set<string>;
  /** The reader folded or unfolded something. */
  toggle(key: string): void;
}

/** An item on the screen. */
export interface ItemView {
  readonly element: HTMLElement;
  update(item: Item): void;
  append?(text: string): void;
}

/** The element of an item, which can be given its later states. */
export function itemView(item: Item, context: ItemContext): ItemView {
  switch (item.content.kind) {
    case 'agentMessage':
      return agentView(item, context);
    case 'reasoning':
      return reasoningView(item, context);
    case 'toolCall':
      return toolView(item, context);
    default:
      return plainView(item, context);
  }
}

/** The frame of an item: an article that can have the focus. */
export function article(item: Item, kind: string, label: string): HTMLElement {
  return element('article', { class: `item ${kind}`, tabindex: '-1', 'aria-label': label, 'data-item': item.id });
}

/** A line that unfolds: its button, and what it shows. */
export function folding(context: ItemContext, key: string, open: boolean, head: (Node | string)[], body: () => Node): HTMLElement[] {
  const shown = context.toggled.has(key) ? !open : open;
  const place = element('div', { class: 'folded', hidden: !shown });
  if (shown) place.append(body());
  const row = element(
    'button',
    {
      type: 'button',
      class: 'row',
      'aria-expanded': String(shown),
      click: () => {
        context.toggle(key);
        place.hidden = !place.hidden;
        row.setAttribute('aria-expanded', String(!place.hidden));
        if (!place.hidden) place.replaceChildren(body());
      },
    },
    ...head,
    icon('chevronRight', 'twist'),
  );
  return [row, place];
}

/** A line of icon and words. */
function line(name: IconName, ...children: (Node | string)[]): HTMLElement {
  return div('line', icon(name), span('words', ...children));
}

function agentView(item: Item, { words, links }: ItemContext): ItemView {
  const made = article(item, 'agent', words.say('agentName'));
  const body = new MessageBody(links, words);
  made.append(body.element);
  const update = ({ content }: Item) => {
    if (content.kind !== 'agentMessage') return;
    const { completion = 'whole', text } = content;
    if (completion === 'open') return;
    body.end(text);
    made.querySelector('.cut')?.remove();
    if (completion !== 'whole') made.append(div('cut', words.say(completion)));
    made.hidden = text.trim() === '' && completion === 'whole';
  };
  if (item.content.kind === 'agentMessage') body.append(item.content.text);
  update(item);
  return { element: made, update, append: (text) => body.append(text) };
}

/** The last sentence of thoughts, for the one line they have. */
export function lastSentence(text: string): string {
  const sentences = text.replace(/[*_`#]+/g, '').split(/(?<=[.!?:])\s+|\n+/).filter((sentence) => sentence.trim() !== '');
  return (sentences.at(-1) ?? '').trim().slice(0, 200);
}

function reasoningView(item: Item, context: ItemContext): ItemView {
  const { words } = context;
  const made = article(item, 'quiet', words.say('thought'));
  let content = item.content as Reasoning;
  let node = document.createTextNode('');
  const title = span('title');
  const gist = span('gist');
  made.append(
    ...folding(context, item.id, false, [icon('thinking'), title, gist], () => {
      node = document.createTextNode(content.text);
      return div('thoughts', node);
    }),
  );
  const draw = () => {
    const open = content.completion === 'open';
    title.textContent = words.say(open ? 'thinking' : 'thought');
    gist.textContent = open ? lastSentence(content.text) : '';
    made.classList.toggle('live', open);
    made.hidden = !open && content.text.trim() === '';
    if (node.data !== content.text) node.data = content.text;
  };
  draw();
  const update = (changed: Item) => {
    content = changed.content as Reasoning;
    draw();
  };
  return { element: made, update, append: draw };
}

/** An item that is drawn anew whenever it changes. */
function plainView(item: Item, context: ItemContext): ItemView {
  const made = article(item, 'plain', '');
  let shown: unknown;
  let facts: string | undefined;
  const update = (changed: Item) => {
    const { content, turnId } = changed;
    // Whoever presses a button or selects text here loses nothing when another file changes.
    const now = content.kind === 'edit' ? context.waiting(content.uri, turnId, content.state === 'proposed').join(' ') : undefined;
    if (now !== undefined && content === shown && now === facts) return;
    shown = content;
    facts = now;
    redraw(made, () => {
      made.className = 'item';
      made.hidden = false;
      made.replaceChildren();
      fill(made, changed, context);
    });
  };
  update(item);
  return { element: made, update };
}

function fill(made: HTMLElement, item: Item, context: ItemContext): void {
  const { content } = item;
  switch (content.kind) {
    case 'userMessage':
      return fillUser(made, item, content, context);
    case 'edit':
    case 'conflict':
      return editView(made, item, content, context);
    case 'approval':
      return fillApproval(made, content, context);
    case 'question':
      return fillQuestion(made, content);
    case 'error':
      return fillError(made, content);
    case 'context':
      return fillReceipt(made, item, content, context);
    case 'compaction':
      return fillCompaction(made, item, content, context);
    case 'notice':
      return fillNotice(made, content);
    default:
      // The plan has a strip of its own, and a kind nobody knows comes from a newer daemon.
      made.hidden = true;
  }
}

function label(made: HTMLElement, kind: string, words: string): void {
  made.classList.add(kind);
  made.setAttribute('aria-label', words);
}

function fileName(uri: string): string {
  return decodeURIComponent(uri.split('/').pop() ?? uri);
}

/** What was attached, in a few words. */
export function partLabel(part: InputPart, words: Words): string {
  switch (part.type) {
    case 'text':
      return part.text;
    case 'file':
    case 'symbol':
      return fileName(part.uri);
    case 'selection': {
      const { start, end } = part.range;
      const last = end.character === 0 && end.line > start.line ? end.line : end.line + 1;
      return `${fileName(part.uri)} ${words.say('selection', start.line + 1, last)}`;
    }
    case 'image':
      return words.say('image');
    case 'diagnostics':
      return part.uri ? `${words.say('problems')}: ${fileName(part.uri)}` : words.say('problems');
    default:
      return words.say('changes');
  }
}

function fillUser(made: HTMLElement, item: Item, content: UserMessage, { words, bridge, session }: ItemContext): void {
  label(made, 'user', words.say('you'));
  const attached = content.input.filter((part) => part.type !== 'text');
  const texts = content.input.map((part) => (part.type === 'text' ? part.text : '')).filter((text) => text !== '');
  const restore = button(words.say('restore'), () => bridge.command('pilotfish.restore', { ...item, content: undefined, sessionId: session()?.id }), {
    icon: 'discard',
    quiet: true,
  });
  made.append(
    div('bubble', div('text', texts.join('\n')), item.turnId ? restore : undefined),
    attached.length > 0 &&
      div('attached', ...attached.map((part) => span('tag', partLabel(part, words)))) || '',
  );
}

function fillApproval(made: HTMLElement, content: Approval, { words, bridge, isOpen }: ItemContext): void {
  const answer = content.decision?.kind ?? 'none';
  const open = answer === 'none' && isOpen(content.id);
  label(made, 'quiet', content.title);
  // While it is open its card is in sight.
  made.hidden = open;
  if (open) return;
  const note = content.note ? ` “${content.note}”` : '';
  const row = line(answer === 'deny' || answer === 'none' ? 'close' : 'check', `${words.say(`answered.${answer}`)}: ${content.title}${note}`);
  const rule = content.decision?.kind === 'always' ? content.decision.rule.id : undefined;
  if (rule) {
    const revoke = button(words.say('revoke'), () => {
      void bridge.request('rule/revoke', { ruleId: rule }).then(() => revoke.replaceWith(words.say('revoked')), (error: Error) => revoke.replaceWith(error.message));
    }, { class: 'link' });
    row.append(revoke);
  }
  made.append(row);
}

function fillQuestion(made: HTMLElement, content: Question): void {
  label(made, 'quiet', content.text);
  made.append(line('question', content.text, content.answer ? span('answer', content.answer) : ''));
}

function fillError(made: HTMLElement, content: Fault): void {
  label(made, 'failure', content.message);
  made.append(line('error', content.message));
}

function fillNotice(made: HTMLElement, content: Notice): void {
  label(made, 'quiet', content.text);
  made.hidden = content.audience === 'model';
  made.append(line('info', content.text));
}

function fillReceipt(made: HTMLElement, item: Item, content: ContextReceipt, context: ItemContext): void {
  const { words, bridge } = context;
  label(made, 'quiet', words.say('receipt'));
  const titles = content.parts.map((part) => part.title).join(', ');
  made.append(
    ...folding(context, item.id, false, [icon('info'), span('gist', titles)], () =>
      div('receipt', ...content.parts.map(({ title, uri, text, leftOut }) =>
          div('part', uri ? button(title, () => bridge.post({ type: 'open', uri }), { class: 'link' }) : span('', title),
            leftOut ? span('faint', ` ${words.say('leftOut', words.number(leftOut))}`) : '',
            element('pre', { tabindex: '0' }, text),
          ),
        ),
      ),
    ),
  );
}

function fillCompaction(made: HTMLElement, item: Item, content: Compaction, context: ItemContext): void {
  const { words } = context;
  const text = words.say(`compaction.${content.way}`);
  label(made, 'divider', text);
  const tokens = words.say('compactionTokens', words.short(content.tokensBefore), words.short(content.tokensAfter));
  const head = span('words', `${text} · ${tokens}`);
  if (content.way === 'masked') made.append(div('line', icon('fold'), head));
  else made.append(...folding(context, item.id, false, [icon('fold'), head], () => div('thoughts', content.text)));
}
