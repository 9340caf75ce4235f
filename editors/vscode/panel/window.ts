// Which stretches of a long transcript are drawn. Pure.

/** A stretch: where it stands, in pixels from the beginning, and how many items it has. */
export interface Stretch {
  top: number;
  height: number;
  count: number;
}

/** The indices of those to draw: what can be seen, then what is nearest, as long as there is room for its items. */
export function drawnStretches(stretches: Stretch[], viewTop: number, viewHeight: number, maxItems: number): Set<number> {
  const away = ({ top, height }: Stretch) => Math.max(top - (viewTop + viewHeight), viewTop - (top + height), 0);
  const nearest = stretches.map((stretch, index) => ({ index, away: away(stretch), count: stretch.count }));
  nearest.sort((one, other) => one.away - other.away || other.index - one.index);
  const drawn = new Set<number>();
  let room = maxItems;
  for (const { index, away, count } of nearest) {
    if (away > 0 && (count > room || away > viewHeight * 3)) break;
    drawn.add(index);
    room -= count;
  }
  return drawn;
}
