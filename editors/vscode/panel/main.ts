// The panel as a whole: takes what the host says, folds it, and has each part draw itself. It decides nothing that the daemon could.

import type { ConnectionMessage, FocusTarget, HostMessage, PanelSettings, ReviewFile, SessionMessage } from '../src/messages';
import type { InputPart, ModelList, SessionChanged, SessionUpdate, Update } from '../src/protocol';
import { Announcer } from './announce';
import { Card } from './approval';
import { Bridge, type Remembered } from './bridge';
import { Composer } from './composer';
import { div, element, show } from './dom';
import { Header } from './header';
import type { ItemContext } from './items';
import { Banner, welcome } from './notes';
import { closePopup } from './popup';
import { attached, fold, isRunning, order, type SessionState } from './state';
import { commandStrip, planStrip, queueStrip, workingSet } from './strips';
import { Transcript } from './transcript';
import { clock, Words } from './words';
import './main.css';

const PAGE = 100;
const ESCAPE_AGAIN = 1000;

/** Everything between the host's messages and the page. */
class Panel {
  readonly #words: Words;
  readonly #transcript: Transcript;
  readonly #header: Header;
  readonly #composer: Composer;
  readonly #card: Card;
  readonly #banner: Banner;
  readonly #announcer = new Announcer();
  readonly #welcome = element('section', { class: 'welcome', hidden: true });
  readonly #strips;
  readonly #hint = element('div', { class: 'hint', role: 'status', hidden: true });
  readonly #toggled: Set<string>;
  #remembered: Remembered;
  #connection: ConnectionMessage = { type: 'connection', state: 'starting' };
  #session: SessionMessage | undefined;
  #state: SessionState | undefined;
  #models: ModelList | undefined;
  #files: ReviewFile[] = [];
  readonly #edited = new Set<string>();
  /** What the daemon said while the session was being read. */
  #early: (() => void)[] | undefined;
  #opening = 0;
  #escaped = 0;
  #welcomed = '';

  constructor(readonly bridge: Bridge, strings: Record<string, string>, settings: PanelSettings) {
    const words = (this.#words = new Words(settings.language, strings));
    this.#remembered = bridge.remembered();
    this.#toggled = new Set(this.#remembered.expanded);
    const context = this.#itemContext(words);
    this.#transcript = new Transcript(context, (before, limit) => this.#page(before, limit), () => this.#remember());
    this.#header = new Header(bridge, words, () => this.#stop());
    this.#card = new Card(bridge, words);
    this.#banner = new Banner(bridge, words);
    this.#composer = new Composer({
      bridge,
      words,
      mac: settings.mac,
      state: () => this.#state,
      session: () => this.#session,
      items: () => this.#transcript.items,
      stop: () => this.#stop(),
      changed: () => {
        this.#remember();
        this.#drawComposer();
      },
      failed: (message) => bridge.post({ type: 'failed', message }),
    });
    const queue = queueStrip(words, {
      edit: (queued) => this.#composer.edit(queued),
      remove: ({ id }) => void this.#unqueue(id).catch(bridge.failed),
      steer: ({ id, input }) => void this.#steer(id, input).catch(bridge.failed),
    });
    this.#strips = { plan: planStrip(words), commands: commandStrip(words, bridge), work: workingSet(words, bridge), queue };
    const { plan, commands, work } = this.#strips;
    const middle = element('main', { class: 'middle' }, this.#welcome, this.#transcript.element);
    const dock = div('dock', plan.element, commands.element, this.#card.element, work.element, queue.element, this.#hint);
    document.body.replaceChildren(this.#banner.element, this.#header.element, middle, dock, this.#composer.element, this.#announcer.element);
    document.addEventListener('keydown', (event) => this.#pressed(event));
    window.addEventListener('pagehide', () => this.#remember(true));
    document.addEventListener('visibilitychange', () => document.hidden && this.#remember(true));
    setInterval(() => this.#tick(), 1000);
    this.#draw();
    const { session, draft } = this.#remembered;
    if (!session && draft) this.#composer.putBack(draft);
  }

  #itemContext(words: Words): ItemContext {
    const { bridge } = this;
    return {
      words,
      bridge,
      links: { web: (href) => bridge.post({ type: 'link', href }), file: (path, line) => bridge.post({ type: 'open', path, line }) },
      session: () => this.#state?.session,
      waiting: (uri, turnId, proposed) => this.#waiting(uri, turnId, proposed),
      edited: this.#edited,
      isOpen: (approvalId) => this.#state?.approvals.some(({ id }) => id === approvalId) ?? false,
      toggled: this.#toggled,
      toggle: (key) => {
        if (!this.#toggled.delete(key)) this.#toggled.add(key);
        this.#remember();
      },
    };
  }

  /** Takes a message of the host. */
  receive(message: HostMessage): void {
    switch (message.type) {
      case 'connection':
        return this.#connected(message);
      case 'session':
        return this.#shown(message);
      case 'notification':
        return message.method === 'session/update' ? this.#updated(message.params as SessionUpdate) : this.#changed(message.params as SessionChanged);
      case 'chips':
        return this.#composer.chips.offer(message.chips);
      case 'attach':
        return this.#composer.chips.attach(message.chips);
      case 'insert':
        this.#composer.set([this.#composer.text, message.text].filter((text) => text !== '').join(' '));
        return void (message.submit && this.#composer.send('queue'));
      case 'hunks':
        return this.#reviewed(message.files);
      case 'focus':
        return whenFocused(() => this.#focus(message.target));
      default:
    }
  }

  #connected(message: ConnectionMessage): void {
    const before = this.#connection.state;
    this.#connection = message;
    this.#banner.draw(message);
    if (message.state === 'stopped' && before === 'ready') this.#announcer.say(this.#words.say('say.disconnected'));
    if (message.state === 'ready') {
      void this.bridge.request('model/list', {}).then((models) => {
        this.#models = models;
        this.#draw();
      }, () => undefined);
      if (before !== 'ready') void this.#open();
    }
    this.#draw();
  }

  #shown(message: SessionMessage): void {
    const before = this.#session;
    this.#session = message;
    if (before?.id && !message.id) this.#remembered.session = undefined;
    if (message.id !== before?.id) void this.#open();
    this.#draw();
  }

  /** Reads the session anew: its state, the newest page, and then what came meanwhile. */
  async #open(): Promise<void> {
    const sessionId = this.#session?.id;
    const opening = ++this.#opening;
    if (!sessionId) {
      this.#state = undefined;
      this.#transcript.clear();
      return this.#draw();
    }
    if (this.#connection.state !== 'ready') return;
    const again = this.#state?.session.id === sessionId;
    const remembered = this.#remembered.session === sessionId ? this.#remembered : undefined;
    const anchor = again ? this.#transcript.anchor : remembered?.anchor;
    try {
      this.#early = [];
      const answer = await this.bridge.request('session/attach', { sessionId });
      if (opening !== this.#opening) return;
      // What came before the answer is in it.
      this.#early = [];
      const page = await this.bridge.request('session/items', { sessionId, limit: PAGE });
      if (opening !== this.#opening) return;
      const open = new Map(answer.openItems.map((item) => [item.id, item]));
      const items = page.items.map((item) => open.get(item.id) ?? item);
      this.#state = attached(answer);
      await this.#transcript.open({ ...page, items }, anchor);
      if (opening !== this.#opening) return;
      this.#composer.attached(answer.draft || remembered?.draft || '');
    } catch (error) {
      if (opening !== this.#opening) return;
      this.bridge.post({ type: 'failed', message: (error as Error).message });
    }
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const take of early) take();
    this.#draw();
    this.#remember();
  }

  #page(before: string | undefined, limit: number) {
    return this.bridge.request('session/items', { sessionId: this.#session?.id ?? '', before, limit });
  }

  #updated(message: SessionUpdate): void {
    if (message.sessionId !== this.#session?.id) return;
    if (this.#early) return void this.#early.push(() => this.#updated(message));
    if (!this.#state) return;
    const place = order(this.#state, message);
    if (place === 'known') return;
    if (place === 'gap') return void this.#open();
    this.#state = fold(this.#state, message);
    const { update } = message;
    // The commonest of all: no other part of the page cares.
    if (update.kind === 'itemDelta') return this.#transcript.append(update.itemId, update.text);
    if (update.kind === 'itemStarted' || update.kind === 'itemChanged' || update.kind === 'itemEnded') this.#transcript.put(update.item);
    if (update.kind === 'draftChanged') this.#composer.drafted(update.text);
    if (update.kind === 'approvalOpened' || update.kind === 'approvalClosed') this.#transcript.refresh(({ content }) => content.kind === 'approval');
    this.#announce(update);
    this.#draw();
  }

  #changed({ session }: SessionChanged): void {
    if (this.#early) return void this.#early.push(() => this.#changed({ session }));
    if (session.id !== this.#state?.session.id) return;
    this.#state = { ...this.#state, session };
    this.#draw();
  }

  #announce(update: Update): void {
    const words = this.#words;
    const say = (sentence: string) => this.#announcer.say(sentence);
    if (update.kind === 'approvalOpened') say(words.say('say.approval', update.approval.title));
    else if (update.kind === 'approvalClosed') say(words.say('say.answered', words.say(`answered.${update.decision.kind}`)));
    else if (update.kind === 'itemStarted' && update.item.content.kind === 'question') say(words.say('say.question', update.item.content.text));
    else if (update.kind === 'turnEnded') this.#announceEnd(update.turnId, update.stop);
  }

  #announceEnd(turnId: string, stop: string): void {
    const words = this.#words;
    if (stop === 'interrupted') return this.#announcer.say(words.say('say.stopped'));
    const items = this.#transcript.items.filter((item) => item.turnId === turnId);
    const fault = items.findLast(({ content }) => content.kind === 'error')?.content;
    if (stop === 'failed') return this.#announcer.say(words.say('say.failed', fault?.kind === 'error' ? fault.message : ''));
    const changed = new Set(items.map(({ content }) => (content.kind === 'edit' && content.state === 'applied' ? content.uri : '')).filter(Boolean));
    const more = changed.size > 0 ? `. ${words.say('say.changed', words.count('files', changed.size))}` : '';
    this.#announcer.say(`${words.say('say.replied')}${more}`);
  }

  #reviewed(files: ReviewFile[]): void {
    this.#files = files;
    this.#strips.work.draw(files);
    this.#transcript.refresh(({ content }) => content.kind === 'edit');
  }

  /** What of a turn's change of a file waits for the person: items have hunks of their own, which nobody keeps in step with the text. */
  #waiting(uri: string, turnId: string | undefined, proposed: boolean): string[] {
    const hunks = this.#files.find((file) => file.uri === uri)?.hunks ?? [];
    return hunks.filter((hunk) => hunk.turnId === turnId && (hunk.state === 'proposed') === proposed).map(({ id }) => id);
  }

  #draw(): void {
    const state = this.#state;
    this.#header.draw(state, this.#connection.state);
    this.#card.draw(state);
    this.#strips.plan.draw(state?.plan ?? { steps: [] });
    this.#strips.commands.draw(state?.commands ?? []);
    this.#strips.queue.draw(state?.queue ?? []);
    this.#strips.work.draw(this.#files);
    this.#drawWelcome();
    this.#drawComposer();
  }

  #drawWelcome(): void {
    const empty = this.#transcript.empty && this.#session !== undefined && !this.#early;
    show(this.#welcome, empty);
    show(this.#transcript.element, !empty);
    const facts = JSON.stringify([empty, this.#composer.bar.mode, this.#session, this.#models?.problem]);
    if (!empty || facts === this.#welcomed) return;
    this.#welcomed = facts;
    this.#welcome.replaceChildren(...welcome(this.#words, this.bridge, this.#composer.bar.mode, this.#session, this.#models));
  }

  #drawComposer(): void {
    this.#composer.draw(this.#connection.state === 'ready' && this.#session?.workspace !== undefined);
  }

  #tick(): void {
    for (const place of document.querySelectorAll<HTMLElement>('[data-since]')) place.textContent = clock(Date.now() - Date.parse(place.dataset.since!));
  }

  #unqueue(queuedId: string) {
    return this.bridge.request('session/unqueue', { sessionId: this.#state?.session.id ?? '', queuedId });
  }

  async #steer(queuedId: string, input: InputPart[]): Promise<void> {
    await this.#unqueue(queuedId);
    await this.bridge.prompt(input, 'steer').catch((error: Error) => {
      this.#composer.putBackPrompt(input);
      throw error;
    });
  }

  #stop(): void {
    const sessionId = this.#state?.session.id;
    if (sessionId) void this.bridge.request('session/interrupt', { sessionId, scope: 'turn' }).catch(this.bridge.failed);
  }

  #focus(target: FocusTarget): void {
    if (target === 'approval' && this.#card.isOpen) this.#card.focus();
    else if (target === 'lastMessage') this.#transcript.focusLast();
    else if (target === 'header') this.#header.element.querySelector('button')?.focus();
    else this.#composer.field.focus();
  }

  #pressed(event: KeyboardEvent): void {
    const taken = () => {
      event.preventDefault();
      event.stopPropagation();
    };
    if (event.key === 'F6') {
      taken();
      this.#nextPart(event.shiftKey ? -1 : 1);
    } else if (event.key === '.' && (event.ctrlKey || event.metaKey)) {
      taken();
      this.#composer.bar.toggleMode();
    } else if (event.key === 'Escape') {
      if (closePopup()) return taken();
      if (isRunning(this.#state) && this.#composer.element.contains(event.target as Node)) {
        taken();
        this.#escape();
      }
    }
  }

  /** Stopping by Esc takes two, so that the one that closes a list too many stops nothing. */
  #escape(): void {
    const again = Date.now() - this.#escaped < ESCAPE_AGAIN;
    this.#escaped = again ? 0 : Date.now();
    this.#hint.textContent = this.#words.say('stopAgain');
    this.#hint.hidden = again;
    if (again) return this.#stop();
    setTimeout(() => (this.#hint.hidden = true), ESCAPE_AGAIN);
  }

  #nextPart(step: number): void {
    const parts: { element: HTMLElement; target: FocusTarget }[] = [
      { element: this.#header.element, target: 'header' },
      { element: this.#transcript.element, target: 'lastMessage' },
      { element: this.#card.element, target: 'approval' },
      { element: this.#composer.element, target: 'composer' },
    ];
    const there = parts.filter(({ element: part }) => !part.hidden);
    const current = there.findIndex(({ element: part }) => part.contains(document.activeElement));
    this.#focus(there[(current + step + there.length) % there.length]!.target);
  }

  #remember(now = false): void {
    // Until the session is read, what is remembered of it is still needed.
    if (this.#early || (!this.#state && this.#remembered.session)) return;
    this.bridge.remember(() => {
      const state: Remembered = {
        session: this.#state?.session.id,
        draft: this.#composer.text,
        anchor: this.#transcript.anchor,
        expanded: [...this.#toggled].slice(-200),
      };
      this.#remembered = state;
      return state;
    }, now);
  }
}

/** The person may be elsewhere by the time a wish for the focus arrives: it is followed only where the page has it, or gets it right now. */
function whenFocused(follow: () => void): void {
  if (document.hasFocus()) follow();
  else window.addEventListener('focus', follow, { once: true, signal: AbortSignal.timeout(1000) });
}

let panel: Panel | undefined;
const bridge = new Bridge((message) => {
  if (message.type === 'init') panel ??= new Panel(bridge, message.strings, message.settings);
  else panel?.receive(message);
});
bridge.post({ type: 'ready' });
