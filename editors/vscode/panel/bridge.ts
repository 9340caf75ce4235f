// The panel's end of the connection to the extension host, and what the panel remembers of itself while its page is gone.

import type { HostMessage, PanelMessage } from '../src/messages';
import type { InputPart, Methods } from '../src/protocol';

declare function acquireVsCodeApi(): { postMessage(message: PanelMessage): void; getState(): unknown; setState(state: unknown): void };

/** Where the reader is: this item stands so many pixels below the upper edge. Absent at the end, which is followed. */
export interface Anchor {
  itemId: string;
  offset: number;
}

/** What outlives the page. Everything else is asked of the daemon again. */
export interface Remembered {
  session?: string;
  draft: string;
  anchor?: Anchor;
  expanded: string[];
}

/** A failed request, with the daemon's word for what kind of failure it is. */
export class Refusal extends Error {
  constructor(message: string, readonly kind?: string) {
    super(message);
  }
}

interface Waiting {
  resolve(result: never): void;
  reject(error: Error): void;
}

const SAVE_DELAY = 150;

/** Talks to the host. */
export class Bridge {
  readonly #api = acquireVsCodeApi();
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #save: ReturnType<typeof setTimeout> | undefined;

  constructor(receive: (message: HostMessage) => void) {
    window.addEventListener('message', ({ data }: MessageEvent<HostMessage>) => {
      if (data.type !== 'response') return receive(data);
      const waiting = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if (data.error) waiting?.reject(new Refusal(data.error.message, data.error.kind));
      else waiting?.resolve(data.result as never);
    });
  }

  /** Calls a method of the daemon. */
  request<M extends keyof Methods>(method: M, params: Methods[M]['params']): Promise<Methods[M]['result']> {
    return this.#ask((id) => ({ type: 'request', id, method, params }));
  }

  /** Sends a prompt, into a new session when there is none. */
  prompt(input: InputPart[], delivery: 'queue' | 'steer'): Promise<Methods['session/prompt']['result']> {
    return this.#ask((id) => ({ type: 'prompt', id, input, delivery }));
  }

  #ask<T>(message: (id: number) => PanelMessage): Promise<T> {
    const id = this.#nextId++;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.post(message(id));
    });
  }

  /** Says something that has no answer. */
  post(message: PanelMessage): void {
    this.#api.postMessage(message);
  }

  /** Tells of something that failed. */
  readonly failed = (error: Error): void => this.post({ type: 'failed', message: error.message });

  /** Runs one of the commands that the host allows. */
  command(command: string, ...parameters: unknown[]): void {
    this.post({ type: 'command', command, arguments: parameters });
  }

  /** What was remembered. */
  remembered(): Remembered {
    const state = (this.#api.getState() ?? {}) as Partial<Remembered>;
    return { draft: '', expanded: [], ...state };
  }

  /** Remembers, a moment later and then once; `now` for the last moment of the page. */
  remember(state: () => Remembered, now = false): void {
    clearTimeout(this.#save);
    if (now) return this.#api.setState(state());
    this.#save = setTimeout(() => this.#api.setState(state()), SAVE_DELAY);
  }
}
