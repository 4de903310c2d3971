import { parseDuration } from '../duration.ts';
import { hasLevel, logLevels, verbosityOf } from '../log-level.ts';
import type { Timer } from '../platform/platform.ts';
import { Process } from '../process.ts';
import { type HttpRequest, type HttpResponse, refusal, text } from '../route.ts';

/** `/logging/toggle`: has the runtime's logger say more for a while. */
export class LoggingProcess extends Process {
  /** The level to go back to, while another one is set. */
  #original: string | undefined = undefined;
  #revert: Timer | undefined = undefined;

  constructor() {
    super('logging');
  }

  protected override initialize(): void {
    const help =
      'The level of the log; `?level=debug&duration=10mins` sets a more talkative one and goes back afterwards. Levels are ' +
      "those of pino, or 0 for 'info', 1 for 'debug', 2 for 'trace'.";
    this.route('/toggle', (request) => this.#toggle(request), { help });
  }

  protected override finalize(): void {
    this.#goBack();
  }

  #toggle({ query }: HttpRequest): HttpResponse {
    const { log } = this.runtime;
    if (!hasLevel(log)) {
      return refusal(
        501,
        "This runtime's logger has no level: start the runtime with a pino logger, or with withLevel(logger).",
      );
    }
    const given = query.get('level');
    const duration = query.get('duration');
    if (given === null)
      return duration === null ? text(`${log.level}\n`) : refusal(400, "Expecting 'level=value' in query.");
    if (duration === null) return refusal(400, "Expecting 'duration=value' in query.");
    const level = levelOf(given);
    if (level === undefined) {
      return refusal(
        400,
        `Invalid level '${given}': expected one of ${logLevels.join(', ')}, or a number that is not negative.`,
      );
    }
    const original = this.#original ?? log.level;
    if (verbosityOf(level) < verbosityOf(original)) return refusal(400, `'${given}' < original level.`);
    let milliseconds: number;
    try {
      milliseconds = parseDuration(duration);
    } catch {
      return refusal(
        400,
        `Invalid duration '${duration}': expected a time with its unit, such as '30secs' or '5mins'.`,
      );
    }
    this.#goBack();
    if (level === original) return text('');
    this.#original = original;
    log.level = level;
    this.#revert = this.delay(milliseconds, () => this.#goBack());
    return text('');
  }

  #goBack(): void {
    const { log } = this.runtime;
    if (this.#original !== undefined && hasLevel(log)) log.level = this.#original;
    this.#original = undefined;
    this.#revert?.cancel();
  }
}

/** Of a name, or of libprocess's numbers: how many steps above `info`. */
function levelOf(given: string): string | undefined {
  if (!/^\d+$/.test(given)) return logLevels.find((level) => level === given);
  return logLevels[Math.min(verbosityOf('info') + Number(given), logLevels.length - 1)];
}
