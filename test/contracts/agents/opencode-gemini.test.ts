import { holdsContract } from './suite.ts';

holdsContract('opencode');
holdsContract('gemini');
