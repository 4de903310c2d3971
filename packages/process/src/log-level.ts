import type { Logger } from './runtime-options.ts';

/** What a logger says, from nothing to everything, by pino's names. */
export const logLevels = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;

export type LogLevel = (typeof logLevels)[number];

/** A logger that can be told how much to say while it runs, as pino's can. */
export interface LevelledLogger extends Logger {
  level: string;
}

/** Gives a level to a logger that has none, `console` for instance; pino needs no such thing. Default level `info`. */
export function withLevel(logger: Logger, level: LogLevel = 'info'): LevelledLogger {
  const says = (wanted: LogLevel): boolean => verbosityOf(wanted) <= verbosityOf(levelled.level);
  const levelled: LevelledLogger = {
    level,
    debug: (fields, text) => void (says('debug') && logger.debug(fields, text)),
    info: (fields, text) => void (says('info') && logger.info(fields, text)),
    warn: (fields, text) => void (says('warn') && logger.warn(fields, text)),
    error: (fields, text) => void (says('error') && logger.error(fields, text)),
  };
  return levelled;
}

export function hasLevel(logger: Logger): logger is LevelledLogger {
  return 'level' in logger && typeof logger.level === 'string';
}

/** Grows with what is said; -1 for a level that is not one of ours. */
export function verbosityOf(level: string): number {
  return logLevels.findIndex((known) => known === level);
}
