// Where a block of Markdown ends. While an answer arrives, what is finished is drawn as Markdown once and never again; only the last block
// is still text. An answer that is whole is cut at the same places, so that both look the same. Pure.

/** Where a fence opened, and with what. */
export interface Fence {
  mark: string;
  language: string;
  /** The first character after its line. */
  start: number;
}

const FENCE = /^ {0,3}(`{3,}|~{3,})[ \t]*([^`\n]*)$/;
const INDENTED_FENCE = /^\s+(`{3,}|~{3,})/;

/** The fence that the text begins with, once its first line is whole. */
export function openFence(text: string): Fence | undefined {
  const end = text.indexOf('\n');
  const found = end < 0 ? null : FENCE.exec(text.slice(0, end));
  return found ? { mark: found[1]!, language: found[2]!.trim().split(/\s/)[0] ?? '', start: end + 1 } : undefined;
}

function closes(line: string, mark: string): boolean {
  const bare = line.trim();
  return bare.length >= mark.length && bare === mark[0]!.repeat(bare.length);
}

/** The length of the first block, if it is certain that nothing more belongs to it. */
export function finishedBlock(text: string): number | undefined {
  const fence = openFence(text);
  return fence ? endOfFence(text, fence) : endOfProse(text);
}

function endOfFence(text: string, fence: Fence): number | undefined {
  for (let start = fence.start; start < text.length; ) {
    const end = text.indexOf('\n', start);
    if (end < 0) return undefined;
    if (closes(text.slice(start, end), fence.mark)) return end + 1;
    start = end + 1;
  }
  return undefined;
}

function endOfProse(text: string): number | undefined {
  let blank = -1;
  let inner: string | undefined;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const line = text.slice(start, end);
    if (inner) {
      if (closes(line, inner)) inner = undefined;
    } else if (line.trim() === '') {
      if (newline >= 0 && start > 0) blank = blank < 0 ? start : blank;
    } else {
      const continues = /^(\s{2}|\t)/.test(line);
      if (blank > 0 && !continues) return start;
      if (start > 0 && newline >= 0 && FENCE.test(line) && !continues) return start;
      blank = -1;
      inner = INDENTED_FENCE.exec(line)?.[1];
    }
    start = end + 1;
  }
  return undefined;
}

/** A whole text in its blocks. */
export function blocks(text: string): string[] {
  const all: string[] = [];
  let rest = text;
  for (let length = finishedBlock(rest); length !== undefined; length = finishedBlock(rest)) {
    all.push(rest.slice(0, length));
    rest = rest.slice(length);
  }
  if (rest.trim() !== '') all.push(rest);
  return all;
}
