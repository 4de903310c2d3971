import { side } from '../subprocess.mjs';

const reference = 'hand-written mailbox';

/** One JavaScript thread: @mezzo/process beside the least code that still is a mailbox. */
export const local = {
  name: 'local',
  cases: [
    { name: 'local.oneway', unit: 'msg/s', case: 'oneway' },
    { name: 'local.pingpong', unit: 'roundtrip/s', case: 'pingpong' },
    { name: 'local.ask', unit: 'ask/s', case: 'ask' },
    { name: 'local.spawn', unit: 'process/s', case: 'spawn' },
    { name: 'local.bytes', unit: 'B/process', case: 'bytes', lowerIsBetter: true },
  ].map((one) => ({
    ...one,
    referenceName: reference,
    ours: () => side('local-ours.mjs', [one.case]),
    reference: () => side('local-handwritten.mjs', [one.case]),
  })),
  async open() {
    return { async close() {} };
  },
};
