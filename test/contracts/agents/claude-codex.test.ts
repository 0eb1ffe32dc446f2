import { holdsContract } from './suite.ts';

holdsContract('claude');
holdsContract('codex');
