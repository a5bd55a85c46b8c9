# agentos-run in an image of its own: `docker build -t agentos-run .`
# It has the C compiler that SQLite and the cryptography need.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --locked --profile dist

FROM debian:bookworm-slim
# The certificates that HTTPS is checked by. And an init: the kernel keeps Ctrl-C and SIGTERM from the first process of a
# container unless it asks for them, and only commands with something to tidy up do.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates tini \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/target/dist/agentos-run /usr/local/bin/agentos-run
RUN useradd --uid 1000 --create-home runner && install -d -o runner -g runner /work
# By its number: Kubernetes sees that it is not root.
USER 1000
WORKDIR /work
# `-s`: silent where it is not the first process itself, as with `docker run --init`.
ENTRYPOINT ["tini", "-s", "--", "agentos-run"]
