import { side } from '../subprocess.mjs';

/** Gaps between the ticks of a 1 ms timer: what processes that never rest leave to timers and sockets. */
export const loop = {
  name: 'loop',
  cases: ['p50', 'p99', 'max'].map((figure) => ({
    name: `loop.gap.${figure}`,
    unit: 'us',
    referenceName: 'idle loop',
    lowerIsBetter: true,
    ours: () => side('loop-gaps.mjs', [figure, 'busy']),
    reference: () => side('loop-gaps.mjs', [figure, 'idle']),
  })),
  async open() {
    return { async close() {} };
  },
};
