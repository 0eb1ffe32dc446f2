/**
 * The secret of GitHub's published signature vector, so that the vector can be posted as it is. In a file of its own:
 * scripts that tests start with plain Node sign too, and there `sandbox.ts` can't register its hooks.
 */
export const SECRET = "It's a Secret to Everybody";
