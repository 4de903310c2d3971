import type { CommandInfo } from '@mezzo/protocol';

/** What is wrong with a command, or undefined. */
export function commandFault({ value, environment }: CommandInfo): string | undefined {
  if (value === '') return 'its value is empty';
  for (const name of Object.keys(environment)) {
    if (name === '' || name.includes('=') || name.includes('\0'))
      return `environment variable ${JSON.stringify(name)} has an invalid name`;
    if (environment[name]?.includes('\0') === true) return `environment variable '${name}' has an invalid value`;
  }
  return value.includes('\0') ? 'its value contains a zero byte' : undefined;
}
