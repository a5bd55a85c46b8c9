# agentos-run in an image of its own: `docker build -t agentos-run .`
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --locked --profile dist

FROM debian:bookworm-slim
# The certificates that HTTPS is checked by.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/target/dist/agentos-run /usr/local/bin/agentos-run
RUN useradd --create-home runner
USER runner
WORKDIR /work
ENTRYPOINT ["agentos-run"]
