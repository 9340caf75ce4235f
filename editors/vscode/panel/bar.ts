// The row below the composer: what the agent may do, which model answers, how full its context is, and the one button that sends or stops.

import type { SessionMessage } from '../src/messages';
import type { Mode } from '../src/protocol';
import type { Bridge } from './bridge';
import { button, div, element, icon, show, span } from './dom';
import { closePopup, popup } from './popup';
import { isRunning, type SessionState } from './state';
import type { Words } from './words';

const NEARLY_FULL = 80;
const RING = 2 * Math.PI * 6;

/** The row. */
export class Bar {
  readonly element: HTMLElement;
  readonly #mode: HTMLButtonElement;
  readonly #model: HTMLButtonElement;
  readonly #meter: HTMLButtonElement;
  readonly #send: HTMLButtonElement;
  #state: SessionState | undefined;
  #session: SessionMessage | undefined;
  #drawn = '';

  constructor(private readonly bridge: Bridge, private readonly words: Words, private readonly press: (stops: boolean) => void) {
    const chip = (kind: string, click: () => void) => element('button', { type: 'button', class: `bar-chip ${kind}`, 'aria-haspopup': 'dialog', click });
    this.#mode = chip('mode', () => this.toggleMode());
    this.#model = chip('model', () => bridge.command('pilotfish.selectModel'));
    this.#meter = chip('meter', () => this.#openMeter());
    this.#send = element('button', { type: 'button', class: 'send', click: () => this.press(this.#send.dataset.stops === 'true') });
    this.element = div('bar', this.#mode, this.#model, span('bar-end', this.#meter, this.#send));
  }

  /** The mode that holds, or that the first prompt will begin with. */
  get mode(): Mode {
    return this.#state?.session.mode ?? this.#session?.mode ?? 'read-only';
  }

  /** Draws what is so now; `empty` says whether there is nothing to send. */
  draw(state: SessionState | undefined, session: SessionMessage | undefined, empty: boolean, reachable: boolean): void {
    this.#state = state;
    this.#session = session;
    const running = isRunning(state);
    const facts = JSON.stringify([this.mode, state?.session.model, state?.session.effort, state?.usage, running, empty, reachable, state === undefined]);
    if (facts === this.#drawn) return;
    this.#drawn = facts;
    this.#drawMode();
    this.#drawModel();
    this.#drawMeter();
    const stops = running && empty;
    const label = this.words.say(stops ? 'stopTurn' : running ? 'queue' : 'send');
    this.#send.dataset.stops = String(stops);
    this.#send.replaceChildren(icon(stops ? 'debugStop' : 'send'));
    this.#send.setAttribute('aria-label', label);
    this.#send.title = label;
    this.#send.disabled = !reachable || (empty && !stops);
  }

  #drawMode(): void {
    const { mode, words } = this;
    const name = words.say(`mode.${mode}`);
    this.#mode.replaceChildren(icon(mode === 'agent' ? 'unlock' : 'lock'), span('', name), icon('chevronDown', 'small'));
    this.#mode.setAttribute('aria-label', words.say('mode', name));
    this.#mode.title = `${words.say('mode', name)} (Ctrl+.)`;
    this.#mode.classList.toggle('agent', mode === 'agent');
  }

  #drawModel(): void {
    const { model, effort } = this.#state?.session ?? {};
    const short = model?.split('/').slice(1).join('/') || model;
    const name = short ? short : this.words.say('noModel');
    show(this.#model, this.#state !== undefined);
    this.#model.replaceChildren(span('model-name', name), effort ? span('effort', `· ${effort}`) : '', icon('chevronDown', 'small'));
    this.#model.setAttribute('aria-label', this.words.say('model', [name, effort].filter(Boolean).join(' · ')));
    this.#model.title = model ?? '';
  }

  get #percent(): number | undefined {
    const usage = this.#state?.usage;
    return usage?.contextSize ? Math.min(100, Math.round((usage.contextTokens / usage.contextSize) * 100)) : undefined;
  }

  #drawMeter(): void {
    const percent = this.#percent;
    const tokens = this.#state?.usage.contextTokens ?? 0;
    show(this.#meter, this.#state !== undefined && (percent !== undefined || tokens > 0));
    const text = percent === undefined ? this.words.short(tokens) : `${percent} %`;
    const label = percent === undefined ? this.words.say('meterUnknown', text) : this.words.say('meter', percent);
    this.#meter.replaceChildren(ring(percent ?? 0), span('', text));
    this.#meter.setAttribute('aria-label', label);
    this.#meter.title = label;
    this.#meter.classList.toggle('high', (percent ?? 0) >= NEARLY_FULL);
  }

  #openMeter(): void {
    const { words } = this;
    const state = this.#state;
    if (!state) return;
    const { usage, context, session } = state;
    const row = (label: string, value: string, kind = '') => [element('dt', { class: kind }, label), element('dd', {}, value)];
    const number = (value: number) => words.short(value);
    const total = usage.contextSize ? words.say('meter.of', number(usage.contextTokens), number(usage.contextSize)) : number(usage.contextTokens);
    const compact = () => {
      closePopup();
      void this.bridge.request('session/compact', { sessionId: session.id }).catch(this.bridge.failed);
    };
    popup(this.#meter, words.say('meter.title'), [
      div('popup-head', span('strong', words.say('meter.title')), span('faint', total)),
      (this.#percent ?? 0) >= NEARLY_FULL ? div('warn', icon('warning'), words.say('meter.high')) : '',
      element(
        'dl',
        { class: 'table' },
        ...(['instructions', 'history', 'toolOutput', 'files'] as const).flatMap((part) => row(words.say(`meter.${part}`), number(context[part] ?? 0))),
        element('dt', { class: 'rule' }),
        element('dd', { class: 'rule' }),
        ...row(words.say('meter.input'), number(usage.inputTokens)),
        ...row(words.say('meter.cached'), number(usage.cachedTokens), 'inner'),
        ...row(words.say('meter.output'), number(usage.outputTokens)),
        ...(usage.cost === undefined ? [] : row(words.say('meter.cost'), words.money(usage.cost))),
      ),
      div('buttons', button(words.say('compactNow'), compact, { icon: 'fold' })),
    ].map((part) => (typeof part === 'string' ? document.createTextNode(part) : part)));
  }

  /** Read-only at once; agent only after a look at what that means. */
  toggleMode(): void {
    if (this.mode === 'agent') return void this.#set('read-only');
    const { words } = this;
    if (this.#session && !this.#session.trusted) {
      const manage = button(words.say('mode.manageTrust'), () => this.bridge.command('workbench.trust.manage'));
      return this.#ask(words.say('mode.unavailable'), [words.say('mode.untrusted')], [manage]);
    }
    const workspace = this.#state?.session.workspace ?? this.#session?.workspace ?? '';
    const remember = element('input', { type: 'checkbox', id: 'remember' });
    const go = button(words.say('mode.toAgent'), () => void this.#set('agent', remember.checked), { icon: 'unlock' });
    const folder = workspace.split(/[\\/]/).pop() ?? workspace;
    const check = element('label', { class: 'check', for: 'remember' }, remember, words.say('mode.remember'));
    this.#ask(words.say('mode.switch'), [words.say('mode.folder', folder), words.say('mode.limits')], [go, button(words.say('mode.stay'), () => closePopup())], check);
  }

  #ask(title: string, lines: string[], buttons: HTMLElement[], more?: HTMLElement): void {
    popup(this.#mode, title, [
      div('strong', title),
      ...lines.map((line) => element('p', {}, line)),
      ...(more ? [more] : []),
      div('buttons', ...buttons),
    ]);
  }

  async #set(mode: Mode, remember = false): Promise<void> {
    closePopup();
    const session = this.#state?.session;
    const remembered = () => remember && this.bridge.post({ type: 'remember', mode });
    if (!session) {
      this.bridge.post({ type: 'choose', mode });
      return void remembered();
    }
    const { words } = this;
    const wasRunning = session.status.state === 'running';
    try {
      await this.bridge.request('session/setMode', { sessionId: session.id, mode });
    } catch (error) {
      return this.#ask(words.say('mode.unavailable'), [(error as Error).message], []);
    }
    remembered();
    if (mode !== 'read-only' || !wasRunning) return;
    const stop = () => {
      closePopup();
      void this.bridge.request('session/interrupt', { sessionId: session.id, scope: 'command' }).catch(this.bridge.failed);
    };
    this.#ask(words.say('mode.read-only'), [words.say('mode.running')], [button(words.say('mode.finish'), () => closePopup()), button(words.say('mode.stop'), stop)]);
  }
}

/** A ring that is as full as the context. */
function ring(percent: number): Element {
  const space = 'http://www.w3.org/2000/svg';
  const drawing = document.createElementNS(space, 'svg');
  drawing.setAttribute('viewBox', '0 0 16 16');
  drawing.setAttribute('class', 'icon ring');
  drawing.setAttribute('aria-hidden', 'true');
  for (const [kind, length] of [['track', RING], ['level', (RING * percent) / 100]] as const) {
    const circle = document.createElementNS(space, 'circle');
    for (const [name, value] of Object.entries({ cx: 8, cy: 8, r: 6, class: kind, 'stroke-dasharray': `${length} ${RING}`, transform: 'rotate(-90 8 8)' })) {
      circle.setAttribute(name, String(value));
    }
    drawing.append(circle);
  }
  return drawing;
}
