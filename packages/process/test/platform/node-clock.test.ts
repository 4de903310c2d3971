import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { nodeClock } from '../../src/platform/node-clock.ts';

const fired = (clock: ReturnType<typeof nodeClock>, delay: number): Promise<number> =>
  new Promise((resolve) => void clock.timer(delay, () => resolve(clock.now())));

describe('nodeClock', () => {
  it('fires no earlier than asked, in order of due time', async () => {
    const clock = nodeClock();
    const start = clock.now();
    const order: number[] = [];
    await Promise.all(
      [20, 5, 10].map((delay) => fired(clock, delay).then((at) => order.push(delay, at - start >= delay ? 1 : 0))),
    );
    expect(order).to.deep.equal([5, 1, 10, 1, 20, 1]);
  });

  it('a delay above what a native timer takes does not fire at once', async () => {
    const clock = nodeClock();
    let early = false;
    const timers = [2 ** 31, 30 * 86_400_000, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY].map((delay) =>
      clock.timer(delay, () => {
        early = true;
      }),
    );
    await fired(clock, 5);
    expect(early).to.equal(false);
    expect(timers.map((timer) => timer.cancel())).to.deep.equal([true, true, true, true]);
  });

  it('a timer of no delay that arms itself again leaves room for others', async () => {
    const clock = nodeClock();
    let stopped = false;
    const again = (): void => {
      if (!stopped) clock.timer(0, again);
    };
    again();
    await new Promise((resolve) => setTimeout(resolve, 5));
    stopped = true;
  });

  it('fires a timer that is armed after the last one was cancelled', async () => {
    const clock = nodeClock();
    clock.timer(20, () => undefined).cancel();
    await fired(clock, 40);
    clock.timer(1000, () => undefined).cancel();
    await fired(clock, 1);
  });

  it('keeps the OS process alive for an armed timer, and not for a cancelled one', async () => {
    const module = fileURLToPath(new URL('../../src/platform/node-clock.ts', import.meta.url));
    const run = async (code: string): Promise<number> => {
      const program = `import { nodeClock } from ${JSON.stringify(module)}; const clock = nodeClock(); ${code}`;
      const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program], {
        stdio: 'inherit',
      });
      const [exitCode] = (await once(child, 'exit')) as [number];
      return exitCode;
    };
    const [armed, cancelled] = await Promise.all([
      run('clock.timer(1, () => undefined).cancel(); clock.timer(50, () => process.exit(7));'),
      run('clock.timer(600_000, () => undefined).cancel();'),
    ]);
    expect([armed, cancelled]).to.deep.equal([7, 0]);
  });
});
