//! The one integration test binary: one module per subject.

#[cfg(feature = "emulator")]
mod emulator;
