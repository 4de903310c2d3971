import type { Run, Script } from '@mezzo/process/testing';

/** The command of a task that takes so many milliseconds, or never ends; as a shell would run it. */
export function sleepCommand(duration: number | undefined, fails: boolean): string {
  const sleep = duration === undefined ? 'sleep infinity' : `sleep ${duration / 1000}`;
  return fails ? `${sleep}; exit 1` : sleep;
}

const pattern = /^sleep (infinity|[\d.e+-]+)(; exit 1)?$/;

/** Carries out sleep commands in virtual time. */
export const sleepScript: Script = ({ arguments: given }): Run => {
  const [, seconds, fails] = pattern.exec(given.at(-1) ?? '') ?? [];
  if (seconds === undefined) throw new Error(`The laboratory runs sleep commands only, not '${given.at(-1) ?? ''}'`);
  return {
    ...(seconds === 'infinity' ? {} : { duration: Number(seconds) * 1000 }),
    ...(fails === undefined ? {} : { code: 1 }),
  };
};
