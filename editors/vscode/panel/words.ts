// The panel's words in the language of the workbench, and numbers as people write them.

import english from '../l10n/panel.json';

/** The name of one of the panel's sentences. */
export type StringKey = keyof typeof english;

type CountKey = { [K in StringKey]: K extends `${infer Stem}.other` ? Stem : never }[StringKey];

/** Words and numbers in one language. */
export class Words {
  readonly #plural: Intl.PluralRules;
  readonly #number: Intl.NumberFormat;
  readonly #short: Intl.NumberFormat;

  constructor(readonly language: string, private readonly strings: Record<string, string>) {
    this.#plural = new Intl.PluralRules(language);
    this.#number = new Intl.NumberFormat(language);
    this.#short = new Intl.NumberFormat(language, { notation: 'compact', maximumSignificantDigits: 3 });
  }

  /** The words of a key, filled in. */
  say(key: StringKey, ...values: (string | number)[]): string {
    const words = this.strings[key] ?? english[key];
    return words.replace(/\{(\d)\}/g, (whole, index) => String(values[Number(index)] ?? whole));
  }

  /** As many of something. */
  count(stem: CountKey, count: number): string {
    const key = `${stem}.${this.#plural.select(count)}`;
    return this.say((key in english ? key : `${stem}.other`) as StringKey, this.#number.format(count));
  }

  number(value: number): string {
    return this.#number.format(value);
  }

  /** Such as `118K`. */
  short(value: number): string {
    return this.#short.format(value);
  }

  /** Millionths of a dollar. */
  money(millionths: number): string {
    const digits = millionths < 1_000_000 ? 4 : 2;
    const format = new Intl.NumberFormat(this.language, { style: 'currency', currency: 'USD', maximumFractionDigits: digits });
    return format.format(millionths / 1_000_000);
  }
}

/** A stretch of time for a clock that counts up: `2:14`, `1:02:03`. */
export function clock(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const pad = (value: number) => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours ? `${hours}:${pad(minutes)}:${pad(seconds % 60)}` : `${minutes}:${pad(seconds % 60)}`;
}

/** How long something took: `0.2 s`, `2:14`. */
export function duration(milliseconds: number): string {
  return milliseconds < 60_000 ? `${(milliseconds / 1000).toFixed(1)} s` : clock(milliseconds);
}
