# hookctl in a container: docker build -t hookctl . (see docs/container.md)
ARG NODE=node:24-slim

FROM ${NODE} AS build
WORKDIR /src
COPY . .
RUN npm ci && npm pack --pack-destination /tmp

FROM ${NODE}
# git for the checkouts of agents, and certificates for what hookctl calls.
RUN apt-get update && apt-get install -y --no-install-recommends git ca-certificates && rm -rf /var/lib/apt/lists/*
COPY --from=build /tmp/hookctl-*.tgz /tmp/
RUN npm install -g /tmp/hookctl-*.tgz && rm /tmp/hookctl-*.tgz && mkdir -m 0700 /data && chown node:node /data
USER node
ENV HOOKCTL_HOME=/data
WORKDIR /project
VOLUME /data
EXPOSE 8000
# Whether a delivery could be stored now, asked as a sender would: over the ingress.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8000/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
CMD ["hookctl", "serve", "--host", "0.0.0.0"]
