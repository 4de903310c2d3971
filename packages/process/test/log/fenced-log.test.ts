import { fencedLogLaws } from '@mezzo/process/testing';
import { fileSetting, memorySetting, remoteSetting, simulatedFileSetting } from './log-settings.ts';

for (const [name, setting] of [
  ['a log in memory', memorySetting],
  ['a log in files', fileSetting],
  ['a log in files of a simulated disk', simulatedFileSetting],
  ['a log of another node', remoteSetting],
] as const) {
  describe(name, () => {
    for (const { title, holds } of fencedLogLaws) {
      it(title, async () => {
        await using made = await setting();
        await holds(made.storage);
      });
    }
  });
}
