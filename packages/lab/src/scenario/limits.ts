/** What a scenario may have at most. More is a slip of the keyboard, which would fill the memory long before it is noticed. */
export const limits = {
  /** Those that events add among them. */
  agents: 1_000_000,
  frameworks: 100_000,
  /** That arrive at once: those of long-running frameworks all together, and those of one job or spike. */
  tasks: 1_000_000,
  samples: 1_000_000,
  /** Of one anchor (YAML), times those in what it stands for. */
  aliases: 10_000,
  /** Milliseconds of any duration: 36,500 days. */
  duration: 36_500 * 86_400_000,
} as const;
