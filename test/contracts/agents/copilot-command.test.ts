import { holdsContract } from './suite.ts';

holdsContract('copilot');
holdsContract('command');
