// A call of a tool: one line, and its output below while it runs or when the reader wants it.

import type { Item, ToolCall } from '../src/protocol';
import { button, div, element, icon, span } from './dom';
import type { IconName } from './icons';
import { article, type ItemContext, type ItemView } from './items';
import { duration } from './words';

const LIVE_LINES = 8;
/** What is shown of an output in place; the rest opens as a document. */
const MAX_SHOWN = 20_000;

const ICONS: Record<ToolCall['status'], IconName> = { running: 'loading', done: 'check', failed: 'error', refused: 'close', interrupted: 'debugStop' };

/** The last lines of an output that still grows. */
export function lastLines(text: string, count: number): string {
  let start = text.endsWith('\n') ? text.length - 1 : text.length;
  for (let lines = 0; lines < count && start >= 0; lines++) start = text.lastIndexOf('\n', start - 1);
  return text.slice(start + 1).replace(/\n$/, '');
}

/** The view of a call of a tool. */
export function toolView(item: Item, context: ItemContext): ItemView {
  return new ToolView(item, context);
}

class ToolView implements ItemView {
  readonly element: HTMLElement;
  readonly #state = span('state');
  readonly #title = span('words');
  readonly #facts = span('faint');
  readonly #row: HTMLButtonElement;
  readonly #stop: HTMLButtonElement;
  readonly #body = div('folded');
  readonly #output = element('pre', { class: 'output', tabindex: '0' });
  #item: Item;

  constructor(item: Item, private readonly context: ItemContext) {
    const { words, bridge, session } = context;
    this.#item = item;
    this.element = article(item, 'tool quiet', '');
    this.#row = element(
      'button',
      { type: 'button', class: 'row', click: () => this.#toggled() },
      this.#state,
      this.#title,
      this.#facts,
      icon('chevronRight', 'twist'),
    );
    const stop = () => bridge.request('session/interrupt', { sessionId: session()?.id ?? '', scope: 'command' }).catch(bridge.failed);
    this.#stop = button(words.say('stopCommand'), () => void stop(), { icon: 'debugStop', quiet: true });
    this.element.append(div('row-line', this.#row, this.#stop), this.#body);
    this.update(item);
  }

  get #call(): ToolCall {
    return this.#item.content as ToolCall;
  }

  get #isOpen(): boolean {
    const usual = this.#call.status === 'running' && this.#call.output !== '';
    return this.context.toggled.has(this.#key) ? !usual : usual;
  }

  get #key(): string {
    return `${this.#item.id}${this.#call.status === 'running' ? ':live' : ''}`;
  }

  update(item: Item): void {
    this.#item = item;
    const { status, title, durationMs, exitCode } = this.#call;
    const { words } = this.context;
    if (this.element.dataset.status !== status) this.#state.replaceChildren(icon(ICONS[status], status === 'running' ? 'spin' : ''));
    this.element.dataset.status = status;
    this.element.setAttribute('aria-label', title);
    this.#title.textContent = title;
    this.#title.classList.toggle('command', title.startsWith('$ '));
    const facts = [exitCode ? words.say('exitCode', exitCode) : '', durationMs === undefined ? '' : duration(durationMs)];
    this.#facts.textContent = facts.filter((fact) => fact !== '').join(' · ');
    this.#stop.hidden = status !== 'running';
    // What it changed says more than that it did.
    this.element.hidden = status === 'done' && this.context.edited.has(this.#call.callId);
    this.#drawBody();
  }

  append(): void {
    if (this.#body.hidden) this.#drawBody();
    else this.#drawOutput();
  }

  #toggled(): void {
    this.context.toggle(this.#key);
    this.#drawBody();
  }

  #drawBody(): void {
    const open = this.#isOpen;
    this.#body.hidden = !open;
    this.#row.setAttribute('aria-expanded', String(open));
    if (!open) return this.#body.replaceChildren();
    const { bridge, words, session } = this.context;
    const { outputBytes, title, output } = this.#call;
    const full = () => bridge.post({ type: 'output', sessionId: session()?.id ?? '', itemId: this.#item.id, title });
    const more = outputBytes !== undefined || output.length > MAX_SHOWN;
    this.#drawOutput();
    this.#body.replaceChildren(this.#output, more ? button(words.say('fullOutput'), full, { class: 'link' }) : '');
  }

  #drawOutput(): void {
    const { status, output } = this.#call;
    const running = status === 'running';
    this.#output.textContent = running ? lastLines(output, LIVE_LINES) : output.slice(0, MAX_SHOWN) || this.context.words.say('noOutput');
    this.#output.classList.toggle('live', running);
  }
}
