import { ProcessError } from '../errors.ts';
import { NetworkTransport } from '../network-transport.ts';
import { ManualClock } from '../platform/manual-clock.ts';
import type { Runtime } from '../runtime.ts';

/** Turns of the event loop that must pass without change. */
const quietTurns = 2;
/** A guard: so many turns without time moving on mean that processes feed each other for ever. */
const limit = 100_000;

/**
 * Waits until real runtimes whose ManualClock is paused have nothing left to do: no event is queued and no timer is due. A
 * handler that waits counts as settled; files, sockets and child processes are not waited for. Runtimes that talk to each
 * other over a Network are settled together. Throws SETTLE_IMPOSSIBLE if a clock runs, if a runtime's messages travel outside
 * this OS process (over NATS: poll with a deadline instead), or if that never ends.
 */
export async function settle(...runtimes: readonly Runtime[]): Promise<void> {
  const clocks = new Set(runtimes.map(pausedClock));
  const activity = (): number => runtimes.reduce((sum, runtime) => sum + runtime.activity, 0);
  let quiet = 0;
  for (let turns = 0; quiet < quietTurns; turns++) {
    if (turns > limit) {
      throw new ProcessError(
        'SETTLE_IMPOSSIBLE',
        'The runtimes do not settle: processes keep sending each other messages at the same time',
      );
    }
    const before = activity();
    let changed = false;
    for (const clock of clocks) changed = clock.fireDue() || changed;
    await Promise.all(runtimes.map(({ platform }) => new Promise<void>((resolve) => platform.loop.macrotask(resolve))));
    const idle = runtimes.every((runtime) => runtime.idle);
    quiet = changed || !idle || activity() !== before ? 0 : quiet + 1;
  }
}

function pausedClock({ name, platform, transport }: Runtime): ManualClock {
  if (transport !== undefined && !(transport instanceof NetworkTransport)) {
    throw new ProcessError(
      'SETTLE_IMPOSSIBLE',
      `Runtime '${name}' cannot settle: its messages travel outside this OS process; poll with a deadline, or use a Network`,
    );
  }
  const { clock } = platform;
  if (clock instanceof ManualClock && clock.isPaused) return clock;
  throw new ProcessError(
    'SETTLE_IMPOSSIBLE',
    `Runtime '${name}' cannot settle while its time runs: start it with a ManualClock and pause that, or use a Simulation`,
  );
}
