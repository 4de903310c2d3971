#!/usr/bin/env node
import './lab/own-strings.ts';
import { Command } from 'commander';
import { agent } from './commands/agent.ts';
import { cluster } from './commands/cluster.ts';
import { lab } from './commands/lab.ts';
import { master } from './commands/master.ts';
import { registry } from './commands/registry.ts';

await new Command('mezzo')
  .description('Mesos rebuilt as TypeScript actors')
  .version('0.1.0')
  .addCommand(master)
  .addCommand(agent)
  .addCommand(cluster)
  .addCommand(lab)
  .addCommand(registry)
  .parseAsync();
