import { side } from '../subprocess.mjs';

/** One JavaScript thread: @mezzo/process beside the least code that still is a mailbox. */
export const local = {
  name: 'local',
  runs: [
    { work: 'oneway', unit: 'messages/s', target: { of: 'ratio', atLeast: 0.6 } },
    { work: 'pingpong', unit: 'round trips/s', target: { of: 'ratio', atLeast: 0.5 } },
    { work: 'ask', unit: 'asks/s', target: { of: 'ratio', atLeast: 0.5 } },
    { work: 'spawn', unit: 'processes/s', target: { of: 'ours', atLeast: 400_000 } },
    { work: 'bytes', unit: 'bytes', lowerIsBetter: true, target: { of: 'ours', atMost: 700 } },
  ].map(({ work, ...one }) => ({
    ours: () => side('local-ours.mjs', [work]),
    reference: () => side('local-handwritten.mjs', [work]),
    cases: [{ name: `local.${work}`, ...one, referenceName: 'hand-written mailbox' }],
  })),
};
