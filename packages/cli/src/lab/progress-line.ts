/** Milliseconds of real time between two drawings. */
const refresh = 100;
const width = 24;

/** One line on a terminal that says how far something is; nothing where there is no terminal. */
export class ProgressLine {
  readonly #stream: NodeJS.WriteStream;
  readonly #begun = performance.now();
  #drawnAt = Number.NEGATIVE_INFINITY;
  #isShown = false;

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream;
  }

  /** @param time and @param duration milliseconds of virtual time */
  showTime({ time, duration }: { readonly time: number; readonly duration: number }): void {
    const speed = time / Math.max(performance.now() - this.#begun, 1);
    const times = `${speed.toFixed(speed < 10 ? 1 : 0)} times as fast as time`;
    this.show(time / duration, `${clock(time)} / ${clock(duration)}  ${times}`);
  }

  /** @param done 0 to 1 */
  show(done: number, text: string): void {
    const now = performance.now();
    if (!this.#stream.isTTY || (now - this.#drawnAt < refresh && done < 1)) return;
    this.#drawnAt = now;
    this.#isShown = true;
    const bar = '█'.repeat(Math.round(done * width)).padEnd(width, '░');
    this.#stream.write(`\r\x1b[K${bar} ${text}`);
  }

  clear(): void {
    if (this.#isShown) this.#stream.write('\r\x1b[K');
    this.#isShown = false;
  }
}

/** `1:02:03` */
export function clock(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}
