import { message, Process, type ExitReason } from '@mezzo/process';

export const Crash = message<string>('crash');
export const Quit = message('quit');
export const Work = message<number>('work');

/** What happened, in order: `+id` for an initialized process, `-id` for one that has ended. */
export class Diary {
  readonly lines: string[] = [];

  /** Takes what was written since the last look. */
  take(): string {
    return this.lines.splice(0).join(' ');
  }
}

/** Writes its start and end into the diary. */
export class Member extends Process {
  readonly #name: string;
  readonly #diary: Diary;

  constructor(name: string, diary: Diary) {
    super(name);
    this.#name = name;
    this.#diary = diary;
  }

  protected override initialize(): void | Promise<void> {
    this.#diary.lines.push(`+${this.#name}`);
    this.install(Crash, (text) => {
      throw new Error(text);
    });
    this.install(Quit, () => this.terminate());
    this.install(Work, (n) => void this.#diary.lines.push(`${this.#name}:${n}`));
  }

  protected override finalize(_reason: ExitReason): void {
    this.#diary.lines.push(`-${this.#name}`);
  }
}
