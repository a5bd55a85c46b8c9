# What CI runs.
ci: fmt clippy test

# All tests, against the newest AgentOS; Python environments are made under target/ the first time.
test *ARGS:
    cargo test {{ARGS}}

# All tests, against each AgentOS that is supported.
test-versions:
    for version in 2.3.26 2.6.22 3.1.10; do AGENTOS_TEST_VERSION=$version cargo test --test integration || exit 1; done

fmt:
    cargo fmt --check

clippy:
    cargo clippy --all-targets -- -D warnings
