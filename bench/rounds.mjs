/** What `--rounds` says. */
export function readRounds(given) {
  const rounds = Number(given);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds is '${given}', expected a whole number from 1`);
  return rounds;
}

/** Runs all sides in turn, the order swapped every round, so that what else the machine does meets all of them. */
export async function interleaved(rounds, sides, run) {
  for (let round = 1; round <= rounds; round++)
    for (const side of round % 2 === 0 ? sides.toReversed() : sides) await run(side, round);
}
