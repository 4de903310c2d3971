import { register } from 'tsx/esm/api';

// `--import tsx` compiles for the main thread only on some versions of Node.
register();
