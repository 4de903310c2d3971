/** Something that happens at a time of a run, from outside. */
export interface Happening {
  /** Milliseconds since the start. */
  readonly time: number;
  readonly what: string;
  readonly act: () => void | Promise<void>;
}
