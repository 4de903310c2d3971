import { side } from '../subprocess.mjs';

/** Gaps between the ticks of a 1 ms timer: what processes that never rest leave to timers and sockets. */
export const loop = {
  name: 'loop',
  runs: [
    {
      ours: () => side('loop-gaps.mjs', ['busy']),
      reference: () => side('loop-gaps.mjs', ['idle']),
      cases: [{ figure: 'p50' }, { figure: 'p99' }, { figure: 'max', target: { of: 'difference', atMost: 10 } }].map(
        (one) => ({
          ...one,
          name: `loop.gap.${one.figure}`,
          unit: 'ms',
          lowerIsBetter: true,
          comparison: 'difference',
          referenceName: 'idle loop',
        }),
      ),
    },
  ],
};
