/** Nanoseconds, largest first. */
const units = [
  ['weeks', 604_800e9],
  ['days', 86_400e9],
  ['hrs', 3600e9],
  ['mins', 60e9],
  ['secs', 1e9],
  ['ms', 1e6],
  ['us', 1e3],
] as const;

/** Milliseconds as Mesos prints them: a whole number of the largest unit that allows it, such as `5secs` or `90secs`. */
export function durationText(milliseconds: number): string {
  const nanoseconds = Math.round(milliseconds * 1e6);
  for (const [name, length] of units) {
    if (nanoseconds !== 0 && nanoseconds % length === 0) return `${nanoseconds / length}${name}`;
  }
  return `${nanoseconds}ns`;
}
