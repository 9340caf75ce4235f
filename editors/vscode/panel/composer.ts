// Where the person writes: the field, what could complete it, its chips and the row below. What is typed here is a message or a draft, and
// never an answer to a question.

import type { SessionMessage } from '../src/messages';
import type { InputPart, Item, Queued } from '../src/protocol';
import { Bar } from './bar';
import type { Bridge } from './bridge';
import { Chips, droppedChips } from './chips';
import { Completion } from './complete';
import { button, div, element, icon, span } from './dom';
import { partLabel } from './items';
import { isRunning, type SessionState } from './state';
import type { Words } from './words';

const DRAFT_DELAY = 150;

/** What the composer needs of the panel. */
export interface ComposerContext {
  bridge: Bridge;
  words: Words;
  mac: boolean;
  state(): SessionState | undefined;
  session(): SessionMessage | undefined;
  /** The latest items, for the arrow that brings the last prompt back. */
  items(): Item[];
  stop(): void;
  changed(): void;
  failed(message: string): void;
}

/** The words of a prompt, without what was attached. */
export function textOf(input: InputPart[]): string {
  return input.map((part) => (part.type === 'text' ? part.text : '')).filter((text) => text !== '').join('\n');
}

/** The composer. */
export class Composer {
  readonly element: HTMLElement;
  readonly field: HTMLTextAreaElement;
  readonly chips: Chips;
  readonly bar: Bar;
  readonly #completion: Completion;
  readonly #editing = element('div', { class: 'editing', hidden: true });
  /** The waiting prompt that is edited, and what was half-written when that began. */
  #queued: Queued | undefined;
  #edits = '';
  #halfWritten = '';
  #draft: ReturnType<typeof setTimeout> | undefined;
  #unsaved = false;
  #reachable = false;
  /** Drafts that were sent and have not come back: the daemon tells everybody, us too. */
  #echoes: string[] = [];

  constructor(private readonly context: ComposerContext) {
    const { words, bridge } = context;
    this.field = element('textarea', { class: 'field', rows: '1', 'aria-label': words.say('composer'), spellcheck: 'true' });
    this.chips = new Chips(words, () => this.#startCompletion());
    this.bar = new Bar(bridge, words, (stops) => (stops ? context.stop() : void this.send('queue')));
    this.#completion = new Completion(
      this.field,
      words.say('suggestions'),
      (text, offset) => this.#complete(text, offset),
      ({ insert, call }, start, end) => {
        if (!call) return this.field.setRangeText(`${insert} `, start, end, 'end'), this.#typed();
        this.set('');
        void bridge.request(call.method as 'session/compact', call.params as { sessionId: string }).catch((error: Error) => context.failed(error.message));
      },
    );
    this.element = div('composer', this.#completion.element, this.#editing, this.chips.element, this.field, this.bar.element);
    this.field.addEventListener('input', () => this.#typed());
    this.field.addEventListener('keydown', (event) => this.#pressed(event));
    this.field.addEventListener('blur', () => this.#completion.close());
    this.element.addEventListener('dragover', (event) => event.preventDefault());
    this.element.addEventListener('drop', (event) => {
      event.preventDefault();
      if (event.dataTransfer) this.chips.attach(droppedChips(event.dataTransfer));
    });
  }

  get text(): string {
    return this.field.value;
  }

  /** Puts a text in, as a draft that comes from elsewhere. */
  set(text: string): void {
    if (this.field.value !== text) this.field.value = text;
    this.#grow();
    this.context.changed();
  }

  /** The daemon says what is typed, here or in another editor. */
  drafted(text: string): void {
    const echo = this.#echoes.indexOf(text);
    if (echo >= 0) this.#echoes.splice(0, echo + 1);
    else if (!this.isTyping && !this.#queued) this.set(text);
  }

  /** Whether what was typed here is still on its way to the daemon. */
  get isTyping(): boolean {
    return this.#draft !== undefined || (this.#unsaved && this.text !== '');
  }

  /** A session was read: what was typed here meanwhile is its draft now, and otherwise its draft comes here. */
  attached(draft: string): void {
    this.#leaveEdit();
    if (this.isTyping) this.#saveDraft();
    else if (!this.#queued) this.set(draft);
  }

  /** Puts back what was not sent, before what was typed since. */
  putBack(text: string): void {
    this.set([text, this.text].filter((one) => one.trim() !== '').join('\n\n'));
    this.#saveSoon();
  }

  /** Puts back a prompt that waited, with what was attached. */
  putBackPrompt(input: InputPart[]): void {
    const attached = input.filter((part) => part.type !== 'text');
    this.chips.attach(attached.map((part) => ({ id: JSON.stringify(part), label: partLabel(part, this.context.words), icon: 'file', part })));
    this.putBack(textOf(input));
  }

  /** Draws what is so now. */
  draw(reachable: boolean): void {
    const { state, session, words, mac } = this.context;
    this.#reachable = reachable;
    this.#leaveEdit();
    const running = isRunning(state());
    this.field.placeholder = running ? words.say('placeholder.running', mac ? '⌘↵' : 'Ctrl+Enter') : words.say('placeholder.idle');
    this.bar.draw(state(), session(), this.text.trim() === '', reachable);
    this.element.classList.toggle('agent', this.bar.mode === 'agent');
  }

  /** Puts a prompt that waits into the field, to be changed. */
  edit(queued: Queued): void {
    const { words } = this.context;
    if (!this.#queued) {
      if (this.isTyping) this.#saveDraft();
      this.#halfWritten = this.text;
    }
    this.#queued = queued;
    this.#edits = this.context.state()?.session.id ?? '';
    this.#editing.replaceChildren(icon('edit'), span('grow', words.say('editingQueued')), button(words.say('back'), () => this.#endEdit(), { icon: 'close', quiet: true }));
    this.#editing.hidden = false;
    this.set(textOf(queued.input));
    this.field.focus();
  }

  #endEdit(): void {
    clearTimeout(this.#draft);
    this.#draft = undefined;
    this.#unsaved = false;
    this.#queued = undefined;
    this.#editing.hidden = true;
    this.set(this.#halfWritten);
  }

  /** A prompt that waits no more cannot be changed; what was written of it stays, as a draft. */
  #leaveEdit(): void {
    const state = this.context.state();
    const queued = this.#queued;
    const same = state?.session.id === this.#edits;
    if (!queued || (same && state?.queue.some(({ id }) => id === queued.id))) return;
    const text = this.text;
    this.#endEdit();
    // The half-written draft of another session stays there.
    if (!same) this.set('');
    this.putBack(text);
  }

  /** Sends what is written. While a turn runs it waits for its end, or reaches the model at its next step. */
  async send(delivery: 'queue' | 'steer'): Promise<void> {
    const { bridge, state, failed } = this.context;
    const text = this.text.trim();
    if (text === '' || !this.#reachable) return;
    const queued = this.#queued;
    const sessionId = state()?.session.id;
    if (queued && sessionId) {
      const input: InputPart[] = [{ type: 'text', text }, ...queued.input.filter((part) => part.type !== 'text')];
      const end = () => this.#queued === queued && this.#endEdit();
      return bridge.request('session/requeue', { sessionId, queuedId: queued.id, input }).then(() => void end(), (error: Error) => failed(error.message));
    }
    const { added } = this.chips;
    const input: InputPart[] = [{ type: 'text', text }, ...this.chips.take()];
    this.set('');
    this.#saveDraft();
    this.#unsaved = false;
    await bridge.prompt(input, delivery).catch((error: Error) => {
      // What could not be sent is not lost.
      this.chips.attach(added);
      this.putBack(text);
      failed(error.message);
    });
  }

  #typed(): void {
    this.#grow();
    void this.#completion.look();
    this.#saveSoon();
    this.context.changed();
  }

  #saveSoon(): void {
    this.#unsaved = true;
    clearTimeout(this.#draft);
    this.#draft = setTimeout(() => this.#saveDraft(), DRAFT_DELAY);
  }

  #saveDraft(): void {
    clearTimeout(this.#draft);
    this.#draft = undefined;
    const sessionId = this.context.state()?.session.id;
    if (!sessionId || this.#queued) return;
    this.#unsaved = false;
    this.#echoes.push(this.text);
    void this.context.bridge.request('session/draft', { sessionId, text: this.text }).catch(() => {
      this.#unsaved = true;
    });
  }

  #grow(): void {
    this.field.style.height = 'auto';
    this.field.style.height = `${this.field.scrollHeight}px`;
  }

  async #complete(text: string, offset: number) {
    const { bridge, state, session } = this.context;
    const sessionId = state()?.session.id;
    if (sessionId) return (await bridge.request('session/complete', { sessionId, text, offset })).candidates;
    const workspace = session()?.workspace;
    const query = /@(\S*)$/.exec(text.slice(0, offset))?.[1];
    if (!workspace || query === undefined) return [];
    const { files } = await bridge.request('file/search', { workspace, query, limit: 20 });
    return files.map(({ path }) => ({ label: path, insert: `@${path}` }));
  }

  #startCompletion(): void {
    const { selectionStart, value } = this.field;
    const space = selectionStart > 0 && !/\s/.test(value[selectionStart - 1]!) ? ' ' : '';
    this.field.focus();
    this.field.setRangeText(`${space}@`, selectionStart, this.field.selectionEnd, 'end');
    this.#typed();
  }

  #pressed(event: KeyboardEvent): void {
    if (event.isComposing) return;
    if (this.#completion.pressed(event)) {
      event.preventDefault();
      event.stopPropagation();
    } else if (event.key === 'Enter' && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      event.stopPropagation();
      void this.send(event.ctrlKey || event.metaKey ? 'steer' : 'queue');
    } else if (event.key === 'ArrowUp' && this.text === '') {
      event.preventDefault();
      this.#editLast();
    }
  }

  #editLast(): void {
    const waiting = this.context.state()?.queue.at(-1);
    if (waiting) return this.edit(waiting);
    const last = this.context.items().findLast(({ content }) => content.kind === 'userMessage');
    if (last?.content.kind === 'userMessage') this.set(textOf(last.content.input));
  }
}
