// The card of what needs the person: a question of policy with its exact words, and a question of the model. It is docked, so that it never
// scrolls away; it never takes the focus, and nothing typed elsewhere answers it.

import type { Approval, Decision, Item, Question, Rule, RulePreview } from '../src/protocol';
import type { Bridge } from './bridge';
import { button, div, element, icon, span } from './dom';
import { diff, summary } from './edits';
import { alike, type SessionState } from './state';
import type { Words } from './words';

type Step = { at: 'asked' } | { at: 'deny' } | { at: 'always'; rule: Rule; preview?: RulePreview; problem?: string };

/** A card that has just come takes no answer: what is pressed then was meant for the one before. */
const SETTLES = 400;

/** The card. */
export class Card {
  readonly element = element('section', { class: 'card', hidden: true });
  #approvals: Approval[] = [];
  #questions: Item[] = [];
  #sessionId = '';
  #step: Step = { at: 'asked' };
  #drawn = '';
  #shownAt = 0;
  #answering: Promise<unknown> | undefined;

  constructor(private readonly bridge: Bridge, readonly words: Words) {
    this.element.addEventListener('keydown', (event) => this.#pressed(event));
  }

  /** Draws what waits now. */
  draw(state: SessionState | undefined): void {
    this.#approvals = state?.approvals ?? [];
    this.#questions = state?.questions ?? [];
    this.#sessionId = state?.session.id ?? '';
    const shown = [...this.#approvals, ...this.#questions].map(({ id }) => id).join(' ');
    if (shown === this.#drawn) return;
    const same = shown.split(' ')[0] === this.#drawn.split(' ')[0];
    this.#drawn = shown;
    if (same) return this.#fillAgain();
    this.#step = { at: 'asked' };
    this.#shownAt = Date.now();
    this.#answering = undefined;
    // Keys meant for the card before must not reach this one.
    const active = document.activeElement as HTMLElement | null;
    if (this.element.contains(active)) active!.blur();
    this.#fill();
    setTimeout(() => this.#hold(), SETTLES + 20);
  }

  /** Draws the same question again, with what is being written there. */
  #fillAgain(): void {
    const field = () => this.element.querySelector('input');
    const before = field();
    const [start, end] = [before?.selectionStart ?? null, before?.selectionEnd ?? null];
    this.#fill();
    const after = field();
    if (!before || !after) return;
    after.value = before.value;
    after.setSelectionRange(start, end);
  }

  get #isHeld(): boolean {
    return this.#answering !== undefined || Date.now() - this.#shownAt < SETTLES;
  }

  /** Buttons say when they do nothing. */
  #hold(): void {
    const held = this.#isHeld;
    for (const one of this.element.querySelectorAll('button')) one.disabled = held || 'off' in one.dataset;
  }

  /** Sends an answer; until it is taken or refused there is no other. */
  #send(answer: () => Promise<unknown>): void {
    if (this.#isHeld) return;
    const sent = answer();
    this.#answering = sent;
    // A button that is off would lose the focus to nowhere.
    if (document.activeElement instanceof HTMLButtonElement && this.element.contains(document.activeElement)) this.focus();
    this.#hold();
    const ends = (error?: Error) => {
      if (this.#answering !== sent) return;
      this.#answering = undefined;
      this.#hold();
      if (error) this.#problem(error.message);
    };
    sent.then(() => ends(), ends);
  }

  /** Whether somebody waits. */
  get isOpen(): boolean {
    return !this.element.hidden;
  }

  /** Puts the focus on the card itself, where 1 to 4 answer. */
  focus(): void {
    this.element.focus();
  }

  #fill(): void {
    const had = this.element.contains(document.activeElement);
    const [approval] = this.#approvals;
    const [question] = this.#questions;
    this.element.hidden = !approval && !question;
    this.element.className = `card ${approval ? 'approval' : 'question'}`;
    this.element.tabIndex = -1;
    this.element.setAttribute('role', approval ? 'alertdialog' : 'group');
    const title = approval ? `${this.words.say('needsYou')}: ${approval.title}` : this.words.say('asks');
    this.element.setAttribute('aria-label', title);
    const content = approval ? this.#approval(approval) : question ? this.#question(question) : [];
    this.element.replaceChildren(...content);
    this.#hold();
    if (had && this.isOpen) (this.element.querySelector<HTMLElement>('input, textarea') ?? this.element).focus();
  }

  #go(step: Step): void {
    this.#step = step;
    this.#fill();
  }

  #head(text: string, position: string): HTMLElement {
    return div('card-head', icon('warning'), span('strong grow', text), span('faint', position));
  }

  #approval(approval: Approval): HTMLElement[] {
    const { words } = this;
    const total = this.#approvals.length + this.#questions.length;
    const same = alike(this.#approvals).length;
    return [
      this.#head(`${words.say('needsYou')}: ${approval.title}`, total > 1 ? words.say('position', 1, total) : ''),
      ...this.#what(approval),
      ...(same > 1 ? [div('faint', words.count('same', same))] : []),
      ...this.#below(approval),
    ];
  }

  #what(approval: Approval): HTMLElement[] {
    const { words } = this;
    const { segments, detail, cwd, reason, edits, escaped, grants } = approval;
    const command = element('pre', { class: 'asked', tabindex: '0' });
    if (segments.length > 1) {
      const parts = segments.map(({ text, asks }) => span(asks ? 'segment asks' : 'segment', text));
      command.append(span('whole', detail), span('segments', ...parts));
    } else command.append(detail);
    const where = div('facts', span('', reason), span('faint', words.say('inFolder', cwd)));
    if (grants.length > 0) where.append(span('faint', grants.join(', ')));
    return [
      ...(edits.length === 0 || segments.length > 0 ? [command] : []),
      ...(escaped ? [div('warn', icon('warning'), words.say('escaped'))] : []),
      ...(this.#step.at === 'always' ? [] : [where]),
      ...edits.map((edit) => div('asked-edit', div('line', icon('edit'), ...summary(edit, this)), ...edit.hunks.map((hunk) => diff(hunk, Infinity)))),
    ];
  }

  #below(approval: Approval): HTMLElement[] {
    const step = this.#step;
    if (step.at === 'always') return this.#always(approval, step);
    if (step.at === 'deny') return [this.#denial(approval)];
    const { words } = this;
    const isCommand = approval.segments.length > 0;
    return [
      div('buttons keyed', this.#choice(1, words.say(isCommand ? 'runOnce' : 'allowOnce')),
        this.#choice(2, words.say('thisSession')),
        approval.rule && this.#choice(3, words.say('always')),
        span('gap'),
        this.#choice(4, words.say('no')),
      ),
    ];
  }

  #choice(key: number, label: string): HTMLElement {
    const made = button(label, () => this.#choose(key));
    made.setAttribute('aria-keyshortcuts', String(key));
    made.prepend(element('kbd', { 'aria-hidden': 'true' }, String(key)));
    return made;
  }

  #choose(key: number): void {
    const [approval] = this.#approvals;
    if (!approval || this.#isHeld) return;
    if (key === 1) this.#answer({ kind: 'once' });
    else if (key === 2) this.#answer({ kind: 'session' });
    else if (key === 3 && approval.rule) void this.#preview(approval, approval.rule);
    else if (key === 4) {
      this.#go({ at: 'deny' });
      this.element.querySelector('input')?.focus();
    }
  }

  #pressed(event: KeyboardEvent): void {
    if (event.isComposing) return;
    if (event.repeat) return void (event.key === 'Enter' && event.preventDefault());
    if (event.key === 'Escape' && this.#step.at !== 'asked') {
      event.preventDefault();
      event.stopPropagation();
      this.#go({ at: 'asked' });
      return this.focus();
    }
    // A digit counts only on the card or one of its buttons, never in a field.
    const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !/^[1-9]$/.test(event.key)) return;
    event.preventDefault();
    const key = Number(event.key);
    if (this.#approvals.length === 0) this.element.querySelectorAll<HTMLElement>('.choices button')[key - 1]?.click();
    else if (this.#step.at === 'asked' && key <= 4) this.#choose(key);
  }

  #answer(decision: Decision, note?: string): void {
    const approvalIds = alike(this.#approvals).map(({ id }) => id);
    const params = note ? { approvalIds, decision, note } : { approvalIds, decision };
    this.#send(() => this.bridge.request('approval/answer', params));
  }

  #problem(message: string): void {
    this.element.append(element('div', { class: 'warn', role: 'status' }, icon('error'), message));
  }

  #denial(approval: Approval): HTMLElement {
    const { words } = this;
    const note = element('input', { class: 'field', placeholder: words.say('denyNote'), 'aria-label': words.say('denyNote') });
    const say = () => this.#answer({ kind: 'deny' }, note.value.trim() || undefined);
    note.addEventListener('keydown', (event) => {
      if (isEnter(event) && this.#approvals[0]?.id === approval.id) say();
    });
    return div('below', note, div('buttons', button(words.say('deny'), say), this.#back()));
  }

  #back(): HTMLElement {
    return button(this.words.say('back'), () => {
      this.#go({ at: 'asked' });
      this.focus();
    });
  }

  async #preview(approval: Approval, rule: Rule): Promise<void> {
    const asked: Step = { at: 'always', rule };
    this.#go(asked);
    const step = await this.bridge.request('rule/preview', { approvalId: approval.id, rule }).then(
      (preview): Step => ({ at: 'always', rule: preview.rule, preview }),
      (error: Error): Step => ({ at: 'always', rule, problem: error.message }),
    );
    if (this.#step === asked) this.#go(step);
  }

  #always(approval: Approval, { rule, preview, problem }: Extract<Step, { at: 'always' }>): HTMLElement[] {
    const { words } = this;
    const isCommand = approval.segments.length > 0;
    const list = (all: string[], none: string) => (!preview ? '…' : all.length ? span('', ...all.map((one) => element('code', {}, one))) : none);
    const rows: [string, Node | string][] = [
      [words.say('savesTo'), span('choose', this.#scope(approval, rule), span('faint', preview?.file ?? ''))],
      [words.say('allow'), span('choose', element('code', {}, `[${rule.argv.map((word) => JSON.stringify(word)).join(', ')}]`), this.#width(approval, rule))],
      [words.say('grantsLabel'), rule.grants.join(', ')],
      [words.say('alsoRuns'), list(preview?.alsoRuns ?? [], words.say('nothingElse'))],
      [words.say('stillAsks'), list(preview?.stillAsks ?? [], words.say('nothingElse'))],
    ];
    const save = button(words.say(isCommand ? 'saveAndRun' : 'saveAndAllow'), () => this.#answer({ kind: 'always', rule }));
    if (!preview || problem) save.dataset.off = '';
    return [
      element('dl', { class: 'rule' }, ...rows.flatMap(([term, value]) => [element('dt', {}, term), element('dd', {}, value)])),
      ...(problem ? [element('div', { class: 'warn', role: 'status' }, icon('error'), problem)] : []),
      div('buttons', save, this.#back()),
    ];
  }

  #scope(approval: Approval, rule: Rule): HTMLElement {
    const { words } = this;
    return this.#select(words.say('savesTo'), [
      { label: words.say('onlyHere'), chosen: rule.scope === 'workspace', pick: () => this.#preview(approval, { ...rule, scope: 'workspace' }) },
      { label: words.say('everywhere'), chosen: rule.scope === 'everywhere', pick: () => this.#preview(approval, { ...rule, scope: 'everywhere' }) },
    ]);
  }

  /** How wide the rule is: exactly its words, or fewer of them and any behind. What may not be wider the daemon refuses, with the reason. */
  #width(approval: Approval, rule: Rule): HTMLElement {
    const { words } = this;
    const all = approval.rule?.argv ?? rule.argv;
    const prefixes = all.slice(1).map((_, index) => all.slice(0, all.length - index));
    return this.#select(words.say('width'), [
      { label: words.say('exact'), chosen: !rule.prefix, pick: () => this.#preview(approval, { ...rule, argv: all, prefix: false }) },
      ...prefixes.map((argv) => ({
        label: `${argv.join(' ')} …`,
        chosen: rule.prefix && rule.argv.length === argv.length,
        pick: () => this.#preview(approval, { ...rule, argv, prefix: true }),
      })),
    ]);
  }

  #select(label: string, options: { label: string; chosen: boolean; pick: () => Promise<void> }[]): HTMLSelectElement {
    const made = element('select', { class: 'select', 'aria-label': label }, ...options.map((option) => element('option', { selected: option.chosen }, option.label)));
    made.addEventListener('change', () => void options[made.selectedIndex]?.pick());
    return made;
  }

  #question(item: Item): HTMLElement[] {
    const { words } = this;
    const question = item.content as Question;
    const answer = (reply: { choice?: number; text?: string }) => {
      const params = { sessionId: this.#sessionId, itemId: item.id, ...reply };
      this.#send(() => this.bridge.request('question/answer', params));
    };
    const text = element('input', { class: 'field grow', placeholder: words.say('otherAnswer'), 'aria-label': words.say('otherAnswer') });
    const say = () => {
      if (text.value.trim() !== '') answer({ text: text.value.trim() });
    };
    text.addEventListener('keydown', (event) => {
      if (isEnter(event)) say();
    });
    const choices = question.choices.map((choice, index) => {
      const made = button(choice, () => answer({ choice: index }));
      made.prepend(element('kbd', { 'aria-hidden': 'true' }, String(index + 1)));
      return made;
    });
    const total = this.#questions.length;
    return [
      div('card-head', icon('question'),
        span('strong grow', words.say('asks')),
        span('faint', total > 1 ? words.say('position', 1, total) : ''),
      ),
      div('asked-text', question.text),
      div('buttons choices keyed', ...choices),
      div('below row-line', text, button(words.say('answer'), say), button(words.say('skip'), () => answer({}))),
    ];
  }
}

/** A press of Enter that was meant: not held down, and not the end of a composed word. */
function isEnter(event: KeyboardEvent): boolean {
  return event.key === 'Enter' && !event.repeat && !event.isComposing;
}
