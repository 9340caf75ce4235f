// What could complete the word at the caret: the daemon knows, this shows it and puts the chosen one in.

import type { Candidate } from '../src/protocol';
import { element, span } from './dom';

/** Asks what could stand there. */
export type Complete = (text: string, offset: number) => Promise<Candidate[]>;

/** The word from its `@`, or from the `/` at the very beginning, up to the caret. */
export function wordAt(text: string, offset: number): { start: number; word: string } | undefined {
  const found = /(?:^|\s)(@[^\s]*)$/.exec(text.slice(0, offset)) ?? /^(\/[^\s]*)$/.exec(text.slice(0, offset));
  return found ? { start: offset - found[1]!.length, word: found[1]! } : undefined;
}

/** The list of candidates above the composer. */
export class Completion {
  readonly element: HTMLElement;
  #candidates: Candidate[] = [];
  #chosen = 0;
  #asked = 0;

  constructor(
    private readonly field: HTMLTextAreaElement,
    label: string,
    private readonly complete: Complete,
    private readonly accept: (candidate: Candidate, start: number, end: number) => void,
  ) {
    this.element = element('div', { class: 'completion', id: 'completion', role: 'listbox', 'aria-label': label, hidden: true });
    field.setAttribute('aria-controls', 'completion');
    field.setAttribute('aria-autocomplete', 'list');
  }

  get isOpen(): boolean {
    return !this.element.hidden;
  }

  /** The text or the caret is another: asks again, or closes. */
  async look(): Promise<void> {
    const asked = ++this.#asked;
    const { value, selectionStart } = this.field;
    if (!wordAt(value, selectionStart)) return this.close();
    const candidates = await this.complete(value, selectionStart).catch(() => []);
    if (asked !== this.#asked) return;
    this.#candidates = candidates;
    this.#chosen = 0;
    if (candidates.length === 0) return this.close();
    this.#draw();
  }

  close(): void {
    this.#asked++;
    this.element.hidden = true;
    this.field.removeAttribute('aria-activedescendant');
  }

  /** Takes the keys that are its own while it is open, and says whether this was one. */
  pressed(event: KeyboardEvent): boolean {
    if (!this.isOpen) return false;
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (step) {
      this.#chosen = (this.#chosen + step + this.#candidates.length) % this.#candidates.length;
      this.#draw();
    } else if (event.key === 'Tab' || (event.key === 'Enter' && !event.shiftKey && !event.ctrlKey && !event.metaKey)) {
      this.#take(this.#chosen);
    } else if (event.key === 'Escape') this.close();
    else return false;
    return true;
  }

  #take(index: number): void {
    const candidate = this.#candidates[index];
    const { value, selectionStart } = this.field;
    const word = wordAt(value, selectionStart);
    this.close();
    if (candidate && word) this.accept(candidate, word.start, selectionStart);
  }

  #draw(): void {
    const options = this.#candidates.map(({ label, detail }, index) => {
      const option = element(
        'div',
        { role: 'option', id: `completion-${index}`, 'aria-selected': String(index === this.#chosen) },
        ...labelParts(label),
        span('detail', detail ?? ''),
      );
      // The field keeps the focus.
      option.addEventListener('pointerdown', (event) => event.preventDefault());
      option.addEventListener('click', () => this.#take(index));
      return option;
    });
    this.element.replaceChildren(...options);
    this.element.hidden = false;
    this.field.setAttribute('aria-activedescendant', `completion-${this.#chosen}`);
    options[this.#chosen]?.scrollIntoView({ block: 'nearest' });
  }
}

/** The end of a path is what tells files apart, so the folder is what gives way. */
function labelParts(label: string): HTMLElement[] {
  const slash = label.lastIndexOf('/') + 1;
  if (slash <= 1) return [span('name', label)];
  return [span('name', label.slice(slash)), span('folder', label.slice(0, slash - 1))];
}
