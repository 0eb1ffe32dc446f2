/**
 * Headers that only a proxy, a content network or a tunnel adds. Sources: RFC 7239, 9110 and 8586, and the pages in which
 * each vendor lists what it adds. Trace ids are not among them: clients send them, too.
 */
const NAMES: ReadonlySet<string> = new Set([
  // Standards, and what proxies added before them.
  ...['forwarded', 'forwarded-for', 'forwarded-for-ip', 'via', 'cdn-loop', 'surrogate-capability'],
  ...[
    'max-forwards',
    'proxy-connection',
    'proxy-client-ip',
    'wl-proxy-client-ip',
    'client-ip',
    'x-client-ip',
  ],
  ...[
    'x-via',
    'x-host',
    'x-scheme',
    'x-url-scheme',
    'x-rewrite-url',
    'x-request-start',
    'x-http-host-override',
  ],
  ...['remote-addr', 'x-originating-ip', 'x-forward-for', 'z-forwarded-for', 'x-nginx-proxy', 'x-cdn'],
  ...['front-end-https', 'x-forwarder-for', 'x-coming-from', 'x-bluecoat-via', 'x-varnish', 'x-iinfo'],
  // Cloudflare, Akamai, DigitalOcean, Google, Heroku.
  ...['true-client-ip', 'do-connecting-ip', 'x-cloud-trace-context', 'x-gfe-request-trace', 'connect-time'],
]);

/** Families of such headers, each of one vendor or of one meaning. */
const PREFIXES: readonly string[] = [
  ...[
    'x-forwarded',
    'x-original',
    'x-real-',
    'x-cluster-',
    'x-remote-',
    'x-proxy',
    'x-lb-',
    'x-kong-',
    'x-sigsci-',
  ],
  ...['cf-', 'cdn-', 'fastly-', 'akamai-', 'x-akamai-', 'cloudfront-', 'incap-', 'x-sucuri-', 'x-edge-'],
  ...['x-envoy-', 'x-amzn-', 'x-amz-cf-', 'x-azure-', 'x-arr-', 'x-ms-', 'x-fd-', 'x-appengine-', 'x-goog-'],
  ...['fly-', 'x-vercel-', 'x-nf-', 'x-render-', 'x-railway-', 'x-replit-', 'x-heroku-', 'x-traefik-'],
  ...[
    'ngrok',
    'x-ngrok',
    'tailscale-',
    'x-tailscale-',
    'x-pinggy-',
    'x-localtunnel-',
    'x-tunnel-',
    'x-zrok-',
  ],
];

/** Whether a header, in lower case, shows that the request came through a proxy. Some proxies write `_` for `-`. */
export function isProxyHeader(name: string): boolean {
  const plain = name.replaceAll('_', '-');
  return NAMES.has(plain) || PREFIXES.some((prefix) => plain.startsWith(prefix));
}
