/**
 * What cannot be installed from npm, as it was once measured on another, busy machine with 2 cores; the hand-written
 * mailbox of that machine is what these compare with. One-way is a burst of a million there, not volleys.
 */
export const quoted = [
  {
    name: 'hand-written mailbox',
    oneway: '7.6 to 8.4 M/s',
    pingpong: '8.4 to 12 M/s',
    ask: '0.3 us (median)',
    spawn: '0.9 M/s',
  },
  {
    name: 'actor-ts 0.16',
    oneway: '3.2 to 4.0 M/s',
    pingpong: '1.0 to 1.1 M/s',
    ask: '1.4 us (median)',
    spawn: '32 k/s, end 38 k/s',
  },
  {
    name: 'C++ libprocess, dispatch',
    oneway: '2.2 to 2.6 M/s',
    pingpong: '0.3 M/s (8 workers) to 2.7 M/s (1)',
    ask: '',
    spawn: '105 k/s',
  },
  {
    name: 'C++ libprocess, messages',
    oneway: '1.3 to 1.6 M/s',
    pingpong: '5.0 to 5.7 M/s (bare handlers)',
    ask: '',
    spawn: '',
  },
];
