// The body of an answer while it arrives: finished blocks are Markdown, the open one is a single text node that only grows. Nothing above
// the last line ever moves.

import { finishedBlock, openFence } from './blocks';
import { codeBlock, markdown, type Links } from './markdown';
import { div } from './dom';
import type { Words } from './words';

/** An answer's words. */
export class MessageBody {
  readonly element = div('markdown');
  #text = '';
  /** What of the text is not drawn as Markdown yet. */
  #rest = '';
  #tail: HTMLElement | undefined;
  #tailNode: Text | undefined;

  constructor(private readonly links: Links, private readonly words: Words) {}

  /** More words came. */
  append(text: string): void {
    this.#text += text;
    this.#rest += text;
    let finished = false;
    for (let length = finishedBlock(this.#rest); length !== undefined; length = finishedBlock(this.#rest)) {
      this.#finish(this.#rest.slice(0, length));
      this.#rest = this.#rest.slice(length);
      finished = true;
    }
    if (finished || !this.#tailNode || this.#becameCode()) this.#openTail();
    else this.#tailNode.appendData(text);
  }

  /** The words are whole. */
  end(text: string): void {
    if (text !== this.#text) {
      this.element.replaceChildren();
      this.#tail = undefined;
      this.#rest = this.#text = '';
      this.append(text);
    }
    if (this.#rest.trim() !== '') this.#finish(this.#rest);
    this.#tail?.remove();
    this.#tail = this.#tailNode = undefined;
    this.#rest = '';
  }

  #finish(block: string): void {
    const drawn = div('block');
    drawn.append(markdown(block, this.links, this.words));
    if (this.#tail) this.#tail.before(drawn);
    else this.element.append(drawn);
    this.#dropTail();
  }

  #dropTail(): void {
    this.#tail?.remove();
    this.#tail = this.#tailNode = undefined;
  }

  #becameCode(): boolean {
    return openFence(this.#rest) !== undefined && !this.#tail?.classList.contains('open-code');
  }

  #openTail(): void {
    this.#dropTail();
    const fence = openFence(this.#rest);
    this.#tailNode = document.createTextNode(fence ? this.#rest.slice(fence.start) : this.#rest.replace(/^\n+/, ''));
    if (fence) {
      this.#tail = codeBlock('', fence.language, this.words);
      this.#tail.classList.add('block', 'open-code');
      this.#tail.querySelector('code')!.replaceChildren(this.#tailNode);
    } else this.#tail = div('block open-text', this.#tailNode);
    this.element.append(this.#tail);
  }
}
